"""SQL of the table of jobs."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, text, tuple_, update

from trace_server.db import Connection, Dialect
from trace_server.jobs.model import Job, JobState
from trace_server.jobs.tables import job as table

OPEN = text("state IN ('queued', 'running')")
"""Written out, not bound: only so can the planner see that the partial index holds what is asked for."""


def add(conn: Connection, dialect: Dialect, row: Job) -> bool:
    """A new job; False when its key is known already."""
    return dialect.insert_ignore(conn, table, [_values(row)]) == 1


def due(conn: Connection, kinds: Collection[str], now: datetime) -> Job | None:
    """The job that waited longest for its turn, locked; those that another worker is just taking are passed over."""
    stmt = (
        select(table)
        .where(OPEN, table.c.run_after <= now, table.c.kind.in_(sorted(kinds)))
        .order_by(table.c.run_after, table.c.job_key)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = conn.execute(stmt).first()
    return None if row is None else _job(row)


def locked(conn: Connection, job_key: bytes) -> Job | None:
    """One job, which nobody else changes until this transaction ends."""
    row = conn.execute(select(table).where(table.c.job_key == job_key).with_for_update()).first()
    return None if row is None else _job(row)


def find(conn: Connection, job_key: bytes) -> Job | None:
    """One job."""
    row = conn.execute(select(table).where(table.c.job_key == job_key)).first()
    return None if row is None else _job(row)


def save(conn: Connection, row: Job) -> None:
    """A job as it is now; `locked` or `due` has locked it."""
    conn.execute(update(table).where(table.c.job_key == row.job_key).values(**_values(row)))


def newest(
    conn: Connection,
    *,
    state: JobState | None = None,
    kind: str = "",
    before: tuple[datetime, bytes] | None = None,
    limit: int,
) -> list[Job]:
    """The newest first; `before`: time and key of the last one seen."""
    stmt = select(table).order_by(table.c.created_at.desc(), table.c.job_key.desc()).limit(limit)
    if state is not None:
        stmt = stmt.where(table.c.state == state.value)
    if kind:
        stmt = stmt.where(table.c.kind == kind)
    if before is not None:
        stmt = stmt.where(tuple_(table.c.created_at, table.c.job_key) < tuple_(*before))
    return [_job(row) for row in conn.execute(stmt)]


def _values(row: Job) -> dict[str, Any]:
    names = [column.name for column in table.columns]
    return {name: getattr(row, name) for name in names} | {"state": row.state.value, "payload": dict(row.payload)}


def _job(row: Row[*tuple[Any, ...]]) -> Job:
    return Job(**{**row._asdict(), "state": JobState(row.state)})
