"""SQL of the calendar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import select

from trace_server.db import Connection, Dialect
from trace_server.workdays.model import Year
from trace_server.workdays.tables import workday_year


def years(conn: Connection) -> list[Year]:
    """The imported years, in order."""
    return [
        Year(row.year, _days(row.holidays), _days(row.make_up), row.source)
        for row in conn.execute(select(workday_year).order_by(workday_year.c.year))
    ]


def save(conn: Connection, dialect: Dialect, rows: Iterable[Year], now: datetime) -> None:
    """Insert or replace these years."""
    records = [
        {
            "year": row.year,
            "holidays": [day.isoformat() for day in sorted(row.holidays)],
            "make_up": [day.isoformat() for day in sorted(row.make_up)],
            "source": row.source,
            "imported_at": now,
        }
        for row in rows
    ]
    dialect.upsert(conn, workday_year, records, key=["year"], update=["holidays", "make_up", "source", "imported_at"])


def _days(texts: Iterable[str]) -> frozenset[date]:
    return frozenset(date.fromisoformat(text) for text in texts)
