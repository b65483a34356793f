"""The archive as it stood at one place of the change log: what snapshots and daily digests are made of.

A place is a number of the log, not a time: two pullers that are told the same number mean the same state.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select

from trace_server.credit.model import STOPPED, State, ViolationRecord
from trace_server.credit.store import _record
from trace_server.credit.tables import credit_change, violation_record, violation_version
from trace_server.db import Connection

PAGE = 1000


def seq_at(conn: Connection, moment: datetime) -> int:
    """Number of the last change that took effect before `moment`; 0 when there was none."""
    log, version = credit_change.c, violation_version.c
    query = (
        select(func.coalesce(func.max(log.seq), 0))
        .join_from(
            credit_change, violation_version, (version.record_id == log.record_id) & (version.version == log.version)
        )
        .where(version.effective_at < moment)
    )
    return int(conn.execute(query).scalar_one())


def records_at(conn: Connection, seq: int, after: str, limit: int) -> list[tuple[ViolationRecord, bool]]:
    """Each record as of change `seq`, by id behind `after` (""), and whether it has stopped by now."""
    latest = _latest(seq)
    if after:
        latest = latest.where(credit_change.c.record_id > UUID(after).bytes)
    found = latest.limit(limit).subquery()
    version = violation_version.c
    query = (
        select(violation_version, violation_record.c.state.label("now_state"))
        .join(found, (found.c.record_id == version.record_id) & (found.c.version == version.version))
        .join(violation_record, violation_record.c.record_id == version.record_id)
        .order_by(version.record_id)
    )
    return [(_record(row), State(row.now_state) in STOPPED) for row in conn.execute(query)]


def marks_at(conn: Connection, seq: int) -> Iterator[tuple[str, int, str, str]]:
    """(record id, version, state, severity) of each record as of change `seq`, by id."""
    found = _latest(seq).subquery()
    version = violation_version.c
    query = (
        select(version.record_id, version.version, version.state, version.severity)
        .join(found, (found.c.record_id == version.record_id) & (found.c.version == version.version))
        .order_by(version.record_id)
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
