"""The calendar in force, and how the office brings a new year in."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from importlib.resources import files

from trace_server import audit
from trace_server.db import Connection, Database
from trace_server.workdays import rules, store
from trace_server.workdays.model import Calendar, Year

SHIPPED = "calendar.toml"


def calendar(conn: Connection) -> Calendar:
    """Years that came with the program, replaced by those that the office imported."""
    known = {row.year: row for row in (*shipped(), *store.years(conn))}
    return Calendar(tuple(known[number] for number in sorted(known)))


@cache
def shipped() -> tuple[Year, ...]:
    """The years that came with the program."""
    return rules.read_years(files(__package__).joinpath(SHIPPED).read_text(encoding="utf-8"))


def import_years(db: Database, text: str, *, actor: str, now: datetime) -> tuple[Year, ...]:
    """Take the years of a TOML text, all or none; a year that is known is replaced. Raises `InputError`."""
    rows = rules.read_years(text)
    with db.begin() as conn:
        store.save(conn, db.dialect, rows, now)
        for row in rows:
            detail = {"holidays": len(row.holidays), "make_up": len(row.make_up), "source": row.source}
            audit.record(conn, now, actor, "calendar.import", str(row.year), detail)
    return rows
