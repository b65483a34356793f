"""Look-ups of stored events by the objects they name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from trace_server.db import Connection, Dialect
from trace_server.ingest import tables
from trace_server.ingest.model import ActionCode, LinkRole, StoredEvent
from trace_server.ingest.store.stream import stored, to_event

HASH = re.compile(r"ni:///sha-256;([0-9a-f]{32})[0-9a-f]{32}\?ver=CBV2\.0\Z")
"""An event hash; `hash_key` is its first half."""
MAX_NAMED = 1000
"""Events that one name may have; a sender who uses one eventID for everything gets the first thousand."""
FETCH = 1000
"""Rows a listing fetches at once; its memory does not grow with the table."""


@dataclass(frozen=True, slots=True)
class Link:
    """One object in one event, with what a detector asks of the event."""

    object_key: bytes
    event_key: bytes
    event_time: datetime
    record_time: datetime
    role: LinkRole
    action: ActionCode | None
    peer_key: bytes | None
    source: str
    read_point: str | None
    biz_step: str | None
    disposition: str | None


@dataclass(frozen=True, slots=True)
class NamedObject:
    """An object or class as first seen. `lot` and `serial` are decoded text."""

    object_key: bytes
    canonical_uri: str
    is_class: bool
    gtin: str | None
    lot: str | None
    serial: str | None


def links_of(conn: Connection, dialect: Dialect, object_keys: Sequence[bytes]) -> list[Link]:
    """All links of the objects, by object, then time."""
    link, event = tables.link, tables.event
    rows = dialect.select_any(
        conn,
        lambda part: (
            select(link, event.c.record_time, event.c.source, event.c.read_point, event.c.biz_step, event.c.disposition)
            .join_from(link, event, link.c.event_key == event.c.event_key)
            .where(dialect.in_values(link.c.object_key, part))
        ),
        object_keys,
    )
    found = [
        Link(
            row.object_key,
            row.event_key,
            row.event_time,
            row.record_time,
            LinkRole(row.role),
            None if row.action is None else ActionCode(row.action),
            row.peer_key,
            row.source,
            row.read_point,
            row.biz_step,
            row.disposition,
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: (one.object_key, one.event_time, one.event_key))


def objects(conn: Connection, dialect: Dialect, object_keys: Sequence[bytes]) -> dict[bytes, NamedObject]:
    """Key → object, for those that some event has named."""
    table = tables.object_
    rows = dialect.select_any(
        conn, lambda part: select(table).where(dialect.in_values(table.c.object_key, part)), object_keys
    )
    return {
        row.object_key: NamedObject(row.object_key, row.canonical_uri, row.is_class, row.gtin, row.lot, row.serial)
        for row in rows
    }


def lots_of(conn: Connection, dialect: Dialect, object_keys: Sequence[bytes]) -> dict[bytes, tuple[str, str]]:
    """Item → (GTIN, lot) by the ILMD of the event that made it; the earliest such event wins (domain.md D31)."""
    link, table = tables.link, tables.object_
    rows = dialect.select_any(
        conn,
        lambda part: (
            select(link.c.object_key, link.c.event_time, table.c.gtin, table.c.lot)
            .join_from(link, table, link.c.peer_key == table.c.object_key)
            .where(link.c.role == LinkRole.MEMBER.value, dialect.in_values(link.c.object_key, part))
        ),
        object_keys,
    )
    ordered = sorted(rows, key=lambda row: (row.event_time, row.lot or ""), reverse=True)
    return {row.object_key: (row.gtin, row.lot) for row in ordered if row.gtin and row.lot}


def events_of(conn: Connection, dialect: Dialect, object_keys: Sequence[bytes]) -> list[StoredEvent]:
    """Every event that names one of the objects, once, by event time."""
    link = tables.link
    rows = dialect.select_any(
        conn,
        lambda part: select(link.c.event_key).distinct().where(dialect.in_values(link.c.object_key, part)),
        object_keys,
    )
    keys = sorted({row.event_key for row in rows})
    found = dialect.select_any(
        conn, lambda part: stored().where(dialect.in_values(tables.event.c.event_key, part)), keys
    )
    return sorted((to_event(row) for row in found), key=lambda one: (one.event_time, one.event_key))


def named(conn: Connection, event_id: str) -> list[StoredEvent]:
    """Events with this eventID, or whose CBV hash it is; also the declarations that they were wrong. Oldest first."""
    table = tables.event
    hashed = HASH.match(event_id)
    where = table.c.event_id == event_id
    if hashed is not None:
        where |= table.c.hash_key == bytes.fromhex(hashed[1])
    found = [to_event(row) for row in conn.execute(stored().where(where).limit(MAX_NAMED))]
    return sorted(found, key=lambda one: (one.record_time, one.event_key))


def list_events(conn: Connection) -> Iterator[tuple[StoredEvent, tuple[str, ...]]]:
    """Every stored event with the canonical URIs of its links, streamed in order of record time."""
    event, link, table = tables.event, tables.link, tables.object_
    stmt = (
        stored()
        .add_columns(table.c.canonical_uri)
        .outerjoin(link, link.c.event_key == event.c.event_key)
        .outerjoin(table, table.c.object_key == link.c.object_key)
        .order_by(event.c.record_time, event.c.event_key, link.c.ordinal)
    )
    current: StoredEvent | None = None
    uris: list[str] = []
    for row in conn.execution_options(yield_per=FETCH).execute(stmt):
        if current is None or row.event_key != current.event_key:
            if current is not None:
                yield current, tuple(dict.fromkeys(uris))
            current, uris = to_event(row), []
        if row.canonical_uri is not None:
            uris.append(row.canonical_uri)
    if current is not None:
        yield current, tuple(dict.fromkeys(uris))
