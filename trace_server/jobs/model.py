"""A job, and what the code of its kind may know and do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from trace_core.errors import TraceError
from trace_server.services import Services

MAX_BACK_OFF = timedelta(hours=1)


class JobState(StrEnum):
    """`dead` jobs wait for a person: `trace-server jobs retry`."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    DEAD = "dead"


class JobEvent(StrEnum):
    """What moves a job from state to state (`states.py`)."""

    CLAIM = "claim"
    FINISH = "finish"
    PUT_BACK = "put-back"
    """This attempt failed, another one follows."""
    GIVE_UP = "give-up"
    RETRY = "retry"
    """A person wants dead work tried again."""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work. `owner` is who may ask about it (`client:<id>`, `user:<id>`, `cli:<name>`, "" nobody)."""

    job_key: bytes
    kind: str
    owner: str
    payload: Mapping[str, object] = field(repr=False)
    state: JobState
    attempts: int
    run_after: datetime
    created_at: datetime
    updated_at: datetime
    lease_until: datetime | None = None
    lease: bytes | None = field(default=None, repr=False)
    """Names this attempt: an earlier one that still runs can no longer change the job."""
    done: int = 0
    total: int = 0
    """Progress in steps of the kind's own choice; 0 of 0 while nothing is known."""
    result: str = ""
    """Where the result is: a path under this server, "" for none."""
    failure: str = ""
    """Why the last attempt failed, for a person."""
    finished_at: datetime | None = None


class GiveUp(TraceError):
    """Trying again cannot help: the job is dead at once."""

    code = "give-up"


class LeaseLost(TraceError):
    """Another worker has the job now; whatever this attempt still does must not count."""

    code = "lease-lost"


Work = Callable[["Attempt"], str]
"""The code of a kind; returns where the result is, or "". Raises `GiveUp` when trying again cannot help."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How jobs of one kind are run. `lease` is the longest silence: an attempt that neither ends nor reports progress
    within it is taken for dead and started again."""

    name: str
    work: Work
    lease: timedelta = timedelta(minutes=5)
    max_attempts: int = 8
    back_off: timedelta = timedelta(seconds=2)
    """Wait after the first failure; it doubles up to an hour."""

    def wait(self, attempts: int) -> timedelta:
        """How long to wait after failure number `attempts`."""
        doubled: timedelta = self.back_off * 2 ** min(attempts - 1, 20)
        return min(doubled, MAX_BACK_OFF)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What the code of a kind gets. `progress(done, total)` renews the lease; `finish(conn, result)` ends the job in
    the transaction of its effect, so that the effect happens once. Both raise `LeaseLost`."""

    job: Job
    services: Services
    progress: Callable[[int, int], None]
    finish: Callable[..., None]
