"""Documents that were acknowledged before they were read; each lies here until its capture job has ended."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, delete, func, insert, select

from trace_server.db import Connection
from trace_server.ingest.model import ErrorBehaviour, Pending
from trace_server.ingest.tables import capture_inbox as table


def add(conn: Connection, document: Pending) -> None:
    """Keep `document`."""
    names = ("job_key", "source", "created_at", "is_xml", "raw")
    values = {name: getattr(document, name) for name in names}
    conn.execute(insert(table).values(**values, error_behaviour=document.behaviour.value))


def find(conn: Connection, job_key: bytes) -> Pending | None:
    """One document, None when its job has ended."""
    row = conn.execute(select(table).where(table.c.job_key == job_key)).first()
    return None if row is None else _pending(row)


def of_source(conn: Connection, source: str, before: bytes | None, limit: int) -> list[Pending]:
    """What is under way for `source`, the newest first."""
    stmt = select(table).where(table.c.source == source).order_by(table.c.job_key.desc()).limit(limit)
    if before is not None:
        stmt = stmt.where(table.c.job_key < before)
    return [_pending(row) for row in conn.execute(stmt)]


def count(conn: Connection, source: str) -> int:
    """How many documents of `source` wait."""
    return int(conn.execute(select(func.count()).select_from(table).where(table.c.source == source)).scalar_one())


def remove(conn: Connection, job_key: bytes) -> None:
    """Its job has ended."""
    conn.execute(delete(table).where(table.c.job_key == job_key))


def _pending(row: Row[*tuple[Any, ...]]) -> Pending:
    behaviour = ErrorBehaviour(row.error_behaviour)
    return Pending(row.job_key, row.source, row.created_at, behaviour, is_xml=row.is_xml, raw=bytes(row.raw))
