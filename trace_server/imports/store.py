"""SQL of imports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row as Record
from sqlalchemy import delete, func, insert, select, update

from trace_server.db import Connection
from trace_server.imports.model import Fault, Order, Row, RowState, Run, RunState
from trace_server.imports.tables import import_row, import_run

CHUNK = 500
"""Rows in one insert."""
_ORDER = ("kind", "template", "file_name", "source", "category")


def add(conn: Connection, run: Run, rows: Sequence[Row]) -> None:
    """A new run with its rows."""
    conn.execute(insert(import_run).values(**_values(run)))
    for start in range(0, len(rows), CHUNK):
        part = rows[start : start + CHUNK]
        conn.execute(insert(import_row), [{"import_id": run.import_id, **_row_values(row)} for row in part])


def find(conn: Connection, import_id: str, *, lock: bool = False) -> Run | None:
    """One run."""
    query = select(import_run).where(import_run.c.import_id == import_id)
    row = conn.execute(query.with_for_update() if lock else query).first()
    return None if row is None else _run(row)


def save(conn: Connection, run: Run) -> None:
    """A run as it is now; the caller holds it locked."""
    conn.execute(update(import_run).where(import_run.c.import_id == run.import_id).values(**_values(run)))


def newest(conn: Connection, *, kind: str, before: tuple[datetime, str] | None, limit: int) -> list[Run]:
    """The newest first; `kind` "": of every kind; `before`: time and id of the last one seen."""
    table = import_run
    query = select(table).order_by(table.c.created_at.desc(), table.c.import_id.desc()).limit(limit)
    if kind:
        query = query.where(table.c.kind == kind)
    if before is not None:
        at, import_id = before
        same = (table.c.created_at == at) & (table.c.import_id < import_id)
        query = query.where((table.c.created_at < at) | same)
    return [_run(row) for row in conn.execute(query)]


def rows(conn: Connection, import_id: str, states: Iterable[RowState], *, after: int = 0, limit: int) -> list[Row]:
    """Rows of a run in these states, by number."""
    table = import_row
    query = (
        select(table)
        .where(table.c.import_id == import_id, table.c.state.in_(sorted(states)), table.c.number > after)
        .order_by(table.c.number)
        .limit(limit)
    )
    return [_row(row) for row in conn.execute(query)]


def settle(conn: Connection, import_id: str, done: Iterable[Row]) -> None:
    """Rows as they stand now."""
    table = import_row
    for row in done:
        mine = (table.c.import_id == import_id) & (table.c.number == row.number)
        conn.execute(update(table).where(mine).values(**_row_values(row)))


def counts(conn: Connection, import_id: str) -> dict[RowState, int]:
    """How many rows of a run stand in each state."""
    table = import_row
    query = select(table.c.state, func.count()).where(table.c.import_id == import_id).group_by(table.c.state)
    return {RowState(state): int(count) for state, count in conn.execute(query)}


def drop_refused(conn: Connection, import_id: str) -> int:
    """Forget what waits in the quarantine of a run; how many rows."""
    table = import_row
    mine = (table.c.import_id == import_id) & (table.c.state == RowState.REFUSED)
    return conn.execute(delete(table).where(mine)).rowcount


def latest(conn: Connection) -> dict[tuple[str, str], datetime]:
    """(kind, source) → when its newest import that took something, or found it known, was handed in."""
    table = import_run
    query = (
        select(table.c.kind, table.c.source, func.max(table.c.created_at).label("at"))
        .where(table.c.finished_at.is_not(None), table.c.taken + table.c.unchanged > 0)
        .group_by(table.c.kind, table.c.source)
    )
    return {(row.kind, row.source): row.at for row in conn.execute(query)}


def _values(run: Run) -> dict[str, Any]:
    values = asdict(run)
    order = values.pop("order")
    return {**values, **order, "headings": list(run.headings), "columns": list(run.columns)}


def _run(row: Record[Any]) -> Run:
    values: dict[str, Any] = dict(row._mapping)
    order = Order(**{name: values.pop(name) for name in _ORDER})
    made = {"headings": tuple(row.headings), "columns": tuple(row.columns), "state": RunState(row.state)}
    return Run(**{**values, **made, "order": order})


def _row_values(row: Row) -> dict[str, Any]:
    return {
        "number": row.number,
        "state": row.state.value,
        "cells": list(row.cells),
        "faults": [[fault.column, fault.code, dict(fault.params)] for fault in row.faults],
        "ref": row.ref,
    }


def _row(row: Record[Any]) -> Row:
    faults = tuple(_fault(*fault) for fault in row.faults)
    return Row(row.number, RowState(row.state), tuple(row.cells), faults, row.ref)


def _fault(column: str, code: str, params: Mapping[str, str]) -> Fault:
    return Fault(column, code, params)
