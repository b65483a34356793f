"""Breadth-first over links, one reading a level: the walk that both directions share.

Links come from the store in no order. Everything is sorted by its own content before it is looked at, so the same
events give the same chain in whatever order and in however many batches they arrived.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from trace_server.trace.model import END, Chain, Group, Interval, Link, LinkRole, Node, Relation
from trace_server.trace.rules import Stay, stays

MAX_NODES = 10_000
"""A consumer's or regulator's single question; recalls set a limit of their own."""
MAX_DEPTH = 64
"""Levels of packing and making; the longest real chain (farm to infant formula) has about 20."""
_MAKES = frozenset({LinkRole.COMMISSION, LinkRole.OUTPUT})
_PLACED = frozenset({Relation.CONTAINER, Relation.LOT})


class Reads(Protocol):
    """Where links come from, in the order of what they say; `objects` of a group in any order.

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


@dataclass(frozen=True, slots=True)
class Limits:
    """Where a walk ends; a chain that was cut there says so."""

    nodes: int = MAX_NODES
    depth: int = MAX_DEPTH


@dataclass(slots=True)
class Links:
    """What has been read of the link table so far, so that each object is read once."""

    reads: Reads
    by_object: dict[bytes, list[Link]] = field(default_factory=dict)
    inputs: dict[bytes, list[Link]] = field(default_factory=dict)
    outputs: dict[bytes, list[Link]] = field(default_factory=dict)
    parts: dict[bytes, list[Link]] = field(default_factory=dict)
    moves: dict[bytes, list[Link]] = field(default_factory=lambda: defaultdict(list))
    """Of `by_object` what took an object into or out of a container. Those without any are missing, as below."""
    used: dict[bytes, list[Link]] = field(default_factory=lambda: defaultdict(list))
    made: dict[bytes, list[Link]] = field(default_factory=lambda: defaultdict(list))
    lots: dict[bytes, list[Link]] = field(default_factory=lambda: defaultdict(list))
    holding: dict[bytes, list[Link]] = field(default_factory=lambda: defaultdict(list))
    emptied: dict[bytes, list[Link]] = field(default_factory=lambda: defaultdict(list))
    _alone: dict[tuple[bytes, bytes | None], list[Stay]] = field(default_factory=dict)

    def stays(self, key: bytes) -> list[Stay]:
        """When the object, which is loaded, was in which container."""
        moves = self.moves.get(key)
        if moves is None:
            return []
        if len(moves) > 1 or moves[0].peer_key in self.emptied:
            emptied = {parent: self.emptied[parent] for parent in _parents(moves) if parent in self.emptied}
            return stays(moves, emptied)
        name = moves[0].event_key, moves[0].peer_key
        if name not in self._alone:  # all that was packed by one event and moved no more
            self._alone[name] = stays(moves, {})
        return self._alone[name]

    def load(self, keys: Iterable[bytes]) -> None:
        """Own links of the objects, and of every container that one of them was ever put into: a container can be
        emptied without naming its children, so its links are needed to end a stay.
        """
        wanted = list(keys)
        self._own(wanted)
        self._own({parent for key in wanted if key in self.moves for parent in _parents(self.moves[key])})

    def load_inputs(self, events: Iterable[bytes]) -> None:
        _fill(self.inputs, events, self.reads.inputs)

    def load_outputs(self, events: Iterable[bytes]) -> None:
        _fill(self.outputs, events, self.reads.outputs)

    def load_parts(self, objects: Iterable[bytes]) -> None:
        """What was ever put into these objects or made one of these lots; they are loaded themselves.

        Who packs says what it packs into, and only single things are members of a lot: a member that was never a
        container has no parts, and the hundred thousand items of a recall need not be asked for.
        """
        wanted = [key for key in objects if key in self.holding or key not in self.lots]
        _fill(self.parts, wanted, self.reads.parts)

    def _own(self, keys: Iterable[bytes]) -> None:
        known = self.by_object
        wanted = sorted({key for key in keys if key not in known})
        if not wanted:
            return
        known.update((key, []) for key in wanted)
        kinds = {
            LinkRole.CHILD_ADD: self.moves,
            LinkRole.CHILD_DELETE: self.moves,
            LinkRole.INPUT: self.used,
            LinkRole.OUTPUT: self.made,
            LinkRole.MEMBER: self.lots,
            LinkRole.PARENT: self.holding,
            LinkRole.PARENT_CLEARED: self.emptied,
        }
        for group in self.reads.links(wanted):
            kind = kinds.get(group.role)
            for link in group.links():
                key = link.object_key
                known[key].append(link)
                if kind is not None:
                    kind[key].append(link)


def _parents(moves: Iterable[Link]) -> Iterator[bytes]:
    return (move.peer_key for move in moves if move.role is LinkRole.CHILD_ADD and move.peer_key is not None)


def _fill(
    known: dict[bytes, list[Link]], peers: Iterable[bytes], read: Callable[[Sequence[bytes]], Iterable[Group]]
) -> None:
    wanted = sorted({key for key in peers if key not in known})
    if not wanted:
        return
    known.update((key, []) for key in wanted)
    for group in read(wanted):
        if group.peer_key is not None:
            known[group.peer_key] += group.links()


Expand = Callable[[Sequence[Node], Links], Iterable[Node]]


def walk(starts: Iterable[Node], reads: Reads, limits: Limits, expand: Expand) -> tuple[Chain, Links]:
    """Follow `expand` (nodes of a level and the links → nodes of the next) until nothing new is found."""
    links = Links(reads)
    nodes: list[Node] = []
    seen: dict[tuple[bytes, Relation | None], list[Interval]] = {}
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


def _merged(frontier: Iterable[Node], seen: dict[tuple[bytes, Relation | None], list[Interval]]) -> Iterator[Node]:
    groups: dict[bytes, list[Node]] = {}
    for node in frontier:
        groups.setdefault(node.object_key, []).append(node)
    for key in sorted(groups):
        nodes = groups[key]
        if len(nodes) > 1:
            nodes = sorted(_distinct(nodes), key=_rank)
        for node in nodes:
            # A lot as such, a box around the goods and the goods themselves are looked at differently.
            known = seen.setdefault((key, node.relation if node.relation in _PLACED else None), [])
            if not any(other.covers(node.interval) for other in known):
                known.append(node.interval)
                yield node


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
    for node in nodes:
        for link in links.by_object[node.object_key]:
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
