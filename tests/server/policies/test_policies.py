"""A version of the grading policy: nothing is skipped on its way, and the grades follow it from its first day."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.server.credit.make import SUBJECT, TODAY, Clock, services_on
from tests.server.policies.make import (
    AUTHOR,
    ONE,
    RISKS,
    TWO,
    active,
    approved,
    draft_text,
    drafted,
    reviewed,
    simulated,
    stocked,
    stricter,
)
from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.audit import operations as audit
from trace_server.config import Settings
from trace_server.credit import operations as credit
from trace_server.credit.grade_upkeep import regrade_all
from trace_server.db import Database
from trace_server.policies import operations, rules
from trace_server.policies.cli import policies as command
from trace_server.policies.model import PolicyEvent, PolicyState, Risk
from trace_server.policies.operations import POLICY_ID
from trace_server.policies.states import TRANSITIONS
from trace_server.services import Services

API = "/api/v1/credit/policies"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def services(database: Database, clock: Clock) -> Services:
    return services_on(database, clock)


def shown(services: Services) -> tuple[str, str, str]:
    """Level, standing and version of the policy, as the archive explains the grade."""
    with services.db.read() as conn:
        found = credit.checked_grade(conn, SUBJECT)
    assert found is not None
    grade = found.assessment.grade
    return grade.level, grade.policy_status, grade.policy_version


def test_row_2_7_a_draft_goes_all_the_way_and_from_its_first_day_the_grade_names_it(
    services: Services, clock: Clock
) -> None:
    stocked(services)
    regrade_all(services)
    assert shown(services)[:2] == ("B", "default")
    row = active(services, drafted(services), TODAY + timedelta(days=1))
    assert row.state is PolicyState.ACTIVE
    regrade_all(services)
    assert shown(services)[:2] == ("B", "default")
    clock.now += timedelta(days=1)
    assert regrade_all(services) == 8
    level, status, version = shown(services)
    assert (level, status, version.partition("-")[0]) == ("C", "approved", "2")
    with services.db.read() as conn:
        assert not audit.verify(conn).reason


def test_a_simulation_tells_who_changes_where_and_how_many_inspections_that_means(services: Services) -> None:
    stocked(services)
    row, made = operations.run_simulation(services, AUTHOR, POLICY_ID, 2, drafted(services).version, seed="s1")
    assert row.state is PolicyState.SIMULATED
    assert [(move.before, move.after, move.count) for move in made.moves] == [("A", "A", 7), ("B", "C", 1)]
    assert [(one.region, one.better, one.worse, one.same) for one in made.regions] == [
        ("320902", 0, 0, 4),
        ("320925", 0, 1, 3),
    ]
    assert (made.load_before.least, made.load_before.most) == (8, 9)
    assert (made.load_after.least, made.load_after.most) == (9, 10)
    (change,) = made.changes
    assert (change.uscc, change.score_before, change.score_after) == (SUBJECT, "85.60", "64.00")
    assert (made.changed, made.changed_low, made.changed_high) == (1, 0.125, 0.125)


def test_the_same_simulation_again_has_the_same_digest_and_another_seed_draws_others(services: Services) -> None:
    stocked(services)
    version = drafted(services).version

    def run(seed: str, version: int, most: int | None = 3) -> tuple[str, int, int]:
        row, made = operations.run_simulation(
            services, AUTHOR, POLICY_ID, 2, version, seed=seed, as_of=TODAY, most=most
        )
        assert made.simulated == min(most or 8, 8)
        return made.digest, row.version, made.population

    first, version, population = run("s1", version)
    again, version, _ = run("s1", version)
    other, version, _ = run("s2", version)
    whole, version, _ = run("s1", version, None)
    assert population == 8
    assert first == again
    assert len({first, other, whole}) == 3


@given(st.integers(0, 500), st.integers(1, 500))
def test_an_interval_holds_the_share_and_shrinks_to_it_when_everybody_was_asked(hits: int, more: int) -> None:
    of = hits + more
    low, high = rules.interval(hits, of, is_all=False)
    assert 0 <= low <= hits / of <= high <= 1
    assert rules.interval(hits, of, is_all=True) == (hits / of, hits / of)


def test_row_2_7_b_nobody_approves_without_a_risk_list_and_its_responses(services: Services) -> None:
    stocked(services)
    row = simulated(services, drafted(services))
    with pytest.raises(Conflict):
        operations.approve(services, ONE, POLICY_ID, 2, row.version, "同意")
    for risks, days, where in (
        ((), (30,), "risks"),
        ((Risk("检查量增加", " "),), (30,), "risks"),
        (RISKS, (), "check_after_days"),
        (RISKS, (0,), "check_after_days"),
    ):
        with pytest.raises(InputError) as refused:
            operations.review(services, AUTHOR, POLICY_ID, 2, row.version, risks, days)
        assert refused.value.where == where


def test_two_persons_approve_and_neither_is_the_author(services: Services) -> None:
    stocked(services)
    row = reviewed(services, drafted(services))
    with pytest.raises(NotAllowed, match="author"):
        operations.approve(services, AUTHOR, POLICY_ID, 2, row.version, "同意")
    row = operations.approve(services, ONE, POLICY_ID, 2, row.version, "同意")
    assert row.state is PolicyState.REVIEWED
    with pytest.raises(NotAllowed, match="second person"):
        operations.approve(services, ONE, POLICY_ID, 2, row.version, "同意")
    row = operations.approve(services, TWO, POLICY_ID, 2, row.version, "同意")
    assert (row.state, len(row.approvals)) == (PolicyState.APPROVED, 2)


def test_row_1_2_a_rule_without_a_legal_basis_cannot_come_into_force(services: Services) -> None:
    stocked(services)
    bare = operations.starting_text(services)
    row = approved(services, drafted(services, bare))
    assert "deduction.general" in operations.open_version(services, POLICY_ID, 2).without_basis
    with pytest.raises(Conflict, match=r"no legal basis.*deduction\.general"):
        operations.activate(services, ONE, POLICY_ID, 2, row.version, TODAY)
    back = operations.send_back(services, ONE, POLICY_ID, 2, row.version, "补充依据")
    assert (back.state, back.run, back.approvals, back.review) == (PolicyState.DRAFT, 0, (), None)
    whole = operations.edit(services, AUTHOR, POLICY_ID, 2, back.version, draft_text_of(services, 2))
    assert operations.open_version(services, POLICY_ID, whole.number).without_basis == ()


def draft_text_of(services: Services, number: int) -> str:
    """A founded text for a number that is taken already."""
    text = draft_text(services)
    return text.replace(f"version = {number + 1}\n", f"version = {number}\n", 1)


def test_a_basis_that_has_ended_founds_nothing(services: Services) -> None:
    stocked(services)
    text = stricter(services) + "valid_to = 2026-05-31\n"
    row = approved(services, drafted(services, text))
    with pytest.raises(Conflict, match="no legal basis"):
        operations.activate(services, ONE, POLICY_ID, 2, row.version, TODAY)


def test_a_text_that_is_no_draft_of_this_policy_is_refused_with_its_place(services: Services) -> None:
    text = stricter(services)
    for old, new, what in (
        ('status = "draft"', 'status = "approved"', "draft until"),
        ("version = 2", "version = 9", "its version"),
        ('id = "credit-grade"', 'id = "other"', "not the grading policy"),
        ('minor = "4"', 'minor = "x"', "not a number"),
        ('\n[[legal_basis]]\nrules = ["', '\n[[legal_basis]]\nrules = ["tiny", "', "not here"),
        ('article = "第八条"', 'article = " "', "legal basis names"),
    ):
        with pytest.raises(InputError, match=what):
            operations.draft(services, AUTHOR, text.replace(old, new, 1), "试")
    assert operations.list_versions(services) == []


def test_a_rollback_is_a_new_version_that_brings_the_old_content_back(services: Services, clock: Clock) -> None:
    stocked(services)
    active(services, drafted(services), TODAY)
    regrade_all(services)
    assert shown(services)[0] == "C"
    back = operations.roll_back(services, AUTHOR, POLICY_ID, 1, "回到默认方案")
    assert (back.number, back.rollback_of, back.state) == (3, 1, PolicyState.DRAFT)
    text = draft_text_of(services, 3).replace('general = "30"', 'general = "12"')
    clock.now += timedelta(days=1)
    edited = operations.edit(services, AUTHOR, POLICY_ID, 3, back.version, text)
    active(services, edited, TODAY + timedelta(days=1))
    assert operations.open_version(services, POLICY_ID, 2).row.state is PolicyState.SUPERSEDED
    regrade_all(services)
    assert shown(services)[0] == "B"
    with pytest.raises(NotFound):
        operations.roll_back(services, AUTHOR, POLICY_ID, 77, "没有这一版")


def test_a_version_is_superseded_on_the_day_its_successor_begins(services: Services, clock: Clock) -> None:
    stocked(services)
    active(services, drafted(services), TODAY)
    active(services, drafted(services, draft_text(services)), TODAY + timedelta(days=3))
    operations.keep_up(services)
    assert operations.open_version(services, POLICY_ID, 2).row.state is PolicyState.ACTIVE
    clock.now += timedelta(days=3)
    operations.keep_up(services)
    assert operations.open_version(services, POLICY_ID, 2).row.state is PolicyState.SUPERSEDED
    assert operations.open_version(services, POLICY_ID, 3).row.state is PolicyState.ACTIVE


def test_a_version_ahead_can_be_withdrawn_and_one_that_counts_cannot(services: Services, clock: Clock) -> None:
    stocked(services)
    row = active(services, drafted(services), TODAY + timedelta(days=3))
    gone = operations.withdraw(services, ONE, POLICY_ID, 2, row.version, "另行修订")
    assert gone.state is PolicyState.WITHDRAWN
    clock.now += timedelta(days=5)
    regrade_all(services)
    assert shown(services)[1] == "default"
    today = TODAY + timedelta(days=5)
    counting = active(services, drafted(services), today)
    with pytest.raises(Conflict, match="counts already"):
        operations.withdraw(services, ONE, POLICY_ID, 3, counting.version, "后悔了")
    assert PolicyEvent.WITHDRAW not in rules.possible(counting, today)
    with pytest.raises(InputError, match="past"):
        late = approved(services, drafted(services, draft_text(services)))
        operations.activate(services, ONE, POLICY_ID, 4, late.version, today - timedelta(days=1))


def test_row_2_7_c_prediction_and_observation_are_compared_on_the_days_that_were_set(
    services: Services, clock: Clock
) -> None:
    stocked(services)
    active(services, drafted(services), TODAY)
    regrade_all(services)
    assert operations.keep_up(services) == 0
    clock.now += timedelta(days=31)
    regrade_all(services)
    assert operations.keep_up(services) == 1
    assert operations.keep_up(services) == 0
    (made,) = operations.open_version(services, POLICY_ID, 2).comparisons
    assert (made.after_days, made.due_on, made.observed) == (30, TODAY + timedelta(days=30), 8)
    assert {(one.level, one.predicted, one.observed) for one in made.shares} >= {
        ("A", 0.875, 0.875),
        ("C", 0.125, 0.125),
    }
    assert made.load_predicted == made.load_observed


def test_what_somebody_else_changed_meanwhile_is_not_written_over(services: Services) -> None:
    stocked(services)
    row = drafted(services)
    simulated(services, row)
    with pytest.raises(Conflict, match="meanwhile"):
        operations.run_simulation(services, AUTHOR, POLICY_ID, 2, row.version, seed="s1")


def test_every_state_can_be_reached_and_every_end_is_meant() -> None:
    reached = {after for steps in TRANSITIONS.values() for after in steps.values()} | {PolicyState.DRAFT}
    assert reached == set(PolicyState)
    assert {state for state, steps in TRANSITIONS.items() if not steps} == {
        PolicyState.SUPERSEDED,
        PolicyState.WITHDRAWN,
    }


def test_the_lab_over_http(database: Database, services: Services) -> None:
    stocked(services)
    clients = {}
    for name, role in (("author", Role.CREDIT_OFFICE), ("one", Role.CREDIT_OFFICE), ("two", Role.CREDIT_OFFICE),
                       ("auditor", Role.AUDITOR)):  # fmt: skip
        _, token = accounts.add_client(database, services.clock(), "test", name=name, role=role)
        clients[name] = {"Authorization": f"Bearer {token}"}
    http = create_app(Settings(code_secret="t" * 32), database).test_client()
    start = http.get(f"{API}/start", headers=clients["auditor"]).json
    assert 'status = "draft"' in start["text"]
    text = stricter(services)
    assert http.post(API, json={"text": text, "reason": "r"}, headers=clients["auditor"]).status_code == 403
    made = http.post(API, json={"text": text, "reason": "r"}, headers=clients["author"])
    assert (made.status_code, made.json["state"]) == (201, "draft")
    one = f"{API}/credit-grade/2"

    def step(who: str, path: str, version: int, **given: object) -> int:
        answer = http.post(f"{one}/{path}", json={"version": version, **given}, headers=clients[who])
        assert answer.status_code == 200, answer.json
        return int(answer.json["version"])

    version = step("author", "simulations", 1, seed="s1")
    risks = [{"risk": "检查量增加", "response": "借调"}]
    version = step("author", "review", version, risks=risks, check_after_days=[30])
    version = step("one", "approvals", version, reason="同意")
    again = http.post(f"{one}/approvals", json={"version": version, "reason": "r"}, headers=clients["one"])
    assert again.status_code == 403
    version = step("two", "approvals", version, reason="同意")
    later = (date.today() + timedelta(days=400)).isoformat()  # noqa: DTZ011 – the app's clock is the host's
    version = step("one", "activation", version, from_day=later)
    found = http.get(one, headers=clients["auditor"]).json
    assert (found["state"], found["effective_from"], found["outcome"]["changed"]) == ("active", later, 1)
    step("two", "withdrawal", version, reason="改期")
    assert [row["state"] for row in http.get(API, headers=clients["auditor"]).json["items"]] == ["withdrawn"]
    back = http.post(API, json={"rollback_of": 1, "reason": "r"}, headers=clients["author"])
    assert (back.status_code, back.json["rollback_of"]) == (201, 1)


def test_the_lab_on_the_command_line(services: Services, tmp_path: Path) -> None:
    stocked(services)
    file = tmp_path / "policy.toml"

    def run(*words: str) -> str:
        done = CliRunner().invoke(command, words, obj=services, catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    assert 'status = "draft"' in run("start")
    file.write_text(stricter(services), encoding="utf-8")
    assert "credit-grade/2  draft" in run("draft", str(file), "--reason", "提高扣分", "--operator", AUTHOR)
    told = json.loads(run("simulate", "2", "--seed", "s1", "--operator", AUTHOR, "--json"))
    assert (told["changed"], told["simulated"]) == (1, 8)
    assert "B -> C" in run("simulate", "2", "--operator", AUTHOR)
    run("review", "2", "--risk", "检查量增加 => 借调两人", "--check-after", "30", "--operator", AUTHOR)
    run("approve", "2", "--reason", "同意", "--operator", ONE)
    run("approve", "2", "--reason", "同意", "--operator", TWO)
    assert "active  from 2026-06-01" in run("activate", "2", "--from", "2026-06-01", "--operator", ONE)
    assert "85.60 -> C 64" in run("show", "2")
    assert json.loads(run("list", "--json"))["state"] == "active"
