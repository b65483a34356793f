"""Reading alerts."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime

from trace_core.ids.canonical import canonical_uri, object_key
from trace_server.db import Database
from trace_server.detect import store
from trace_server.detect.detector import Window
from trace_server.detect.history import histories_of
from trace_server.detect.model import Alert, AlertState
from trace_server.detect.tanks import Act, acts

PAGE = 200


def read_alerts(
    db: Database,
    *,
    rule_id: str = "",
    state: AlertState | None = None,
    kind: str = "",
    region: str = "",
    regions: Collection[str] = (),
    after: tuple[datetime, bytes] | None = None,
    limit: int = PAGE,
) -> list[Alert]:
    """At most `limit` alerts behind `after`, in the order they were opened; `kind`: of `SubjectKind`, "" for all.

    `region`: of this one alone. `regions` (GB/T 2260): of these, their counties, and of no known region; none: of the
    whole city.
    """
    with db.read() as conn:
        return store.alerts(
            conn, db.dialect, rule_id=rule_id, state=state, kind=kind, region=region, regions=regions, after=after,
            limit=limit,
        )  # fmt: skip


def find_alert(db: Database, key: bytes, regions: Collection[str] = ()) -> Alert | None:
    """One alert with its evidence; None too for one of another region."""
    with db.read() as conn:
        return store.alerts_by_key(conn, db.dialect, [key], regions).get(key)


def count_alerts(db: Database, regions: Collection[str] = ()) -> dict[tuple[str, str, str, str], int]:
    """(rule, state, subject kind, region) → how many alerts of these regions, all but the waiting ones."""
    with db.read() as conn:
        return store.counts(conn, regions)


def stream_alerts(db: Database, state: AlertState | None = None) -> Iterator[Alert]:
    """All alerts, in pages."""
    after: tuple[datetime, bytes] | None = None
    while page := read_alerts(db, state=state, after=after):
        yield from page
        after = page[-1].opened_at, page[-1].alert_key


def read_tank(db: Database, uri: str) -> tuple[Act, ...]:
    """Loads and cleanings of a tank by event time; none of what is no tank."""
    key = object_key(uri)
    with db.read() as conn:
        known = histories_of(conn, Window((), db.dialect), {key: canonical_uri(uri)})
        return acts(conn, db.dialect, list(known.values()))[key]
