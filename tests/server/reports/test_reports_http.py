"""Reports over HTTP, on the command line and on the pages."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from tests.server.portal import make as trade
from tests.server.reports.conftest import NOW, OFFICE, wish
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.jobs import runner
from trace_server.reports import operations, signing
from trace_server.reports.cli import reports as command
from trace_server.reports.jobs import kinds as job_kinds
from trace_server.reports.model import Report
from trace_server.reports.rendering import pdf
from trace_server.services import Services

PATH = "/api/v1/reports"


@pytest.fixture
def http(app: Flask, outside: Services) -> FlaskClient:
    return app.test_client()


def bearer(outside: Services, role: Role, subject: str = "") -> dict[str, str]:
    _, token = accounts.add_client(outside.db, NOW, "cli:admin", name=f"{role}", role=role, subject=subject)
    return {"Authorization": f"Bearer {token}"}


def test_a_report_is_asked_for_waited_for_and_taken(http: FlaskClient, outside: Services) -> None:
    office = bearer(outside, Role.CREDIT_OFFICE)
    asked = http.post(PATH, json={"kind": "credit", "usccs": [trade.PRODUCER], "purpose": "申请补贴"}, headers=office)
    assert asked.status_code == 202
    place = asked.headers["Location"]
    assert http.get(f"{place}/file", headers=office).status_code == 409
    runner.run_due(outside, runner.named(job_kinds))
    told = http.get(place, headers=office).json or {}
    assert told["state"] == "issued"
    assert http.get(f"/api/v1/jobs/{told['job']}", headers=office).status_code == 200
    answer = http.get(f"{place}/file", headers=office)
    assert answer.data.startswith(b"%PDF-")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{told["report_no"]}.pdf"'
    assert http.get(f"{place}/file").status_code == 401
    assert http.get(f"{place}/file", headers=bearer(outside, Role.AUDITOR)).status_code == 403
    assert http.get(place, headers=bearer(outside, Role.PRODUCER, trade.MARKET)).status_code == 404


def test_the_list_goes_on_behind_its_cursor(http: FlaskClient, outside: Services) -> None:
    office = bearer(outside, Role.CREDIT_OFFICE)
    made = {operations.request(outside, OFFICE, wish()).report_no for _ in range(5)}
    seen: list[str] = []
    cursor = ""
    while True:
        page = http.get(PATH, query_string={"limit": 2, "cursor": cursor}, headers=office).json or {}
        seen += [row["report_no"] for row in page["items"]]
        if not page["has_more"]:
            break
        cursor = page["next_cursor"]
    assert len(seen) == 5
    assert set(seen) == made
    assert http.get(PATH, query_string={"cursor": "x"}, headers=office).status_code == 400


def test_anybody_can_check_a_number_and_its_signature(
    http: FlaskClient, outside: Services, issue: Callable[..., Report]
) -> None:
    made = issue()
    told = http.get(f"{PATH}/{made.report_no}/verification").json or {}
    assert told["standing"] == "valid"
    report = told["report"]
    assert signing.is_signed(report["signature"], report["signed"].encode(), signing.public_key(outside.settings))
    assert json.loads(report["signed"])["file_sha256"] == made.file_sha256
    assert "purpose" not in report
    page = http.get(f"/verify/{made.report_no}")
    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert all(words in page.text for words in ("报告有效", made.content_sha256, trade.PRODUCER))
    assert "申请政府补贴" not in page.text
    assert "Valid" in http.get(f"/verify/{made.report_no}?lang=en").text
    operations.withdraw(outside, OFFICE, made.report_no, "主体有误")
    assert "主体有误" in http.get(f"/verify/{made.report_no}").text
    unknown = http.get("/verify/R20260601-000000000000")
    assert (unknown.status_code, "没有这个编号的报告" in unknown.text) == (404, True)
    assert http.get("/verify?no=R20260601-00 x").headers["Location"] == "/verify/R20260601-00%20x"


def test_the_command_line_asks_lists_takes_and_verifies(
    outside: Services, tmp_path_factory: pytest.TempPathFactory
) -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(command, words, obj=outside, catch_exceptions=False)
        assert done.exit_code == 0
        return done.output

    asked = json.loads(run("request", "special", trade.PRODUCER, "--purpose", "投标", "--json"))
    runner.run_due(outside, runner.named(job_kinds))
    number = asked["report_no"]
    assert json.loads(run("list", "--json"))["state"] == "issued"
    out = tmp_path_factory.mktemp("files") / "report.pdf"
    run("download", number, "--out", str(out))
    assert out.read_bytes().startswith(b"%PDF-")
    assert run("verify", number) == f"{number}  valid\n"
    run("withdraw", number, "--reason", "主体有误")
    assert json.loads(run("verify", number, "--json"))["why"] == "主体有误"


def test_the_maker_of_files_fetches_nothing() -> None:
    page = '<html lang="zh-CN"><title>一</title><body><img alt="x" src="{}"><p>一</p></body></html>'
    for url in ("file:///etc/passwd", "http://127.0.0.1:9/x.png", "data:image/png;base64,AAAA"):
        assert b"/Subtype /Image" not in pdf(page.format(url))
