"""Questions about chains: the journey of one item for its page, and the closure downstream of a recall.

An answer is computed from the links when it is asked for; an event that arrives weeks late changes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from trace_server.catalog.model import Place
from trace_server.catalog.operations import places_of
from trace_server.db import Connection, Dialect
from trace_server.trace import directions, rules, store
from trace_server.trace.frontier import Limits
from trace_server.trace.model import (
    ALWAYS,
    Chain,
    EventRow,
    Group,
    Interval,
    Journey,
    LinkRole,
    Node,
    Relation,
)

MAX_URI = 512
"""Characters of an identifier in a question."""


class Reading:
    """Reads links and events of one question, without what error declarations took back."""

    def __init__(self, conn: Connection, dialect: Dialect) -> None:
        self._conn = conn
        self._dialect = dialect
        self.events: dict[bytes, EventRow] = {}
        self.keys: set[bytes] = set()
        self.link_count = 0
        self._first: dict[tuple[object, ...], bytes] = {}

    def links(self, objects: Sequence[bytes]) -> Iterable[Group]:
        found = store.links_of(self._conn, self._dialect, objects)
        self.keys.update(objects)
        self.link_count += sum(len(group.objects) for group in found)
        return self._standing(found)

    def inputs(self, events: Sequence[bytes]) -> Iterable[Group]:
        return self._told(store.made_or_used(self._conn, self._dialect, events, LinkRole.INPUT))

    def outputs(self, events: Sequence[bytes]) -> Iterable[Group]:
        return self._told(store.made_or_used(self._conn, self._dialect, events, LinkRole.OUTPUT))

    def parts(self, objects: Sequence[bytes]) -> Iterable[Group]:
        """Not filtered: who relies on one reads the own links of its object as well."""
        return store.parts_of(self._conn, self._dialect, objects)

    def _told(self, groups: list[Group]) -> list[Group]:
        """Of a transformation that several events tell, what none of them took back: the declarations name the
        objects, not the transformation. What one event tells stands as that event does, which is known already.
        """
        joined = [group for group in groups if group.link.peer_key != group.link.event_key]
        if not joined:
            return groups
        objects = sorted({key for group in joined for key in group.objects})
        named = self._standing(store.links_of(self._conn, self._dialect, objects))
        standing = {group.link.event_key for group in named}
        return [
            group for group in groups if group.link.peer_key == group.link.event_key or group.link.event_key in standing
        ]

    def _standing(self, groups: list[Group]) -> list[Group]:
        named = {group.link.event_key for group in groups}
        for event in store.events_of(self._conn, self._dialect, sorted(named - self.events.keys())):
            self.events[event.event_key] = event
        wrong = rules.retracted(self.events[key] for key in named if key in self.events)
        standing = [group for group in groups if group.link.event_key not in wrong]
        again = self._recorded_again({group.link.event_key for group in standing})
        return [group for group in standing if group.link.event_key not in again]

    def _recorded_again(self, keys: Iterable[bytes]) -> frozenset[bytes]:
        """Of these events, those that another one says already; that one remembers who else recorded it."""
        again = set()
        for key in sorted(keys, key=lambda one: (self.events[one].record_time, one)):
            event = self.events[key]
            happening = rules.same_happening(event)
            first = key if happening is None else self._first.setdefault(happening, key)
            if first != key:
                again.add(key)
                kept = self.events[first]
                recorders = {*kept.also_by, event.source} - {kept.source}
                self.events[first] = replace(kept, also_by=tuple(sorted(recorders)))
        return frozenset(again)


def journey(conn: Connection, dialect: Dialect, *, item: bytes, lot: bytes) -> Journey:
    """What happened to one item (object keys of item and lot): its own events, those of its containers while it
    was inside, and those of what it was made from. Newest first.
    """
    reading = Reading(conn, dialect)
    chain = directions.upstream(rules.start_nodes([item], [lot]), reading)
    named = {uri for event in reading.events.values() for uri in (event.read_point, event.biz_location) if uri}
    known = places_of(conn, dialect, named)

    def place_of(event: EventRow) -> Place | None:
        return known.get(event.read_point) or known.get(event.biz_location)

    hops = rules.hops(chain, reading.events, place_of)
    return Journey(hops, tuple(sorted(reading.keys)), reading.link_count)


def downstream(
    conn: Connection,
    dialect: Dialect,
    starts: Iterable[bytes],
    window: Interval = ALWAYS,
    limits: Limits | None = None,
) -> tuple[Chain, Mapping[bytes, EventRow]]:
    """Where the objects with these keys went and what was made from them, as known now.

    `window`: the time in which the objects themselves count. `Node.via` and `Node.event_key` are the proving path of
    each node back to a start. Returns the chain and its events by key; a chain that met a limit says `truncated`.
    """
    reading = Reading(conn, dialect)
    nodes = [Node(key, window, Relation.SELF, 0, None) for key in starts]
    return directions.downstream(nodes, reading, limits), reading.events


def links_now(conn: Connection, dialect: Dialect, keys: Sequence[bytes]) -> int:
    """Number of links on `keys`; differs from `Journey.link_count` when an event came in since."""
    return store.count_links(conn, dialect, keys)
