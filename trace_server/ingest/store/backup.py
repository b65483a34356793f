"""How far a backup holds each gateway's events."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, update

from trace_server.db import Connection
from trace_server.ingest import tables


def confirm(conn: Connection, at: datetime | None) -> dict[str, int]:
    """Move `backed_up_to` of every cursor up to its last event that came until `at`; `gateway/epoch` → where it is now,
    for those that moved."""
    table, moved = tables.gateway_cursor, {}
    for row in conn.execute(select(table).where(table.c.backed_up_to < table.c.last_seq).with_for_update()).all():
        first_after = None if at is None else _first_after(conn, row.gateway_id, row.epoch, row.backed_up_to, at)
        held = row.last_seq if first_after is None else first_after - 1
        if held > row.backed_up_to:
            mine = (table.c.gateway_id == row.gateway_id) & (table.c.epoch == row.epoch)
            conn.execute(update(table).where(mine).values(backed_up_to=held))
            moved[f"{row.gateway_id}/{row.epoch}"] = held
    return moved


def _first_after(conn: Connection, gateway_id: str, epoch: str, confirmed: int, at: datetime) -> int | None:
    """Number of the first event that came after `at`; a held body came when it was held, not when it was replayed."""
    sent, event, held = tables.gateway_event, tables.event, tables.quarantine
    found: int | None = conn.execute(
        select(func.min(sent.c.seq))
        .outerjoin_from(sent, event, sent.c.event_key == event.c.event_key)
        .outerjoin(held, sent.c.quarantine_key == held.c.quarantine_key)
        .where(sent.c.gateway_id == gateway_id, sent.c.epoch == epoch, sent.c.seq > confirmed)
        .where(func.coalesce(held.c.received_at, event.c.record_time) > at)
    ).scalar()
    return found
