"""SQL of lists."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from datetime import date
from typing import Any

from sqlalchemy import Row, insert, select, update

from trace_server.db import Connection, Dialect
from trace_server.lists.model import Application, ListState, Membership
from trace_server.lists.tables import list_membership, measure_application


def add(conn: Connection, row: Membership) -> None:
    """A new membership."""
    conn.execute(insert(list_membership).values(**asdict(row)))


def save(conn: Connection, row: Membership, *, was: int) -> bool:
    """Write over version `was`; False when somebody else wrote first."""
    table = list_membership
    query = update(table).where(table.c.membership_id == row.membership_id, table.c.version == was)
    return conn.execute(query.values(**asdict(row))).rowcount == 1


def by_id(conn: Connection, membership_id: str) -> Membership | None:
    """One membership."""
    row = conn.execute(select(list_membership).where(list_membership.c.membership_id == membership_id)).one_or_none()
    return _membership(row) if row else None


def of_subject(conn: Connection, uscc: str) -> list[Membership]:
    """All memberships of a subject, by list and listing."""
    table = list_membership
    query = (
        select(table).where(table.c.uscc == uscc).order_by(table.c.list_id, table.c.listed_on, table.c.membership_id)
    )
    return [_membership(row) for row in conn.execute(query)]


def of_subjects(conn: Connection, dialect: Dialect, usccs: Collection[str]) -> list[Membership]:
    """All memberships of these subjects, by subject, list and listing."""
    table = list_membership
    rows = dialect.select_any(
        conn, lambda part: select(table).where(dialect.in_values(table.c.uscc, part)), sorted(usccs)
    )
    return [_membership(row) for row in sorted(rows, key=lambda row: (row.uscc, row.list_id, row.membership_id))]


def on_list(conn: Connection, list_id: str, *, after: str, limit: int) -> list[Membership]:
    """Who is on a list now, by membership."""
    table = list_membership
    query = (
        select(table)
        .where(table.c.list_id == list_id, table.c.state == ListState.LISTED, table.c.membership_id > after)
        .order_by(table.c.membership_id)
        .limit(limit)
    )
    return [_membership(row) for row in conn.execute(query)]


def memberships(
    conn: Connection, list_id: str, states: Collection[ListState], *, after: str, limit: int
) -> list[Membership]:
    """By membership, newest version each; "" and nothing: of every list, in every state."""
    table = list_membership
    query = select(table).where(table.c.membership_id > after).order_by(table.c.membership_id).limit(limit)
    if list_id:
        query = query.where(table.c.list_id == list_id)
    if states:
        query = query.where(table.c.state.in_(states))
    return [_membership(row) for row in conn.execute(query)]


def over(conn: Connection, today: date, limit: int) -> list[Membership]:
    """Memberships whose period ended before `today`."""
    table = list_membership
    query = select(table).where(table.c.state == ListState.LISTED, table.c.until < today).limit(limit)
    return [_membership(row) for row in conn.execute(query)]


def add_application(conn: Connection, row: Application) -> None:
    """Feedback on a measure."""
    conn.execute(insert(measure_application).values(**asdict(row)))


def applications(conn: Connection, uscc: str, limit: int) -> list[Application]:
    """Feedback on a subject, oldest first."""
    table = measure_application
    query = select(table).where(table.c.uscc == uscc).order_by(table.c.reported_at, table.c.application_id).limit(limit)
    return [Application(**row._mapping) for row in conn.execute(query)]


def _membership(row: Row[Any]) -> Membership:
    return Membership(**{**row._mapping, "state": ListState(row.state)})
