"""Questions about chains: the journey of one item for its page, and the closure downstream of a recall.

An answer is computed from the links when it is asked for; an event that arrives weeks late changes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from trace_server.catalog.model import Place
from trace_server.catalog.operations import places_of
from trace_server.db import Connection, Dialect
from trace_server.trace import directions, rules, store
from trace_server.trace.frontier import Limits
from trace_server.trace.model import ALWAYS, Chain, EventRow, Interval, Journey, Node, Relation
from trace_server.trace.reading import Reading

MAX_URI = 512
"""Characters of an identifier in a question."""


def journey(conn: Connection, dialect: Dialect, *, item: bytes, lot: bytes) -> Journey:
    """What happened to one item (object keys of item and lot): its own events, those of its containers while it
    was inside, and those of what it was made from. Newest first.
    """
    reading = Reading(conn, dialect)
    chain = directions.upstream(rules.start_nodes([item], [lot]), reading.checked_at_the_end())
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
    return directions.downstream(nodes, reading.checked_at_the_end(), limits), reading.events


def links_now(conn: Connection, dialect: Dialect, keys: Sequence[bytes]) -> int:
    """Number of links on `keys`; differs from `Journey.link_count` when an event came in since."""
    return store.count_links(conn, dialect, keys)
