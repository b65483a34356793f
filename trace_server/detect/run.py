"""Run detectors over the event stream, as it grows or once more from its start; one failing stops no other."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
import structlog
from prometheus_client import Counter

from trace_core.epcis.document import event_from_json
from trace_core.registry import discover
from trace_server.db import Connection, Database
from trace_server.detect import store
from trace_server.detect.detector import Cleared, Detector, Seen, Window
from trace_server.ingest.model import Position, StoredEvent
from trace_server.ingest.rules import objects_of
from trace_server.ingest.store import stream
from trace_server.services import Job, Services

PACKAGE = "trace_server.detectors"
PAGE = 200
"""Events judged in one transaction: under ~50 ms, so that SQLite's one writer is not kept waiting."""
EVERY_S = 1.0

FAILURES = Counter("suyuan_detector_failures", "Windows that a detector failed on", ["detector"])

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Report:
    """What a run did: events judged and failures, by detector."""

    judged: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def registry() -> Mapping[str, Detector]:
    """All detectors by id. Imported by name: detectors stand above this module."""
    return discover(importlib.import_module(PACKAGE), "DETECTOR", Detector)


def follow(db: Database, now: datetime, detectors: Iterable[Detector]) -> Report:
    """Let each detector judge what is new to it, up to the end of the stream."""
    report = Report()
    for detector in detectors:
        report.judged[detector.id] = 0
        try:
            while step := _advance(db, now, detector):
                report.judged[detector.id] += step
        except Exception as error:  # noqa: BLE001 – logged and counted by _note_failure
            _note_failure(db, now, detector, error)
            report.failed[detector.id] = repr(error)
    return report


def back_fill(db: Database, now: datetime, detectors: Iterable[Detector]) -> Report:
    """Let each detector judge everything again, whatever its place in the stream: after master data changed."""
    report = Report()
    for detector in detectors:
        report.judged[detector.id] = 0
        position = Position()
        try:
            while True:
                with db.begin() as conn:
                    events = stream.read_after(conn, position, PAGE)
                    _judge(conn, db, now, detector, events)
                if not events:
                    break
                position = _behind(events)
                report.judged[detector.id] += len(events)
        except Exception as error:
            FAILURES.labels(detector.id).inc()
            log.exception("back-fill failed", detector=detector.id)
            report.failed[detector.id] = repr(error)
    return report


def run_job(services: Services) -> Report:
    """The worker's step."""
    return follow(services.db, services.clock(), registry().values())


def _advance(db: Database, now: datetime, detector: Detector) -> int:
    """One page: findings and the detector's place are committed together, so that each event is judged once."""
    with db.begin() as conn:
        position = stream.position_of(conn, db.dialect, detector.follower)
        events = stream.read_after(conn, position, PAGE)
        if events:
            _judge(conn, db, now, detector, events)
            stream.move(conn, db.dialect, detector.follower, _behind(events), now)
    return len(events)


def _judge(conn: Connection, db: Database, now: datetime, detector: Detector, events: list[StoredEvent]) -> None:
    window = Window(tuple(_seen(event) for event in events), db.dialect)
    for outcome in detector.find(conn, window, detector.defaults):
        if isinstance(outcome, Cleared):
            store.clear(conn, detector, outcome)
        else:
            store.save_finding(conn, db.dialect, detector, outcome, now)


def _seen(event: StoredEvent) -> Seen:
    context = None if event.context is None else msgspec.json.decode(event.context)
    return Seen(event, objects_of(event_from_json(msgspec.json.decode(event.body), context)))


def _behind(events: list[StoredEvent]) -> Position:
    return Position(events[-1].capture_seq, events[-1].ordinal)


def _note_failure(db: Database, now: datetime, detector: Detector, error: Exception) -> None:
    FAILURES.labels(detector.id).inc()
    log.error("detector failed", detector=detector.id, exc_info=error)
    told = "".join(traceback.format_exception_only(error)).strip()
    with db.begin() as conn:
        stream.note_failure(conn, db.dialect, detector.follower, told, now)


jobs: list[Job] = [Job("detectors", EVERY_S, run_job)]
