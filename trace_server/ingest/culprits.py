"""When the database refuses a value that our checks let through: find the event it is in, and hold only that one.

A gateway sends a batch until it is acknowledged. One event that no database takes would stop it for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from trace_server.db import ROW_REFUSED, Connection, Dialect
from trace_server.ingest.model import Origin, Reason, Rejection, new_key
from trace_server.ingest.rules import Taken
from trace_server.ingest.store import capture

T = TypeVar("T")

log = structlog.get_logger(__name__)


def with_culprits_held(attempt: Callable[[bool], T]) -> T:
    """`attempt(False)`, a whole transaction; when the database refuses a value in it, once more `attempt(True)`,
    which is to call `without_culprits` before it stores anything."""
    try:
        return attempt(False)
    except ROW_REFUSED as error:
        log.warning("the database refused a value; looking for its event", exc_info=error)
        return attempt(True)


def without_culprits(
    conn: Connection, dialect: Dialect, origin: Origin, read: Sequence[Taken | Rejection]
) -> list[Taken | Rejection]:
    """`read` with a rejection in place of each event that cannot be stored, found by storing each for a moment."""
    return [_tried(conn, dialect, origin, one) for one in read]


def _tried(conn: Connection, dialect: Dialect, origin: Origin, one: Taken | Rejection) -> Taken | Rejection:
    if isinstance(one, Rejection):
        return one
    savepoint = conn.begin_nested()
    try:
        capture.add_capture(conn, dialect, origin, new_key(origin.received_at), [(0, one)])
    except ROW_REFUSED as error:
        log.exception("an event cannot be stored", source=origin.source)
        return Rejection(Reason.STORAGE_REFUSED, f"the database refuses the event: {type(error).__name__}")
    finally:
        savepoint.rollback()
    return one
