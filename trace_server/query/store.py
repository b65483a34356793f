"""Every statement of queries: candidates by indexed columns, the values of resources, named queries."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, delete, insert, literal, select, tuple_, union

from trace_core.ids.canonical import canonical_key
from trace_server.db import Connection, Key, UtcDateTime
from trace_server.ingest.model import EventType, StoredEvent
from trace_server.ingest.store.stream import stored, to_event
from trace_server.ingest.tables import RESOURCES, capture, event, event_value, link, object_
from trace_server.query.model import NamedQuery, Order, Place, Query, Selection
from trace_server.query.tables import named_query

CHUNK: Final = 500
"""Candidates read at once."""


def candidates(conn: Connection, query: Query, after: Place | None) -> list[StoredEvent]:
    """The next events that the columns let through, in the order of the query; fewer than `CHUNK` are the last."""
    moment = event.c.event_time if query.order_by is Order.EVENT_TIME else event.c.record_time
    place = tuple_(moment, event.c.event_key)
    stmt = _selected(query.selection)
    if after is not None:
        here = tuple_(literal(after.moment, UtcDateTime), literal(after.event_key, Key))
        stmt = stmt.where(place < here if query.is_descending else place > here)
    if query.is_descending:
        stmt = stmt.order_by(moment.desc(), event.c.event_key.desc())
    else:
        stmt = stmt.order_by(moment, event.c.event_key)
    return [to_event(row) for row in conn.execute(stmt.limit(CHUNK))]


def by_keys(conn: Connection, keys: Sequence[bytes]) -> dict[bytes, StoredEvent]:
    """Key → event; at most a page of them."""
    rows = conn.execute(stored().where(event.c.event_key.in_(keys)))
    return {row.event_key: to_event(row) for row in rows}


def values_of(conn: Connection, resource: str, after: str, limit: int) -> list[str]:
    """Values of one resource behind `after`, in the order of their text."""
    value = event_value.c.value
    known = select(value).where(event_value.c.resource == resource, value > after)
    new = _new_values(resource).where(event.c[RESOURCES[resource]] > after)
    both = union(known, new).subquery()
    stmt = select(both.c.value).order_by(both.c.value).limit(limit)  # in the database's own order, as `after` is
    return list(conn.execute(stmt).scalars())


def _new_values(resource: str) -> Select[tuple[str]]:
    """Of captures that have no number yet: the sequencer adds their values to the table, within a second."""
    column = event.c[RESOURCES[resource]]
    joined = select(column).distinct().join_from(event, capture, event.c.capture_key == capture.c.capture_key)
    return joined.where(capture.c.seq.is_(None), column.isnot(None))


def epcs(conn: Connection, after: bytes, limit: int) -> list[tuple[bytes, str]]:
    """(key, URI) of single objects, in the order of their keys: that needs no sort however many there are."""
    table = object_
    stmt = (
        select(table.c.object_key, table.c.canonical_uri)
        .where(table.c.is_class.is_(False), table.c.object_key > after)
        .order_by(table.c.object_key)
        .limit(limit)
    )
    return [(row.object_key, row.canonical_uri) for row in conn.execute(stmt)]


def has_value(conn: Connection, resource: str, value: str) -> bool:
    """True when an event ever named `value`, a canonical URI."""
    here = (event_value.c.value_key == canonical_key(value), event_value.c.resource == resource)
    if conn.execute(select(event_value.c.value).where(*here)).first() is not None:
        return True
    new = _new_values(resource).where(event.c[RESOURCES[resource]] == value)
    return conn.execute(new).first() is not None


def has_object(conn: Connection, object_key: bytes) -> bool:
    """True when an event names the object."""
    return conn.execute(select(link.c.event_key).where(link.c.object_key == object_key).limit(1)).first() is not None


def has_type(conn: Connection, kind: EventType) -> bool:
    """True when there is an event of the type."""
    return conn.execute(select(event.c.event_key).where(event.c.type == kind.value).limit(1)).first() is not None


def named(conn: Connection, name: str) -> NamedQuery | None:
    """The query of that name."""
    row = conn.execute(select(named_query).where(named_query.c.name == name)).first()
    return None if row is None else NamedQuery(row.name, row.owner, row.created_at, row.parameters, row.context)


def all_named(conn: Connection, after: str, limit: int) -> list[NamedQuery]:
    """Named queries behind `after`, by name."""
    stmt = select(named_query).where(named_query.c.name > after).order_by(named_query.c.name).limit(limit)
    return [NamedQuery(row.name, row.owner, row.created_at, row.parameters, row.context) for row in conn.execute(stmt)]


def add_named(conn: Connection, new: NamedQuery) -> None:
    """Keep `new`; its name is free."""
    row: dict[str, Any] = {
        "name": new.name,
        "owner": new.owner,
        "created_at": new.created_at,
        "parameters": dict(new.parameters),
        "context": new.context,
    }
    conn.execute(insert(named_query), [row])


def remove_named(conn: Connection, name: str) -> None:
    """Forget the query of that name."""
    conn.execute(delete(named_query).where(named_query.c.name == name))


def _selected(chosen: Selection) -> Select[*tuple[Any, ...]]:
    where: list[ColumnElement[bool]] = []
    sets: tuple[tuple[ColumnElement[Any], frozenset[Any]], ...] = (
        (event.c.type, chosen.types),
        (event.c.action, chosen.actions),
        (event.c.biz_step, chosen.biz_steps),
        (event.c.disposition, chosen.dispositions),
        (event.c.read_point, chosen.read_points),
        (event.c.biz_location, chosen.biz_locations),
    )
    where += [column.in_(sorted(values)) for column, values in sets if values]
    bounds: tuple[tuple[ColumnElement[Any], datetime | None, datetime | None], ...] = (
        (event.c.event_time, chosen.event_from, chosen.event_before),
        (event.c.record_time, chosen.record_from, chosen.record_before),
    )
    for column, low, high in bounds:
        where += [column >= low] if low is not None else []
        where += [column < high] if high is not None else []
    if chosen.is_correction is not None:
        where.append(event.c.is_correction.is_(chosen.is_correction))
    for keys in chosen.objects:
        where.append(event.c.event_key.in_(select(link.c.event_key).where(link.c.object_key.in_(sorted(keys)))))
    return stored().where(*where)
