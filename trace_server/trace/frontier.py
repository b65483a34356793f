"""Breadth-first over links, one reading a level: the walk that both directions share.

Links come from the store in no order. Everything is sorted by its own content before it is looked at, so the same
events give the same chain in whatever order and in however many batches they arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Protocol

from trace_server.trace.model import END, Chain, Group, Interval, Link, LinkRole, Node, Relation
from trace_server.trace.rules import Stay, stays

MAX_NODES = 10_000
"""A consumer's or regulator's single question; recalls set a limit of their own."""
MAX_DEPTH = 64
"""Levels of packing and making; the longest real chain (farm to infant formula) has about 20."""
_MAKES = frozenset({LinkRole.COMMISSION, LinkRole.OUTPUT})
_MOVES = frozenset({LinkRole.CHILD_ADD, LinkRole.CHILD_DELETE})


class Reads(Protocol):
    """Where links come from, by event time and then by what they say.

    Each method is called at most once a level, with keys not asked for before.
    """

    def links(self, objects: Sequence[bytes]) -> Iterable[Group]:
        """All standing links of these objects."""

    def inputs(self, events: Sequence[bytes]) -> Iterable[Group]:
        """The INPUT links of these transformations."""

    def outputs(self, events: Sequence[bytes]) -> Iterable[Group]:
        """The OUTPUT links of these transformations."""

    def parts(self, objects: Sequence[bytes]) -> Iterable[Group]:
        """The CHILD_ADD links into these containers and the MEMBER links of these lots."""

    def settled(self) -> bool:
        """Asked at the end of a walk: False when something that was given does not count after all."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a walk ends; a chain that was cut there says so."""

    nodes: int = MAX_NODES
    depth: int = MAX_DEPTH


@dataclass(slots=True)
class Own:
    """The links of an object, by event time; one value for all objects to which the same events did the same."""

    links: tuple[Link, ...]
    moves: tuple[Link, ...]
    """What took it into or out of a container."""
    used: tuple[Link, ...]
    made: tuple[Link, ...]
    lots: tuple[Link, ...]
    emptied: tuple[Link, ...]
    is_container: bool
    stays: Sequence[Stay] | None = None
    """None until asked for."""

    @property
    def parents(self) -> set[bytes]:
        return {move.peer_key for move in self.moves if move.role is LinkRole.CHILD_ADD and move.peer_key is not None}


Kind = tuple[int, int, int]


def kind_of(node: Node, own: Own) -> Kind:
    """Equal for nodes to which the same events did the same, in the same time and relation: what follows from one
    of them follows from all. Identities, valid while the walk holds its nodes and links.
    """
    return id(own), id(node.interval), id(node.relation)


def _of(links: Iterable[Link]) -> Own:
    roles: dict[LinkRole, tuple[Link, ...]] = {}
    found = tuple(links)
    for link in found:
        roles[link.role] = (*roles.get(link.role, ()), link)
    return Own(
        links=found,
        moves=tuple(link for link in found if link.role in _MOVES),
        used=roles.get(LinkRole.INPUT, ()),
        made=roles.get(LinkRole.OUTPUT, ()),
        lots=roles.get(LinkRole.MEMBER, ()),
        emptied=roles.get(LinkRole.PARENT_CLEARED, ()),
        is_container=LinkRole.PARENT in roles or LinkRole.PARENT_CLEARED in roles,
    )


@dataclass(slots=True)
class Links:
    """What has been read of the link table so far, so that each object is read once."""

    reads: Reads
    own: dict[bytes, Own] = field(default_factory=dict)
    inputs: dict[bytes, list[Group]] = field(default_factory=dict)
    outputs: dict[bytes, list[Group]] = field(default_factory=dict)
    parts: dict[bytes, list[Group]] = field(default_factory=dict)

    def stays(self, key: bytes) -> Sequence[Stay]:
        """When the object, which is loaded, was in which container."""
        own = self.own[key]
        if own.stays is None:
            emptied = {parent: self.own[parent].emptied for parent in own.parents if parent in self.own}
            own.stays = stays(own.moves, emptied)
        return own.stays

    def load(self, keys: Iterable[bytes]) -> None:
        """Own links of the objects, and of every container that one of them was ever put into: a container can be
        emptied without naming its children, so its links are needed to end a stay.
        """
        wanted = list(keys)
        known = {id(own): own for own in map(self.own.get, wanted) if own is not None and own.moves}
        self._load([*wanted, *(parent for own in known.values() for parent in own.parents)])
        shared = {id(own): own for own in map(self.own.__getitem__, wanted)}
        self._load({parent for own in shared.values() if own.moves for parent in own.parents})

    def load_inputs(self, transformations: Iterable[bytes]) -> None:
        _fill(self.inputs, transformations, self.reads.inputs)

    def load_outputs(self, transformations: Iterable[bytes]) -> None:
        _fill(self.outputs, transformations, self.reads.outputs)

    def load_parts(self, objects: Iterable[bytes]) -> None:
        """What was ever put into these objects, which are loaded, or made one of these lots.

        Who packs says into what, and only single things are members of a lot: a member that was never a container
        has no parts, and the hundred thousand items of a recall need not be asked for.
        """
        _fill(
            self.parts,
            (key for key in objects if self.own[key].is_container or not self.own[key].lots),
            self.reads.parts,
        )

    def _load(self, keys: Iterable[bytes]) -> None:
        history = {key: 0 for key in keys if key not in self.own}
        if not history:
            return
        # Objects with one history so far have one number; each group parts those that it names from the others.
        before: list[tuple[int, Link | None]] = [(0, None)]
        for group in self.reads.links(sorted(history)):
            parted: dict[int, int] = {}
            for key in group.objects:
                number = history[key]
                named = parted.get(number)
                if named is None:
                    named = parted[number] = len(before)
                    before.append((number, group.link))
                history[key] = named
        shared = {number: _of(_back(before, number)) for number in set(history.values())}
        self.own.update((key, shared[number]) for key, number in history.items())


def _back(before: Sequence[tuple[int, Link | None]], number: int) -> Iterator[Link]:
    links = []
    link = before[number][1]
    while link is not None:
        links.append(link)
        number = before[number][0]
        link = before[number][1]
    return reversed(links)


def _fill(
    known: dict[bytes, list[Group]], peers: Iterable[bytes], read: Callable[[Sequence[bytes]], Iterable[Group]]
) -> None:
    wanted = sorted({key for key in peers if key not in known})
    if not wanted:
        return
    known.update((key, []) for key in wanted)
    for group in read(wanted):
        if group.link.peer_key is not None:
            known[group.link.peer_key].append(group)


_key = itemgetter(0)
Expand = Callable[[Sequence[Node], Links], Iterable[Node]]


def walk(starts: Iterable[Node], reads: Reads, limits: Limits, expand: Expand) -> tuple[Chain, Links]:
    """Follow `expand` (nodes of a level and the links → nodes of the next) until nothing new is found."""
    first = list(starts)
    while True:
        found = _walked(first, reads, limits, expand)
        if reads.settled():
            return found


def _walked(starts: Iterable[Node], reads: Reads, limits: Limits, expand: Expand) -> tuple[Chain, Links]:
    links = Links(reads)
    nodes: list[Node] = []
    seen: dict[bytes, Node | list[Node]] = {}
    frontier: Iterable[Node] = starts
    truncated = False
    while True:
        fresh = list(_merged(frontier, seen))
        room = limits.nodes - len(nodes)
        too_deep = bool(fresh) and fresh[0].depth > limits.depth
        truncated |= len(fresh) > room or too_deep
        fresh = [] if too_deep else fresh[:room]
        if not fresh:
            break
        nodes += fresh
        links.load(node.object_key for node in fresh)
        frontier = expand(fresh, links)
    return Chain(tuple(nodes), tuple(_within(nodes, links)), truncated), links


def _rank(node: Node) -> tuple[object, ...]:
    """Of two nodes of one object the one that covers the other comes first; the rest only makes the order fixed."""
    interval = node.interval
    return (
        node.object_key,
        node.relation,
        interval.start,
        END - interval.end,
        node.via or b"",
        node.event_key or b"",
    )


def _merged(frontier: Iterable[Node], seen: dict[bytes, Node | list[Node]]) -> Iterator[Node]:
    """The nodes that say something new, by key. Most objects are reached once: those get no list of their own."""
    for key, group in _by_key(frontier):
        nodes = [group] if isinstance(group, Node) else sorted(_distinct(group), key=_rank)
        known = seen.get(key)
        if known is None:
            seen[key] = nodes[0]
            yield nodes[0]
            if len(nodes) == 1:
                continue
            nodes = nodes[1:]
        for node in nodes:
            before = seen[key]
            alike = before if isinstance(before, list) else [before]
            if not any(_alike(node, other) and other.interval.covers(node.interval) for other in alike):
                seen[key] = [*alike, node]
                yield node


def _by_key(frontier: Iterable[Node]) -> list[tuple[bytes, Node | list[Node]]]:
    groups: dict[bytes, Node | list[Node]] = {}
    for node in frontier:
        first = groups.setdefault(node.object_key, node)
        if isinstance(first, list):
            first.append(node)
        elif first is not node:
            groups[node.object_key] = [first, node]
    return sorted(groups.items(), key=_key)


def _alike(one: Node, other: Node) -> bool:
    """A lot as such, a box around the goods and the goods themselves are looked at differently."""
    return one.relation is other.relation or (one.is_goods and other.is_goods)


def _distinct(nodes: Iterable[Node]) -> Iterable[Node]:
    """Of the nodes of one object with the same interval, as of a box around many things, the first by rank."""
    found: dict[tuple[Relation, Interval], Node] = {}
    for node in nodes:
        name = node.relation, node.interval
        first = found.get(name)
        if first is None or (node.via or b"", node.event_key or b"") < (first.via or b"", first.event_key or b""):
            found[name] = node
    return found.values()


def _within(nodes: Iterable[Node], links: Links) -> Iterator[tuple[Node, Link]]:
    told: set[bytes] = set()
    looked: set[Kind] = set()
    for node in nodes:
        own = links.own[node.object_key]
        kind = kind_of(node, own)
        if kind in looked:
            continue
        looked.add(kind)
        for link in own.links:
            if link.event_key in told or not _belongs(node, link):
                continue
            told.add(link.event_key)
            yield node, link


def _belongs(node: Node, link: Link) -> bool:
    if node.relation is Relation.CONTAINER:
        if link.role is LinkRole.PARENT_CLEARED:  # the event that ends the stay
            return link.event_time == node.interval.end
        # Packing other things into the same box says nothing about these goods.
        return link.role is not LinkRole.PARENT and node.interval.holds(link.event_time)
    if node.relation is Relation.LOT and link.role not in _MAKES:
        return False
    return node.interval.holds(link.event_time)
