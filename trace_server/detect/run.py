"""Run detectors over the event stream, as it grows or once more from its start; one failing stops no other."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter

from trace_core.registry import discover
from trace_server.db import Connection, Database
from trace_server.detect import store
from trace_server.detect.detector import Detector, Outcome, Seen, Window
from trace_server.detect.history import remember, seen
from trace_server.ingest.model import Position, StoredEvent
from trace_server.ingest.store import stream
from trace_server.services import Job, Services

PACKAGE = "trace_server.detectors"
PAGE = 400
"""Events judged at once. What was found is written in one transaction of a few milliseconds."""
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
    errors: dict[str, str] = field(default_factory=dict)
    """Failures by follower, as its place in the stream remembers them."""


def registry() -> Mapping[str, Detector]:
    """All detectors by id. Imported by name: detectors stand above this module."""
    return discover(importlib.import_module(PACKAGE), "DETECTOR", Detector)


def follow(db: Database, now: datetime, detectors: Iterable[Detector]) -> Report:
    """Let each detector judge what is new to it, up to the end of the stream, page by page side by side."""
    report = Report()
    left = _finders(detectors, report)
    recent: dict[bytes, Seen] = {}
    while left:
        with db.read() as conn:
            places = stream.positions(conn, [detector.follower for detector in left])
            starts = [(detector, places.get(detector.follower, Position())) for detector in left]
            judged = _judge(conn, Pages(db, recent), starts, report)
        _keep(db, now, judged, report, moves=True)
        left = [one.detector for one in judged if one.events and one.detector.id not in report.failed]
    with db.begin() as conn:
        for follower, told in report.errors.items():
            stream.note_failure(conn, db.dialect, follower, told, now)
        store.open_due(conn, now)
    return report


def back_fill(db: Database, now: datetime, detectors: Iterable[Detector]) -> Report:
    """Let each detector judge everything again, whatever its place in the stream: after master data changed."""
    known = list(detectors)
    report = sweep(db, now, known)
    left = _finders(known, report)
    recent: dict[bytes, Seen] = {}
    position = Position()
    while left:
        pages = Pages(db, recent)
        with db.read() as conn:
            judged = _judge(conn, pages, [(detector, position) for detector in left], report)
        _keep(db, now, judged, report, moves=False)
        events = pages.events(position)
        left = [one.detector for one in judged if events and one.detector.id not in report.failed]
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
                standing = store.standing(conn, db.dialect, [(detector, outcomes)])
                store.apply(conn, db.dialect, detector, outcomes, now, standing)
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
    recent: dict[bytes, Seen]
    windows: dict[Position, Window] = field(default_factory=dict)

    def window(self, conn: Connection, position: Position) -> Window:
        """The events behind `position`, at most `PAGE`."""
        if position not in self.windows:
            events = tuple(seen(event) for event in stream.read_after(conn, position, PAGE))
            self.windows[position] = Window(events, self.db.dialect, recent=self.recent)
            remember(self.recent, events)
        return self.windows[position]

    def events(self, position: Position) -> list[StoredEvent]:
        """Those of a window that was read; none if none was."""
        window = self.windows.get(position)
        return [one.event for one in window.events] if window is not None else []


@dataclass(frozen=True, slots=True)
class Judged:
    """What one detector says of one page, not kept yet."""

    detector: Detector
    start: Position
    events: tuple[Seen, ...]
    outcomes: tuple[Outcome, ...]


def _finders(detectors: Iterable[Detector], report: Report) -> list[Detector]:
    found = [detector for detector in detectors if detector.find is not None]
    report.judged.update((detector.id, 0) for detector in found)
    return found


def _judge(conn: Connection, pages: Pages, starts: Sequence[tuple[Detector, Position]], report: Report) -> list[Judged]:
    """A page of each detector. Only reads: no writer waits while rules think."""
    found = []
    for detector, start in starts:
        find = detector.find
        if find is None:
            continue
        try:
            with conn.begin_nested():  # a statement that fails must not end the reading of the others
                window = pages.window(conn, start)
                outcomes = tuple(find(conn, window, detector.defaults)) if window.events else ()
        except Exception as error:  # noqa: BLE001 – logged and counted
            _fail(report, detector, error)
        else:
            found.append(Judged(detector, start, window.events, outcomes))
    return found


def _keep(db: Database, now: datetime, judged: Sequence[Judged], report: Report, *, moves: bool) -> None:
    """Findings and each detector's place are committed together, so that each event is judged once."""
    told = [one for one in judged if one.events]
    if not told:
        return
    with db.begin() as conn:
        db.dialect.exclude(conn, PACKAGE)
        places = stream.positions(conn, [one.detector.follower for one in told]) if moves else {}
        if moves:  # where somebody else was quicker, what he found is kept already
            told = [one for one in told if places.get(one.detector.follower, Position()) == one.start]
        standing = store.standing(conn, db.dialect, ((one.detector, one.outcomes) for one in told))
        moved: dict[str, Position] = {}
        for one in told:
            try:
                with conn.begin_nested():
                    store.apply(conn, db.dialect, one.detector, one.outcomes, now, standing)
            except Exception as error:  # noqa: BLE001 – logged and counted
                _fail(report, one.detector, error)
            else:
                moved[one.detector.follower] = _behind([seen.event for seen in one.events])
                report.judged[one.detector.id] += len(one.events)
        if moves:
            stream.move_all(conn, db.dialect, moved, now)


def _behind(events: list[StoredEvent]) -> Position:
    return Position(events[-1].capture_seq, events[-1].ordinal)


def _fail(report: Report, detector: Detector, error: Exception) -> None:
    FAILURES.labels(detector.id).inc()
    log.error("detector failed", detector=detector.id, exc_info=error)
    report.failed[detector.id] = repr(error)
    report.errors[detector.follower] = "".join(traceback.format_exception_only(error)).strip()


jobs: list[Job] = [Job("detectors", EVERY_S, run_job), Job("sweeps", SWEEP_S, Sweeper())]
