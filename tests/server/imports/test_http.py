"""Tables over HTTP and on the command line; the catalogue of feeds."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from tests.server.imports import make
from tests.server.imports.make import Clock
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.imports import feeds, operations
from trace_server.imports.cli import imports
from trace_server.jobs import runner
from trace_server.services import EXTENSION, Services
from trace_server.worker import find_kinds

URL = "/api/v1/exchange/inbound"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(database: Database, clock: Clock) -> Iterator[Flask]:
    made = create_app(Settings(code_secret="t" * 32, sealed_key="k" * 40), database)
    made.extensions[EXTENSION] = replace(made.extensions[EXTENSION], clock=clock)
    yield made


@pytest.fixture
def outside(app: Flask) -> Services:
    found: Services = app.extensions[EXTENSION]
    return found


@pytest.fixture
def http(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def bearer(outside: Services) -> Callable[[str], dict[str, str]]:
    def headers(role: str) -> dict[str, str]:
        _, token = accounts.add_client(outside.db, outside.clock(), "tester", name=f"a {role}", role=Role(role))
        return {"Authorization": f"Bearer {token}"}

    return headers


def test_a_table_comes_in_over_http_in_each_format_and_its_errors_come_back(
    http: FlaskClient, bearer: Callable[[str], dict[str, str]]
) -> None:
    who = bearer("credit_office")
    rows = [make.listed(文书文号="示异〔2026〕1号"), make.listed(文书文号="")]
    bodies = {
        "text/csv": make.csv_of(rows),
        "application/json": json.dumps(rows).encode(),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": make.xlsx_of(rows),
    }
    for place, (media, body) in enumerate(bodies.items()):
        answer = http.post(f"{URL}/lists", data=body, content_type=media, headers=who)
        assert answer.status_code == 200, answer.get_json()
        assert answer.get_json()["taken" if place == 0 else "unchanged"] == 1
        row = 2 if media == "application/json" else 3
        assert answer.get_json()["errors"] == [
            {"row": row, "field": "文书文号", "code": "missing", "message": "请填写“文书文号”。"}
        ]
    listed = http.get("/api/v1/exchange/imports?limit=2", headers=who).get_json()
    assert listed["has_more"]
    rest = http.get(f"/api/v1/exchange/imports?limit=2&cursor={listed['next_cursor']}", headers=who).get_json()
    assert len(rest["items"]) == 1
    path = answer.headers["Location"]
    errors = http.get(f"{path}/errors", headers={**who, "Accept-Language": "en"}).get_json()
    assert errors["items"][0]["message"] == "Give “文书文号”."
    mend = http.get(f"{path}/corrected?format=xlsx", headers=who)
    assert mend.data[:2] == b"PK"
    assert http.post(f"{path}/discard", headers=who).get_json()["state"] == "discarded"
    assert http.post(f"{path}/discard", headers=who).status_code == 409


def test_a_large_table_is_accepted_and_its_job_may_be_asked(
    http: FlaskClient, outside: Services, bearer: Callable[[str], dict[str, str]]
) -> None:
    who = bearer("credit_office")
    rows = [make.listed(文书文号="") for _ in range(operations.SMALL + 1)]
    headers = {**who, "Idempotency-Key": "today"}
    answer = http.post(f"{URL}/lists", json=rows, headers=headers)
    assert answer.status_code == 202
    assert http.get(f"/api/v1/jobs/{answer.get_json()['job']}", headers=who).get_json()["state"] == "queued"
    runner.run_due(outside, find_kinds())
    job = http.get(f"/api/v1/jobs/{answer.get_json()['job']}", headers=who).get_json()
    assert (job["state"], job["progress"]["done"]) == ("done", len(rows))
    assert http.get(job["result"], headers=who).get_json()["refused"] == len(rows)
    assert (
        http.post(f"{URL}/lists", json=rows, headers=headers).get_json()["import_id"] == answer.get_json()["import_id"]
    )


def test_what_is_no_table_is_refused_with_a_reason(http: FlaskClient, bearer: Callable[[str], dict[str, str]]) -> None:
    who = bearer("regulator")
    for url, body, media, status in (
        (f"{URL}/nothing", b"[]", "application/json", 404),
        (f"{URL}/lists", b"[]", "text/plain", 415),
        (f"{URL}/lists", b"[]", "application/json", 400),
        (f"{URL}/lists", b"{", "application/json", 400),
        (f"{URL}/lists", b"\xff\xfe\x00", "text/csv", 400),
        (f"{URL}/penalties", make.csv_of([make.penalty()]), "text/csv", 400),
        (f"{URL}/penalties?template=2018&category=x", make.csv_of([make.penalty()]), "text/csv", 400),
        (f"{URL}/subjects", make.csv_of([make.subject()]), "text/csv", 400),
    ):
        answer = http.post(url, data=body, content_type=media, headers=who)
        assert answer.status_code == status, answer.data
        assert answer.get_json()["detail"]


def test_who_may_not_hand_in_may_not(http: FlaskClient, bearer: Callable[[str], dict[str, str]]) -> None:
    reader, nobody = bearer("auditor"), bearer("monitor")
    assert [http.post(f"{URL}/lists", json=[], headers=who).status_code for who in (reader, nobody)] == [403, 403]
    feeds_of = [http.get("/api/v1/exchange/feeds", headers=who).status_code for who in (reader, nobody)]
    assert feeds_of == [200, 403]
    assert http.post(f"{URL}/lists", json=[]).status_code == 401


def test_a_feed_that_does_not_come_is_late(
    http: FlaskClient, outside: Services, clock: Clock, bearer: Callable[[str], dict[str, str]]
) -> None:
    def states() -> dict[str, feeds.FeedState]:
        return {feed.item.id: feed.state for feed in feeds.feeds(outside)}

    assert states()["lists"] is feeds.FeedState.NEVER
    make.submit(outside, "lists", [make.listed(文书文号="")])
    assert states()["lists"] is feeds.FeedState.NEVER  # nothing of it could be taken
    make.submit(outside, "lists", [make.listed()])
    assert states()["lists"] is feeds.FeedState.ON_TIME
    clock.now += timedelta(days=31)
    assert states()["lists"] is feeds.FeedState.LATE
    told = http.get("/api/v1/exchange/feeds", headers=bearer("auditor")).get_json()["items"]
    assert [(one["state"], one["days_late"]) for one in told if one["id"] == "lists"] == [("late", 1)]


def test_the_command_line_takes_a_table_and_gives_the_bad_rows_back(outside: Services, tmp_path: Path) -> None:
    run, table, mend = CliRunner(), tmp_path / "table.csv", tmp_path / "mend.csv"
    table.write_bytes(make.csv_of([make.listed(), make.listed(列入日期="2026-05-10")], "gb18030"))
    made = run.invoke(imports, ["add", "--kind", "lists", str(table), "--json"], obj=outside)
    assert made.exit_code == 1, made.output
    told = json.loads(made.stdout)
    assert (told["taken"], told["refused"]) == (1, 1)
    listed = json.loads(run.invoke(imports, ["list", "--json"], obj=outside).stdout)
    assert [one["import_id"] for one in listed["imports"]] == [told["import_id"]]
    again = json.loads(run.invoke(imports, ["errors", told["import_id"], "--json"], obj=outside).stdout)
    assert [one["code"] for one in again["errors"]] == ["bad-date"]
    out = run.invoke(imports, ["corrected", told["import_id"], "--out", str(mend)], obj=outside)
    assert out.exit_code == 0, out.output
    assert "错误说明" in mend.read_text("utf-8-sig")
    late = run.invoke(imports, ["feeds", "--late", "--json"], obj=outside)
    assert late.exit_code == 1
    assert "penalties" in {one["id"] for one in json.loads(late.stdout)["feeds"]}
    assert run.invoke(imports, ["discard", told["import_id"], "--json"], obj=outside).exit_code == 0
