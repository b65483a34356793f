"""Telling gateways what a backup holds: they keep their own copy of an event until it is in one.

`trace-server backup confirm` is run after a backup was checked. With `backup_confirms = immediate` a commit counts as
a backup: for databases that are replicated synchronously.
"""

from __future__ import annotations

from datetime import datetime

from trace_core.errors import InputError
from trace_server.audit import operations as audit
from trace_server.db import Database
from trace_server.ingest.store import backup


def confirm(db: Database, now: datetime, operator: str, at: datetime | None) -> dict[str, int]:
    """Everything captured up to `at` (None: everything stored) is in a backup.

    Returns how far each gateway's epoch is confirmed where that has moved, by `gateway/epoch`; it never moves back.
    Raises `InputError` for a time to come.
    """
    if at is not None and at > now:
        raise InputError("no backup holds what is still to come", where="at", remedy="the time the backup was begun")
    with db.begin() as conn:
        moved = backup.confirm(conn, at)
        detail = {"at": None if at is None else at.isoformat(), "epochs": len(moved)}
        audit.record(conn, now, operator, "backup.confirm", "gateways", detail)
    return moved
