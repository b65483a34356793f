"""From a suspicion to a decision, on both databases: in order, in twos, within scope, and never past a person."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server.credit.make import AUTHORITY, OTHER_SUBJECT, SUBJECT, Clock, decision, services_on
from tests.server.detect import make as trade
from trace_core.errors import Conflict, InputError, NotAllowed, NotFound, TraceError
from trace_server.audit import operations as audit
from trace_server.cases import cli, operations, rules
from trace_server.cases.model import Actor, Case, CaseEvent, CaseState, Verdict
from trace_server.cases.operations import NewCase, Step
from trace_server.cases.states import ENDED, TRANSITIONS
from trace_server.cases.store import Wanted
from trace_server.credit import operations as credit
from trace_server.credit.model import Circumstances, Op
from trace_server.db import Database
from trace_server.services import Services

BUREAU = "示例市市场监督管理局"
FARMING = "示例市农业农村局"
ONE = Actor("user:one", BUREAU)
TWO = Actor("user:two", BUREAU)
FARMER = Actor("user:farm", FARMING)
PAPERS = {
    CaseEvent.FILE: "示市监立〔2026〕1号",
    CaseEvent.NOTICE: "示市监罚告〔2026〕1号",
    CaseEvent.CLOSE: "示市监结〔2026〕1号",
    CaseEvent.DISMISS: "示市监不罚〔2026〕1号",
}


@pytest.fixture
def services(database: Database) -> Services:
    return services_on(database, Clock())


def opened(services: Services, actor: Actor = ONE, **changes: object) -> Case:
    fields: dict[str, object] = {
        "title": "涉嫌经营过期食品",
        "category": "food",
        "region": "320902",
        "subject": SUBJECT,
    }
    return operations.open_case(services, actor, NewCase(**(fields | changes)))  # type: ignore[arg-type]


def step(services: Services, case: Case, event: CaseEvent, actor: Actor = ONE) -> Case:
    return operations.take_step(
        services, actor, case.case_id, Step(event, case.version, "记录在案", PAPERS.get(event, ""))
    )


def noticed(services: Services) -> Case:
    case = opened(services)
    for event in (CaseEvent.FILE, CaseEvent.INVESTIGATE, CaseEvent.PROPOSE):
        case = step(services, case, event)
    return step(services, case, CaseEvent.NOTICE, TWO)


def alert(database: Database) -> bytes:
    """A real suspicion: sold twice."""
    sold = {"bizStep": "retail_selling", "disposition": "retail_sold"}
    trade.post(database, trade.at(0, **sold), trade.at(trade.HOUR, **sold))
    trade.follow(database, "D04")
    (found,) = trade.open_alerts(database)
    return found.alert_key


def test_a_case_goes_from_suspicion_to_a_record_that_names_it(services: Services, database: Database) -> None:
    key = alert(database)
    case = opened(services, alerts=(key,), reason="现场核实，货架上仍在销售")
    for event in (CaseEvent.FILE, CaseEvent.INVESTIGATE, CaseEvent.PROPOSE):
        case = step(services, case, event)
    case = step(services, case, CaseEvent.NOTICE, TWO)
    case, record = operations.decide(
        services, TWO, case.case_id, decision(), Circumstances("food"), version=case.version
    )
    assert case.state is CaseState.DECIDED
    assert (record.evidence_ref, case.record_id) == (case.case_id, record.record_id)
    with database.read() as conn:
        assert [change.op for change in credit.feed(conn, after=0, limit=10).changes] == [Op.UPSERT]
        assert not audit.verify(conn).reason
    case = step(services, step(services, case, CaseEvent.EXECUTE), CaseEvent.CLOSE)
    found = operations.dossier(services, ONE, case.case_id)
    assert found.alerts == (key,)
    assert [entry.event for entry in found.entries] == [
        "open", "file", "investigate", "propose", "notice", "decide", "execute", "close",
    ]  # fmt: skip
    assert [entry.number for entry in found.entries] == list(range(1, 9))


def test_a_decision_that_cannot_be_recorded_leaves_the_case_where_it_was(services: Services) -> None:
    credit.record_decision(services, decision(CF_NR="罚款三万元"), Circumstances("food"), actor="other")
    case = noticed(services)
    with pytest.raises(Conflict):
        operations.decide(services, TWO, case.case_id, decision(), Circumstances("food"), version=case.version)
    assert operations.dossier(services, ONE, case.case_id).case == case


def test_nobody_approves_his_own_proposal(services: Services) -> None:
    case = opened(services)
    for event in (CaseEvent.FILE, CaseEvent.INVESTIGATE, CaseEvent.PROPOSE):
        case = step(services, case, event)
    for event in (CaseEvent.NOTICE, CaseEvent.RETURN):
        with pytest.raises(NotAllowed, match="second person"):
            step(services, case, event)
        assert event not in operations.possible_steps(case, ONE)
    case = step(services, case, CaseEvent.NOTICE, TWO)
    with pytest.raises(NotAllowed, match="second person"):
        operations.decide(services, ONE, case.case_id, decision(), Circumstances("food"), version=case.version)


def test_a_decision_about_somebody_else_is_refused(services: Services) -> None:
    case = noticed(services)
    other = decision(CF_XDR_SHXYM=OTHER_SUBJECT)
    with pytest.raises(InputError, match="another subject"):
        operations.decide(services, TWO, case.case_id, other, Circumstances("food"), version=case.version)


def test_a_step_without_its_paper_or_its_words_is_refused(services: Services) -> None:
    case = opened(services)
    with pytest.raises(InputError, match="numbered paper"):
        operations.take_step(services, ONE, case.case_id, Step(CaseEvent.FILE, case.version, "立案"))
    with pytest.raises(InputError, match="say why"):
        operations.take_step(services, ONE, case.case_id, Step(CaseEvent.FILE, case.version, " ", "x"))


def test_two_who_read_the_same_version_cannot_both_write(services: Services) -> None:
    case = opened(services)
    step(services, case, CaseEvent.FILE)
    with pytest.raises(Conflict, match="meanwhile"):
        step(services, case, CaseEvent.DISMISS, TWO)


def test_an_alert_gets_one_verdict_and_feeds_the_precision_of_its_rule(services: Services, database: Database) -> None:
    key = alert(database)
    assert operations.triage(services, ONE, [key], Verdict.FALSE_DATA, "主数据的有效期录错") == 1
    with pytest.raises(Conflict, match="verdict already"):
        opened(services, alerts=(key,), reason="再看看")
    assert operations.list_cases(services, ONE, Wanted()) == []
    (found,) = operations.precision(services)
    assert (found.rule_id, found.false_data, found.share) == ("D04", 1, 0.0)


def test_a_suspicion_needs_a_case_and_a_case_needs_a_reason(services: Services, database: Database) -> None:
    key = alert(database)
    with pytest.raises(InputError, match="belongs to a case"):
        operations.triage(services, ONE, [key], Verdict.SUSPECTED, "看着像")
    with pytest.raises(InputError, match="say why"):
        opened(services, alerts=(key,))
    with pytest.raises(NotFound):
        operations.triage(services, ONE, [b"\0" * 16], Verdict.BENIGN, "没有")


def test_triage_and_cases_never_touch_a_grade(services: Services, database: Database) -> None:
    """Rule 1: a scan never lowers a grade; only a numbered decision makes a record."""
    case = opened(services, alerts=(alert(database),), reason="现场核实")
    case = step(services, case, CaseEvent.FILE)
    with database.read() as conn:
        assert credit.records_of(conn, SUBJECT) == []
        assert credit.feed(conn, after=0, limit=10).changes == ()


def test_a_transfer_moves_the_case_with_the_receipt_and_not_before(services: Services) -> None:
    case = opened(services)
    sent = operations.transfer(
        services,
        ONE,
        case.case_id,
        to_department=FARMING,
        is_outside=False,
        reason="属农业投入品",
        version=case.version,
    )
    assert (sent.state, sent.department) == (CaseState.TRANSFERRED, BUREAU)
    (_, waiting) = operations.worklist(services, FARMER)
    assert [one.case_id for one in waiting] == [case.case_id]
    with pytest.raises(NotAllowed):
        operations.answer_transfer(services, TWO, case.case_id, accept=True, answer="收到", version=sent.version)
    received = operations.answer_transfer(
        services, FARMER, case.case_id, accept=True, answer="收到", version=sent.version
    )
    assert (received.state, received.department, received.handler) == (CaseState.CLUE, FARMING, FARMER.name)
    with pytest.raises(NotAllowed, match="another department"):
        step(services, received, CaseEvent.FILE)
    assert step(services, received, CaseEvent.FILE, FARMER).state is CaseState.FILED


def test_a_refused_transfer_comes_back(services: Services) -> None:
    case = opened(services)
    sent = operations.transfer(
        services,
        ONE,
        case.case_id,
        to_department=FARMING,
        is_outside=False,
        reason="属农业投入品",
        version=case.version,
    )
    back = operations.answer_transfer(
        services, FARMER, case.case_id, accept=False, answer="不属我局", version=sent.version
    )
    assert (back.state, back.department) == (CaseState.CLUE, BUREAU)
    with pytest.raises(NotFound):
        operations.answer_transfer(services, FARMER, case.case_id, accept=True, answer="收到", version=back.version)


def test_a_suspected_crime_ends_with_the_receipt_of_the_police(services: Services) -> None:
    case = noticed(services)
    case = step(services, case, CaseEvent.RETURN, TWO)
    sent = operations.transfer(
        services,
        ONE,
        case.case_id,
        to_department="示例市公安局",
        is_outside=True,
        reason="涉嫌犯罪",
        version=case.version,
    )
    gone = operations.answer_transfer(services, ONE, case.case_id, accept=True, answer="回执已收", version=sent.version)
    assert (gone.state, gone.due_at) == (CaseState.TRANSFERRED, None)
    (found,) = operations.dossier(services, ONE, case.case_id).transfers
    assert (found.receipt, found.is_outside) == ("received", True)


def test_regions_and_categories_are_checked_in_the_query_and_at_the_object(services: Services) -> None:
    here = opened(services)
    opened(services, region="320981", category="drug")
    county = Actor("user:county", BUREAU, regions=("320902",))
    city = Actor("user:city", BUREAU, regions=("320900",))
    drugs = Actor("user:drugs", BUREAU, categories=("drug",))
    assert [case.case_id for case in operations.list_cases(services, county, Wanted())] == [here.case_id]
    assert len(operations.list_cases(services, city, Wanted())) == 2
    with pytest.raises(NotAllowed):
        operations.dossier(services, drugs, here.case_id)
    with pytest.raises(NotAllowed):
        opened(services, drugs)


def test_the_worklist_is_sorted_by_the_legal_clock(services: Services) -> None:
    clock = services.clock
    assert isinstance(clock, Clock)
    late = opened(services)
    clock.now += timedelta(days=1)
    newer = opened(services)
    step(services, late, CaseEvent.FILE)  # 90 days from now
    due, _ = operations.worklist(services, ONE)
    assert [case.case_id for case in due] == [newer.case_id, late.case_id]
    assert not due[0].due_confirmed  # the office has not checked the period


def test_a_list_goes_on_behind_its_last_case(services: Services) -> None:
    made = [opened(services).case_id for _ in range(5)]
    first = operations.list_cases(services, ONE, Wanted(), limit=2)
    rest = operations.list_cases(services, ONE, Wanted(), after=(first[-1].opened_at, first[-1].case_id), limit=10)
    assert sorted(case.case_id for case in (*first, *rest)) == sorted(made)


def test_deadlines_name_their_law_and_say_that_nobody_confirmed_them() -> None:
    for rule in rules.deadlines():
        assert rule.legal_basis
        assert rule.what
        assert rule.what_zh
        assert not rule.is_confirmed


def test_every_state_is_reached_and_final_ones_are_final() -> None:
    reached = {state for steps in TRANSITIONS.values() for state in steps.values()} | {CaseState.CLUE}
    assert reached == set(CaseState) == set(TRANSITIONS)
    assert {state for state, steps in TRANSITIONS.items() if not steps} == ENDED


MOVES: list[Callable[[Services, Case], Case]] = [
    lambda services, case: step(services, case, CaseEvent.FILE),
    lambda services, case: step(services, case, CaseEvent.INVESTIGATE),
    lambda services, case: step(services, case, CaseEvent.PROPOSE),
    lambda services, case: step(services, case, CaseEvent.NOTICE, TWO),
    lambda services, case: step(services, case, CaseEvent.RETURN, TWO),
    lambda services, case: step(services, case, CaseEvent.DISMISS, TWO),
    lambda services, case: step(services, case, CaseEvent.EXECUTE),
    lambda services, case: step(services, case, CaseEvent.CLOSE),
    lambda services, case: operations.add_note(services, TWO, case.case_id, "补充证据"),
    lambda services, case: operations.decide(
        services, TWO, case.case_id, decision(CF_WSH=f"示{case.case_id}号", CF_CFJGDM=AUTHORITY), Circumstances("food"),
        version=case.version,
    )[0],
]  # fmt: skip


@given(moves=st.lists(st.sampled_from(range(len(MOVES))), max_size=14))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_tried_the_case_follows_its_table_and_its_dossier_tells_it(
    services: Services, moves: list[int]
) -> None:
    case = opened(services)
    states = [case.state]
    for move in moves:
        try:
            case = MOVES[move](services, case)
        except TraceError:
            assert operations.dossier(services, ONE, case.case_id).case == case
        else:
            states.append(case.state)
    for before, after in pairwise(states):
        assert before == after or after in TRANSITIONS[before].values()
    found = operations.dossier(services, ONE, case.case_id)
    assert len(found.entries) == len(states)
    assert bool(case.record_id) == (CaseState.DECIDED in states)


def test_the_list_of_the_rules_says_how_often_each_was_right(services: Services, database: Database) -> None:
    operations.triage(services, ONE, [alert(database)], Verdict.FALSE_DATA, "主数据的有效期录错")
    printed = CliRunner().invoke(cli.detectors, ["list", "--json"], obj=services)
    assert printed.exit_code == 0, printed.output
    told = {one["id"]: one["precision"] for one in map(json.loads, printed.stdout.splitlines())}
    assert told["D04"] == {"rule": "D04", "suspected": 0, "benign": 0, "false_data": 1, "share": 0.0}
    assert told["D30"] is None
    plain = CliRunner().invoke(cli.detectors, ["list"], obj=services)
    assert "[0 of 1 right, 0%]" in plain.stdout


def test_a_linked_case_shares_the_evidence_and_goes_its_own_way(services: Services, database: Database) -> None:
    key = alert(database)
    case = opened(services, alerts=(key,), reason="同一编码两次售出")
    linked = operations.open_joint(services, ONE, case.case_id, to_department=FARMING, reason="产地环节")
    third = operations.open_joint(services, FARMER, linked.case_id, to_department="示例市公安局", reason="涉嫌犯罪")
    for actor, one in ((ONE, case), (FARMER, linked)):
        found = operations.dossier(services, actor, one.case_id)
        assert found.alerts == (key,)
        assert {other.case_id for other in found.joint} == {case.case_id, linked.case_id, third.case_id} - {one.case_id}
    moved = operations.dossier(services, FARMER, linked.case_id).case
    assert step(services, moved, CaseEvent.DISMISS, FARMER).state is CaseState.DISMISSED
    assert operations.dossier(services, ONE, case.case_id).case.state is CaseState.CLUE
    with pytest.raises(NotAllowed):
        operations.open_joint(services, FARMER, case.case_id, to_department="示例市农业农村局", reason="x")
    with pytest.raises(Conflict, match="linked case already"):
        operations.open_joint(services, ONE, case.case_id, to_department=FARMING, reason="再一次")
    with services.db.read() as conn:
        assert not audit.verify(conn).reason
