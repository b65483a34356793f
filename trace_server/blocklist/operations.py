"""Use cases of the list: publish a new version when it would say something new, and hand out the newest."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from trace_server import audit
from trace_server.blocklist import rules, store
from trace_server.blocklist.model import BlockList
from trace_server.db import Database

LEGAL_TIME = ZoneInfo("Asia/Shanghai")
"""A last day ends at midnight there, wherever the server stands."""
ACTOR = "job:block-list"


def refresh(db: Database, now: datetime) -> int:
    """Publish a new version if recalls or dates changed what is blocked. Returns the version in force."""
    with db.begin() as conn:
        lines = rules.entries(store.blocked_batches(conn, now.astimezone(LEGAL_TIME).date()))
        digest = rules.digest(lines)
        known = store.newest(conn)
        if known is not None and known[1] == digest:
            return known[0].version
        version = known[0].version + 1 if known else 1
        store.publish(conn, version=version, issued_at=now, digest=digest, entries=lines)
        audit.record(conn, now, ACTOR, "block-list.publish", str(version), {"entries": len(lines)})
        return version


def newest(db: Database) -> BlockList | None:
    """The list in force; None before the first."""
    with db.read() as conn:
        known = store.newest(conn)
    return known[0] if known else None
