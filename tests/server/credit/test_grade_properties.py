"""What holds for any inputs: a grade is monotone, bounded, and the same whatever order its inputs come in."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from datetime import date, timedelta
from decimal import Context, Decimal, localcontext

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.server.credit.make_grades import AS_OF, LONG_AGO, graded, policy, record
from trace_server.credit.grading.coding import (
    assess,
    assessment_bytes,
    assessment_from_json,
    assessment_json,
    result_digest,
)
from trace_server.credit.grading.model import (
    Commitment,
    Facts,
    GradeRecord,
    ListKind,
    Membership,
    Performance,
    RecallFault,
    RecallFinding,
)
from trace_server.credit.model import CATEGORIES, Severity, State

days = st.dates(date(2022, 1, 1), date(2026, 8, 1))
records = st.builds(
    record,
    st.integers(1, 2**64),
    decided_on=days,
    severity=st.sampled_from(Severity),
    category=st.sampled_from(CATEGORIES),
    kind=st.sampled_from(["a", "b"]),
    state=st.sampled_from(State),
    window_max_end=st.dates(date(2026, 1, 1), date(2027, 1, 1)),
)
some_records = st.lists(records, max_size=6, unique_by=lambda found: found.record_id)
memberships = st.lists(
    st.builds(Membership, st.sampled_from(ListKind), st.sampled_from("123"), days, st.none() | days), max_size=3
)
commitments = st.lists(
    st.builds(Commitment, st.sampled_from("123"), st.sampled_from(Performance), days, st.none() | days), max_size=3
)
recalls = st.lists(
    st.builds(RecallFinding, st.sampled_from(RecallFault), st.sampled_from("12"), days, st.none() | days), max_size=2
)


@given(some_records, records, memberships, commitments)
def test_a_further_record_never_raises_score_or_level(
    found: list[GradeRecord], more: GradeRecord, lists: list[Membership], broken: list[Commitment]
) -> None:
    before = graded(found, lists, broken)
    after = graded([*found, more], lists, broken)
    assert before.score is not None
    assert after.score is not None
    assert after.score <= before.score
    assert policy().rank(after.level) >= policy().rank(before.level)


@given(some_records, records, st.sampled_from([State.REPAIRED, State.WITHDRAWN, State.SUSPENDED, State.EXPIRED]))
def test_a_repaired_record_is_as_if_it_were_absent(found: list[GradeRecord], more: GradeRecord, state: State) -> None:
    assert graded([*found, replace(more, state=state)]) == graded(found)


@given(some_records, memberships, commitments, recalls)
def test_a_score_stays_in_its_range_and_is_the_sum_of_its_lines(
    found: list[GradeRecord], lists: list[Membership], broken: list[Commitment], faults: list[RecallFinding]
) -> None:
    made = graded(found, lists, broken, Facts(LONG_AGO, tuple(faults)))
    assert made.score is not None
    assert 0 <= made.score <= 100
    assert sum(line.points for line in made.lines) == made.score
    for line in made.lines:
        product = Decimal(-1)
        for _, factor in line.factors:
            product *= factor
        assert not line.factors or product == line.points


@settings(max_examples=60)
@given(some_records, memberships, commitments, recalls, st.randoms(use_true_random=False))
def test_the_order_of_the_inputs_changes_no_byte(
    found: list[GradeRecord],
    lists: list[Membership],
    broken: list[Commitment],
    faults: list[RecallFinding],
    chance: random.Random,
) -> None:
    facts = Facts(LONG_AGO, tuple(faults))
    expected = assessment_bytes(assess(found, lists, broken, facts, policy(), AS_OF))
    for items in (found, lists, broken, faults):
        chance.shuffle(items)
    with localcontext(Context(prec=3)):
        shuffled = assess(found, lists, broken, Facts(LONG_AGO, tuple(faults)), policy(), AS_OF)
    assert assessment_bytes(shuffled) == expected


def test_every_permutation_of_records_of_one_day_gives_the_same_bytes() -> None:
    same_day = [record(number, severity=severity) for number, severity in enumerate(Severity, 1)]
    made = {
        assessment_bytes(assess(order, [], [], Facts(), policy(), AS_OF)) for order in itertools.permutations(same_day)
    }
    assert len(made) == 1


@given(some_records, memberships, commitments, recalls, st.none() | days)
def test_what_is_stored_reads_back_the_same(
    found: list[GradeRecord],
    lists: list[Membership],
    broken: list[Commitment],
    faults: list[RecallFinding],
    registered_on: date | None,
) -> None:
    made = assess(found, lists, broken, Facts(registered_on, tuple(faults)), policy(), AS_OF)
    back = assessment_from_json(assessment_json(made))
    assert back == made
    assert assessment_bytes(back) == assessment_bytes(made)


def test_time_alone_keeps_the_digest_until_it_changes_a_number() -> None:
    found = [record(decided_on=date(2025, 8, 15))]
    digests = [
        result_digest(assess(found, [], [], Facts(LONG_AGO), policy(), AS_OF + timedelta(days=n))) for n in range(90)
    ]
    assert len(set(digests)) == 2
    assert digests[74] != digests[75]


@given(some_records)
def test_other_inputs_have_another_hash(found: list[GradeRecord]) -> None:
    less = assess(found[1:], [], [], Facts(), policy(), AS_OF)
    more = assess(found, [], [], Facts(), policy(), AS_OF)
    assert (less.inputs_hash == more.inputs_hash) is (not found)
