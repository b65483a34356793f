"""Run detectors over the event stream, as it grows or once more from its start; one failing stops no other."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter

from trace_core.registry import discover
from trace_server.db import Connection, Database
from trace_server.detect import store
from trace_server.detect.detector import Detector, Window
from trace_server.detect.history import seen
from trace_server.ingest.model import Position, StoredEvent
from trace_server.ingest.store import stream
from trace_server.services import Job, Services

PACKAGE = "trace_server.detectors"
PAGE = 400
"""Events judged in one transaction: under ~50 ms, so that SQLite's one writer is not kept waiting."""
EVERY_S = 1.0
SWEEP_S = 15.0
"""How often the worker looks whether a sweep is due."""

FAILURES = Counter("suyuan_detector_failures", "Windows that a detector failed on", ["detector"])

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Report:
    """What a run did, by detector: events judged, failures, sweeps."""

    judged: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    swept: dict[str, int] = field(default_factory=dict)
    """Outcomes of sweeps, by detector."""


def registry() -> Mapping[str, Detector]:
    """All detectors by id. Imported by name: detectors stand above this module."""
    return discover(importlib.import_module(PACKAGE), "DETECTOR", Detector)


def follow(db: Database, now: datetime, detectors: Iterable[Detector]) -> Report:
    """Let each detector judge what is new to it, up to the end of the stream, page by page side by side."""
    report = Report()
    left = [detector for detector in detectors if detector.find is not None]
    report.judged.update((detector.id, 0) for detector in left)
    while left:
        pages = Pages(db)
        left = [detector for detector in left if _step(db, now, detector, pages, report)]
    with db.begin() as conn:
        store.open_due(conn, now)
    return report


def back_fill(db: Database, now: datetime, detectors: Iterable[Detector]) -> Report:
    """Let each detector judge everything again, whatever its place in the stream: after master data changed."""
    known = list(detectors)
    report = sweep(db, now, known)
    left = [detector for detector in known if detector.find is not None]
    report.judged.update((detector.id, 0) for detector in left)
    position = Position()
    while left:
        pages, judged = Pages(db), []
        for detector in left:
            try:
                with db.begin() as conn:
                    _judge(conn, db, now, detector, pages.window(conn, position))
            except Exception as error:
                FAILURES.labels(detector.id).inc()
                log.exception("back-fill failed", detector=detector.id)
                report.failed[detector.id] = repr(error)
            else:
                judged.append(detector)
        events = pages.events(position)
        for detector in judged:
            report.judged[detector.id] += len(events)
        left = judged if events else []
        position = _behind(events) if events else position
    return report


def sweep(db: Database, now: datetime, detectors: Iterable[Detector]) -> Report:
    """Let each detector that has a sweep judge what is stored, as it is `now`; one failing stops no other."""
    report = Report()
    for detector in detectors:
        if detector.sweep is None:
            continue
        try:
            with db.read() as conn:
                outcomes = list(detector.sweep(conn, db.dialect, now, detector.defaults))
            with db.begin() as conn:
                store.apply(conn, db.dialect, detector, outcomes, now)
        except Exception as error:
            FAILURES.labels(detector.id).inc()
            log.exception("sweep failed", detector=detector.id)
            report.failed[detector.id] = repr(error)
        else:
            report.swept[detector.id] = len(outcomes)
    return report


def run_job(services: Services) -> Report:
    """The worker's step."""
    return follow(services.db, services.clock(), registry().values())


@dataclass(slots=True)
class Sweeper:
    """The worker's other step: lets each detector sweep at its own pace. A failed sweep is tried again next time."""

    due: dict[str, datetime] = field(default_factory=dict)

    def __call__(self, services: Services) -> Report:
        """Run the sweeps that are due."""
        now = services.clock()
        ready = [detector for detector in registry().values() if self.due.get(detector.follower, now) <= now]
        report = sweep(services.db, now, ready)
        self.due |= {
            detector.follower: now + timedelta(seconds=detector.sweep_every_s)
            for detector in ready
            if detector.id in report.swept
        }
        return report


@dataclass(slots=True)
class Pages:
    """Windows read for one round: detectors at the same place share one, with what was looked up for it."""

    db: Database
    windows: dict[Position, Window] = field(default_factory=dict)

    def window(self, conn: Connection, position: Position) -> Window:
        """The events behind `position`, at most `PAGE`."""
        if position not in self.windows:
            events = stream.read_after(conn, position, PAGE)
            self.windows[position] = Window(tuple(seen(event) for event in events), self.db.dialect)
        return self.windows[position]

    def events(self, position: Position) -> list[StoredEvent]:
        """Those of a window that was read; none if none was."""
        window = self.windows.get(position)
        return [one.event for one in window.events] if window is not None else []


def _step(db: Database, now: datetime, detector: Detector, pages: Pages, report: Report) -> bool:
    """One page. False: nothing is left to judge, or it failed."""
    try:
        step = _advance(db, now, detector, pages)
    except Exception as error:  # noqa: BLE001 – logged and counted by _note_failure
        _note_failure(db, now, detector, error)
        report.failed[detector.id] = repr(error)
        return False
    report.judged[detector.id] += step
    return step > 0


def _advance(db: Database, now: datetime, detector: Detector, pages: Pages) -> int:
    """One page: findings and the detector's place are committed together, so that each event is judged once."""
    with db.begin() as conn:
        position = stream.position_of(conn, db.dialect, detector.follower)
        window = pages.window(conn, position)
        if window.events:
            _judge(conn, db, now, detector, window)
            events = [one.event for one in window.events]
            stream.move(conn, db.dialect, detector.follower, _behind(events), now)
    return len(window.events)


def _judge(conn: Connection, db: Database, now: datetime, detector: Detector, window: Window) -> None:
    if detector.find is not None:
        store.apply(conn, db.dialect, detector, detector.find(conn, window, detector.defaults), now)


def _behind(events: list[StoredEvent]) -> Position:
    return Position(events[-1].capture_seq, events[-1].ordinal)


def _note_failure(db: Database, now: datetime, detector: Detector, error: Exception) -> None:
    FAILURES.labels(detector.id).inc()
    log.error("detector failed", detector=detector.id, exc_info=error)
    told = "".join(traceback.format_exception_only(error)).strip()
    with db.begin() as conn:
        stream.note_failure(conn, db.dialect, detector.follower, told, now)


jobs: list[Job] = [Job("detectors", EVERY_S, run_job), Job("sweeps", SWEEP_S, Sweeper())]
