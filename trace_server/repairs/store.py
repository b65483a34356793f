"""SQL of applications for repair."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update

from trace_server.db import Connection
from trace_server.repairs.model import Application, RepairState
from trace_server.repairs.tables import repair_application


def add(conn: Connection, row: Application) -> None:
    """A new application."""
    conn.execute(insert(repair_application).values(**_values(row)))


def save(conn: Connection, row: Application, *, was: int) -> bool:
    """Write over version `was`; False when somebody else wrote first."""
    table = repair_application
    query = update(table).where(table.c.application_id == row.application_id, table.c.version == was)
    return conn.execute(query.values(**_values(row))).rowcount == 1


def by_id(conn: Connection, application_id: str) -> Application | None:
    """One application."""
    table = repair_application
    row = conn.execute(select(table).where(table.c.application_id == application_id)).one_or_none()
    return _application(row) if row else None


def of_record(conn: Connection, record_id: str) -> list[Application]:
    """All applications about a record, oldest first."""
    table = repair_application
    query = select(table).where(table.c.record_id == record_id).order_by(table.c.submitted_at)
    return [_application(row) for row in conn.execute(query)]


def applications(
    conn: Connection, uscc: str, state: RepairState | None, *, after: tuple[datetime, str] | None, limit: int
) -> list[Application]:
    """Applications in the order they came; `uscc` "": of everybody."""
    table = repair_application
    query = select(table).order_by(table.c.submitted_at, table.c.application_id).limit(limit)
    if uscc:
        query = query.where(table.c.uscc == uscc)
    if state is not None:
        query = query.where(table.c.state == state)
    if after is not None:
        moment, application_id = after
        same = (table.c.submitted_at == moment) & (table.c.application_id > application_id)
        query = query.where((table.c.submitted_at > moment) | same)
    return [_application(row) for row in conn.execute(query)]


def _values(row: Application) -> dict[str, Any]:
    return {**asdict(row), "papers": list(row.papers)}


def _application(row: Row[Any]) -> Application:
    return Application(**{**row._mapping, "state": RepairState(row.state), "papers": tuple(row.papers)})
