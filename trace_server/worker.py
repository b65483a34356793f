"""The worker process: periodic jobs, each at its own pace. A failing job is reported and does not stop the others."""

from __future__ import annotations

import importlib
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog
from prometheus_client import Counter

from trace_core.errors import NotFound
from trace_server.jobs import runner
from trace_server.jobs.model import Kind
from trace_server.services import Job, Services

JOBS: tuple[str, ...] = (
    "trace_server.ingest.jobs",
    "trace_server.detect.run",
    "trace_server.detect.licences",
    "trace_server.recall.jobs",
    "trace_server.blocklist.jobs",
    "trace_server.shops.jobs",
    "trace_server.credit.jobs",
    "trace_server.policies.jobs",
    "trace_server.lists.operations",
    "trace_server.complaints.paying",
    "trace_server.exchange.licences",
    "trace_server.publicity.opendata",
    "trace_server.exchange.recalls",
)
"""Modules that offer `jobs: list[Job]`; a missing one is an error."""
KINDS: tuple[str, ...] = ("trace_server.imports.jobs", "trace_server.ingest.later", "trace_server.reports.jobs")
"""Modules that offer `kinds: list[Kind]`: what the table of jobs may ask for."""
LOOPS: tuple[str, ...] = ("trace_server.subscriptions.delivery", "trace_server.exchange.pushing")
"""Modules that offer `loops: list[Loop]`, each run in a thread of its own: they wait for others' servers."""
Loop = Callable[[threading.Event, Services], None]
"""Works until the event is set."""
RUNNERS = 2
"""Jobs of the table at once: a long report keeps no webhook waiting."""
MAX_DELAY_S = 300.0
"""A job that keeps failing is tried again at least this often."""

BEAT_S = 5.0
"""How often the worker renews its sign of life."""
MAX_AGE_S = 60.0
"""A worker whose sign of life is older hangs, or is gone."""

RUNS = Counter("suyuan_job_runs", "Runs of worker jobs", ["job", "outcome"])

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Slot:
    job: Job
    due: float
    failures: int = 0


class Worker:
    """Runs jobs one after the other in the thread that calls `run` until `stop`."""

    def __init__(self, services: Services, jobs: Sequence[Job], health_file: Path | None = None) -> None:
        """`health_file` gets a new time stamp after each job and while nothing is due."""
        names = [job.name for job in jobs]
        if len(set(names)) != len(names):
            raise ValueError(f"two jobs share a name: {sorted(names)}")
        self._services = services
        self._slots = [_Slot(job, due=0.0) for job in jobs]
        self._stopping = threading.Event()
        self._health_file = health_file
        self._beaten_at = float("-inf")

    def stop(self) -> None:
        """Let the job that runs finish, then return from `run`. Safe in a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Run due jobs until `stop`."""
        while not self._stopping.is_set():
            now = time.monotonic()
            for slot in self._slots:
                if slot.due <= now and not self._stopping.is_set():
                    self._run_one(slot)
                    self._beat()
            self._beat()
            next_due = min((slot.due for slot in self._slots), default=now + 60.0)
            self._stopping.wait(min(BEAT_S, max(0.0, next_due - time.monotonic())))

    def run_once(self) -> dict[str, bool]:
        """Run every job once now: job name → whether it succeeded."""
        return {slot.job.name: self._run_one(slot) for slot in self._slots}

    def _beat(self) -> None:
        now = time.monotonic()
        if self._health_file is not None and now - self._beaten_at >= BEAT_S:
            self._beaten_at = now
            self._health_file.touch()

    def _run_one(self, slot: _Slot) -> bool:
        job = slot.job
        try:
            job.run(self._services)
        except Exception:
            slot.failures += 1
            RUNS.labels(job.name, "failed").inc()
            log.exception("job failed", job=job.name, failures_in_a_row=slot.failures)
            delay = min(job.interval_s * 2 ** min(slot.failures, 10), MAX_DELAY_S)
            slot.due = time.monotonic() + max(delay, job.interval_s)
            return False
        slot.failures = 0
        RUNS.labels(job.name, "done").inc()
        slot.due = time.monotonic() + job.interval_s
        return True


def find_jobs(modules: Iterable[str] = JOBS) -> list[Job]:
    """The jobs that `modules` offer."""
    return [job for name in modules for job in importlib.import_module(name).jobs]


def find_kinds(modules: Iterable[str] = KINDS) -> Mapping[str, Kind]:
    """The kinds of jobs that `modules` offer, by name."""
    return runner.named(kind for name in modules for kind in importlib.import_module(name).kinds)


def find_loops(modules: Iterable[str] = LOOPS) -> list[Loop]:
    """The loops that `modules` offer."""
    return [loop for name in modules for loop in importlib.import_module(name).loops]


def require_alive(health_file: Path) -> None:
    """Raises `NotFound` unless a running worker renewed the file within `MAX_AGE_S`."""
    try:
        age_s = time.time() - health_file.stat().st_mtime
    except FileNotFoundError as error:
        raise NotFound("the worker has shown no sign of life at all", where=str(health_file)) from error
    if age_s > MAX_AGE_S:
        raise NotFound(f"the worker has shown no sign of life for {age_s:.0f} s", where=str(health_file))


def serve(services: Services, jobs: Sequence[Job], health_file: Path | None = None) -> None:
    """Work until SIGTERM or SIGINT; returns once the running job has finished."""
    worker = Worker(services, jobs, health_file)

    def stop(_number: int, _frame: object) -> None:
        worker.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    kinds = find_kinds()
    # Beside the periodic jobs, not among them: those must run within a fraction of a second.
    stopping = threading.Event()
    threads = [
        threading.Thread(target=runner.run_until, args=(stopping, services, kinds), name=f"jobs-{number}")
        for number in range(RUNNERS)
    ] + [
        threading.Thread(target=loop, args=(stopping, services), name=f"loop-{number}")
        for number, loop in enumerate(find_loops())
    ]
    log.info("worker started", jobs=[job.name for job in jobs], kinds=sorted(kinds))
    for thread in threads:
        thread.start()
    worker.run()
    stopping.set()
    for thread in threads:
        thread.join()
    log.info("worker stopped")
