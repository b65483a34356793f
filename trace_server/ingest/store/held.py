"""Quarantine and alarms: what was not taken, and what a person must look at."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update

from trace_server.db import Connection, Dialect
from trace_server.ingest import tables
from trace_server.ingest.model import Alarm, Origin, Quarantined, QuarantineState, Reason, Rejection


def add_quarantine(conn: Connection, dialect: Dialect, held: Sequence[Quarantined]) -> int:
    """Keep bodies that were not taken; the same body from the same place is kept once."""
    rows = [
        {
            "quarantine_key": one.quarantine_key,
            "source": one.source,
            "epoch": one.epoch,
            "seq": one.seq,
            "reason": one.rejection.reason.value,
            "what": storable(one.rejection.what),
            "where": storable(one.rejection.where),
            "remedy": storable(one.rejection.remedy),
            "body": one.body,
            "context": one.context,
            "received_at": one.received_at,
            "state": one.state.value,
        }
        for one in held
    ]
    return dialect.insert_ignore(conn, tables.quarantine, rows)


def raise_alarm(
    conn: Connection, dialect: Dialect, alarm_key: bytes, origin: Origin, *, kind: str, seq: int, detail: str
) -> None:
    """Count an alarm of one cause; made when it is the first."""
    table = tables.alarm
    row = {
        "alarm_key": alarm_key,
        "kind": kind,
        "source": origin.source,
        "epoch": origin.epoch,
        "seq": seq,
        "detail": detail,
        "first_seen": origin.received_at,
        "last_seen": origin.received_at,
        "times": 0,
    }
    dialect.insert_ignore(conn, table, [row])
    conn.execute(
        update(table)
        .where(table.c.alarm_key == alarm_key)
        .values(last_seen=origin.received_at, times=table.c.times + 1)
    )


def alarms(conn: Connection, *, after: tuple[datetime, bytes] | None = None, limit: int = 500) -> list[Alarm]:
    """Alarms by the time they were first seen; `after`: that time and the key of the last one read."""
    table = tables.alarm
    stmt = select(table).order_by(table.c.first_seen, table.c.alarm_key).limit(limit)
    if after is not None:
        moment, key = after
        stmt = stmt.where((table.c.first_seen > moment) | ((table.c.first_seen == moment) & (table.c.alarm_key > key)))
    return [
        Alarm(
            row.alarm_key,
            row.kind,
            row.source,
            row.epoch,
            row.seq,
            row.detail,
            row.first_seen,
            row.last_seen,
            row.times,
        )
        for row in conn.execute(stmt)
    ]


def resolve_quarantine(conn: Connection, quarantine_key: bytes, event_key: bytes, now: datetime) -> None:
    """A replayed body is an event now, also in the gateway's sequence."""
    table = tables.quarantine
    conn.execute(
        update(table)
        .where(table.c.quarantine_key == quarantine_key)
        .values(state=QuarantineState.REPLAYED.value, resolved_at=now)
    )
    events = tables.gateway_event
    # quarantine_key stays: the gateway was told so, and must get the same answer again.
    conn.execute(update(events).where(events.c.quarantine_key == quarantine_key).values(event_key=event_key))


def update_rejection(conn: Connection, quarantine_key: bytes, rejection: Rejection) -> None:
    """A replay failed again, perhaps for another reason."""
    table = tables.quarantine
    conn.execute(
        update(table)
        .where(table.c.quarantine_key == quarantine_key)
        .values(
            reason=rejection.reason.value,
            what=storable(rejection.what),
            where=storable(rejection.where),
            remedy=storable(rejection.remedy),
        )
    )


def lock_quarantined(conn: Connection, quarantine_key: bytes) -> Quarantined | None:
    """One entry, that no other transaction replays until this one ends."""
    table = tables.quarantine
    row = conn.execute(select(table).where(table.c.quarantine_key == quarantine_key).with_for_update()).first()
    return None if row is None else _quarantined(row)


def quarantined(
    conn: Connection,
    *,
    state: QuarantineState | None = None,
    after: tuple[datetime, bytes] | None = None,
    limit: int = 500,
) -> list[Quarantined]:
    """Entries by the time they came; `after`: time and key of the last one seen."""
    table = tables.quarantine
    stmt = select(table).order_by(table.c.received_at, table.c.quarantine_key).limit(limit)
    if state is not None:
        stmt = stmt.where(table.c.state == state.value)
    if after is not None:
        moment, key = after
        later = table.c.received_at > moment
        stmt = stmt.where(later | ((table.c.received_at == moment) & (table.c.quarantine_key > key)))
    return [_quarantined(row) for row in conn.execute(stmt)]


def _quarantined(row: Row[*tuple[Any, ...]]) -> Quarantined:
    return Quarantined(
        row.quarantine_key,
        row.source,
        row.epoch,
        row.seq,
        Rejection(Reason(row.reason), row.what, row.where, row.remedy),
        bytes(row.body),
        row.context,
        row.received_at,
        QuarantineState(row.state),
    )


def storable(words: str) -> str:
    """A message may quote what no database text can hold."""
    return words.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")
