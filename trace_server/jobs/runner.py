"""Takes due jobs one after the other and runs the code of their kinds. Any number of runners may work at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Mapping

import structlog
from prometheus_client import Counter

from trace_core.errors import TraceError
from trace_server.db import Connection
from trace_server.jobs import operations
from trace_server.jobs.model import Attempt, GiveUp, Job, JobState, Kind, LeaseLost
from trace_server.services import Services

IDLE_S = 0.5
"""How often an idle runner looks."""
AWAY_S = 5.0
"""How long it waits after the table itself could not be used."""
KILL_AT = "SUYUAN_KILL_AT"
"""A test's wish to end the process as a power cut would: `job-claimed` or `job-worked`."""

ATTEMPTS = Counter("suyuan_job_attempts", "Attempts at jobs of the table", ["kind", "outcome"])

log = structlog.get_logger(__name__)


def named(kinds: Iterable[Kind]) -> Mapping[str, Kind]:
    """Kinds by name. Raises `ValueError` when two share one."""
    found: dict[str, Kind] = {}
    for kind in kinds:
        if kind.name in found:
            raise ValueError(f"two kinds of job are called {kind.name!r}")
        found[kind.name] = kind
    return found


def run_next(services: Services, kinds: Mapping[str, Kind]) -> bool:
    """Run the next due job to its end; False when nothing is due."""
    job = operations.claim(services.db, services.clock(), kinds)
    if job is None:
        return False
    if job.state is JobState.DEAD:
        _report(job, "dead")
        return True
    _reach("job-claimed")
    kind = kinds[job.kind]
    try:
        result = kind.work(_attempt(services, job, kind))
        _reach("job-worked")
        if not operations.is_finished(services.db, job):
            with services.db.begin() as conn:
                operations.finish(conn, services.clock(), job, result)
    except LeaseLost:
        _report(job, "lease-lost")
    except Exception as error:
        # Whatever the code of a kind does wrong, the other jobs go on.
        log.exception("job attempt failed", kind=job.kind, job=job.job_key.hex(), attempt=job.attempts)
        _fail(services, job, kind, error)
    else:
        ATTEMPTS.labels(job.kind, "done").inc()
    return True


def run_due(services: Services, kinds: Mapping[str, Kind]) -> int:
    """Run jobs until none is due; returns how many attempts that took."""
    attempts = 0
    while run_next(services, kinds):
        attempts += 1
    return attempts


def run_until(stopping: threading.Event, services: Services, kinds: Mapping[str, Kind]) -> None:
    """Run jobs until `stopping` is set; the job that runs then is finished first."""
    while not stopping.is_set():
        try:
            was_due = run_next(services, kinds)
        except Exception:
            # The database is away, most likely; leases bring back what was under way.
            ATTEMPTS.labels("", "failed").inc()
            log.exception("the table of jobs cannot be used")
            stopping.wait(AWAY_S)
            continue
        if not was_due:
            stopping.wait(IDLE_S)


def _attempt(services: Services, job: Job, kind: Kind) -> Attempt:
    def progress(done: int, total: int) -> None:
        operations.note_progress(services.db, services.clock(), job, kind, done, total)

    def finish(conn: Connection, result: str = "") -> None:
        operations.finish(conn, services.clock(), job, result)

    return Attempt(job, services, progress, finish)


def _fail(services: Services, job: Job, kind: Kind, error: Exception) -> None:
    words = str(error) if isinstance(error, TraceError) else f"internal error ({type(error).__name__}), see the log"
    try:
        state = operations.note_failure(
            services.db, services.clock(), job, kind, words, is_final=isinstance(error, GiveUp)
        )
    except LeaseLost:
        _report(job, "lease-lost")
    else:
        _report(job, "dead" if state is JobState.DEAD else "failed")


def _report(job: Job, outcome: str) -> None:
    ATTEMPTS.labels(job.kind, outcome).inc()
    if outcome != "failed":
        log.error("job", kind=job.kind, job=job.job_key.hex(), outcome=outcome, attempts=job.attempts)


def _reach(point: str) -> None:
    if os.environ.get(KILL_AT) == point:
        os.kill(os.getpid(), signal.SIGKILL)
