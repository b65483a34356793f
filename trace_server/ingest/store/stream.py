"""The order of captures and the places of those who follow it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, bindparam, func, literal, select, tuple_, update

from trace_core.ids.canonical import canonical_key
from trace_server.db import Connection, Dialect
from trace_server.ingest import tables
from trace_server.ingest.model import ActionCode, EventType, Position, StoredEvent

HEAD = "capture"
MAX_NUMBERED = 1000
"""Captures numbered in one transaction: keeps the lock short after a long pause of the worker."""
MAX_FAILURE = 2000
"""Characters kept of a follower's last failure."""


def number_captures(conn: Connection, dialect: Dialect) -> int:
    """Give the next numbers to committed captures that have none; returns how many it numbered.

    Only committed rows are visible here and only one sequencer runs at a time, so that a reader that has seen
    number n has seen, or can see, every lower one: a sequence drawn before the commit cannot promise that.
    """
    dialect.exclude(conn, "ingest.sequencer")
    table, head = tables.capture, tables.capture_head
    # The lock comes first: this statement's snapshot must see what the last sequencer wrote.
    stmt = select(table.c.capture_key).where(table.c.seq.is_(None)).order_by(table.c.capture_key).limit(MAX_NUMBERED)
    keys = list(conn.execute(stmt).scalars())
    if not keys:
        return 0
    dialect.insert_ignore(conn, head, [{"name": HEAD, "seq": 0}])
    last = conn.execute(select(head.c.seq).where(head.c.name == HEAD)).scalar_one()
    conn.execute(
        update(table).where(table.c.capture_key == bindparam("key")).values(seq=bindparam("number")),
        [{"key": key, "number": last + place} for place, key in enumerate(keys, start=1)],
    )
    conn.execute(update(head).where(head.c.name == HEAD).values(seq=last + len(keys)))
    _add_values(conn, dialect, keys)
    return len(keys)


def _add_values(conn: Connection, dialect: Dialect, captures: Sequence[bytes]) -> None:
    """Here and not with the capture: two that bring the same new value would wait for each other."""
    event, columns = tables.event.c, [tables.event.c[name] for name in tables.RESOURCES.values()]
    rows = dialect.select_any(
        conn, lambda part: select(*columns).distinct().where(dialect.in_values(event.capture_key, part)), captures
    )
    named = {pair for row in rows for pair in zip(tables.RESOURCES, row, strict=True) if pair[1]}
    values = [
        {"value_key": canonical_key(value), "resource": resource, "value": value} for resource, value in sorted(named)
    ]
    dialect.insert_ignore(conn, tables.event_value, values)


def unnumbered(conn: Connection) -> int:
    """Captures that followers cannot see yet."""
    stmt = select(func.count()).select_from(tables.capture).where(tables.capture.c.seq.is_(None))
    return int(conn.execute(stmt).scalar_one())


def read_after(conn: Connection, position: Position, limit: int) -> list[StoredEvent]:
    """The next events behind `position`, in the order of numbered captures; at most `limit`."""
    event, capture = tables.event, tables.capture
    stmt = (
        stored()
        .where(capture.c.seq.isnot(None), capture.c.seq >= position.seq)
        .where(tuple_(capture.c.seq, event.c.ordinal) > tuple_(literal(position.seq), literal(position.ordinal)))
        .order_by(capture.c.seq, event.c.ordinal)
        .limit(limit)
    )
    return [to_event(row) for row in conn.execute(stmt)]


def position_of(conn: Connection, dialect: Dialect, follower: str) -> Position:
    """Where `follower` stands; nobody else moves it until this transaction ends."""
    dialect.exclude(conn, f"follower.{follower}")
    table = tables.follower_position
    row = conn.execute(select(table).where(table.c.follower == follower)).first()
    return Position() if row is None else Position(row.seq, row.ordinal)


def positions(conn: Connection, followers: Collection[str]) -> dict[str, Position]:
    """Where these stand, those that ever moved; somebody may move them meanwhile."""
    table = tables.follower_position.c
    rows = conn.execute(select(table.follower, table.seq, table.ordinal).where(table.follower.in_(followers)))
    return {row.follower: Position(row.seq, row.ordinal) for row in rows}


def move_all(conn: Connection, dialect: Dialect, to: Mapping[str, Position], now: datetime) -> None:
    """As `move`, of several followers."""
    rows = [
        _position_row(follower, position, now) | {"failures": 0, "last_failure": ""}
        for follower, position in sorted(to.items())
    ]
    if rows:
        columns = [name for name in rows[0] if name != "follower"]
        dialect.upsert(conn, tables.follower_position, rows, key=["follower"], update=columns)


def move(conn: Connection, dialect: Dialect, follower: str, position: Position, now: datetime) -> None:
    """`follower` has dealt with everything up to `position`; its failures are over."""
    move_all(conn, dialect, {follower: position}, now)


def note_failure(conn: Connection, dialect: Dialect, follower: str, failure: str, now: datetime) -> int:
    """Count a failure of `follower`, which stays where it is; returns how many there were in a row."""
    table = tables.follower_position
    dialect.insert_ignore(conn, table, [_position_row(follower, Position(), now)])
    here = table.c.follower == follower
    words = failure[:MAX_FAILURE].replace("\0", "\N{REPLACEMENT CHARACTER}")
    conn.execute(update(table).where(here).values(failures=table.c.failures + 1, last_failure=words, updated=now))
    return int(conn.execute(select(table.c.failures).where(here)).scalar_one())


def _position_row(follower: str, position: Position, now: datetime) -> dict[str, Any]:
    return {"follower": follower, "seq": position.seq, "ordinal": position.ordinal, "updated": now}


def stored() -> Select[*tuple[Any, ...]]:
    """Events with what their captures know of them; rows for `to_event`."""
    event, capture = tables.event, tables.capture
    return select(
        event,
        capture.c.seq.label("capture_seq"),
        capture.c.context,
        capture.c.sender_wall,
        capture.c.clock_state,
    ).join_from(event, capture, event.c.capture_key == capture.c.capture_key)


def to_event(row: Row[*tuple[Any, ...]]) -> StoredEvent:
    """The event of one row of `stored`. `capture_seq` is 0 until the capture has a number."""
    return StoredEvent(
        event_key=row.event_key,
        capture_seq=row.capture_seq or 0,
        ordinal=row.ordinal,
        source=row.source,
        epoch=row.epoch,
        seq=row.seq,
        type=EventType(row.type),
        action=None if row.action is None else ActionCode(row.action),
        event_time=row.event_time,
        record_time=row.record_time,
        biz_step=row.biz_step,
        disposition=row.disposition,
        read_point=row.read_point,
        biz_location=row.biz_location,
        event_id=row.event_id,
        is_correction=row.is_correction,
        body=row.body,
        context=row.context,
        sender_wall=row.sender_wall,
        clock_state=row.clock_state,
    )
