"""SQL of objections."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, func, insert, select, update

from trace_server.db import Connection
from trace_server.objections.model import Objection, ObjectionState, Remedy, TargetKind
from trace_server.objections.tables import objection


def add(conn: Connection, row: Objection) -> None:
    """A new objection."""
    conn.execute(insert(objection).values(**_values(row)))


def save(conn: Connection, row: Objection, *, was: int) -> bool:
    """Write over version `was`; False when somebody else wrote first."""
    table = objection
    query = update(table).where(table.c.objection_id == row.objection_id, table.c.version == was)
    return conn.execute(query.values(**_values(row))).rowcount == 1


def by_id(conn: Connection, objection_id: str) -> Objection | None:
    """One objection."""
    row = conn.execute(select(objection).where(objection.c.objection_id == objection_id)).one_or_none()
    return _objection(row) if row else None


def objections(
    conn: Connection, uscc: str, state: ObjectionState | None, *, after: tuple[datetime, str] | None, limit: int
) -> list[Objection]:
    """Objections in the order they were raised; `uscc` "": of everybody."""
    table = objection.c
    query = _of(select(objection), uscc).order_by(table.raised_at, table.objection_id).limit(limit)
    if state is not None:
        query = query.where(table.state == state.value)
    if after is not None:
        moment, key = after
        query = query.where((table.raised_at > moment) | ((table.raised_at == moment) & (table.objection_id > key)))
    return [_objection(row) for row in conn.execute(query)]


def counts(conn: Connection, uscc: str) -> dict[str, int]:
    """How many objections stand in each state; `uscc` "": of everybody."""
    query = _of(select(objection.c.state, func.count()), uscc).group_by(objection.c.state)
    return {str(state): int(count) for state, count in conn.execute(query)}


def _of(query: Select[Any], uscc: str) -> Select[Any]:
    return query.where(objection.c.uscc == uscc) if uscc else query


def _values(row: Objection) -> dict[str, Any]:
    return {**asdict(row), "papers": list(row.papers), "changes": dict(row.changes)}


def _objection(row: Row[Any]) -> Objection:
    return Objection(
        **{
            **row._mapping,
            "kind": TargetKind(row.kind),
            "state": ObjectionState(row.state),
            "papers": tuple(row.papers),
            "remedy": Remedy(row.remedy),
        }
    )
