"""The desk of credit reports, as a person uses it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask

from tests.server.portal import make as trade
from tests.server.users.conftest import Browser
from trace_server.accounts.model import Role
from trace_server.db import Database
from trace_server.jobs import runner
from trace_server.reports.jobs import kinds
from trace_server.services import EXTENSION
from trace_server.users.model import Scope

PATH = "/console/reports"
LogIn = Callable[..., Browser]


def test_a_person_asks_for_a_review_takes_it_and_withdraws_it(app: Flask, database: Database, log_in: LogIn) -> None:
    trade.load(database)
    person = log_in("inspector-1")
    codes = f"{trade.PRODUCER}\n{trade.MARKET}"
    wrong = person.submit(PATH, PATH, kind="credit", usccs=codes, purpose="补贴审查")
    assert wrong.status_code == 400
    assert "这种报告只能填一个统一社会信用代码。" in wrong.text
    asked = person.submit(PATH, PATH, kind="review", usccs=codes, purpose="补贴审查")
    assert asked.status_code == 303
    here = asked.headers["Location"]
    assert "It is being made" in person.get(here).text
    runner.run_due(app.extensions[EXTENSION], runner.named(kinds))
    page = person.get(here)
    assert "Download the PDF" in page.text
    file = person.submit(here, f"{here}/file")
    assert file.data.startswith(b"%PDF-")
    assert file.headers["Cache-Control"] == "no-store"
    assert file.headers["Content-Disposition"].startswith("attachment;")
    assert person.submit(here, f"{here}/withdrawal", reason="").status_code == 400
    assert person.submit(here, f"{here}/withdrawal", reason="主体有误").status_code == 303
    assert "Withdrawn" in person.get(here).text
    assert person.submit(here, f"{here}/file").status_code == 409


def test_an_auditor_sees_reports_and_takes_none(app: Flask, database: Database, log_in: LogIn) -> None:
    trade.load(database)
    office = log_in("office", Role.CREDIT_OFFICE)
    asked = office.submit(PATH, PATH, kind="credit", usccs=trade.PRODUCER, purpose="投标")
    auditor = log_in("auditor", Role.AUDITOR, Scope())
    assert asked.headers["Location"] in auditor.get(PATH).text
    assert "<textarea" not in auditor.get(PATH).text
    assert auditor.submit(PATH, PATH, kind="credit", usccs=trade.PRODUCER, purpose="投标").status_code == 403
