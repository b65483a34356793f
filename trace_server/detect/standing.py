"""What rules of the clock share: closing the alerts of causes that are no more."""

from __future__ import annotations

from collections.abc import Container, Iterator
from datetime import datetime

from trace_server.db import Connection, Dialect
from trace_server.detect import store
from trace_server.detect.detector import Cleared
from trace_server.detect.model import AlertState


def explained(
    conn: Connection, dialect: Dialect, rule_id: str, standing: Container[str], why: str
) -> Iterator[Cleared]:
    """Clear every open alert of the rule whose group is not among those that were found now."""
    after: tuple[datetime, bytes] | None = None
    while page := store.alerts(conn, dialect, rule_id=rule_id, state=AlertState.OPEN, after=after):
        after = page[-1].opened_at, page[-1].alert_key
        yield from (Cleared(one.group_key, why) for one in page if one.group_key not in standing)
