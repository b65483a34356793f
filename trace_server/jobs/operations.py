"""Use cases of jobs: put work into the table, ask about it, take it, end it."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from trace_core.errors import NotFound
from trace_server.audit.lifecycle import advance, next_state
from trace_server.db import Connection, Database, Dialect
from trace_server.jobs import store
from trace_server.jobs.model import Job, JobEvent, JobState, Kind, LeaseLost
from trace_server.jobs.states import TRANSITIONS

MAX_FAILURE = 2000
"""Characters kept of a failure."""


def enqueue(
    conn: Connection,
    dialect: Dialect,
    now: datetime,
    kind: str,
    payload: Mapping[str, object],
    *,
    owner: str = "",
    idempotency: str = "",
    run_after: datetime | None = None,
) -> bytes:
    """Put work into the table; it stands or falls with the transaction of `conn`. Returns the job's key.

    The same `kind`, `owner` and `idempotency` (not empty) are the same job for ever: nothing is added and its key is
    given again. `payload` is JSON without secrets: the command line prints it.
    """
    key = secrets.token_bytes(16)
    if idempotency:
        key = hashlib.sha256("\n".join((kind, owner, idempotency)).encode()).digest()[:16]
    job = Job(key, kind, owner, payload, JobState.QUEUED, 0, run_after or now, now, now)
    store.add(conn, dialect, job)
    return key


def find_job(db: Database, job_key: bytes, owner: str | None = None) -> Job:
    """One job; with `owner` only a job of that owner. Raises `NotFound`."""
    with db.read() as conn:
        job = store.find(conn, job_key)
    if job is None or (owner is not None and job.owner != owner):
        raise NotFound("there is no such job", where=job_key.hex())
    return job


def list_jobs(db: Database, *, state: JobState | None, kind: str, limit: int) -> list[Job]:
    """The newest first."""
    with db.read() as conn:
        return store.newest(conn, state=state, kind=kind, limit=limit)


def retry(db: Database, now: datetime, actor: str, job_key: bytes) -> Job:
    """Queue dead work again, with all its attempts. Raises `NotFound`, or `Conflict` when it is not dead."""
    with db.begin() as conn:
        job = store.locked(conn, job_key)
        if job is None:
            raise NotFound("there is no such job", where=job_key.hex())
        state = advance(
            conn,
            now,
            table=TRANSITIONS,
            state=job.state,
            event=JobEvent.RETRY,
            actor=actor,
            object=job_key.hex(),
            action="jobs.retry",
        )
        job = replace(job, state=state, attempts=0, run_after=now, updated_at=now, finished_at=None)
        store.save(conn, job)
    return job


def claim(db: Database, now: datetime, kinds: Mapping[str, Kind]) -> Job | None:
    """The next due job, running under a new lease; None when nothing is due.

    A job whose worker died so often that its attempts are used up comes back `dead`, for the record.
    """
    with db.begin() as conn:
        job = store.due(conn, kinds, now)
        if job is None:
            return None
        kind = kinds[job.kind]
        if job.state is JobState.RUNNING and job.attempts >= kind.max_attempts:
            job = _ended(job, JobEvent.GIVE_UP, now, failure="its worker ended without a word, each time")
        else:
            job = replace(
                job,
                state=next_state(TRANSITIONS, job.state, JobEvent.CLAIM),
                attempts=job.attempts + 1,
                lease=secrets.token_bytes(16),
                lease_until=now + kind.lease,
                run_after=now + kind.lease,
                updated_at=now,
            )
        store.save(conn, job)
    return job


def note_progress(db: Database, now: datetime, job: Job, kind: Kind, done: int, total: int) -> None:
    """Renew the lease of `job` and say how far it is. Raises `LeaseLost`."""
    with db.begin() as conn:
        held = _held(conn, job)
        until = now + kind.lease
        store.save(conn, replace(held, done=done, total=total, lease_until=until, run_after=until, updated_at=now))


def finish(conn: Connection, now: datetime, job: Job, result: str) -> None:
    """End `job` in the transaction of its effect. Raises `LeaseLost`: the effect must be rolled back."""
    store.save(conn, _ended(_held(conn, job), JobEvent.FINISH, now, result=result))


def note_failure(db: Database, now: datetime, job: Job, kind: Kind, failure: str, *, is_final: bool) -> JobState:
    """Put `job` back until its wait is over, or give it up; returns its state. Raises `LeaseLost`."""
    with db.begin() as conn:
        held = _held(conn, job)
        words = failure[:MAX_FAILURE].replace("\0", "\N{REPLACEMENT CHARACTER}")
        if is_final or held.attempts >= kind.max_attempts:
            after = _ended(held, JobEvent.GIVE_UP, now, failure=words)
        else:
            state = next_state(TRANSITIONS, held.state, JobEvent.PUT_BACK)
            due = now + kind.wait(held.attempts)
            after = replace(held, state=state, run_after=due, failure=words, lease=None, lease_until=None)
        store.save(conn, replace(after, updated_at=now))
    return after.state


def is_finished(db: Database, job: Job) -> bool:
    """Whether the code of `job` has ended it itself."""
    with db.read() as conn:
        found = store.find(conn, job.job_key)
    return found is not None and found.state is JobState.DONE


def _held(conn: Connection, job: Job) -> Job:
    found = store.locked(conn, job.job_key)
    if found is None or found.state is not JobState.RUNNING or found.lease != job.lease:
        raise LeaseLost("another worker has this job now", where=job.job_key.hex())
    return found


def _ended(job: Job, event: JobEvent, now: datetime, *, result: str = "", failure: str = "") -> Job:
    return replace(
        job,
        state=next_state(TRANSITIONS, job.state, event),
        result=result,
        failure=failure,
        lease=None,
        lease_until=None,
        updated_at=now,
        finished_at=now,
    )
