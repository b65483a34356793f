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
    Interval,
    Journey,
    Link,
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

    def links(self, objects: Sequence[bytes]) -> Iterable[Link]:
        found = store.links_of(self._conn, self._dialect, objects)
        self.keys.update(objects)
        self.link_count += len(found)
        return self._standing(found)

    def inputs(self, events: Sequence[bytes]) -> Iterable[Link]:
        return store.made_or_used(self._conn, self._dialect, events, LinkRole.INPUT)

    def outputs(self, events: Sequence[bytes]) -> Iterable[Link]:
        return store.made_or_used(self._conn, self._dialect, events, LinkRole.OUTPUT)

    def parts(self, objects: Sequence[bytes]) -> Iterable[Link]:
        """Not filtered: who relies on one reads the own links of its object as well."""
        return store.parts_of(self._conn, self._dialect, objects)

    def _standing(self, links: list[Link]) -> list[Link]:
        fresh = sorted({link.event_key for link in links} - self.events.keys())
        for event in store.events_of(self._conn, self._dialect, fresh):
            self.events[event.event_key] = event
        wrong = rules.retracted(self.events[link.event_key] for link in links if link.event_key in self.events)
        standing = [link for link in links if link.event_key not in wrong]
        again = self._recorded_again({link.event_key for link in standing})
        return [link for link in standing if link.event_key not in again]

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
