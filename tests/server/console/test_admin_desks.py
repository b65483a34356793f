"""What the administrator and the auditor do at their desks, through the pages, on both databases."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable

from flask import Flask
from sqlalchemy import text

from tests.server.callers import COMPANY
from tests.server.console.test_desks import opened
from tests.server.users.conftest import NOW, PASSWORD, Browser, Clock
from trace_server import audit
from trace_server.accounts.model import Role
from trace_server.db import Database
from trace_server.jobs import operations as jobs
from trace_server.jobs.model import JobState
from trace_server.users import operations

LogIn = Callable[..., Browser]
USERS, CLIENTS, RUNNING, AUDIT = "/console/users", "/console/clients", "/console/running", "/console/audit"
NEW = {
    "name": "county-7", "display_name": "县局甲", "role": "regulator", "department": "示例县局", "regions": "320981",
    "categories": "", "subject": "",
}  # fmt: skip


def code_on(page: str) -> str:
    found = re.search(r'<p class="code"><b>([^<]+)</b>', page)
    assert found is not None
    return found[1]


def test_an_administrator_invites_changes_and_shuts_out(log_in: LogIn, app: Flask, database: Database) -> None:
    admin = log_in("admin-1", Role.ADMINISTRATOR)
    assert admin.get("/console").headers["Location"] == USERS
    made = admin.submit(USERS, USERS, **NEW)
    assert made.status_code == 200, made.text
    county = Browser(app.test_client(), admin.clock)
    county.join(code_on(made.text))
    county.enrol("county-7")
    assert county.get("/console/alerts").status_code == 200
    one = f"{USERS}/county-7"
    assert "320981" in admin.get(one).text
    changed = {"role": "auditor", "department": "示例县局", "regions": "", "categories": "", "subject": ""}
    assert admin.submit(one, f"{one}/change", **changed).status_code == 303
    assert county.get("/console").status_code == 303, "the sessions of the old role are over"
    county.log_in("county-7")
    assert county.get(AUDIT).status_code == 200
    again = code_on(admin.submit(one, f"{one}/code", lost_factor="1").text)
    assert county.get(AUDIT).status_code == 303
    county.join(again, PASSWORD + " two")
    assert "secret" in county.get("/console/factor").text
    assert admin.submit(one, f"{one}/disable").status_code == 303
    assert next(user for user in operations.list_users(database) if user.name == "county-7").state == "disabled"


def test_an_administrator_sees_and_ends_a_log_in(log_in: LogIn, database: Database, clock: Clock) -> None:
    admin, one = log_in("admin-1", Role.ADMINISTRATOR), log_in("one-1")
    _, (session,) = operations.account(database, clock.now, "one-1")
    path = f"{USERS}/one-1/sessions/{session.session_id}/end"
    assert admin.submit(f"{USERS}/one-1", path).status_code == 303
    assert one.get("/console").status_code == 303
    assert admin.submit(f"{USERS}/one-1", path).status_code == 404
    assert admin.get(f"{USERS}/nobody").status_code == 404


def test_nobody_changes_the_own_account_nor_gives_a_company_to_an_inspector(log_in: LogIn) -> None:
    admin = log_in("admin-1", Role.ADMINISTRATOR)
    own = f"{USERS}/admin-1"
    assert admin.submit(own, f"{own}/change", **NEW).status_code == 400
    assert admin.submit(own, f"{own}/disable").status_code == 400
    for wrong in ({"subject": COMPANY}, {"role": "producer"}, {"role": "king"}, {"name": "../etc"}):
        answer = admin.submit(USERS, USERS, **(NEW | wrong))
        assert answer.status_code in (400, 403), wrong
        assert "county-7" not in admin.get(USERS).text


def test_keys_and_roles_want_a_fresh_password(log_in: LogIn, clock: Clock, database: Database) -> None:
    admin = log_in("admin-1", Role.ADMINISTRATOR)
    clock.advance(11 * 60)
    sent = admin.submit(USERS, USERS, **NEW)
    assert (sent.status_code, sent.headers["Location"]) == (303, "/console/confirm?next=%2Fconsole%2Fusers")
    assert len(operations.list_users(database)) == 1
    back = admin.submit("/console/confirm?next=%2Fconsole%2Fusers", "/console/confirm", password=PASSWORD, next=USERS)
    assert back.headers["Location"] == USERS
    assert admin.submit(USERS, USERS, **NEW).status_code == 200
    clock.advance(11 * 60)
    for page, path in ((CLIENTS, CLIENTS), (CLIENTS, f"{CLIENTS}/c-1/revoke"), (USERS, f"{USERS}/county-7/disable")):
        assert "/console/confirm" in admin.submit(page, path, name="x", role="auditor").headers["Location"], path


def test_a_client_is_made_shown_once_and_revoked(log_in: LogIn, app: Flask, database: Database) -> None:
    admin = log_in("admin-1", Role.ADMINISTRATOR)
    assert admin.submit(CLIENTS, CLIENTS, name="erp", role="producer", subject="").status_code == 400
    made = admin.submit(CLIENTS, CLIENTS, name="erp", role="producer", subject=COMPANY)
    headers = {"Authorization": f"Bearer {code_on(made.text)}"}
    assert app.test_client().get("/api/v1/ranges", headers=headers).status_code == 200
    assert headers["Authorization"][7:] not in admin.get(CLIENTS).text
    path = re.search(rf'action="({CLIENTS}/[^"]+/revoke)"', admin.get(CLIENTS).text)
    assert path is not None
    assert admin.submit(CLIENTS, path[1]).status_code == 303
    assert app.test_client().get("/api/v1/ranges", headers=headers).status_code == 401


def test_dead_work_is_seen_with_its_reason_and_tried_again(log_in: LogIn, database: Database) -> None:
    admin = log_in("admin-1", Role.ADMINISTRATOR)
    with database.begin() as conn:
        key = jobs.enqueue(conn, database.dialect, NOW, kind="report", payload={})
        conn.execute(text("UPDATE job SET state = 'dead', failure = 'the printer is on fire'"))
    assert "the printer is on fire" in admin.get(RUNNING).text
    assert admin.submit(RUNNING, f"{RUNNING}/jobs/{key.hex()}/retry").status_code == 303
    assert jobs.find_job(database, key).state is JobState.QUEUED
    assert admin.submit(RUNNING, f"{RUNNING}/jobs/zz/retry").status_code == 404


def test_an_auditor_finds_a_trail_takes_it_away_and_checks_the_chain(log_in: LogIn, database: Database) -> None:
    log_in("one-1")
    auditor = log_in("audit-1", Role.AUDITOR)
    (one,) = (user for user in operations.list_users(database) if user.name == "one-1")
    page = auditor.get(f"{AUDIT}?object={one.user_id}&action=user.&since=2026-11-24&until=2026-11-24").text
    assert page.count(f"?object={one.user_id}") >= 3
    assert "user.join" in page
    assert auditor.get(f"{AUDIT}?object={one.user_id}&until=2026-11-23").text.count("user.join") == 0
    assert auditor.get(f"{AUDIT}?since=soon").status_code == 400
    assert auditor.get(f"{AUDIT}?before=x").status_code == 400
    for kind, media_type in (("csv", "text/csv"), ("xlsx", "spreadsheetml"), ("json", "application/json")):
        found = auditor.get(f"{AUDIT}/file.{kind}?action=user.join")
        assert media_type in found.content_type
        assert found.headers["Cache-Control"] == "no-store"
        if kind == "csv":
            assert {row["action"] for row in csv.DictReader(io.StringIO(found.text.lstrip("\ufeff")))} == {"user.join"}
        if kind == "json":
            assert len(json.loads(found.data)["items"]) == 2
    assert auditor.get(f"{AUDIT}/file.pdf").status_code == 404
    assert 'role="status"' in auditor.submit(AUDIT, f"{AUDIT}/verify").text
    with database.begin() as conn:
        conn.execute(text("UPDATE audit_entry SET actor = 'nobody' WHERE seq = 2"))
    broken = auditor.submit(AUDIT, f"{AUDIT}/verify").text
    assert 'role="alert"' in broken
    assert "第 2 条" in broken or "entry 2" in broken


def test_a_long_trail_goes_on_behind_its_page(log_in: LogIn, database: Database) -> None:
    auditor = log_in("audit-1", Role.AUDITOR)
    with database.begin() as conn:
        for number in range(60):
            audit.record(conn, NOW, "cli:a", "test.it", f"thing-{number}")
    first = auditor.get(f"{AUDIT}?action=test.").text
    onward = re.search(r'href="(/console/audit\?[^"]*before=[^"]*)"', first)
    assert onward is not None
    rest = auditor.get(onward[1].replace("&amp;", "&")).text
    assert (first.count(">test.it<"), rest.count(">test.it<")) == (50, 10)


def test_a_case_leads_an_auditor_and_nobody_else_to_its_trail(log_in: LogIn, alert_id: str) -> None:
    one, auditor = log_in("one-1"), log_in("audit-1", Role.AUDITOR)
    case = opened(one, alert_id)
    trail = f"{AUDIT}?object={case.rpartition('/')[2]}"
    assert trail in auditor.get(case).text
    assert "case.open" in auditor.get(trail).text
    assert AUDIT not in one.get(case).text
