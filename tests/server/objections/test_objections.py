"""What is objected to is marked on every output until two persons uphold it or one rejects it with a reason."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from tests.server.commitments.make import breached, in_force
from tests.server.credit.make import OTHER_SUBJECT, SUBJECT, Clock, published, recorded, services_on
from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.audit import operations as audit
from trace_server.commitments import operations as commitments
from trace_server.commitments.model import CommitmentState
from trace_server.config import Settings
from trace_server.credit import operations as credit
from trace_server.credit.model import Op, State, ViolationRecord
from trace_server.credit.regimes import shipped_policy
from trace_server.credit.rules import BadDecision
from trace_server.credit.wire import change_json
from trace_server.db import Database
from trace_server.lists import operations as lists
from trace_server.lists.model import ListState
from trace_server.lists.wire import membership_json
from trace_server.objections import operations, rules
from trace_server.objections.cli import objections as command
from trace_server.objections.model import Objection, ObjectionEvent, ObjectionState, Remedy, TargetKind
from trace_server.objections.operations import Claim, Step
from trace_server.objections.states import TRANSITIONS
from trace_server.services import Services

ONE, TWO = "user:one", "user:two"
API = "/api/v1/credit/objections"


@pytest.fixture
def services(database: Database) -> Services:
    return services_on(database, Clock())


def objected(
    services: Services, kind: TargetKind, target: str, owner: str | None = SUBJECT, speaker: str = ""
) -> Objection:
    claim = Claim(kind, target, "罚款金额与决定书不符", ("示决〔2026〕1号",), speaker)
    return operations.raise_objection(services, "client:firm", claim, owner=owner)


def take(services: Services, row: Objection, event: ObjectionEvent, actor: str, **more: object) -> Objection:
    step = Step(event, row.version, "核查属实", "示异〔2026〕1号", **more)  # type: ignore[arg-type]
    return operations.take_step(services, actor, row.objection_id, step)


def upheld(services: Services, row: Objection, remedy: Remedy, **changes: str) -> Objection:
    row = take(services, row, ObjectionEvent.PROPOSE, ONE, remedy=remedy, changes=changes)
    return take(services, row, ObjectionEvent.UPHOLD, TWO)


def current(services: Services) -> ViolationRecord:
    with services.db.read() as conn:
        (record,) = credit.records_of(conn, SUBJECT)
    return record


def test_a_record_is_marked_at_once_without_losing_its_state_and_the_clock_runs(services: Services) -> None:
    record = published(services)
    row = objected(services, TargetKind.RECORD, record.record_id)
    assert row.due_at is not None
    marked = current(services)
    assert (marked.state, marked.objection, marked.version) == (State.PUBLISHED, row.objection_id, record.version + 1)
    with services.db.read() as conn:
        change = credit.feed(conn, after=0, limit=10).changes[-1]
        assert not audit.verify(conn).reason
    told = change_json(change, shipped_policy())
    assert (told["op"], told["ext"]["objection"]) == ("upsert", True)
    with pytest.raises(Conflict, match="under way"):
        objected(services, TargetKind.RECORD, record.record_id)


def test_a_rejected_objection_ends_the_mark_and_says_why(services: Services) -> None:
    row = objected(services, TargetKind.RECORD, published(services).record_id)
    done = take(services, row, ObjectionEvent.REJECT, ONE)
    assert (done.state, done.due_at, done.reason) == (ObjectionState.REJECTED, None, "核查属实")
    assert (current(services).objection, current(services).state) == ("", State.PUBLISHED)


def test_two_persons_withdraw_a_record_in_the_transaction_that_decides(services: Services) -> None:
    row = objected(services, TargetKind.RECORD, published(services).record_id)
    proposed = take(services, row, ObjectionEvent.PROPOSE, ONE, remedy=Remedy.WITHDRAW)
    with pytest.raises(NotAllowed, match="second person"):
        take(services, proposed, ObjectionEvent.UPHOLD, ONE)
    assert current(services).state is State.PUBLISHED
    take(services, proposed, ObjectionEvent.UPHOLD, TWO)
    record = current(services)
    assert (record.state, record.objection, record.document) == (State.WITHDRAWN, "", "示异〔2026〕1号")


def test_an_upheld_correction_mends_the_named_fields_and_tells_before_and_after(services: Services) -> None:
    row = objected(services, TargetKind.RECORD, published(services).record_id)
    upheld(services, row, Remedy.CORRECT, CF_NR_FK="1", CF_NR="罚款一万元")
    record = current(services)
    assert (str(record.decision.fine_wan), record.objection, record.state) == ("1", "", State.PUBLISHED)
    with services.db.read() as conn:
        change = change_json(credit.feed(conn, after=0, limit=10).changes[-1], shipped_policy())
    assert change["op"] == Op.CORRECT
    assert {entry["code"] for entry in change["ext"]["changes"]} == {"CF_NR_FK", "CF_NR"}
    assert change["ext"]["objection"] is False


def test_a_correction_that_no_longer_fits_changes_nothing(services: Services) -> None:
    row = objected(services, TargetKind.RECORD, published(services).record_id)
    with pytest.raises(InputError, match="no field"):
        take(services, row, ObjectionEvent.PROPOSE, ONE, remedy=Remedy.CORRECT, changes={"CF_XDR_ZJHM": "1"})
    proposed = take(services, row, ObjectionEvent.PROPOSE, ONE, remedy=Remedy.CORRECT, changes={"CF_NR_FK": "much"})
    with pytest.raises(BadDecision):
        take(services, proposed, ObjectionEvent.UPHOLD, TWO)
    assert operations.open_objection(services, row.objection_id, owner="") == proposed
    back = take(services, proposed, ObjectionEvent.RETURN, TWO)
    assert (back.state, back.changes, back.remedy) == (ObjectionState.RAISED, {}, Remedy.NONE)


def test_a_breach_that_was_wrong_is_taken_back_with_its_points(services: Services) -> None:
    code = breached(services).code
    upheld(services, objected(services, TargetKind.COMMITMENT, code), Remedy.CORRECT)
    row = commitments.open_commitment(services, code, owner="")
    assert (row.state, row.objection) == (CommitmentState.IN_FORCE, "")
    with services.db.read() as conn:
        found = credit.checked_grade(conn, SUBJECT)
    assert found is not None
    assert not any(line.ref == code for line in found.assessment.grade.lines)


def test_a_withdrawn_commitment_leaves_only_its_code_in_the_feed(services: Services) -> None:
    code = in_force(services).code
    upheld(services, objected(services, TargetKind.COMMITMENT, code), Remedy.WITHDRAW)
    with services.db.read() as conn:
        told = [change_json(change, shipped_policy()) for change in credit.feed(conn, after=0, limit=10).changes]
    assert told[-1]["op"] == "withdraw"
    assert {frozenset(item["record"]) for item in told} == {frozenset({"承诺编码"})}


def test_a_list_entry_is_marked_and_an_upheld_objection_revokes_it(services: Services) -> None:
    entry = lists.propose(services, ONE, lists.Proposal("red", SUBJECT, "诚信典型", "示红〔2026〕1号", "示例市信用办"))
    row = objected(services, TargetKind.LIST, entry.membership_id)
    ((marked,), _) = lists.of_subject(services, SUBJECT)
    assert marked.objection == row.objection_id
    assert membership_json(marked)["objection"] is True
    with pytest.raises(InputError, match="not corrected"):
        take(services, row, ObjectionEvent.PROPOSE, ONE, remedy=Remedy.CORRECT)
    upheld(services, row, Remedy.WITHDRAW)
    ((ended,), _) = lists.of_subject(services, SUBJECT)
    assert (ended.state, ended.objection) == (ListState.DROPPED, "")


def test_a_subject_objects_to_what_is_said_of_itself_and_a_paper_names_its_speaker(services: Services) -> None:
    record = recorded(services)
    with pytest.raises(NotAllowed):
        objected(services, TargetKind.RECORD, record.record_id, owner=OTHER_SUBJECT)
    with pytest.raises(InputError) as refused:
        objected(services, TargetKind.RECORD, record.record_id, owner=None)
    assert refused.value.where == "representative"
    row = objected(services, TargetKind.RECORD, record.record_id, owner=None, speaker="示例律师事务所")
    with pytest.raises(NotAllowed, match="who raised"):
        take(services, row, ObjectionEvent.PROPOSE, "client:firm", remedy=Remedy.WITHDRAW)


def test_there_is_nothing_to_object_to_once_a_record_has_ended(services: Services) -> None:
    record = published(services)
    row = objected(services, TargetKind.RECORD, record.record_id)
    upheld(services, row, Remedy.WITHDRAW)
    with pytest.raises(Conflict):
        objected(services, TargetKind.RECORD, record.record_id)
    with pytest.raises(NotFound):
        objected(services, TargetKind.COMMITMENT, "32090020260601000009")
    with pytest.raises(InputError):
        objected(services, TargetKind.RECORD, "no id")


def test_an_objection_rejected_after_its_record_has_ended_leaves_the_end_alone(services: Services) -> None:
    record = published(services)
    row = objected(services, TargetKind.RECORD, record.record_id)
    credit.withdraw(services, record.record_id, credit.Paper("clerk", "法院撤销", "示行终〔2026〕1号"))
    before = current(services).version
    take(services, row, ObjectionEvent.REJECT, ONE)
    assert (current(services).state, current(services).version) == (State.WITHDRAWN, before)


def test_clocks_name_their_law_and_the_table_is_whole() -> None:
    assert all(row["legal_basis"] and not row["confirmed"] for row in rules.clocks())
    reached = {state for steps in TRANSITIONS.values() for state in steps.values()} | {ObjectionState.RAISED}
    assert reached == set(ObjectionState) == set(TRANSITIONS)
    assert {event for steps in TRANSITIONS.values() for event in steps} == set(ObjectionEvent)


def test_fields_are_typed_one_a_line() -> None:
    assert rules.read_changes(" CF_NR_FK = 1 \n\nCF_NR=罚款一万元") == {"CF_NR_FK": "1", "CF_NR": "罚款一万元"}
    with pytest.raises(InputError, match="one field a line"):
        rules.read_changes("CF_NR_FK 1")


def test_over_http_a_firm_follows_its_own_objection(database: Database) -> None:
    http = create_app(Settings(code_secret="t" * 32), database).test_client()
    now = Clock().now
    token = {
        name: accounts.add_client(database, now, "t", name=name, role=role, subject=subject)[1]
        for name, role, subject in (
            ("firm", Role.PRODUCER, SUBJECT), ("other", Role.PRODUCER, OTHER_SUBJECT),
            ("office", Role.CREDIT_OFFICE, ""), ("bureau", Role.REGULATOR, ""),
        )
    }  # fmt: skip
    bearer = {name: {"Authorization": f"Bearer {value}"} for name, value in token.items()}
    record = published(services_on(database, Clock()))
    body = {"kind": "record", "target": record.record_id, "claim": "金额有误"}
    assert http.post(API, json=body, headers=bearer["other"]).status_code == 403
    made = http.post(API, json=body, headers=bearer["firm"])
    assert made.status_code == 201, made.text
    path = f"{API}/{made.get_json()['objection_id']}"
    propose = {"event": "propose", "version": 1, "reason": "r", "remedy": "withdraw"}
    assert http.post(f"{path}/steps", json=propose, headers=bearer["firm"]).status_code == 403
    assert http.post(f"{path}/steps", json=propose, headers=bearer["office"]).get_json()["state"] == "proposed"
    seen = http.get(path, headers=bearer["firm"])
    assert (seen.get_json()["state"], seen.get_json()["remedy"]) == ("raised", "")
    tag = {"If-None-Match": seen.headers["ETag"]}
    assert http.get(path, headers=bearer["firm"] | tag).status_code == 304
    uphold = {"event": "uphold", "version": 2, "reason": "应予撤销", "document_no": "示异〔2026〕1号"}
    assert http.post(f"{path}/steps", json=uphold, headers=bearer["office"]).status_code == 403
    assert http.post(f"{path}/steps", json=uphold, headers=bearer["bureau"]).status_code == 200
    assert http.get(path, headers=bearer["firm"]).get_json()["reason"] == "应予撤销"
    assert http.get(path, headers=bearer["other"]).status_code == 404
    seen_by = {name: len(http.get(API, headers=bearer[name]).get_json()["items"]) for name in bearer}
    assert seen_by == {"firm": 1, "other": 0, "office": 1, "bureau": 1}
    assert http.get(f"{API}?cursor=x", headers=bearer["firm"]).status_code == 400


def test_the_commands_raise_list_and_decide(services: Services) -> None:
    record = published(services)

    def run(*arguments: str) -> str:
        return CliRunner().invoke(command, arguments, obj=services, catch_exceptions=False).output

    made = run("raise", "--kind", "record", "--target", record.record_id, "--claim", "金额有误", "--representative",
               "示例律师事务所", "--operator", "clerk", "--json")  # fmt: skip
    key = json.loads(made)["objection_id"]
    assert key in run("list", "--state", "raised")
    run("step", key, "propose", "--reason", "属实", "--remedy", "correct", "--change", "CF_NR_FK=1", "--operator", "a")
    done = run("step", key, "uphold", "--reason", "更正", "--document", "示异〔2026〕1号", "--operator", "b", "--json")
    assert json.loads(done)["state"] == "upheld"
    assert str(current(services).decision.fine_wan) == "1"
