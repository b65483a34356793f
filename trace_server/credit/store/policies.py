"""Statements on grading policies that the office has put in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, insert, select

from trace_server.credit.tables import grade_policy
from trace_server.db import Connection


@dataclass(frozen=True, slots=True)
class Adopted:
    """A policy that counts from a day on, until a later one does."""

    policy_id: str
    number: int
    scheme: str
    effective_from: date
    text: str
    """The TOML document."""


def adopt(conn: Connection, adopted: Adopted) -> None:
    """Let it count from its day on."""
    table = grade_policy.c
    values = {name: getattr(adopted, name) for name in (column.name for column in table)}
    conn.execute(insert(grade_policy).values(**values))


def forget(conn: Connection, policy_id: str, number: int) -> None:
    """Take back one whose day has not come."""
    table = grade_policy.c
    conn.execute(delete(grade_policy).where(table.policy_id == policy_id, table.number == number))


def newest(conn: Connection, scheme: str, day: date) -> Adopted | None:
    """The one of a scheme that began last by a day."""
    table = grade_policy.c
    query = select(grade_policy).where(table.scheme == scheme, table.effective_from <= day)
    row = conn.execute(query.order_by(table.effective_from.desc(), table.number.desc()).limit(1)).first()
    return None if row is None else Adopted(row.policy_id, row.number, row.scheme, row.effective_from, row.text)
