"""One job's failure is counted and stops neither the others nor the worker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client import REGISTRY

from trace_server.config import Settings
from trace_server.db import open_database
from trace_server.services import Services
from trace_server.worker import Worker, find_jobs


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
