"""Inspections follow the grade, chance picks whom and by whom, and anybody can check that it was chance."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.server.credit.make import OTHER_SUBJECT, SUBJECT, Clock, services_on
from tests.server.policies.make import VALID
from tests.server.supervision.make import BUREAU, FIELDS, ONE, PEOPLE, TWO, drawn, graded, planned
from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.audit import operations as audit
from trace_server.cases import operations as cases
from trace_server.cases.model import Actor
from trace_server.cases.operations import NewCase
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.services import Services
from trace_server.supervision import operations, rules, telling
from trace_server.supervision.cli import inspections as command
from trace_server.supervision.model import Candidate, Finding, PlanState, Result, TaskState
from trace_server.supervision.operations import Official

API = "/api/v1/inspections/plans"
YEARLY = {"A": 1, "B": 1, "C": 2, "D": 3}


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(database: Database, clock: Clock) -> Services:
    return services_on(database, clock)


def crowd(count: int) -> list[Candidate]:
    levels = sorted(YEARLY)
    return [
        Candidate(code, "", "320902", levels[place % 4], YEARLY[levels[place % 4]], "1")
        for place, code in enumerate(VALID[:count])
    ]


def test_row_4_3_the_grade_sets_how_many_inspections_a_plan_asks_for(services: Services) -> None:
    graded(services)
    opened = operations.open_plan(services, ONE, planned(services).plan_id)
    assert Counter((one.level, one.yearly, one.sampling) for one in opened.candidates) == {
        ("A", 1, "0.5"): 11,
        ("B", 1, "1.0"): 1,
    }
    # 183 days of 365: half of the subjects that are visited once a year, rounded up.
    assert rules.expected(opened.candidates, opened.plan.fields) == {"A": (11, 6), "B": (1, 1)}
    assert opened.plan.policy_version.startswith("credit-grade 1-")


def test_a_plan_of_a_district_holds_its_subjects_only(services: Services) -> None:
    graded(services)
    opened = operations.open_plan(services, ONE, planned(services, region="320902").plan_id)
    assert {one.region for one in opened.candidates} == {"320902"}
    with pytest.raises(InputError, match="no graded subject"):
        planned(services, region="320111")
    with pytest.raises(NotAllowed):
        operations.make_plan(services, replace(ONE, regions=("320925",)), replace(FIELDS, region="320902"), PEOPLE)


@given(st.integers(1, 60), st.integers(1, 366), st.integers(2, 6), st.text("abcdef0123456789", min_size=1, max_size=9))
def test_a_draw_gives_each_level_its_visits_and_each_visit_two_inspectors(
    count: int, days: int, people: int, seed: str
) -> None:
    found = crowd(count)
    fields = replace(FIELDS, period_to=FIELDS.period_from + timedelta(days=days - 1))
    names = [f"user:p{number}" for number in range(people)]
    visits = rules.draw(found, names, fields, seed)
    level = {one.uscc: one.level for one in found}
    counted = Counter(level[one.uscc] for one in visits)
    assert {name: count for name, (_, count) in rules.expected(found, fields).items()} == dict(counted)
    per_subject = Counter(one.uscc for one in visits)
    for name in YEARLY:
        counts = [per_subject[one.uscc] for one in found if one.level == name]
        assert not counts or max(counts) - min(counts) <= 1
    assert [one.number for one in visits] == list(range(1, len(visits) + 1))
    assert all(fields.period_from <= one.due_on <= fields.period_to for one in visits)
    assert all(len(set(one.inspectors)) == 2 for one in visits)
    loads = Counter(name for one in visits for name in one.inspectors)
    assert max(loads.values()) - min(loads.get(name, 0) for name in names) <= 1
    shuffled = random.Random(seed).sample(found, len(found))
    assert rules.draw(shuffled, names[::-1], fields, seed) == visits


def test_over_many_seeds_every_subject_of_a_level_is_as_likely_as_another() -> None:
    found = [one for one in crowd(40) if one.level == "A"]
    fields = replace(FIELDS, period_to=FIELDS.period_from + timedelta(days=72))
    hits: Counter[str] = Counter()
    for seed in range(600):
        hits.update(one.uscc for one in rules.draw(found, ["a", "b"], fields, str(seed)))
    assert len(found) == 10
    assert sum(hits.values()) == 1200
    assert all(80 <= hits[one.uscc] <= 160 for one in found)


def test_the_seed_is_bound_before_the_draw_and_another_person_adds_the_word(services: Services) -> None:
    graded(services)
    plan = planned(services)
    with pytest.raises(Conflict):
        operations.draw(services, TWO, plan.plan_id, plan.version, "字")
    bound = operations.commit(services, ONE, plan.plan_id, plan.version)
    told = telling.told_plan(services, plan.plan_id)
    assert told.plan.draw.commitment == rules.commitment_of(bound.draw.secret)
    assert (told.plan.draw.secret, told.candidates, told.tasks) == ("", (), ())
    with pytest.raises(Conflict):
        operations.change(services, ONE, plan.plan_id, bound.version, SUBJECT, 4, "举报较多")
    with pytest.raises(NotAllowed, match="second person"):
        operations.draw(services, ONE, plan.plan_id, bound.version, "字")
    made = operations.draw(services, TWO, plan.plan_id, bound.version, "双色球第2026061期")
    assert made.draw.seed == rules.seed_of(plan.plan_id, bound.draw.secret, "双色球第2026061期")
    with pytest.raises(Conflict):
        operations.draw(services, TWO, plan.plan_id, made.version, "再来一次")
    with pytest.raises(Conflict):
        operations.withdraw(services, ONE, plan.plan_id, made.version, "结果不合意")


def test_row_1_2_d_a_published_draw_comes_out_again_and_a_changed_one_does_not(
    services: Services, tmp_path: Path
) -> None:
    graded(services)
    plan = drawn(services)
    with pytest.raises(NotFound):
        telling.proof(services, plan.plan_id)
    operations.publish(services, ONE, plan.plan_id, plan.version)
    proof = telling.proof(services, plan.plan_id)
    assert rules.repeat(json.loads(json.dumps(proof))) == []
    file = tmp_path / "draw.json"
    for name, changed, wrong in (
        ("word", "别的字", {"seed", "visits"}),
        ("subjects", [*proof["subjects"], f"{VALID[-1]} A 1 0"], {"subjects_digest"}),  # type: ignore[misc]
        ("commitment", "0" * 64, {"commitment"}),
        ("visits", [], {"visits"}),
    ):
        file.write_text(json.dumps({**proof, name: changed}), encoding="utf-8")
        answer = CliRunner().invoke(command, ["check-draw", str(file), "--json"])
        assert answer.exit_code == 1
        assert wrong <= set(json.loads(answer.output)["wrong"])
    with pytest.raises(InputError, match="no proof"):
        rules.repeat({"plan_id": "x"})


def test_a_plan_that_was_withdrawn_after_its_commitment_stays_before_the_public(services: Services) -> None:
    graded(services)
    quiet, bound = planned(services), planned(services)
    operations.withdraw(services, ONE, quiet.plan_id, quiet.version, "重复")
    bound = operations.commit(services, ONE, bound.plan_id, bound.version)
    operations.withdraw(services, ONE, bound.plan_id, bound.version, "人员变动")
    (told,) = telling.told_plans(services)
    assert (told.plan_id, told.state, told.reason) == (bound.plan_id, PlanState.WITHDRAWN, "人员变动")
    with pytest.raises(NotFound):
        telling.told_plan(services, quiet.plan_id)


def test_row_4_3_another_frequency_needs_a_reason_and_is_audited(services: Services) -> None:
    graded(services)
    plan = planned(services)
    with pytest.raises(InputError) as refused:
        operations.change(services, ONE, plan.plan_id, plan.version, SUBJECT, 4, " ")
    assert refused.value.where == "reason"
    plan = operations.change(services, ONE, plan.plan_id, plan.version, SUBJECT, 4, "上月两次抽检不合格")
    plan = operations.change(services, ONE, plan.plan_id, plan.version, OTHER_SUBJECT, 0, "已停业")
    made = drawn(services, plan)
    tasks = operations.open_plan(services, ONE, made.plan_id).tasks
    counted = Counter(task.uscc for task in tasks)
    assert (counted[SUBJECT], counted[OTHER_SUBJECT]) == (3, 0)
    with services.db.read() as conn:
        assert not audit.verify(conn).reason


def test_a_recused_inspector_is_not_drawn(services: Services) -> None:
    graded(services)
    plan = planned(services)
    kept = [one.actor for one in PEOPLE[:3]]
    with pytest.raises(InputError, match="two inspectors"):
        operations.name_inspectors(services, ONE, plan.plan_id, plan.version, kept[:1], "回避")
    plan = operations.name_inspectors(services, ONE, plan.plan_id, plan.version, kept, "与被检查人有亲属关系")
    tasks = operations.open_plan(services, ONE, drawn(services, plan).plan_id).tasks
    assert {name for task in tasks for name in task.inspectors} == set(kept)


def test_only_who_was_drawn_enters_a_result_and_a_case_must_be_the_subjects(services: Services, clock: Clock) -> None:
    graded(services)
    plan = drawn(services)
    task, *_ = operations.open_plan(services, ONE, plan.plan_id).tasks
    by = Official(task.inspectors[0], BUREAU)
    clock.now += timedelta(days=3)
    day = date(2026, 6, 3)

    def enter(result: Result, by: Official = by, version: int = 1, *, correct: bool = False) -> TaskState:
        return operations.enter(services, by, plan.plan_id, task.number, version, result, correct=correct).state

    with pytest.raises(NotAllowed, match="drawn"):
        enter(Result(day, Finding.NONE), TWO)
    for result, where in (
        (Result(date(2026, 7, 1), Finding.NONE), "done_on"),
        (Result(date(2026, 5, 1), Finding.NONE), "done_on"),
        (Result(day, Finding.RECTIFIED), "note"),
        (Result(day, Finding.CASE_OPENED, "无检验记录"), "case_id"),
        (Result(day, Finding.CASE_OPENED, "无检验记录", "case-000000000000"), "case_id"),
        (Result(day, Finding.NONE, "", "case-000000000000"), "case_id"),
    ):
        with pytest.raises(InputError) as refused:
            enter(result)
        assert refused.value.where == where
    actor = Actor(by.actor, BUREAU)
    mine, other = (
        cases.open_case(services, actor, NewCase("涉嫌未按规定检验", "food", "320902", code))
        for code in (task.uscc, VALID[-1])
    )
    with pytest.raises(InputError, match="no such case"):
        enter(Result(day, Finding.CASE_OPENED, "无检验记录", other.case_id))
    assert len(operations.own_tasks(services, by.actor)) > 0
    before = len(operations.own_tasks(services, by.actor))
    assert enter(Result(day, Finding.CASE_OPENED, "无检验记录", mine.case_id)) is TaskState.DONE
    assert len(operations.own_tasks(services, by.actor)) == before - 1
    with pytest.raises(Conflict):
        enter(Result(day, Finding.NONE), version=2)
    assert enter(Result(day, Finding.RECTIFIED, "当场改正"), version=2, correct=True) is TaskState.DONE


def test_a_visit_that_cannot_be_made_is_cancelled_with_a_reason(services: Services) -> None:
    graded(services)
    plan = drawn(services)
    with pytest.raises(NotAllowed):
        operations.cancel(services, replace(ONE, may_plan=False), plan.plan_id, 1, 1, "已注销")
    assert operations.cancel(services, ONE, plan.plan_id, 1, 1, "已注销").state is TaskState.CANCELLED


def test_another_department_and_another_region_do_not_touch_a_plan(services: Services) -> None:
    graded(services)
    plan = planned(services)
    with pytest.raises(NotAllowed, match="another department"):
        operations.commit(services, Official("user:x", "示例市农业农村局"), plan.plan_id, plan.version)
    with pytest.raises(NotFound):
        operations.open_plan(services, replace(ONE, regions=("320925",)), plan.plan_id)
    assert operations.list_plans(services, replace(ONE, regions=("320925",))) == []


def test_plans_over_http(database: Database, services: Services) -> None:
    graded(services)
    heads = {}
    for name, role in (("one", Role.REGULATOR), ("two", Role.REGULATOR), ("office", Role.CREDIT_OFFICE)):
        _, token = accounts.add_client(database, services.clock(), "test", name=name, role=role)
        heads[name] = {"Authorization": f"Bearer {token}"}
    http = create_app(Settings(code_secret="t" * 32), database).test_client()
    fields = {
        "title": FIELDS.title, "department": BUREAU, "region": "320900", "content": FIELDS.content,
        "method": FIELDS.method, "legal_basis": FIELDS.legal_basis, "period_from": "2026-06-01",
        "period_to": "2026-11-30", "inspectors": [{"actor": one.actor, "name": one.name} for one in PEOPLE],
    }  # fmt: skip
    assert http.post(API, json=fields, headers=heads["office"]).status_code == 403
    made = http.post(API, json=fields, headers=heads["one"])
    assert made.status_code == 201, made.json
    path = f"{API}/{made.json['plan_id']}"

    def step(who: str, name: str, version: int, **given: object) -> int:
        body = {"department": BUREAU, "version": version, **given}
        answer = http.post(f"{path}/{name}", json=body, headers=heads[who])
        assert answer.status_code == 200, answer.json
        return int(answer.json["version"])

    version = step("one", "changes", 1, uscc=SUBJECT, inspections_a_year=3, reason="抽检不合格")
    version = step("one", "commitment", version)
    again = http.post(
        f"{path}/draw", json={"department": BUREAU, "version": version, "word": "字"}, headers=heads["one"]
    )
    assert again.status_code == 403
    version = step("two", "draw", version, word="双色球")
    assert http.get(f"{path}/proof").status_code == 404
    assert http.get(path, headers=heads["office"]).json["seed"] == ""
    step("one", "publication", version)
    assert rules.repeat(http.get(f"{path}/proof").json) == []
    task = http.get(path, headers=heads["office"]).json["tasks"][0]
    today = services_on(database).clock().date().isoformat()
    result = {"version": 1, "inspector": task["inspectors"][0], "done_on": today, "finding": "none"}
    answer = http.post(f"{path}/tasks/1/result", json=result, headers=heads["one"])
    assert answer.status_code == 400  # drawn today by the host's clock, done before that
    listed = http.get(f"{API}?limit=1", headers=heads["office"]).json
    assert (len(listed["items"]), listed["next_before"]) == (1, None)


def test_plans_on_the_command_line(services: Services, tmp_path: Path) -> None:
    graded(services)

    def run(*words: str) -> str:
        done = CliRunner().invoke(command, words, obj=services, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    people = [word for one in PEOPLE for word in ("--inspector", f"{one.actor} {one.name}")]
    told = run(
        "plan", "--title", "抽查", "--region", "320900", "--department", BUREAU, "--content", "追溯标识", "--method",
        "现场检查", "--basis", "《食品安全法》第一百零九条", "--from", "2026-06-01", "--to", "2026-08-31", *people,
        "--operator", "cli:one", "--json",
    )  # fmt: skip
    plan = json.loads(told)["plan_id"]
    run("change", plan, "--uscc", SUBJECT, "--yearly", "4", "--reason", "抽检不合格")
    run("commit", plan, "--operator", "cli:one")
    run("draw", plan, "--word", "双色球", "--operator", "cli:two")
    assert "by hand  1 subjects  2 visits" in run("show", plan)
    run("publish", plan)
    file = tmp_path / "draw.json"
    file.write_text(run("proof", plan), encoding="utf-8")
    assert "comes out" in run("check-draw", str(file))
    assert plan in run("list")
    assert plan in run("tasks", "--inspector", PEOPLE[0].actor)
