"""Who has set things right asks for the end of a record's display; two people decide; everywhere it ends at once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.server.credit.make import OTHER_SUBJECT, SUBJECT, Clock, paper, published, recorded, services_on
from trace_core.errors import Conflict, InputError, NotAllowed
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.audit import operations as audit
from trace_server.config import Settings
from trace_server.credit import operations as credit
from trace_server.credit.model import Op, State, ViolationRecord
from trace_server.db import Database
from trace_server.repairs import operations, rules
from trace_server.repairs.model import Application, RepairEvent, RepairState
from trace_server.repairs.states import TRANSITIONS
from trace_server.services import Services

ONE, TWO = "user:one", "user:two"


@pytest.fixture
def services(database: Database) -> Services:
    return services_on(database, Clock())


def old_enough(services: Services) -> ViolationRecord:
    """A published record whose least window is over."""
    record = published(services)
    assert isinstance(services.clock, Clock)
    services.clock.now += timedelta(days=(record.window_min_end - services.clock.now.date()).days + 1)
    return record


def applied(services: Services, record: ViolationRecord, owner: str | None = SUBJECT) -> Application:
    return operations.apply(
        services, "client:firm", record.record_id, owner=owner, correction="已整改并缴清罚款",
        promise="承诺所提交材料真实", papers=("示缴款〔2026〕1号",),
    )  # fmt: skip


def decide(services: Services, row: Application, event: RepairEvent, actor: str) -> Application:
    return operations.decide(
        services,
        actor,
        row.application_id,
        event,
        reason="材料齐全",
        document_no="示修复〔2026〕1号",
        version=row.version,
    )


def test_a_grant_by_a_second_person_ends_the_record_in_the_same_transaction(services: Services) -> None:
    record = old_enough(services)
    row = decide(services, applied(services, record), RepairEvent.ACCEPT, ONE)
    with pytest.raises(NotAllowed, match="second person"):
        decide(services, row, RepairEvent.GRANT, ONE)
    row = decide(services, row, RepairEvent.GRANT, TWO)
    assert (row.state, row.due_at) == (RepairState.GRANTED, None)
    with services.db.read() as conn:
        (found,) = credit.records_of(conn, SUBJECT)
        assert found.state is State.REPAIRED
        assert found.document == "示修复〔2026〕1号"
        assert credit.feed(conn, after=0, limit=10).changes[-1].op is Op.REPAIR
        assert not audit.verify(conn).reason


def test_before_the_least_window_nobody_need_apply(services: Services) -> None:
    record = published(services)
    with pytest.raises(InputError, match="repair is possible from"):
        applied(services, record)


def test_a_subject_applies_about_its_own_records_once(services: Services) -> None:
    record = old_enough(services)
    with pytest.raises(NotAllowed):
        applied(services, record, owner=OTHER_SUBJECT)
    applied(services, record)
    with pytest.raises(Conflict, match="is open"):
        applied(services, record)


def test_what_is_not_on_display_cannot_be_repaired(services: Services) -> None:
    record = recorded(services)
    with pytest.raises(Conflict, match="cannot be repaired"):
        applied(services, record)


def test_a_returned_application_is_completed_and_its_clock_starts_anew(services: Services) -> None:
    row = applied(services, old_enough(services))
    assert row.due_at is not None
    back = decide(services, row, RepairEvent.RETURN, ONE)
    assert back.due_at is None
    with pytest.raises(NotAllowed):
        operations.hand_in_again(
            services, "client:x", row.application_id, owner=OTHER_SUBJECT, correction="x", papers=("1",), version=2
        )
    again = operations.hand_in_again(
        services,
        "client:firm",
        row.application_id,
        owner=SUBJECT,
        correction="补充",
        papers=("示补〔2026〕2号",),
        version=2,
    )
    assert (again.state, again.papers) == (RepairState.SUBMITTED, ("示补〔2026〕2号",))
    assert again.due_at is not None


def test_a_refusal_keeps_the_record_and_says_why(services: Services) -> None:
    record = old_enough(services)
    row = decide(
        services, decide(services, applied(services, record), RepairEvent.ACCEPT, ONE), RepairEvent.REFUSE, TWO
    )
    assert row.reason == "材料齐全"
    with services.db.read() as conn:
        assert credit.records_of(conn, SUBJECT)[0].state is State.PUBLISHED
    assert applied(services, record).state is RepairState.SUBMITTED


def test_a_grant_that_the_archive_refuses_changes_nothing(services: Services) -> None:
    record = old_enough(services)
    row = decide(services, applied(services, record), RepairEvent.ACCEPT, ONE)

    credit.withdraw(services, record.record_id, paper())
    with pytest.raises(Conflict):
        decide(services, row, RepairEvent.GRANT, TWO)
    (still,) = operations.list_applications(services, SUBJECT, None, after=None, limit=10)
    assert still == row


def test_over_http_a_firm_sees_its_own_and_the_office_all(database: Database) -> None:
    http = create_app(Settings(code_secret="t" * 32), database).test_client()
    now = Clock().now
    clients = {
        "firm": accounts.add_client(database, now, "t", name="firm", role=Role.PRODUCER, subject=SUBJECT)[1],
        "other": accounts.add_client(database, now, "t", name="other", role=Role.PRODUCER, subject=OTHER_SUBJECT)[1],
        "office": accounts.add_client(database, now, "t", name="office", role=Role.CREDIT_OFFICE)[1],
    }
    bearer = {name: {"Authorization": f"Bearer {token}"} for name, token in clients.items()}
    services = services_on(database, Clock())
    record = old_enough(services)
    body = {"record_id": record.record_id, "correction": "c", "promise": "p", "papers": ["1"]}
    made = http.post("/api/v1/credit/repairs", json=body, headers=bearer["firm"])
    assert made.status_code == 201, made.text
    path = f"/api/v1/credit/repairs/{made.get_json()['application_id']}/steps"
    step = {"event": "accept", "version": 1, "reason": "r"}
    assert http.post(path, json=step, headers=bearer["firm"]).status_code == 403
    assert http.post(path, json=step, headers=bearer["office"]).get_json()["state"] == "accepted"
    seen = {name: len(http.get("/api/v1/credit/repairs", headers=bearer[name]).get_json()["items"]) for name in bearer}
    assert seen == {"firm": 1, "other": 0, "office": 1}


def test_clocks_name_their_law_and_the_table_is_whole() -> None:
    assert all(row["legal_basis"] and not row["confirmed"] for row in rules.clocks())
    reached = {state for steps in TRANSITIONS.values() for state in steps.values()} | {RepairState.SUBMITTED}
    assert reached == set(RepairState)
