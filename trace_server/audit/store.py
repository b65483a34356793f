"""Every statement of the audit log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Row, insert, select, text, update

from trace_server.audit.model import FIRST_PREVIOUS, Entry, Wanted
from trace_server.audit.tables import audit_entry, audit_head
from trace_server.db import Connection

PAGE = 1000


def lock_head(conn: Connection) -> tuple[int, bytes]:
    """Last seq and digest; no other transaction appends until this one ends."""
    head = _locked_head(conn)
    if head is None:
        # Two first writers may meet here; the loser waits for the winner and takes nothing away.
        conn.execute(
            text("INSERT INTO audit_head (id, seq, digest) VALUES (1, 0, :digest) ON CONFLICT DO NOTHING"),
            {"digest": FIRST_PREVIOUS},
        )
        head = _locked_head(conn)
    if head is None:
        raise RuntimeError("the head of the audit log cannot be made")
    return head


def append(conn: Connection, entry: Entry) -> None:
    """Store `entry` and move the head to it."""
    conn.execute(
        insert(audit_entry).values(
            seq=entry.seq,
            at=entry.at,
            actor=entry.actor,
            action=entry.action,
            object=entry.about,
            detail=dict(entry.detail),
            previous=entry.previous,
            digest=entry.digest,
        )
    )
    conn.execute(update(audit_head).where(audit_head.c.id == 1).values(seq=entry.seq, digest=entry.digest))


def head(conn: Connection) -> tuple[int, bytes]:
    """Last seq and digest, (0, 32 zero bytes) for an empty log."""
    row = conn.execute(select(audit_head.c.seq, audit_head.c.digest)).first()
    return (int(row.seq), bytes(row.digest)) if row else (0, FIRST_PREVIOUS)


def entries(conn: Connection, *, after: int = 0, about: str | None = None) -> Iterator[Entry]:
    """All entries with seq > `after` in order, of one object or of all; fetched in pages."""
    while True:
        statement = select(audit_entry).where(audit_entry.c.seq > after).order_by(audit_entry.c.seq).limit(PAGE)
        if about is not None:
            statement = statement.where(audit_entry.c.object == about)
        rows = conn.execute(statement).all()
        for row in rows:
            yield _entry(row)
        if len(rows) < PAGE:
            return
        after = rows[-1].seq


def latest(conn: Connection, wanted: Wanted, *, before: int, limit: int) -> list[Entry]:
    """Entries that `wanted` describes with seq < `before` (0: from the end), newest first, at most `limit`."""
    table = audit_entry
    query = select(table).order_by(table.c.seq.desc()).limit(limit)
    if before:
        query = query.where(table.c.seq < before)
    if wanted.actor:
        query = query.where(table.c.actor == wanted.actor)
    if wanted.action:
        query = query.where(table.c.action.startswith(wanted.action, autoescape=True))
    if wanted.about:
        query = query.where(table.c.object == wanted.about)
    if wanted.since:
        query = query.where(table.c.at >= wanted.since)
    if wanted.until:
        query = query.where(table.c.at < wanted.until)
    return [_entry(row) for row in conn.execute(query)]


def _locked_head(conn: Connection) -> tuple[int, bytes] | None:
    row = conn.execute(select(audit_head.c.seq, audit_head.c.digest).with_for_update()).first()
    return (int(row.seq), bytes(row.digest)) if row else None


def _entry(row: Row[*tuple[Any, ...]]) -> Entry:
    return Entry(
        seq=row.seq,
        at=row.at,
        actor=row.actor,
        action=row.action,
        about=row.object,
        detail=row.detail,
        previous=bytes(row.previous),
        digest=bytes(row.digest),
    )
