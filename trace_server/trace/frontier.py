"""Breadth-first over links, one reading a level: the walk that both directions share.

Links come from the store in no order. Everything is sorted by its own content before it is looked at, so the same
events give the same chain in whatever order and in however many batches they arrived.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from trace_server.trace.model import END, Chain, Link, LinkRole, Node, Relation

MAX_NODES = 10_000
"""A consumer's or regulator's single question; recalls set a limit of their own."""
MAX_DEPTH = 64
"""Levels of packing and making; the longest real chain (farm to infant formula) has about 20."""
_MAKES = frozenset({LinkRole.COMMISSION, LinkRole.OUTPUT})
_PLACED = frozenset({Relation.CONTAINER, Relation.LOT})


class Reads(Protocol):
    """Where links come from. Each method is called at most once a level, with keys not asked for before."""

    def links(self, objects: Sequence[bytes]) -> Iterable[Link]:
        """All standing links of these objects."""

    def inputs(self, events: Sequence[bytes]) -> Iterable[Link]:
        """The INPUT links of these transformations."""

    def outputs(self, events: Sequence[bytes]) -> Iterable[Link]:
        """The OUTPUT links of these transformations."""

    def parts(self, objects: Sequence[bytes]) -> Iterable[Link]:
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
    _cleared: dict[bytes, list[Link]] = field(default_factory=dict)

    def cleared(self, parents: Iterable[bytes | None]) -> dict[bytes, list[Link]]:
        """Per container the events that emptied it as a whole."""
        found = {}
        for parent in parents:
            if parent is None:
                continue
            if parent not in self._cleared:  # a lot's pallet is asked about by each of its thousand items
                own = self.by_object.get(parent, ())
                self._cleared[parent] = [link for link in own if link.role is LinkRole.PARENT_CLEARED]
            if self._cleared[parent]:
                found[parent] = self._cleared[parent]
        return found

    def load(self, keys: Iterable[bytes]) -> None:
        """Own links of the objects, and of every container that one of them was ever put into: a container can be
        emptied without naming its children, so its links are needed to end a stay.
        """
        wanted = set(keys)
        self._own(wanted)
        self._own(
            {
                link.peer_key
                for key in wanted
                for link in self.by_object[key]
                if link.role is LinkRole.CHILD_ADD and link.peer_key is not None
            }
        )

    def load_inputs(self, events: Iterable[bytes]) -> None:
        _fill(self.inputs, events, self.reads.inputs, _peer)

    def load_outputs(self, events: Iterable[bytes]) -> None:
        _fill(self.outputs, events, self.reads.outputs, _peer)

    def load_parts(self, objects: Iterable[bytes]) -> None:
        _fill(self.parts, objects, self.reads.parts, _peer)

    def _own(self, keys: Iterable[bytes]) -> None:
        _fill(self.by_object, keys, self.reads.links, _object)


def _peer(link: Link) -> bytes:
    return link.peer_key or b""


def _object(link: Link) -> bytes:
    return link.object_key


def _fill(
    known: dict[bytes, list[Link]],
    keys: Iterable[bytes],
    read: Callable[[Sequence[bytes]], Iterable[Link]],
    name: Callable[[Link], bytes],
) -> None:
    wanted = sorted({key for key in keys if key not in known})
    if not wanted:
        return
    known.update((key, []) for key in wanted)
    for link in read(wanted):
        known[name(link)].append(link)
    for key in wanted:
        if len(known[key]) > 1:
            known[key].sort(key=_order)


def _order(link: Link) -> tuple[object, ...]:
    return (link.event_time, link.event_key, link.role, link.object_key, link.peer_key or b"", link.quantity or 0.0)


Expand = Callable[[Sequence[Node], Links], Iterable[Node]]


def walk(starts: Iterable[Node], reads: Reads, limits: Limits, expand: Expand) -> tuple[Chain, Links]:
    """Follow `expand` (nodes of a level and the links → nodes of the next) until nothing new is found."""
    links = Links(reads)
    nodes: list[Node] = []
    seen: _Seen = defaultdict(list)
    frontier: Iterable[Node] = starts
    truncated = False
    while True:
        fresh = list(_merged(sorted(frontier, key=_rank), seen))
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


_Seen = dict[tuple[bytes, str], list[Node]]


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


def _merged(frontier: Iterable[Node], seen: _Seen) -> Iterator[Node]:
    for node in frontier:
        # A lot as such, a box around the goods and the goods themselves are looked at differently.
        known = seen[node.object_key, node.relation.value if node.relation in _PLACED else ""]
        if not any(other.interval.covers(node.interval) for other in known):
            known.append(node)
            yield node


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
