"""Who is on which list, in order and in twos; what follows; and that the grade follows at once. Both databases."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.server.credit.make import OTHER_SUBJECT, SUBJECT, Clock, services_on
from trace_core.errors import Conflict, IdentifierError, InputError, NotAllowed
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.audit import operations as audit
from trace_server.config import Settings
from trace_server.credit import operations as credit
from trace_server.credit.grade_upkeep import regrade_all
from trace_server.db import Database
from trace_server.lists import operations, rules
from trace_server.lists.model import Effect, ListEvent, ListState, Membership
from trace_server.lists.operations import Proposal
from trace_server.lists.states import TRANSITIONS
from trace_server.services import Services

ONE, TWO = "user:one", "user:two"


@pytest.fixture
def services(database: Database) -> Services:
    return services_on(database, Clock())


def proposed(services: Services, list_id: str = "serious", uscc: str = SUBJECT) -> Membership:
    return operations.propose(
        services, ONE, Proposal(list_id, uscc, "性质恶劣、情节严重", "示市监列〔2026〕1号", "示例市市场监督管理局")
    )


def step(services: Services, row: Membership, event: ListEvent, actor: str = TWO) -> Membership:
    return operations.take_step(services, actor, row.membership_id, event, version=row.version, reason="依据文书办理")


def pass_days(services: Services, days: int) -> None:
    assert isinstance(services.clock, Clock)
    services.clock.now += timedelta(days=days)


def listed(services: Services) -> Membership:
    row = step(services, proposed(services), ListEvent.NOTICE)
    pass_days(services, 10)
    return step(services, row, ListEvent.LIST)


def level(services: Services) -> str:
    with services.db.read() as conn:
        grade = credit.checked_grade(conn, SUBJECT)
    return grade.assessment.grade.level if grade else ""


def test_a_subject_is_listed_after_notice_by_a_second_person_and_graded_at_once(services: Services) -> None:
    row = proposed(services)
    with pytest.raises(NotAllowed, match="notified first"):
        step(services, row, ListEvent.LIST)
    row = step(services, row, ListEvent.NOTICE, ONE)
    with pytest.raises(NotAllowed, match="not over"):
        step(services, row, ListEvent.LIST)
    pass_days(services, 10)
    with pytest.raises(NotAllowed, match="second person"):
        step(services, row, ListEvent.LIST, ONE)
    row = step(services, row, ListEvent.LIST)
    assert row.state is ListState.LISTED
    assert row.until == rules.add_months(row.listed_on or date.min, 36)
    assert level(services) == "D"
    with services.db.read() as conn:
        assert not audit.verify(conn).reason


def test_an_error_is_taken_back_as_if_it_had_never_been(services: Services) -> None:
    row = listed(services)
    assert level(services) == "D"
    row = step(services, row, ListEvent.REVOKE)
    assert row.state is ListState.REVOKED
    assert not row.holds(row.listed_on or date.min)
    assert level(services) != "D"
    assert operations.check(services, SUBJECT, "", "c", "采购审查").effect is Effect.ALLOW


def test_early_removal_waits_for_its_year_and_the_end_comes_by_itself(services: Services) -> None:
    row = listed(services)
    with pytest.raises(InputError, match="early removal is possible from"):
        step(services, row, ListEvent.REMOVE_EARLY)
    pass_days(services, 366)
    removed = step(services, row, ListEvent.REMOVE_EARLY)
    assert removed.state is ListState.REMOVED_EARLY
    again = step(services, proposed(services), ListEvent.NOTICE)
    pass_days(services, 10)
    again = step(services, again, ListEvent.LIST)
    pass_days(services, 3 * 366)
    assert operations.expire(services) == 1
    assert operations.expire(services) == 0
    (memberships, _) = operations.of_subject(services, SUBJECT)
    assert {one.state for one in memberships} == {ListState.REMOVED_EARLY, ListState.REMOVED_EXPIRED}


def test_a_list_without_a_period_is_left_by_cure(services: Services) -> None:
    row = step(services, proposed(services, "abnormal"), ListEvent.LIST)
    assert row.until is None
    with pytest.raises(InputError, match="no early removal"):
        step(services, row, ListEvent.REMOVE_EARLY)
    assert step(services, row, ListEvent.CURE).state is ListState.CURED


def test_the_check_names_the_heaviest_effect_its_basis_and_its_end(services: Services) -> None:
    row = listed(services)
    step(services, proposed(services, "abnormal"), ListEvent.LIST)
    found = operations.check(services, SUBJECT, "政府采购", "client:x", "采购审查")
    assert found.effect is Effect.FORBID
    assert {measure.id for measure, _ in found.measures} == {"procurement-serious", "procurement-abnormal"}
    assert found.until is None  # the abnormal list has no fixed end
    assert all(measure.legal_basis for measure, _ in found.measures)
    honours = operations.check(services, SUBJECT, "评优评先", "client:x", "评选")
    assert (honours.effect, honours.until) == (Effect.FORBID, row.until)
    assert operations.check(services, OTHER_SUBJECT, "政府采购", "client:x", "采购审查").effect is Effect.ALLOW
    with pytest.raises(InputError):
        operations.check(services, SUBJECT, "政府采购", "client:x", " ")
    with pytest.raises(IdentifierError):
        operations.check(services, "123", "政府采购", "client:x", "采购审查")


def test_a_subject_is_once_on_a_list_and_a_stale_step_is_refused(services: Services) -> None:
    row = proposed(services)
    with pytest.raises(Conflict):
        proposed(services)
    step(services, row, ListEvent.DROP)
    with pytest.raises(Conflict, match="meanwhile"):
        step(services, row, ListEvent.NOTICE)
    assert proposed(services).state is ListState.PROPOSED


def test_feedback_says_who_applied_what(services: Services) -> None:
    operations.report_application(services, "client:x", SUBJECT, "procurement-serious", "示例市财政局", "取消投标资格")
    (_, (found,)) = operations.of_subject(services, SUBJECT)
    assert (found.measure_id, found.result) == ("procurement-serious", "取消投标资格")
    with pytest.raises(InputError):
        operations.report_application(services, "client:x", SUBJECT, "nothing", "x", "y")


def test_the_nightly_sweep_agrees_with_what_was_stated(services: Services) -> None:
    listed(services)
    before = level(services)
    regrade_all(services)
    assert level(services) == before


def test_over_http_each_role_does_its_own(database: Database) -> None:
    http = create_app(Settings(code_secret="t" * 32), database).test_client()
    now = Clock().now
    tokens = {
        role: {"Authorization": "Bearer " + accounts.add_client(database, now, "t", name=role.value, role=role)[1]}
        for role in (Role.CREDIT_OFFICE, Role.AUDITOR)
    }
    body = {"list": "serious", "uscc": SUBJECT, "reason": "r", "document_no": "示1号", "issuer": "示例局"}
    made = http.post("/api/v1/lists/memberships", json=body, headers=tokens[Role.CREDIT_OFFICE])
    assert made.status_code == 201
    assert http.post("/api/v1/lists/memberships", json=body, headers=tokens[Role.AUDITOR]).status_code == 403
    path = f"/api/v1/lists/memberships/{made.get_json()['membership_id']}/steps"
    noticed = http.post(path, json={"event": "notice", "version": 1, "reason": "r"}, headers=tokens[Role.CREDIT_OFFICE])
    assert noticed.get_json()["state"] == "noticed"
    answer = http.get(f"/api/v1/restrictions/{SUBJECT}?purpose=x", headers=tokens[Role.CREDIT_OFFICE]).get_json()
    assert answer["effect"] == "allow"
    assert http.get(f"/api/v1/restrictions/{SUBJECT}", headers=tokens[Role.CREDIT_OFFICE]).status_code == 400
    assert http.get("/api/v1/lists/serious", headers=tokens[Role.AUDITOR]).get_json()["items"] == []


def test_data_is_whole_and_says_that_nobody_confirmed_it() -> None:
    assert {measure.list for measure in rules.measures()} <= set(rules.kinds())
    for entry in (*rules.kinds().values(), *rules.measures()):
        assert entry.legal_basis
        assert not entry.confirmed
    reached = {state for steps in TRANSITIONS.values() for state in steps.values()} | {ListState.PROPOSED}
    assert reached == set(ListState)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [("2026-01-31", 1, "2026-02-28"), ("2024-02-29", 12, "2025-02-28"), ("2026-06-01", 36, "2029-06-01")],
)
def test_months_end_where_the_month_does(start: str, months: int, end: str) -> None:
    assert rules.add_months(date.fromisoformat(start), months) == date.fromisoformat(end)
