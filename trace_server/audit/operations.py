"""Append to the audit log inside the caller's transaction, and check the whole of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from trace_server.audit import store
from trace_server.audit.model import FIRST_PREVIOUS, Entry, Verification, entry_digest
from trace_server.db import Connection


def record(
    conn: Connection, now: datetime, actor: str, action: str, object: str, detail: Mapping[str, object] | None = None
) -> Entry:
    """Append one entry; it stands or falls with the transaction of `conn`.

    `action` is `<module>.<verb>`. `detail` is JSON without secrets or personal data. Call it last in a
    transaction: it holds the log's lock until the commit.
    """
    seq, previous = store.lock_head(conn)
    facts = dict(detail or {})
    digest = entry_digest(
        previous=previous, seq=seq + 1, at=now, actor=actor, action=action, about=object, detail=facts
    )
    entry = Entry(seq + 1, now, actor, action, object, facts, previous, digest)
    store.append(conn, entry)
    return entry


def verify(conn: Connection) -> Verification:
    """Walk the log from its start; names the first entry that is changed, missing, inserted or swapped."""
    expected, previous = 1, FIRST_PREVIOUS
    for entry in store.entries(conn):
        reason = _fault(entry, expected, previous)
        if reason:
            return Verification(expected - 1, expected, reason)
        expected, previous = expected + 1, entry.digest
    if store.head(conn) != (expected - 1, previous):
        return Verification(expected - 1, expected, "the log ends before its head: entries are missing at the end")
    return Verification(expected - 1, 0, "")


def _fault(entry: Entry, expected: int, previous: bytes) -> str:
    if entry.seq != expected:
        return f"entry {expected} is missing"
    if entry.previous != previous:
        return "the entry does not follow the one before"
    digest = entry_digest(
        previous=previous,
        seq=entry.seq,
        at=entry.at,
        actor=entry.actor,
        action=entry.action,
        about=entry.about,
        detail=entry.detail,
    )
    return "" if digest == entry.digest else "the entry was changed"
