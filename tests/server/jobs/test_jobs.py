"""Jobs run at least once and have their effect once; what fails waits, what cannot succeed is kept for a person."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from tests.server.callers import COMPANY
from trace_core.errors import Conflict, NotFound
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.audit import operations as audit
from trace_server.cli import cli
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.jobs import operations, runner
from trace_server.jobs.model import Attempt, GiveUp, Job, JobState, Kind, LeaseLost
from trace_server.services import Services

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@dataclass
class Clock:
    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def after(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Bench:
    """One kind of job whose code the test gives, and a clock that the test turns."""

    db: Database
    work: Callable[[Attempt], str] = lambda _: ""
    clock: Clock = field(default_factory=Clock)
    max_attempts: int = 3

    def run(self) -> int:
        return runner.run_due(self.services, self.kinds)

    @property
    def kinds(self) -> dict[str, Kind]:
        return {"count": Kind("count", self.work, timedelta(minutes=1), self.max_attempts)}

    @property
    def services(self) -> Services:
        return Services(self.db, Settings(), self.clock)

    def add(self, kind: str = "count", **more: Any) -> bytes:
        with self.db.begin() as conn:
            return operations.enqueue(conn, self.db.dialect, self.clock.now, kind, {"n": 1}, **more)

    def job(self, key: bytes) -> Job:
        return operations.find_job(self.db, key)


@pytest.fixture
def bench(database: Database) -> Bench:
    return Bench(database)


def effect(attempt: Attempt) -> str:
    """An effect that can be counted, in one transaction with the end of the job."""
    with attempt.services.db.begin() as conn:
        attempt.finish(conn, "/done")
        audit.record(conn, attempt.services.clock(), "test", "test.effect", attempt.job.job_key.hex())
    return ""


def effects(db: Database) -> int:
    with db.read() as conn:
        return audit.verify(conn).entries


def test_a_job_runs_says_how_far_it_is_and_where_its_result_lies(bench: Bench) -> None:
    seen = []

    def work(attempt: Attempt) -> str:
        attempt.progress(1, 4)
        seen.append((bench.job(attempt.job.job_key).done, attempt.job.payload))
        return "/api/v1/exports/1"

    bench.work = work
    key = bench.add()
    assert bench.job(key).state is JobState.QUEUED
    assert bench.run() == 1
    job = bench.job(key)
    assert (job.state, job.result, job.done, job.total, job.attempts) == (JobState.DONE, "/api/v1/exports/1", 1, 4, 1)
    assert seen == [(1, {"n": 1})]
    assert bench.run() == 0


def test_a_job_stands_or_falls_with_the_transaction_that_wanted_it(bench: Bench) -> None:
    with pytest.raises(ZeroDivisionError), bench.db.begin() as conn:
        operations.enqueue(conn, bench.db.dialect, START, "count", {})
        raise ZeroDivisionError
    assert bench.run() == 0


def test_the_same_wish_twice_is_one_job(bench: Bench) -> None:
    first = bench.add(owner="client:a", idempotency="monday")
    assert bench.add(owner="client:a", idempotency="monday") == first
    assert bench.add(owner="client:b", idempotency="monday") != first
    assert bench.run() == 2
    assert bench.add(owner="client:a", idempotency="monday") == first
    assert bench.run() == 0


def test_a_failing_job_waits_longer_each_time_and_is_dead_in_the_end(bench: Bench) -> None:
    def work(_: Attempt) -> str:
        raise ZeroDivisionError("secret")

    bench.work = work
    key = bench.add()
    waits = []
    while bench.job(key).state is JobState.QUEUED:
        assert bench.run() == 1
        waits.append((bench.job(key).run_after - bench.clock.now).total_seconds())
        assert bench.run() == 0
        bench.clock.after(hours=1)
    assert waits[:2] == [2, 4]
    job = bench.job(key)
    assert (job.state, job.attempts) == (JobState.DEAD, 3)
    assert "ZeroDivisionError" in job.failure
    assert "secret" not in job.failure
    assert bench.run() == 0


def test_what_cannot_succeed_is_dead_at_once_and_a_person_may_queue_it_again(bench: Bench) -> None:
    def work(_: Attempt) -> str:
        raise GiveUp("the file is gone")

    bench.work = work
    key = bench.add()
    bench.run()
    assert (bench.job(key).state, bench.job(key).attempts) == (JobState.DEAD, 1)
    assert bench.job(key).failure == "the file is gone"
    operations.retry(bench.db, START, "cli:me", key)
    bench.work = lambda _: "/r"
    assert bench.run() == 1
    assert (bench.job(key).state, bench.job(key).failure) == (JobState.DONE, "")
    with pytest.raises(Conflict):
        operations.retry(bench.db, START, "cli:me", key)
    with pytest.raises(NotFound):
        operations.retry(bench.db, START, "cli:me", bytes(16))
    assert effects(bench.db) == 1


def test_a_job_of_an_unknown_kind_waits_for_a_program_that_knows_it(bench: Bench) -> None:
    key = bench.add(kind="of the next release")
    assert bench.run() == 0
    assert bench.job(key).state is JobState.QUEUED


def test_an_attempt_that_was_overtaken_changes_nothing(bench: Bench) -> None:
    """A worker stalls past its lease, another one does the work: the effect is there once."""
    key = bench.add()
    stalled = operations.claim(bench.db, bench.clock.now, bench.kinds)
    assert stalled is not None
    assert bench.run() == 0
    bench.clock.after(minutes=1)
    bench.work = effect
    assert bench.run() == 1
    late = runner._attempt(bench.services, stalled, bench.kinds["count"])
    for act in (lambda: effect(late), lambda: late.progress(1, 2)):
        with pytest.raises(LeaseLost):
            act()
    assert effects(bench.db) == 1
    assert (bench.job(key).state, bench.job(key).result) == (JobState.DONE, "/done")


def test_progress_keeps_the_lease(bench: Bench) -> None:
    bench.add()
    job = operations.claim(bench.db, bench.clock.now, bench.kinds)
    assert job is not None
    bench.clock.after(seconds=50)
    runner._attempt(bench.services, job, bench.kinds["count"]).progress(1, 2)
    bench.clock.after(seconds=50)
    assert bench.run() == 0


def test_a_job_that_kills_its_worker_each_time_ends_dead(bench: Bench) -> None:
    key = bench.add()
    for _ in range(3):
        assert operations.claim(bench.db, bench.clock.now, bench.kinds) is not None
        bench.clock.after(minutes=1)
    assert bench.run() == 1
    assert bench.job(key).state is JobState.DEAD


def test_many_runners_take_each_job_once(bench: Bench) -> None:
    for _ in range(24):
        bench.add()
    bench.work = effect
    with ThreadPoolExecutor(4) as pool:
        attempts = sum(pool.map(lambda _: bench.run(), range(4)))
        # Runners that met locked rows may have left early; what is left is due still.
        attempts += bench.run()
    assert attempts == effects(bench.db) == 24


SCRIPT = """
import sys
from datetime import timedelta
from tests.server.jobs.test_jobs import effect, Clock
from trace_server.config import Settings
from trace_server.db import open_database
from trace_server.jobs import runner
from trace_server.jobs.model import Kind
from trace_server.services import Services
services = Services(open_database(sys.argv[1]), Settings(), Clock())
runner.run_due(services, {"count": Kind("count", effect, timedelta(minutes=1))})
"""


@pytest.mark.parametrize(("point", "times"), [("job-claimed", 0), ("job-worked", 1)])
def test_a_killed_workers_job_is_run_again_and_has_its_effect_once(bench: Bench, point: str, times: int) -> None:
    key = bench.add()
    killed = subprocess.run(
        [sys.executable, "-c", SCRIPT, bench.db.url], env={**os.environ, "SUYUAN_KILL_AT": point}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    assert effects(bench.db) == times
    bench.work = effect
    assert bench.run() == 0
    bench.clock.after(minutes=1)
    assert bench.run() == 1 - times
    assert bench.job(key).state is JobState.DONE
    assert effects(bench.db) == 1


def test_only_its_owner_sees_a_job_over_http(bench: Bench) -> None:
    http = create_app(Settings(code_secret="t" * 32), bench.db).test_client()
    heads = []
    for name in ("a", "b"):
        client, token = accounts.add_client(bench.db, START, "test", name=name, role=Role.PRODUCER, subject=COMPANY)
        heads.append((client.client_id, {"Authorization": f"Bearer {token}"}))
    (mine, me), (_, other) = heads
    path = f"/api/v1/jobs/{bench.add(owner=f'client:{mine}').hex()}"
    answer = http.get(path, headers=me)
    assert (answer.status_code, answer.json["state"], answer.json["kind"]) == (200, "queued", "count")
    assert "payload" not in answer.json
    assert http.get(path, headers=other).status_code == 404
    assert http.get("/api/v1/jobs/x", headers=me).status_code == 404
    assert http.get(path).status_code == 401


def test_the_command_line_lists_shows_and_retries(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def work(_: Attempt) -> str:
        raise GiveUp("no")

    bench.work = work
    key = bench.add(owner="client:a").hex()
    bench.run()
    monkeypatch.setenv("SUYUAN_DATABASE_URL", bench.db.url)

    def told(*words: str) -> Any:
        result = CliRunner().invoke(cli, ["jobs", *words, "--json"], catch_exceptions=False)
        return json.loads(result.stdout)

    assert [job["id"] for job in told("list", "--state", "dead")] == [key]
    assert told("list", "--kind", "other") == []
    assert told("show", key)["payload"] == {"n": 1}
    assert told("retry", key)["state"] == "queued"
    assert CliRunner().invoke(cli, ["jobs", "show", "zz"]).exit_code != 0
    assert key in CliRunner().invoke(cli, ["jobs", "list"]).stdout
