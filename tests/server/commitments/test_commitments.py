"""A commitment is registered, kept or broken; a breach stands in the archive only when a second person recorded it."""

from __future__ import annotations

import json
import threading
from datetime import date, timedelta

import pytest
from click.testing import CliRunner

from tests.server.commitments.make import ONE, PERSON_NUMBER, TWO, act, breached, in_force, promise, signed
from tests.server.credit.make import AUTHORITY, OTHER_SUBJECT, SUBJECT, Clock, published, services_on
from trace_core.errors import Conflict, InputError, NotAllowed
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.audit import operations as audit
from trace_server.commitments import operations, rules
from trace_server.commitments.cli import commitments as command
from trace_server.commitments.model import CommitmentEvent, CommitmentState, Publicity
from trace_server.commitments.operations import Step
from trace_server.commitments.states import BY_OBJECTION, TRANSITIONS
from trace_server.config import Settings
from trace_server.credit import operations as credit
from trace_server.credit.grade_upkeep import regrade_all
from trace_server.credit.model import Filter, Op, SharedChange
from trace_server.db import Database
from trace_server.repairs import operations as repairs
from trace_server.services import Services

API = "/api/v1/credit/commitments"


@pytest.fixture
def services(database: Database) -> Services:
    return services_on(database, Clock())


def told(services: Services) -> list[SharedChange]:
    """What the feed says of commitments."""
    with services.db.read() as conn:
        page = credit.feed(conn, after=0, limit=50, wanted=Filter(kinds=("commitment",)))
    return [change for change in page.changes if isinstance(change, SharedChange)]


def level(services: Services) -> tuple[str, bool]:
    with services.db.read() as conn:
        found = credit.checked_grade(conn, SUBJECT)
    assert found is not None
    conditions = {reason.condition: reason.met for reason in found.assessment.green.reasons}
    return found.assessment.grade.level, conditions["no_commitment_breach"]


def test_a_code_is_region_day_and_serial_and_never_given_twice(services: Services) -> None:
    first, second = signed(services), signed(services)
    other = signed(services, made_on=date(2026, 5, 31))
    assert (first.code, second.code) == (f"{AUTHORITY[2:8]}20260601000001", f"{AUTHORITY[2:8]}20260601000002")
    assert other.code.endswith("20260531000001")
    assert {len(row.code) for row in (first, second, other)} == {20}


REFUSED: tuple[tuple[dict[str, object], str], ...] = (
    ({"type": "口头型"}, "type"),
    ({"subject_kind": "外星人"}, "subject_kind"),
    ({"subject_code": "123"}, "subject_code"),
    ({"acceptor_code": "x"}, "acceptor_code"),
    ({"content": " "}, "content"),
    ({"cause": "长" * 513}, "cause"),
    ({"made_on": date(2026, 6, 2)}, "made_on"),
    ({"valid_until": date(2026, 5, 1)}, "valid_until"),
    ({"type": "信用修复型"}, "repair_id"),
    ({"repair_id": "repair-000000000000"}, "repair_id"),
    ({"type": "信用修复型", "repair_id": "repair-000000000000"}, "repair_id"),
)


def test_a_commitment_that_the_template_does_not_allow_is_refused_at_its_field(services: Services) -> None:
    for changes, where in REFUSED:
        with pytest.raises(InputError) as refused:
            signed(services, **changes)
        assert refused.value.where == where, changes
    assert operations.count_commitments(services) == {}


def test_a_company_signs_for_itself_only(services: Services) -> None:
    with pytest.raises(NotAllowed):
        operations.sign(services, "client:other", promise(), owner=OTHER_SUBJECT)


def test_a_breach_needs_two_persons_its_words_and_its_paper(services: Services) -> None:
    row = in_force(services)
    with pytest.raises(InputError, match="characters"):
        operations.take_step(services, ONE, row.code, Step(CommitmentEvent.FIND_PARTLY, row.version, "查实"))
    found = act(services, row, CommitmentEvent.FIND_PARTLY)
    with pytest.raises(NotAllowed, match="second person"):
        act(services, found, CommitmentEvent.RECORD_BREACH)
    with pytest.raises(InputError) as refused:
        operations.take_step(services, TWO, found.code, Step(CommitmentEvent.RECORD_BREACH, found.version, "复核"))
    assert refused.value.where == "document_no"
    assert [change.item.state for change in told(services)] == ["public", "in_force"]
    act(services, found, CommitmentEvent.RECORD_BREACH, actor=TWO)
    last = told(services)[-1].item
    assert (last.state, last.op, last.record["承诺履行状态"]) == ("breach", Op.UPSERT, "部分履行")
    with services.db.read() as conn:
        assert not audit.verify(conn).reason


def test_a_finding_that_the_second_person_does_not_share_leaves_no_trace_outside(services: Services) -> None:
    found = act(services, in_force(services), CommitmentEvent.FIND_UNFULFILLED)
    back = act(services, found, CommitmentEvent.RETURN, actor=TWO)
    assert (back.state, back.finding.unfulfilled) == (CommitmentState.IN_FORCE, "")
    assert len(told(services)) == 2


def test_a_breach_lowers_the_grade_and_closes_the_green_channel_until_it_is_made_good(services: Services) -> None:
    published(services)
    before, is_clean = level(services)
    assert is_clean
    row = breached(services)
    after, is_clean = level(services)
    assert (before, after, is_clean) == ("B", "B", False) or (after > before and not is_clean)
    with services.db.read() as conn:
        made = credit.checked_grade(conn, SUBJECT)
    assert made is not None
    assert any(line.ref == row.code and line.points == -10 for line in made.assessment.grade.lines)
    done = act(services, row, CommitmentEvent.REMEDY)
    assert (done.state, done.remedied_on) == (CommitmentState.REMEDIED, date(2026, 6, 1))
    with services.db.read() as conn:
        mended = credit.checked_grade(conn, SUBJECT)
    assert mended is not None
    assert not any(line.kind == "cap" for line in mended.assessment.grade.lines)


def test_a_subject_that_has_nothing_but_a_breach_is_graded_every_night(database: Database) -> None:
    clock = Clock()
    services = services_on(database, clock)
    breached(services)
    assert level(services)[0] == "B"
    clock.now += timedelta(days=1)
    regrade_all(services)
    with services.db.read() as conn:
        found = credit.checked_grade(conn, SUBJECT)
    assert found is not None
    assert found.checked_on == date(2026, 6, 2)


def test_publication_follows_the_public_type_and_a_second_person(services: Services) -> None:
    row = signed(services)
    with pytest.raises(InputError, match="published first"):
        act(services, row, CommitmentEvent.ENTER)
    with pytest.raises(NotAllowed, match="second person"):
        act(services, row, CommitmentEvent.PUBLISH, actor="client:firm")
    closed = signed(services, publicity=Publicity.CLOSED)
    with pytest.raises(InputError, match="not for the public"):
        act(services, closed, CommitmentEvent.PUBLISH)
    act(services, closed, CommitmentEvent.ENTER)
    shown = act(services, row, CommitmentEvent.PUBLISH)
    with services.db.read() as conn:
        assert [one.code for one in operations.shown_of(conn, SUBJECT)] == [shown.code]


def test_a_person_is_masked_everywhere_and_his_number_leaves_nowhere(services: Services) -> None:
    person = {"subject_name": "示例丙丁", "subject_kind": "自然人", "subject_code": PERSON_NUMBER}
    row = in_force(services, **person, content="示例丙丁承诺不再销售无标签产品")
    assert row.uscc == ""
    shared = json.dumps([dict(change.item.record) for change in told(services)], ensure_ascii=False)
    assert "示例丙丁" not in shared
    assert "示某某" in shared
    assert PERSON_NUMBER not in shared
    with services.db.read() as conn:
        stored = conn.exec_driver_sql("SELECT * FROM commitment").all()
    assert PERSON_NUMBER not in str(stored)
    assert not row.is_shown


def test_a_false_repair_commitment_names_the_repair_and_its_record(services: Services) -> None:
    record = published(services)
    assert isinstance(services.clock, Clock)
    services.clock.now += timedelta(days=(record.window_min_end - services.clock.now.date()).days + 1)
    repair = repairs.apply(
        services, "client:firm", record.record_id, owner=SUBJECT, correction="已整改", promise="材料真实", papers=("1",)
    )
    breached(services, type="信用修复型", repair_id=repair.application_id)
    last = told(services)[-1].item.record
    assert (last["关联信用修复"], last["关联处罚记录"]) == (repair.application_id, record.record_id)
    with services.db.read() as conn:
        said = conn.exec_driver_sql("SELECT * FROM audit_entry WHERE action = 'commitment.record_breach'").all()
    assert repair.application_id in str(said)


def test_somebody_who_saw_an_older_version_changes_nothing(services: Services) -> None:
    row = in_force(services)
    act(services, row, CommitmentEvent.FULFIL)
    with pytest.raises(Conflict, match="meanwhile"):
        act(services, row, CommitmentEvent.FIND_PARTLY)


def test_the_table_is_whole_and_the_types_have_their_basis() -> None:
    reached = {state for steps in TRANSITIONS.values() for state in steps.values()} | {CommitmentState.SIGNED}
    assert reached == set(CommitmentState) == set(TRANSITIONS)
    assert {event for steps in TRANSITIONS.values() for event in steps} == set(CommitmentEvent)
    assert {steps for state, steps in TRANSITIONS[CommitmentState.BREACH].items()} >= {CommitmentState.REMEDIED}
    assert set(CommitmentEvent) > BY_OBJECTION
    assert len(rules.types()) == 7
    assert all(kind.legal_basis and not kind.confirmed for kind in rules.types().values())


def test_over_http_a_firm_sees_its_own_and_no_unconfirmed_breach(database: Database) -> None:
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
    given = promise()
    body = {name: getattr(given, name) for name in given.__dataclass_fields__}
    body |= {"made_on": "2026-06-01", "valid_until": None, "publicity": given.publicity.value}
    assert http.post(API, json=body, headers=bearer["other"]).status_code == 403
    made = http.post(API, json=body, headers=bearer["firm"])
    assert made.status_code == 201, made.text
    code = made.get_json()["code"]
    assert made.get_json()["record"]["承诺类型"] == "主动型"

    def step(event: str, who: str, version: int, **words: str) -> int:
        path, json_body = f"{API}/{code}/steps", {"event": event, "version": version, "reason": "r", **words}
        return http.post(path, json=json_body, headers=bearer[who]).status_code

    assert step("publish", "firm", 1) == 403
    assert [step("publish", "office", 1), step("enter", "office", 2)] == [200, 200]
    assert step("find_unfulfilled", "office", 3, unfulfilled="u", pursued="p") == 200
    answers = {name: http.get(f"{API}/{code}", headers=bearer[name]) for name in bearer}
    assert {name: answer.status_code for name, answer in answers.items()} == {
        "firm": 200, "other": 404, "office": 200, "bureau": 200,
    }  # fmt: skip
    assert answers["firm"].get_json()["state"] == "in_force"
    assert "proposed" not in answers["firm"].get_json() or answers["firm"].get_json()["proposed"] is None
    assert answers["office"].get_json()["proposed"]["未履行的承诺内容"] == "u"
    tag = {"If-None-Match": answers["firm"].headers["ETag"]}
    assert http.get(f"{API}/{code}", headers=bearer["firm"] | tag).status_code == 304
    assert step("record_breach", "office", 4, document_no="d") == 403
    assert step("record_breach", "bureau", 4, document_no="d") == 200
    assert http.get(f"{API}/{code}", headers=bearer["firm"] | tag).status_code == 200
    listed = http.get(f"{API}?state=breach", headers=bearer["firm"]).get_json()["items"]
    assert [one["code"] for one in listed] == [code]
    assert http.get(f"{API}?cursor=x", headers=bearer["firm"]).status_code == 400


def test_the_command_lists_and_takes_steps(services: Services) -> None:
    row = in_force(services)
    done = CliRunner().invoke(
        command, ["step", row.code, "fulfil", "--reason", "到期核查", "--json"], obj=services, catch_exceptions=False
    )
    assert json.loads(done.output)["record"]["承诺履行状态"] == "全部履行"
    listed = CliRunner().invoke(command, ["list", "--state", "fulfilled"], obj=services, catch_exceptions=False)
    assert row.code in listed.output


def test_codes_stay_apart_when_several_sign_at_the_same_time(services: Services) -> None:
    codes: list[str] = []

    def write() -> None:
        codes.extend(signed(services).code for _ in range(4))

    writers = [threading.Thread(target=write) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(code[-6:] for code in codes) == [f"{number:06}" for number in range(1, 13)]
