"""Cursors, events, links, objects and jobs: what one capture writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from trace_core.uplink import ZERO_DIGEST
from trace_server.db import Connection, Dialect
from trace_server.ingest import killpoints, tables
from trace_server.ingest.model import Cursor, ErrorBehaviour, Job, Origin, Reason, Rejection
from trace_server.ingest.rules import Taken
from trace_server.ingest.store.held import storable


def lock_cursor(conn: Connection, dialect: Dialect, gateway_id: str, epoch: str, now: datetime) -> Cursor:
    """The cursor of a gateway's epoch, made when it is new; no other sender moves it until this transaction ends."""
    table = tables.gateway_cursor
    stmt = select(table).where(table.c.gateway_id == gateway_id, table.c.epoch == epoch).with_for_update()
    row = conn.execute(stmt).first()
    if row is None:
        fresh = {"gateway_id": gateway_id, "epoch": epoch, "last_seq": 0, "digest": ZERO_DIGEST, "updated": now}
        dialect.insert_ignore(conn, table, [fresh])
        row = conn.execute(stmt).one()
    return Cursor(row.gateway_id, row.epoch, row.last_seq, bytes(row.digest), row.backed_up_to)


def move_cursor(conn: Connection, cursor: Cursor, now: datetime) -> None:
    """Store `cursor`, which `lock_cursor` has locked."""
    table = tables.gateway_cursor
    conn.execute(
        update(table)
        .where(table.c.gateway_id == cursor.gateway_id, table.c.epoch == cursor.epoch)
        .values(last_seq=cursor.last_seq, digest=cursor.digest, backed_up_to=cursor.backed_up_to, updated=now)
    )


def settled(conn: Connection, cursor: Cursor, first: int, last: int) -> list[tuple[int, bytes, bool]]:
    """(seq, chain value, is in quarantine) of what is stored between `first` and `last`, in order."""
    table = tables.gateway_event
    stmt = (
        select(table.c.seq, table.c.digest, table.c.quarantine_key)
        .where(table.c.gateway_id == cursor.gateway_id, table.c.epoch == cursor.epoch)
        .where(table.c.seq.between(first, last))
        .order_by(table.c.seq)
    )
    return [(row.seq, bytes(row.digest), row.quarantine_key is not None) for row in conn.execute(stmt)]


def digest_at(conn: Connection, cursor: Cursor, seq: int) -> bytes | None:
    """The chain value after `seq`; zeros before the first event, None when it is not stored."""
    if seq == 0:
        return ZERO_DIGEST
    found = settled(conn, cursor, seq, seq)
    return found[0][1] if found else None


def add_gateway_events(conn: Connection, dialect: Dialect, rows: Sequence[Mapping[str, Any]]) -> None:
    """Remember which body each sequence number had and what became of it."""
    dialect.bulk_insert(conn, tables.gateway_event, rows)


def add_capture(
    conn: Connection,
    dialect: Dialect,
    origin: Origin,
    capture_key: bytes,
    taken: Sequence[tuple[int, Taken]],
    context: str | None = None,
) -> int:
    """Store events with links and objects as one capture; returns how many were new.

    `taken`: (place in the capture, rows), each event key once. Events that are stored already are left as they are;
    when none is new there is no capture.
    """
    rows = []
    for place, part in taken:
        part.event["capture_key"] = capture_key
        part.event["ordinal"] = place
        part.event.setdefault("seq", None)
        rows.append(part.event)
    new = dialect.bulk_insert(conn, tables.event, rows, ignore_conflicts=True)
    killpoints.reach(killpoints.IN_INSERT)
    if new == 0:
        return 0
    fresh = [part for _, part in taken]
    if new < len(fresh):
        keys = _keys_of(conn, capture_key)
        fresh = [part for part in fresh if part.key in keys]
    _add_links(conn, dialect, fresh)
    conn.execute(
        insert(tables.capture).values(
            capture_key=capture_key,
            source=origin.source,
            record_time=origin.received_at,
            event_count=new,
            context=context,
            sender_wall=origin.sender_wall,
            clock_state=origin.clock_state,
        )
    )
    return new


def add_job(conn: Connection, job: Job) -> None:
    """Keep what became of a document."""
    conn.execute(
        insert(tables.capture_job).values(
            job_key=job.job_key,
            source=job.source,
            created_at=job.created_at,
            event_count=job.event_count,
            accepted=job.accepted,
            duplicates=job.duplicates,
            quarantined=job.quarantined,
            errors=[
                [error.reason.value, *map(storable, (error.what, error.where, error.remedy))] for error in job.errors
            ],
            error_behaviour=job.behaviour.value,
            header=job.header,
            finished_at=job.finished_at,
        )
    )


def job(conn: Connection, job_key: bytes) -> Job | None:
    """What became of a document, None for an unknown key."""
    row = conn.execute(select(tables.capture_job).where(tables.capture_job.c.job_key == job_key)).first()
    return None if row is None else _job(row)


def jobs(conn: Connection, source: str, before: bytes | None, limit: int) -> list[Job]:
    """Jobs of `source`, the newest first; `before`: key of the last one seen."""
    table = tables.capture_job
    stmt = select(table).where(table.c.source == source).order_by(table.c.job_key.desc()).limit(limit)
    if before is not None:
        stmt = stmt.where(table.c.job_key < before)
    return [_job(row) for row in conn.execute(stmt)]


def _job(row: Row[*tuple[Any, ...]]) -> Job:
    return Job(
        row.job_key,
        row.source,
        row.created_at,
        row.event_count,
        row.accepted,
        row.duplicates,
        row.quarantined,
        tuple(Rejection(Reason(reason), what, where, remedy) for reason, what, where, remedy in row.errors),
        ErrorBehaviour(row.error_behaviour),
        row.header,
        finished_at=row.finished_at,
    )


def _keys_of(conn: Connection, capture_key: bytes) -> frozenset[bytes]:
    table = tables.event
    return frozenset(conn.execute(select(table.c.event_key).where(table.c.capture_key == capture_key)).scalars())


def _add_links(conn: Connection, dialect: Dialect, fresh: Sequence[Taken]) -> None:
    """Links of new events cannot exist yet, so they need no check; objects may, and are the same whoever made them."""
    for links in ([link for part in fresh for link in part.plain], [link for part in fresh for link in part.links]):
        if links:
            dialect.bulk_insert(conn, tables.link, links)
    objects = {row["object_key"]: row for part in fresh for row in part.objects}
    if objects:
        dialect.bulk_insert(conn, tables.object_, list(objects.values()), ignore_conflicts=True)
