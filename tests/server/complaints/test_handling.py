"""Clocks run on working days, steps follow the table, and a reward is what the rule says, by two persons."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.complaints import make
from tests.server.complaints.conftest import BUREAU, OFFICE
from tests.server.users.conftest import Clock
from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_server.cases import operations as cases
from trace_server.cases.model import Actor
from trace_server.complaints import operations, paying, rewarding, rules
from trace_server.complaints.model import Complaint, Deed, Event, Kind, RewardState, State
from trace_server.complaints.states import TRANSITIONS
from trace_server.services import Services

CLERK, OTHER = Actor("user:clerk", BUREAU), Actor("user:other", "盐都区市场监督管理局")
ONE, TWO = Actor("user:one", OFFICE), Actor("user:two", OFFICE)
POLICY = rewarding.policy_on(date(2026, 11, 24))
AMOUNTS = st.integers(0, 10**9)


def step(services: Services, row: Complaint, event: Event, actor: Actor = CLERK) -> Complaint:
    return operations.take_step(services, actor, row.complaint_id, event, text=f"说明：{event}", version=row.version)


def verified(services: Services) -> tuple[str, Complaint]:
    token, row = make.sent(services)
    for event in (Event.ACCEPT, Event.INVESTIGATE, Event.VERIFY):
        row = step(services, row, event)
    return token, row


def days(row: Complaint) -> date | None:
    return rules.last_day(row.due_at) if row.due_at else None


def test_a_report_is_decided_in_fifteen_working_days_whatever_steps_it_takes(services: Services) -> None:
    _, row = make.sent(services)  # Tuesday, 24 November 2026
    assert days(row) == date(2026, 12, 15)
    for event in (Event.ACCEPT, Event.INVESTIGATE):
        row = step(services, row, event)
        assert days(row) == date(2026, 12, 15)
    row = operations.extend(services, CLERK, row.complaint_id, text="须送检", version=row.version)
    assert days(row) == date(2027, 1, 5)
    assert not row.due_confirmed  # the holidays of 2027 are not announced
    with pytest.raises(Conflict, match="extend"):
        operations.extend(services, CLERK, row.complaint_id, text="再延长", version=row.version)
    assert days(step(services, row, Event.UNFOUND)) is None


def test_a_complaint_is_accepted_in_seven_and_mediated_in_forty_five_working_days(services: Services) -> None:
    _, row = make.sent(services, kind=Kind.COMPLAINT, is_named=True, name=make.NAME, contact=make.CONTACT)
    assert days(row) == date(2026, 12, 3)
    with pytest.raises(InputError, match="cannot be extended"):
        operations.extend(services, CLERK, row.complaint_id, text="延长", version=row.version)
    row = step(services, row, Event.ACCEPT)
    accepted = row.due_at
    assert accepted is not None
    assert accepted > datetime(2027, 1, 20, tzinfo=UTC)
    row = step(services, row, Event.INVESTIGATE)
    assert row.due_at == accepted
    assert step(services, row, Event.MEDIATE).due_at is None


@pytest.mark.parametrize("kind", Kind)
def test_every_state_can_be_reached_and_left_or_is_an_end(kind: Kind) -> None:
    table = TRANSITIONS[kind]
    reached = {State.RECEIVED} | {after for steps in table.values() for after in steps.values()}
    assert reached == set(table)
    assert {state for state, steps in table.items() if not steps} == {State.REFUSED, State.CLOSED}


@given(st.sampled_from(Kind), st.lists(st.sampled_from(Event), max_size=8))
def test_no_sequence_of_events_leaves_the_table(kind: Kind, events: list[Event]) -> None:
    state = State.RECEIVED
    for event in events:
        state = TRANSITIONS[kind][state].get(event, state)
        assert state in TRANSITIONS[kind]
        clock = rules.clock_of(kind, state, date(2026, 11, 24))
        assert clock is None or state not in (State.CLOSED, State.REFUSED, State.VERIFIED, State.UNFOUNDED)


def test_the_reporter_reads_the_answers_and_not_the_notes(services: Services) -> None:
    token, row = make.sent(services)
    row = step(services, row, Event.ACCEPT)
    for is_public, text in ((True, "已去现场"), (False, "线人在店里")):
        row = operations.answer(services, CLERK, row.complaint_id, text=text, is_public=is_public, version=row.version)
    operations.add_message(services, token, "后门也有")
    followed = operations.follow(services, token)
    assert [entry.event for entry in followed.entries] == ["accept", "answer", "message"]
    assert [entry.author for entry in operations.read_file(services, CLERK, row.complaint_id).entries][-1] == ""


def test_only_its_department_acts_and_it_can_be_passed_on(services: Services) -> None:
    _, row = make.sent(services)
    with pytest.raises(NotAllowed, match="another department"):
        step(services, row, Event.ACCEPT, OTHER)
    row = operations.assign(
        services, CLERK, row.complaint_id, department=OTHER.department, region="320903", text="店在盐都区",
        version=row.version,
    )  # fmt: skip
    assert row.region == "320903"
    assert step(services, row, Event.ACCEPT, OTHER).state is State.ACCEPTED
    with pytest.raises(Conflict, match="meanwhile"):
        step(services, row, Event.ACCEPT, OTHER)


def test_somebody_sees_his_regions_and_retaliation_is_the_offices_alone(services: Services) -> None:
    _, here = make.sent(services)
    _, away = make.sent(services, region="320921")
    _, secret = make.sent(services, kind=Kind.RETALIATION)
    local = Actor("user:local", BUREAU, regions=("320902",))

    def seen(actor: Actor) -> set[str]:
        wanted = operations.wanted_of(actor)
        found = operations.list_complaints(services, wanted, after=None, limit=10)
        assert sum(operations.count_complaints(services, wanted).values()) == len(found)
        return {row.complaint_id for row in found}

    assert seen(local) == {here.complaint_id}
    assert seen(CLERK) == {here.complaint_id, away.complaint_id}
    assert seen(ONE) == {here.complaint_id, away.complaint_id, secret.complaint_id}
    for actor, row in ((local, away), (CLERK, secret)):
        with pytest.raises(NotFound):
            operations.read_file(services, actor, row.complaint_id)


def test_a_case_grows_from_a_report_and_names_no_reporter(services: Services) -> None:
    _, row = make.sent(services, is_named=True, name=make.NAME, contact=make.CONTACT)
    case = operations.open_case(services, CLERK, row.complaint_id, title="涉嫌销售过期奶粉", version=row.version)
    dossier = cases.dossier(services, CLERK, case.case_id)
    assert row.complaint_id in dossier.entries[0].text
    assert make.NAME not in repr(dossier)
    linked = operations.read_file(services, CLERK, row.complaint_id).complaint
    assert linked.case_id == case.case_id
    with pytest.raises(Conflict, match="already"):
        operations.open_case(services, CLERK, row.complaint_id, title="再立一次", version=linked.version)


def test_a_reward_is_assessed_by_one_approved_by_another_and_claimed_with_the_token(services: Services) -> None:
    token, row = verified(services)
    deed = Deed("food", 1, 200_000, 40_000)
    reward = paying.assess(services, ONE, row.complaint_id, deed)
    assert (reward.amount_yuan, reward.needs_finance) == (12_000, False)
    assert operations.follow(services, token).reward is not None
    with pytest.raises(NotAllowed, match="second person"):
        paying.decide(services, ONE, row.complaint_id, approve=True, text="同意")
    with pytest.raises(Conflict):
        paying.claim(services, TWO, row.complaint_id, token)
    reward = paying.decide(services, TWO, row.complaint_id, approve=True, text="同意")
    assert reward.claim_until is not None
    other, _ = make.sent(services)
    with pytest.raises(InputError, match="not the token"):
        paying.claim(services, ONE, row.complaint_id, other)
    assert paying.claim(services, ONE, row.complaint_id, token).state is RewardState.CLAIMED


def test_a_reward_that_nobody_claims_is_forfeited(services: Services, clock: Clock) -> None:
    token, row = verified(services)
    paying.assess(services, ONE, row.complaint_id, Deed("food", 3, 0, 0))
    reward = paying.decide(services, TWO, row.complaint_id, approve=True, text="同意")
    assert paying.forfeit(services) == 0
    assert reward.claim_until is not None
    clock.now = reward.claim_until
    with pytest.raises(Conflict, match="over"):
        paying.claim(services, ONE, row.complaint_id, token)
    assert paying.forfeit(services) == 1
    followed = operations.follow(services, token).reward
    assert followed is not None
    assert followed.state is RewardState.FORFEITED


def test_half_a_million_waits_for_the_finance_department(services: Services) -> None:
    _, row = verified(services)
    assert paying.assess(services, ONE, row.complaint_id, Deed("drug", 1, 10_000_000, 0)).needs_finance
    with pytest.raises(InputError, match="finance"):
        paying.decide(services, TWO, row.complaint_id, approve=True, text="同意")
    paying.decide(services, TWO, row.complaint_id, approve=True, text="同意", finance_no="示财〔2026〕1号")


def test_only_a_verified_report_is_rewarded(services: Services) -> None:
    _, row = make.sent(services)
    with pytest.raises(Conflict, match="verified"):
        paying.assess(services, ONE, row.complaint_id, Deed("food", 1, 1, 0))


@given(st.sampled_from([1, 2, 3]), AMOUNTS, AMOUNTS)
def test_a_reward_lies_between_the_least_and_the_cap_and_grows_with_the_fine(
    number: int, fine: int, confiscated: int
) -> None:
    found = rewarding.assess(POLICY, Deed("food", number, fine, confiscated))
    share = POLICY.classes[number]
    assert share.least_yuan <= found.amount_yuan <= POLICY.cap_yuan
    more = rewarding.assess(POLICY, Deed("food", number, fine + 1_000, confiscated))
    assert more.amount_yuan >= found.amount_yuan
    assert found.needs_finance == (found.amount_yuan >= 500_000)
    exact = (fine + confiscated) * share.per_mille / 1000
    if share.least_yuan < exact < POLICY.cap_yuan:
        assert 0 <= found.amount_yuan - exact < 1


@given(AMOUNTS, st.integers(1, 10**7))
def test_an_insiders_reward_may_be_raised_to_the_cap_and_nobody_elses(fine: int, raised: int) -> None:
    plain = rewarding.assess(POLICY, Deed("food", 2, fine, 0)).amount_yuan
    insider = rewarding.assess(POLICY, Deed("food", 2, fine, 0, is_insider=True, raised_to_yuan=raised)).amount_yuan
    assert insider == min(max(plain, raised), POLICY.cap_yuan)
    with pytest.raises(InputError, match="insider"):
        rewarding.assess(POLICY, Deed("food", 2, fine, 0, raised_to_yuan=raised))


@pytest.mark.parametrize(
    "deed",
    [
        *(Deed("food", 1, 1, 0, exclusion=exclusion) for exclusion in sorted(POLICY.exclusions)),
        Deed("food", 1, 1, 0, exclusion="duty", is_insider=True),
        Deed("food", 4, 1, 0),
        Deed("gi", 1, 1, 0),
        Deed("food", 1, -1, 0),
        Deed("food", 1, 1, 0, exclusion="somebody"),
    ],
)
def test_what_the_rule_excludes_gets_nothing(deed: Deed) -> None:
    with pytest.raises(InputError):
        rewarding.assess(POLICY, deed)


def test_an_offender_who_tells_from_inside_may_be_rewarded() -> None:
    deed = Deed("food", 1, 0, 0, exclusion="offender", is_insider=True)
    assert rewarding.assess(POLICY, deed).amount_yuan == 5_000


def test_every_period_and_policy_says_its_basis_and_whether_the_office_confirmed_it() -> None:
    for clock in rules.clocks():
        assert clock.legal_basis
        assert clock.what
        assert clock.what_zh
    assert {clock.kind for clock in rules.clocks()} == set(Kind)
    assert all(policy.legal_basis for policy in rewarding.policies())
    with pytest.raises(InputError, match="in force"):
        rewarding.policy_on(date(2020, 1, 1))
