"""Reading the change log: entries of every kind in one order."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from trace_server.credit.model import Change, Filter, SharedChange
from trace_server.credit.store import KIND_PENALTY, _change, shared
from trace_server.credit.tables import credit_change, violation_record, violation_version
from trace_server.db import Connection


def changes(conn: Connection, after: int, upto: int, wanted: Filter, limit: int) -> list[Change | SharedChange]:
    """Log entries `after < seq <= upto` in order, at most `limit`."""
    log = credit_change.c
    query = (
        select(
            violation_version,
            log.seq,
            log.op,
            log.kind,
            log.record_id.label("about"),
            log.version.label("number"),
            violation_record.c.state.label("now_state"),
        )
        .select_from(credit_change)
        .outerjoin(
            violation_version,
            (violation_version.c.record_id == log.record_id) & (violation_version.c.version == log.version),
        )
        .outerjoin(violation_record, violation_record.c.record_id == log.record_id)
        .where(log.seq > after, log.seq <= upto)
        .order_by(log.seq)
        .limit(limit)
    )
    if wanted.region:
        query = query.where(log.region.startswith(wanted.region, autoescape=True))
    if wanted.category:
        query = query.where(log.category == wanted.category)
    if wanted.department:
        query = query.where(log.department == wanted.department)
    if wanted.kinds:
        query = query.where(log.kind.in_(wanted.kinds))
    rows = conn.execute(query).all()
    others = [(str(UUID(bytes=row.about)), int(row.number)) for row in rows if row.kind != KIND_PENALTY]
    told = shared.versions(conn, others)
    found: list[Change | SharedChange] = []
    for row in rows:
        if row.kind == KIND_PENALTY:
            found.append(_change(row))
        else:
            item, has_stopped = told[str(UUID(bytes=row.about)), int(row.number)]
            found.append(SharedChange(row.seq, item, has_stopped))
    return found
