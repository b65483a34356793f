"""Licences that change reach the rules that read them (domain rules, line 三(二)): within a minute, without an event.

A follower of the stream judges goods when something is told of them. A licence that is revoked, suspended or renewed
tells nothing of goods, so what its holder made of late is judged anew.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import structlog

from trace_server.catalog.operations import lot_key
from trace_server.db import Connection, Database
from trace_server.detect import store
from trace_server.detect.detector import Detector, Outcome, Window
from trace_server.detect.history import seen
from trace_server.detect.run import FAILURES, PACKAGE, PAGE, registry
from trace_server.detect.steps import LEGAL_TIME
from trace_server.ingest.store.parts import events_with
from trace_server.services import Job, Services

EVERY_S: Final = 10.0
HOLDERS: Final = 20
"""Subjects judged in one go."""
REACH: Final = timedelta(days=366)
"""Goods made before that are judged by `detectors back-fill` only."""

log = structlog.get_logger(__name__)


def judge_changed(services: Services) -> int:
    """Judge what the holders of changed licences made; how many subjects there were."""
    detectors = [detector for detector in registry().values() if detector.reads_licences and detector.find is not None]
    total = 0
    while True:
        with services.db.read() as conn:
            changed = store.changed_holders(conn, HOLDERS)
        if not changed:
            return total
        _judge(services, detectors, [uscc for uscc, _ in changed])
        with services.db.begin() as conn:
            store.note_holders(conn, services.db.dialect, changed)
        total += len(changed)


jobs: list[Job] = [Job("licence-changes", EVERY_S, judge_changed)]


def _judge(services: Services, detectors: list[Detector], usccs: list[str]) -> None:
    db, now = services.db, services.clock()
    since = now - REACH
    with db.read() as conn:
        lots = store.lots_of(conn, usccs, since.astimezone(LEGAL_TIME).date())
        keys = sorted(lot_key(gtin, lot) for gtin, lot in lots)
        keys += store.printed_of(conn, lots)
        events = store.events_of(conn, db.dialect, keys, since)
    for start in range(0, len(events), PAGE):
        with db.read() as conn:
            told = _said(conn, db, detectors, events[start : start + PAGE])
        with db.begin() as conn:
            db.dialect.exclude(conn, PACKAGE)
            standing = store.standing(conn, db.dialect, told)
            for detector, outcomes in told:
                store.apply(conn, db.dialect, detector, outcomes, now, standing)


def _said(
    conn: Connection, db: Database, detectors: list[Detector], event_keys: list[bytes]
) -> list[tuple[Detector, tuple[Outcome, ...]]]:
    window = Window(tuple(seen(event) for event in events_with(conn, db.dialect, event_keys)), db.dialect)
    told: list[tuple[Detector, tuple[Outcome, ...]]] = []
    for detector in detectors:
        if detector.find is None:
            continue
        try:
            with conn.begin_nested():
                told.append((detector, tuple(detector.find(conn, window, detector.defaults))))
        except Exception:
            # As in a follower's page: a rule that fails stops no other one.
            FAILURES.labels(detector.id).inc()
            log.exception("detector failed on changed licences", detector=detector.id)
    return told
