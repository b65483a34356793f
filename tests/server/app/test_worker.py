"""One job's failure is counted and stops neither the others nor the worker."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner
from prometheus_client import REGISTRY

from trace_core.errors import NotFound
from trace_server.cli import cli
from trace_server.config import Settings
from trace_server.db import open_database
from trace_server.db.migrate import upgrade
from trace_server.services import Services
from trace_server.worker import MAX_AGE_S, Worker, find_jobs, require_alive


@dataclass(frozen=True, slots=True)
class Task:
    name: str
    run: Callable[[Services], object]
    interval_s: float = 0.01


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services(open_database(f"sqlite:///{tmp_path / 'a.sqlite'}"), Settings())


def test_a_failing_job_is_counted_and_the_others_run_on(services: Services) -> None:
    done = threading.Event()
    runs: list[str] = []

    def good(_: Services) -> None:
        runs.append("good")
        if runs.count("good") >= 5:
            done.set()

    def bad(_: Services) -> None:
        runs.append("bad")
        raise ZeroDivisionError

    worker = Worker(services, [Task("bad", bad), Task("good", good)])
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert done.wait(10)
    worker.stop()
    thread.join(5)
    assert not thread.is_alive()
    assert 1 <= runs.count("bad") < runs.count("good")
    labels = {"job": "bad", "outcome": "failed"}
    assert REGISTRY.get_sample_value("suyuan_job_runs_total", labels) == runs.count("bad")


def test_stopping_lets_the_running_job_finish(services: Services) -> None:
    started, finished = threading.Event(), threading.Event()
    gate = threading.Event()

    def slow(_: Services) -> None:
        started.set()
        gate.wait(10)
        finished.set()

    worker = Worker(services, [Task("slow", slow), Task("later", lambda _: pytest.fail("ran after the stop"))])
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert started.wait(5)
    worker.stop()
    gate.set()
    thread.join(5)
    assert finished.is_set()
    assert not thread.is_alive()


def test_once_runs_every_job_and_says_how_it_went(services: Services) -> None:
    def bad(_: Services) -> None:
        raise ValueError

    assert Worker(services, [Task("good", lambda _: None), Task("bad", bad)]).run_once() == {"good": True, "bad": False}


def test_two_jobs_with_one_name_are_refused(services: Services) -> None:
    with pytest.raises(ValueError, match="share a name"):
        Worker(services, [Task("a", print), Task("a", print)])


def test_every_job_has_a_name_and_a_pace(services: Services) -> None:
    jobs = find_jobs()
    assert all(job.name and job.interval_s > 0 for job in jobs)
    Worker(services, jobs)


def test_a_worker_leaves_a_sign_of_life_while_it_runs_and_none_when_it_hangs(
    services: Services, tmp_path: Path
) -> None:
    alive = tmp_path / "alive"
    with pytest.raises(NotFound, match="no sign of life at all"):
        require_alive(alive)
    ran = threading.Event()
    worker = Worker(services, [Task("one", lambda _: ran.set(), interval_s=3600.0)], alive)
    thread = threading.Thread(target=worker.run)
    thread.start()
    assert ran.wait(10)
    worker.stop()
    thread.join(10)
    require_alive(alive)
    old = time.time() - MAX_AGE_S - 5
    os.utime(alive, (old, old))
    with pytest.raises(NotFound, match="no sign of life for 6"):
        require_alive(alive)


def test_checking_without_the_file_of_the_worker_is_wrong_use(database_url: str) -> None:
    upgrade(database_url)
    done = CliRunner().invoke(cli, ["worker", "--check"], env={"SUYUAN_DATABASE_URL": database_url})
    assert done.exit_code == 2
    assert "--health-file" in done.output
