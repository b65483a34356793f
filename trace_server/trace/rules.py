"""Containment intervals, retractions and gaps: values in, values out, whatever order events arrived in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from trace_server.catalog.model import Place
from trace_server.trace.model import (
    ALWAYS,
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

# Of one moment, taking out comes before putting in: repacking at one time is out of the old, into the new.
_ORDER = {LinkRole.CHILD_DELETE: 0, LinkRole.PARENT_CLEARED: 0, LinkRole.CHILD_ADD: 1}
SENDS = frozenset({"shipping", "departing", "loading"})
TAKES = frozenset({"receiving", "arriving", "accepting", "unloading"})


class Stay(NamedTuple):
    """One object in the container `parent`; `event_key` is the event that put it there."""

    parent: bytes
    interval: Interval
    event_key: bytes


def stays(links: Iterable[Link], cleared: Mapping[bytes, Sequence[Link]]) -> list[Stay]:
    """When one object was in which container.

    `links` are all links of the object, in any order; `cleared` maps a container to its PARENT_CLEARED links. A
    second ADD elsewhere ends the first stay: an object is in one container at a time.
    """
    moves = [(link, link.peer_key) for link in links if link.role in _ORDER and link.peer_key is not None]
    if not moves:
        return []
    parents = {parent for _, parent in moves}
    moves += [(link, parent) for parent, ends in cleared.items() if parent in parents for link in ends]
    moves.sort(key=lambda move: (move[0].event_time, _ORDER[move[0].role], move[0].event_key))
    found: list[Stay] = []
    inside: Link | None = None
    for link, parent in moves:
        if link.role is LinkRole.CHILD_ADD:
            if inside is not None and inside.peer_key == parent:
                continue  # packed again where it is: one stay
            found += _stay(inside, link)
            inside = link
        elif inside is not None and inside.peer_key == parent:
            found += _stay(inside, link)
            inside = None
    return found + _stay(inside, None)


def _stay(start: Link | None, end: Link | None) -> list[Stay]:
    if start is None or start.peer_key is None:
        return []
    until = END if end is None else end.event_time
    return (
        [Stay(start.peer_key, Interval(start.event_time, until), start.event_key)] if start.event_time < until else []
    )


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
