"""The archive as it stood at one place of the change log: what snapshots and daily digests are made of.

A place is a number of the log, not a time: two pullers that are told the same number mean the same state.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select

from trace_server.credit.model import STOPPED, SharedVersion, State, ViolationRecord
from trace_server.credit.store import _record, shared
from trace_server.credit.tables import credit_change, credit_shared, violation_record, violation_version
from trace_server.db import Connection

PAGE = 1000


def seq_at(conn: Connection, moment: datetime) -> int:
    """Number of the last change that took effect before `moment`; 0 when there was none."""
    log = credit_change.c
    found = 0
    for table in (violation_version, credit_shared):
        query = (
            select(func.coalesce(func.max(log.seq), 0))
            .join_from(credit_change, table, (table.c.record_id == log.record_id) & (table.c.version == log.version))
            .where(table.c.effective_at < moment)
        )
        found = max(found, int(conn.execute(query).scalar_one()))
    return found


def entries_at(
    conn: Connection, seq: int, after: str, limit: int
) -> list[tuple[ViolationRecord | SharedVersion, bool]]:
    """Each record as of change `seq`, by id behind `after` (""), and whether it has stopped by now."""
    latest = _latest(seq)
    if after:
        latest = latest.where(credit_change.c.record_id > UUID(after).bytes)
    named = [(str(UUID(bytes=row.record_id)), int(row.version)) for row in conn.execute(latest.limit(limit))]
    if not named:
        return []
    found: dict[str, tuple[ViolationRecord | SharedVersion, bool]] = {
        record_id: entry for (record_id, _), entry in shared.versions(conn, named).items()
    }
    version = violation_version.c
    top = latest.limit(limit).subquery()
    query = (
        select(violation_version, violation_record.c.state.label("now_state"))
        .join(top, (top.c.record_id == version.record_id) & (top.c.version == version.version))
        .join(violation_record, violation_record.c.record_id == version.record_id)
    )
    for row in conn.execute(query):
        found[str(UUID(bytes=row.record_id))] = (_record(row), State(row.now_state) in STOPPED)
    return [found[record_id] for record_id, _ in named]


def marks_at(conn: Connection, seq: int) -> Iterator[tuple[str, int, str, str]]:
    """(record id, version, state, class of a penalty or kind of anything else) as of change `seq`, by id."""
    found = _latest(seq).subquery()
    version, other = violation_version.c, credit_shared.c
    query = (
        select(
            found.c.record_id,
            found.c.version,
            func.coalesce(version.state, other.state).label("state"),
            func.coalesce(version.severity, other.kind).label("severity"),
        )
        .select_from(found)
        .outerjoin(violation_version, (found.c.record_id == version.record_id) & (found.c.version == version.version))
        .outerjoin(credit_shared, (found.c.record_id == other.record_id) & (found.c.version == other.version))
        .order_by(found.c.record_id)
    )
    for row in conn.execution_options(yield_per=PAGE).execute(query):
        yield str(UUID(bytes=row.record_id)), int(row.version), str(row.state), str(row.severity)


def ops_between(conn: Connection, after: int, upto: int) -> dict[str, int]:
    """How many changes of each operation `after < seq <= upto`."""
    log = credit_change.c
    query = select(log.op, func.count()).where(log.seq > after, log.seq <= upto).group_by(log.op)
    return {str(op): int(count) for op, count in conn.execute(query)}


def _latest(seq: int) -> Select[tuple[bytes, int]]:
    log = credit_change.c
    return (
        select(log.record_id, func.max(log.version).label("version"))
        .where(log.seq <= seq)
        .group_by(log.record_id)
        .order_by(log.record_id)
    )
