"""What the credit office does in the policy lab, and inspectors with their plans, on the pages."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask

from tests.server.credit.make import SUBJECT, services_on
from tests.server.credit.make import Clock as FixedClock
from tests.server.policies.make import stocked, stricter
from tests.server.supervision.make import FIELDS
from tests.server.users.conftest import Browser, Clock
from trace_server.accounts.model import Role
from trace_server.credit.grade_upkeep import regrade_all
from trace_server.db import Database
from trace_server.services import Services
from trace_server.supervision import operations as inspections
from trace_server.supervision import rules, telling
from trace_server.supervision.operations import Official
from trace_server.users.model import Scope

LogIn = Callable[..., Browser]
POLICIES, INSPECTIONS = "/console/policies", "/console/inspections"
PLAN = {
    "title": FIELDS.title, "region": "320900", "content": FIELDS.content, "method": FIELDS.method,
    "legal_basis": FIELDS.legal_basis, "period_from": "2026-11-24", "period_to": "2027-05-23", "intensity": "least",
}  # fmt: skip


@pytest.fixture
def services(database: Database, clock: Clock) -> Services:
    found = services_on(database, FixedClock(clock.now))
    stocked(found, 12)
    regrade_all(found)
    return found


def version(browser: Browser, path: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', browser.get(path).text)
    return found[1] if found else "0"


def act(browser: Browser, path: str, to: str, **values: str) -> int:
    return browser.submit(path, f"{path}/{to}", version=version(browser, path), **values).status_code


def test_a_policy_is_drafted_simulated_reviewed_and_put_in_force_on_the_pages(
    log_in: LogIn, services: Services
) -> None:
    author, one, two = (log_in(name, Role.CREDIT_OFFICE) for name in ("author", "one-1", "two-2"))
    assert "status = &#34;draft&#34;" in author.get(f"{POLICIES}/new").text
    wrong = author.submit(f"{POLICIES}/new", f"{POLICIES}/new", text="x", reason="提高扣分")
    assert wrong.status_code == 400
    assert 'href="#text"' in wrong.text
    text = stricter(services).replace("\n", "\r\n")
    made = author.submit(f"{POLICIES}/new", f"{POLICIES}/new", text=text, reason="提高扣分")
    assert made.status_code == 303, made.text
    path = made.headers["Location"]
    assert act(author, path, "drafting", event="simulate", seed="s 1") == 400
    assert act(author, path, "drafting", event="simulate", seed="s1") == 303
    assert SUBJECT in author.get(path).text
    assert act(author, path, "drafting", event="review", check_after_days="30") == 400
    assert (
        act(author, path, "drafting", event="review", risk0="检查量增加", response0="借调", check_after_days="soon")
        == 400
    )
    risks = {"risk0": "检查量增加", "response0": "借调", "check_after_days": "30，90"}
    assert act(author, path, "drafting", event="review", **risks) == 303
    assert act(author, path, "deciding", event="approve", reason="同意") == 400
    assert act(one, path, "deciding", event="approve", reason="同意") == 303
    assert act(two, path, "deciding", event="approve", reason="同意") == 303
    assert act(two, path, "deciding", event="activate", from_day="soon") == 400
    assert act(two, path, "deciding", event="activate", from_day="2026-11-24") == 303
    regrade_all(services)
    assert "借调" in log_in("reader", Role.AUDITOR).get(path).text
    back = author.submit(path, f"{POLICIES}/roll-back", number="1", reason="回到默认方案")
    assert back.status_code == 303
    assert act(one, back.headers["Location"], "drafting", event="edit", text="id = 1") == 400


def test_two_people_draw_and_the_drawn_enter_results(log_in: LogIn, services: Services, app: Flask) -> None:
    one, two, three = (log_in(name) for name in ("one-1", "two-2", "three-3"))
    assert one.submit(INSPECTIONS, INSPECTIONS, **(PLAN | {"region": "32"})).status_code == 400
    made = one.submit(INSPECTIONS, INSPECTIONS, **PLAN)
    assert made.status_code == 303, made.text
    path = made.headers["Location"]
    assert act(one, path, "steps", event="frequency", uscc=SUBJECT, yearly="x", reason="抽检不合格") == 400
    assert act(one, path, "steps", event="frequency", uscc=SUBJECT, yearly="3", reason="抽检不合格") == 303
    assert act(one, path, "steps", event="commit") == 303
    assert act(one, path, "steps", event="draw", word="双色球") == 400
    assert act(two, path, "steps", event="draw", word="双色球") == 303
    plan_id = path.rpartition("/")[2]
    task, *_ = inspections.open_plan(services, Official("", ""), plan_id).tasks
    entered = []
    for browser in (one, two, three):
        answer = browser.submit(
            f"{path}/{task.number}", f"{path}/{task.number}", version="1", event="finish", done_on="2026-11-24",
            finding="rectified", note="当场补齐",
        )  # fmt: skip
        entered.append(answer.status_code)
    assert sorted(entered)[:2] == [303, 400]
    reader = app.test_client()
    assert reader.get("/supervision").status_code == 200
    assert task.name not in reader.get(f"/supervision/{plan_id}").text
    assert act(one, path, "steps", event="publish") == 303
    shown = reader.get(f"/supervision/{plan_id}").text
    assert task.name in shown
    assert "发现问题，已责令改正" in shown
    assert "当场补齐" not in shown
    assert rules.repeat(reader.get(f"/api/v1/inspections/plans/{plan_id}/proof").json) == []
    assert telling.told_plan(services, plan_id).plan.is_open
    assert reader.get("/supervision/plan-nobody").status_code == 404


def test_who_works_on_one_district_sees_no_plan_of_another(log_in: LogIn, services: Services) -> None:
    one = log_in("one-1")
    made = one.submit(INSPECTIONS, INSPECTIONS, **PLAN)
    far = log_in("far-1", Role.REGULATOR, Scope(regions=("320925",)))
    assert far.get(made.headers["Location"]).status_code == 404
    assert FIELDS.title not in far.get(INSPECTIONS).text
    assert far.submit(INSPECTIONS, INSPECTIONS, **PLAN).status_code == 400
    assert date.fromisoformat(PLAN["period_from"]) == services.clock().date()
