"""Containment intervals, frontier steps and gaps: values in, values out, whatever order events arrived in."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from trace_server.catalog.model import Place
from trace_server.trace.model import (
    ALWAYS,
    BEGINNING,
    END,
    Chain,
    EventRow,
    Hop,
    Interval,
    Link,
    LinkRole,
    Node,
    Relation,
)

MAX_NODES = 10_000
"""A consumer's or regulator's single question; recalls have their own way."""
MAX_DEPTH = 64
"""Levels of packing and making; the longest real chain (farm to infant formula) has about 20."""

# Of one moment, taking out comes before putting in: repacking at one time is out of the old, into the new.
_ORDER = {LinkRole.CHILD_DELETE: 0, LinkRole.PARENT_CLEARED: 0, LinkRole.CHILD_ADD: 1}
SENDS = frozenset({"shipping", "departing", "loading"})
TAKES = frozenset({"receiving", "arriving", "accepting", "unloading"})
_MAKES = frozenset({LinkRole.COMMISSION, LinkRole.OUTPUT})


def stays(links: Iterable[Link], cleared: Mapping[bytes, Sequence[Link]]) -> list[tuple[bytes, Interval]]:
    """When one object was in which container.

    `links` are all links of the object, in any order; `cleared` maps a container to its PARENT_CLEARED links. A
    second ADD elsewhere ends the first stay: an object is in one container at a time.
    """
    moves = [link for link in links if link.role in _ORDER and link.peer_key is not None]
    parents = {link.peer_key for link in moves}
    moves += [link for parent, ends in cleared.items() if parent in parents for link in ends]
    moves.sort(key=lambda link: (link.event_time, _ORDER[link.role], link.event_key))
    found: list[tuple[bytes, Interval]] = []
    inside: Link | None = None
    for move in moves:
        if move.role is LinkRole.CHILD_ADD:
            if inside is not None and inside.peer_key == move.peer_key:
                continue  # packed again where it is: one stay
            found += _stay(inside, move)
            inside = move
        elif inside is not None and inside.peer_key == _container(move):
            found += _stay(inside, move)
            inside = None
    return found + _stay(inside, None)


def _container(move: Link) -> bytes | None:
    return move.object_key if move.role is LinkRole.PARENT_CLEARED else move.peer_key


def _stay(start: Link | None, end: Link | None) -> list[tuple[bytes, Interval]]:
    if start is None or start.peer_key is None:
        return []
    until = END if end is None else end.event_time
    return [(start.peer_key, Interval(start.event_time, until))] if start.event_time < until else []


@dataclass(slots=True)
class Links:
    """What has been read of the link table so far, so that each object is read once."""

    by_object: dict[bytes, list[Link]] = field(default_factory=dict)
    inputs: dict[bytes, list[Link]] = field(default_factory=dict)

    def cleared(self, parents: Iterable[bytes]) -> dict[bytes, list[Link]]:
        return {
            parent: [link for link in self.by_object.get(parent, ()) if link.role is LinkRole.PARENT_CLEARED]
            for parent in parents
        }


Read = Callable[[Sequence[bytes]], Iterable[Link]]


def upstream(starts: Sequence[Node], read_links: Read, read_inputs: Read) -> Chain:
    """Breadth-first towards the sources: containers while inside, inputs before use, the way a lot was made.

    `read_links(object keys)` gives all links of these objects, `read_inputs(event keys)` the INPUT links of these
    transformations. Each is called once a level, with keys not asked for before.
    """
    links = Links()
    nodes: list[Node] = []
    seen: _Seen = defaultdict(list)
    frontier = list(starts)
    truncated = False
    while frontier:
        fresh = list(_merged(frontier, seen))
        room = MAX_NODES - len(nodes)
        truncated |= len(fresh) > room or (bool(fresh) and fresh[0].depth > MAX_DEPTH)
        fresh = [] if fresh and fresh[0].depth > MAX_DEPTH else fresh[:room]
        nodes += fresh
        _load(links, fresh, read_links)
        _load_parents(links, fresh, read_links)
        _load_inputs(links, fresh, read_inputs)
        frontier = [after for node in fresh for after in _steps(node, links)]
    return Chain(tuple(nodes), tuple(_within(nodes, links)), truncated)


_Seen = dict[tuple[bytes, bool], list[Interval]]


def _merged(frontier: Iterable[Node], seen: _Seen) -> Iterator[Node]:
    for node in frontier:
        # A lot as such and a lot that was poured in are looked at differently.
        known = seen[node.object_key, node.relation is Relation.LOT]
        if not any(interval.covers(node.interval) for interval in known):
            known.append(node.interval)
            yield node


def _load(links: Links, nodes: Iterable[Node], read: Read) -> None:
    _load_keys(links, {node.object_key for node in nodes}, read)


def _load_parents(links: Links, nodes: Iterable[Node], read: Read) -> None:
    """A container can be emptied without naming its children, so its own links are needed to end a stay."""
    parents = {
        link.peer_key
        for node in nodes
        for link in links.by_object[node.object_key]
        if link.role is LinkRole.CHILD_ADD and link.peer_key is not None
    }
    _load_keys(links, parents, read)


def _load_keys(links: Links, keys: Iterable[bytes], read: Read) -> None:
    wanted = sorted(key for key in keys if key not in links.by_object)
    if not wanted:
        return
    links.by_object.update((key, []) for key in wanted)
    for link in read(wanted):
        links.by_object[link.object_key].append(link)


def _load_inputs(links: Links, nodes: Iterable[Node], read: Read) -> None:
    wanted = sorted(
        {
            link.event_key
            for node in nodes
            for link in links.by_object[node.object_key]
            if link.role is LinkRole.OUTPUT and link.event_key not in links.inputs
        }
    )
    if not wanted:
        return
    links.inputs.update((key, []) for key in wanted)
    for link in read(wanted):
        links.inputs[link.event_key].append(link)


def _steps(node: Node, links: Links) -> Iterator[Node]:
    own = links.by_object[node.object_key]
    depth = node.depth + 1
    if node.relation is not Relation.LOT:
        parents = {link.peer_key for link in own if link.role is LinkRole.CHILD_ADD and link.peer_key is not None}
        for parent, stay in stays(own, links.cleared(parents)):
            inside = stay.cut(node.interval)
            if inside is not None:
                yield Node(parent, inside, Relation.CONTAINER, depth, node.object_key, node.is_input)
    if node.relation is Relation.CONTAINER:
        return  # what the box is made of is no source of the goods
    for link in own:
        if link.role is LinkRole.MEMBER and link.peer_key is not None:
            yield Node(link.peer_key, ALWAYS, Relation.LOT, depth, node.object_key, node.is_input)
        if link.role is LinkRole.OUTPUT and node.interval.holds(link.event_time):
            for source in links.inputs[link.event_key]:
                before = Interval(BEGINNING, link.event_time)
                yield Node(source.object_key, before, Relation.INPUT, depth, node.object_key, is_input=True)


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


def retracted(events: Iterable[EventRow]) -> frozenset[bytes]:
    """Keys of the events that an error declaration takes back, and of the declarations themselves.

    Only who recorded an event may take it back: a declaration about another source's event changes nothing.
    """
    rows = list(events)
    wrong = {name for row in rows if row.is_correction for name in _names(row)}
    return frozenset(row.event_key for row in rows if row.is_correction or not wrong.isdisjoint(_names(row)))


def _names(event: EventRow) -> Iterator[tuple[str, str | bytes]]:
    """What a declaration can mean the event by: it repeats its eventID, and all that it says."""
    if event.event_id:
        yield event.source, event.event_id
    if event.hash_key is not None:
        yield event.source, event.hash_key


def same_happening(event: EventRow) -> tuple[object, ...] | None:
    """Equal for records of one happening by several senders; None for an event that has no hash.

    The CBV hash alone can be shared on purpose by different events, so all that is shown has to agree too.
    """
    if event.hash_key is None:
        return None
    return (event.hash_key, event.type, event.event_time, event.biz_step, event.read_point, event.biz_location)


def start_nodes(items: Iterable[bytes], lots: Iterable[bytes]) -> list[Node]:
    """Where a question about one item begins: the item under each of its names, then its lot."""
    selves = [Node(key, ALWAYS, Relation.SELF, 0, None) for key in items]
    return selves + [Node(key, ALWAYS, Relation.LOT, 0, None) for key in lots]


Places = Callable[[EventRow], Place | None]


def hops(chain: Chain, events: Mapping[bytes, EventRow], place_of: Places) -> tuple[Hop, ...]:
    """The events of a chain, newest first, each with whether the way to it is a gap."""
    rows = [(node, events[link.event_key]) for node, link in chain.links if link.event_key in events]
    rows.sort(key=lambda row: (row[1].event_time, row[1].event_key))
    found: list[Hop] = []
    before: Hop | None = None
    for node, event in rows:
        place = place_of(event)
        # An input's way ends in the factory and the lot's is one point; only the goods' own way can have gaps.
        own = not node.is_input and node.relation is not Relation.LOT
        gap = own and before is not None and is_gap(before, event, place)
        hop = Hop(event, node, place, gap)
        found.append(hop)
        before = hop if own else before
    return tuple(reversed(found))


def is_gap(earlier: Hop, later: EventRow, place: Place | None) -> bool:
    """Whether goods got from one record to the next without both sides saying so (交接两侧均有记录)."""
    before, after = step_name(earlier.event.biz_step), step_name(later.biz_step)
    if before in SENDS and after in TAKES:
        return False
    moved = earlier.place is not None and place is not None and earlier.place.city != place.city
    sent_unseen = before in SENDS and after not in SENDS
    taken_unsent = after in TAKES and before not in TAKES | SENDS
    return moved or sent_unseen or taken_unsent


def step_name(uri: str) -> str:
    """Short CBV name of a business step in either spelling; the last part of any other URI."""
    return re.split(r"[-:/#](?=[^-:/#]*$)", uri)[-1]
