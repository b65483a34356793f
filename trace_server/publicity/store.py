"""Looking subjects up by name for the public search."""

from __future__ import annotations

from sqlalchemy import select

from trace_server.catalog.tables import subject
from trace_server.db import Connection


def names(conn: Connection, part: str, limit: int) -> list[tuple[str, str]]:
    """(code, name) of registered subjects whose Chinese or English name holds `part`, by code, at most `limit`."""
    matches = subject.c.name.contains(part, autoescape=True) | subject.c.name_en.icontains(part, autoescape=True)
    query = select(subject.c.uscc, subject.c.name).where(matches).order_by(subject.c.uscc).limit(limit)
    return [(code, name) for code, name in conn.execute(query)]
