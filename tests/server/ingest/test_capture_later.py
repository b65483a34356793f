"""Asynchronous capture: acknowledged once the document is kept, read by the worker, its events stored once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest

from tests.server.callers import COMPANY
from tests.server.epcis_xml.make import xml_document, xml_event
from tests.server.ingest.make import NOW, count, document, seen
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.epcis_xml.parsing import parse
from trace_server.ingest import later, tables
from trace_server.jobs import runner
from trace_server.services import EXTENSION, Services

JSON, XML = "application/json", "application/xml"


class Erp:
    """A client that prefers not to wait, and the worker."""

    def __init__(self, database: Database) -> None:
        self.db = database
        app = create_app(Settings(code_secret="t" * 32), database)
        self.services = app.extensions[EXTENSION] = Services(database, app.extensions[EXTENSION].settings, lambda: NOW)
        self.http = app.test_client()
        self.head = self.client("erp")

    def client(self, name: str) -> dict[str, str]:
        _, token = accounts.add_client(self.db, NOW, "test", name=name, role=Role.PRODUCER, subject=COMPANY)
        return {"Authorization": f"Bearer {token}"}

    def send(self, raw: bytes, kind: str = JSON, **more: str) -> Any:
        head = {**self.head, "Content-Type": kind, "Prefer": "respond-async", **more}
        return self.http.post("/api/v1/capture", data=raw, headers=head)

    def job(self, answer: Any, **more: str) -> Any:
        return self.http.get(answer.headers["Location"], headers={**self.head, **more})

    def work(self, after: timedelta = timedelta()) -> int:
        services = Services(self.db, self.services.settings, lambda: NOW + after)
        return runner.run_due(services, runner.named(later.kinds))


@pytest.fixture
def erp(database: Database) -> Erp:
    return Erp(database)


@pytest.mark.parametrize(("raw", "kind"), [(document(seen(1), seen(2)), JSON), (xml_document(xml_event(1)), XML)])
def test_a_job_runs_until_the_worker_has_read_its_document(erp: Erp, raw: bytes, kind: str) -> None:
    answer = erp.send(raw, kind)
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "respond-async")
    assert (answer.json["running"], answer.json["success"], answer.json["finishedAt"]) == (True, False, None)
    assert erp.job(answer).json == answer.json
    assert erp.http.get(answer.headers["Location"], headers=erp.client("another")).status_code == 404
    running = parse(erp.job(answer, Accept=XML).data)
    # as Example-CaptureJobRunning.xml of the standard has it
    assert (running.get("running"), running.get("success"), running.find("finishedAt")) == ("true", "false", None)
    assert count(erp.db, tables.event) == 0
    assert erp.work(timedelta(seconds=3)) == 1
    ended = erp.job(answer).json
    assert (ended["running"], ended["success"], ended["accepted"]) == (False, True, count(erp.db, tables.event))
    assert (ended["captureID"], ended["createdAt"]) == (answer.json["captureID"], answer.json["createdAt"])
    assert ended["finishedAt"] > ended["createdAt"]
    assert count(erp.db, tables.capture_inbox) == 0
    assert count(erp.db, tables.event) > 0


@pytest.mark.parametrize(("behaviour", "stored"), [("rollback", 0), ("proceed", 1)])
def test_wrong_events_are_told_in_the_job(erp: Erp, behaviour: str, stored: int) -> None:
    raw = document(seen(1), seen(2, action="EAT"))
    answer = erp.send(raw, **{"GS1-Capture-Error-Behaviour": behaviour})
    erp.work()
    job = erp.job(answer).json
    assert (job["running"], job["success"], job["captureErrorBehaviour"]) == (False, False, behaviour)
    assert ["/1" in error["where"] for error in job["errors"]] == [True]
    assert count(erp.db, tables.event) == stored


@pytest.mark.parametrize(("raw", "kind"), [(b"{", JSON), (b"<a/>", XML), (document(creationDate=1), JSON)])
def test_a_document_that_cannot_be_read_ends_its_job_without_success(erp: Erp, raw: bytes, kind: str) -> None:
    answer = erp.send(raw, kind)
    assert answer.status_code == 202
    assert erp.work() == 1
    job = erp.job(answer).json
    assert (job["running"], job["success"], job["events"]) == (False, False, 0)
    assert job["errors"]
    assert count(erp.db, tables.capture_inbox) == 0


def test_running_and_ended_jobs_are_listed_together_the_newest_first(erp: Erp) -> None:
    for number in range(3):
        erp.send(document(seen(number)))
    erp.work()
    erp.send(document(seen(9)))
    listed = erp.http.get("/api/v1/capture?perPage=2", headers=erp.head)
    rest = erp.http.get(listed.headers["Link"].split(">")[0][1:], headers=erp.head).json
    found = listed.json + rest
    assert sorted(job["running"] for job in found) == [False, False, False, True]
    keys = [job["captureID"] for job in found]
    assert keys == sorted(keys, reverse=True)


def test_a_client_cannot_fill_the_inbox(erp: Erp, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(later, "MAX_PENDING", 2)
    told = [erp.send(document(seen(number))).status_code for number in range(3)]
    assert told == [202, 202, 429]
    erp.work()
    assert erp.send(document(seen(5))).status_code == 202


SCRIPT = """
import sys
from tests.server.ingest.make import NOW
from trace_server.config import Settings
from trace_server.db import open_database
from trace_server.ingest import later
from trace_server.jobs import runner
from trace_server.services import Services
services = Services(open_database(sys.argv[1]), Settings(), lambda: NOW)
runner.run_due(services, runner.named(later.kinds))
"""


@pytest.mark.parametrize("point", ["job-claimed", "in-insert", "job-worked"])
def test_a_kill_of_the_worker_loses_and_doubles_nothing_of_an_acknowledged_document(erp: Erp, point: str) -> None:
    answer = erp.send(document(seen(1), seen(2)))
    killed = subprocess.run(
        [sys.executable, "-c", SCRIPT, erp.db.url], env={**os.environ, "SUYUAN_KILL_AT": point}, check=False
    )
    assert killed.returncode == -signal.SIGKILL
    erp.work(timedelta(minutes=6))
    assert erp.job(answer).json["accepted"] == count(erp.db, tables.event) == 2
