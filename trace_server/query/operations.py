"""Run queries page by page, in bounded memory; keep queries under names.

Columns choose the candidates, `matching.matches` decides on the body of each: what SQL lets through too much is
never answered. A page is kept by the sort value and key of its last candidate, so that writers in between neither
shift nor repeat anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from trace_core.epcis.jsonld import STANDARD
from trace_core.errors import NotAllowed
from trace_core.ids.canonical import canonical_uri, object_key
from trace_server.audit import operations as audit
from trace_server.db import Connection, Database
from trace_server.ingest.model import EventType, StoredEvent
from trace_server.ingest.representation import complete_event
from trace_server.query import matching, store
from trace_server.query.model import NamedQuery, NameTaken, NoSuchName, Order, Page, Place, Query, QueryTooComplex
from trace_server.query.model import QueryTooLarge as TooMany
from trace_server.query.parameters import parse_query

__all__ = ["MAX_SCANNED", "find_named", "forget", "keep", "list_named", "parse_query", "run"]

MAX_SCANNED: Final = 20_000
"""Candidates that one page looks at; a page that found less goes on with the next."""
MAX_COUNTED: Final = 100_000
"""Candidates looked at to see whether maxEventCount holds, or to sort by an extension field."""


def run(conn: Connection, query: Query, *, after: Place | None = None, limit: int = 30) -> Page:
    """At most `limit` events behind `after`. A page may be short and still have an `after`: go on until it is None.

    Raises `QueryTooLarge` when more than maxEventCount match, `QueryTooComplex` when that takes too long to see.
    """
    if query.order_fields:
        return _sorted_page(conn, query, after, limit)
    if after is None and query.max_event_count is not None:
        _hold_to_count(conn, query, query.max_event_count)
    delivered = after.delivered if after else 0
    wanted = limit if query.event_count_limit is None else min(limit, query.event_count_limit - delivered)
    found: list[StoredEvent] = []
    last = after
    for scanned, (candidate, is_match) in enumerate(_judged(conn, query, after)):
        if len(found) == wanted or scanned == MAX_SCANNED:
            break
        if is_match:
            found.append(candidate)
        last = Place(_moment(candidate, query), candidate.event_key, delivered + len(found))
    else:
        last = None
    is_full = query.event_count_limit is not None and delivered + len(found) >= query.event_count_limit
    return Page(tuple(found), None if is_full else last)


def known(conn: Connection, resource: str, value: str) -> bool:
    """True when some event has `value`, which is canonical, where `resource` looks."""
    if resource == "epcs":
        return store.has_object(conn, object_key(value))
    if resource == "eventTypes":
        return value in EventType.__members__
    return store.has_value(conn, resource, canonical_uri(value))


def find_named(db: Database, name: str) -> NamedQuery:
    """Raises `NoSuchName`."""
    with db.read() as conn:
        found = store.named(conn, name)
    if found is None:
        raise NoSuchName("there is no query of that name", where=name[:200])
    return found


def list_named(db: Database, after: str, limit: int) -> list[NamedQuery]:
    """At most `limit` named queries behind `after`, by name."""
    with db.read() as conn:
        return store.all_named(conn, after, limit)


def keep(db: Database, new: NamedQuery) -> None:
    """Keep a query under its name. Raises `NameTaken`, and `QueryInvalid` for wrong parameters."""
    parse_query(new.parameters, STANDARD.extended(new.context, "@context"))
    with db.begin() as conn:
        db.dialect.exclude(conn, "query.named")
        if store.named(conn, new.name) is not None:
            raise NameTaken("there is a query of that name", where=new.name, remedy="choose another name")
        store.add_named(conn, new)
        audit.record(conn, new.created_at, new.owner, "query.keep", f"query:{new.name}")


def forget(db: Database, now: datetime, owner: str, name: str) -> None:
    """Delete a query of one's own. Raises `NoSuchName`, or `NotAllowed` for another's."""
    with db.begin() as conn:
        db.dialect.exclude(conn, "query.named")
        found = store.named(conn, name)
        if found is None:
            raise NoSuchName("there is no query of that name", where=name[:200])
        if found.owner != owner:
            raise NotAllowed("the query belongs to another client", where=name[:200])
        store.remove_named(conn, name)
        audit.record(conn, now, owner, "query.forget", f"query:{name}")


def _judged(conn: Connection, query: Query, after: Place | None) -> Iterator[tuple[StoredEvent, bool]]:
    """Candidates behind `after`, each with whether it matches."""
    place = after
    while True:
        chunk = store.candidates(conn, query, place)
        for candidate in chunk:
            yield candidate, matching.matches(complete_event(candidate), query)
        if len(chunk) < store.CHUNK:
            return
        place = Place(_moment(chunk[-1], query), chunk[-1].event_key)


def _moment(candidate: StoredEvent, query: Query) -> datetime:
    return candidate.event_time if query.order_by is Order.EVENT_TIME else candidate.record_time


def _counted(conn: Connection, query: Query) -> Iterator[StoredEvent]:
    """Every match. Raises `QueryTooComplex` when that means looking at too many."""
    for scanned, (candidate, is_match) in enumerate(_judged(conn, query, None)):
        if scanned == MAX_COUNTED:
            raise QueryTooComplex(
                "the query looks at too many events", remedy="narrow it by time, place or object; leave the order out"
            )
        if is_match:
            yield candidate


def _hold_to_count(conn: Connection, query: Query, most: int) -> None:
    for count, _ in enumerate(_counted(conn, query), start=1):
        if count > most:
            raise TooMany(f"more than {most} events match", where="maxEventCount", remedy="narrow the query")


def _sorted_page(conn: Connection, query: Query, after: Place | None, limit: int) -> Page:
    """A page in the order of an extension field: keys and values of all matches are sorted, bodies are not kept.

    The page begins behind the key of the last event given, wherever events that came meanwhile have moved it.
    """
    values = matching.leaves(matching.fields("", query.order_fields, inner=False))
    keyed = []
    for candidate in _counted(conn, query):
        first = next(iter(values(complete_event(candidate))), None)
        keyed.append((*_rank(first), candidate.event_key, candidate.record_time))
    most = query.max_event_count
    if most is not None and len(keyed) > most:
        raise TooMany(f"more than {most} events match", where="maxEventCount", remedy="narrow the query")
    keyed.sort(reverse=query.is_descending)
    keyed = keyed[: query.event_count_limit]
    keys = [item[3] for item in keyed]
    start = 0 if after is None else keys.index(after.event_key) + 1 if after.event_key in keys else after.delivered
    chosen = keys[start : start + limit]
    bodies = store.by_keys(conn, chosen)
    end = start + len(chosen)
    place = Place(keyed[end - 1][4], keys[end - 1], end) if end < len(keys) and chosen else None
    return Page(tuple(bodies[key] for key in chosen), place)


def _rank(value: object) -> tuple[int, float, str]:
    """A sort key: events without the field first, then times, numbers, texts."""
    moment, number = matching.as_time(value), matching.as_number(value)
    if moment is not None:
        return 1, moment.timestamp(), ""
    if number is not None:
        return 2, number, ""
    return (0, 0.0, "") if value is None else (3, 0.0, str(value))
