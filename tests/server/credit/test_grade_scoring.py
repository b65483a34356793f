"""Grading to the cent: both worked examples of the domain rules, every deduction, bonus, cap and edge of a month."""

from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from tests.server.credit.make_grades import LONG_AGO, graded, policy, record
from trace_server.credit.grading.model import (
    Commitment,
    Completeness,
    Facts,
    LineKind,
    ListKind,
    Membership,
    Performance,
    RecallFault,
    RecallFinding,
    Supervision,
)
from trace_server.credit.grading.reading import NEVER_INPUT
from trace_server.credit.grading.scoring import display, grade, months_between
from trace_server.credit.model import Severity, State

OLDER = record(1, decided_on=date(2025, 8, 15), window_max_end=date(2026, 8, 15))
NEWER = record(2, decided_on=date(2026, 3, 1), window_max_end=date(2027, 3, 1))
SERIOUS_DRUG = record(3, decided_on=date(2025, 5, 1), severity=Severity.SERIOUS, category="drug")
SERIOUS_LIST = Membership(ListKind.SERIOUS, "示列决〔2026〕1号", date(2026, 1, 1))


def test_worked_example_one_two_general_food_records_of_one_type() -> None:
    found = graded([OLDER, NEWER])
    assert (found.score, found.level, found.level_name) == (Decimal("64"), "C", "中")
    older, newer = (line for line in found.lines if line.kind is LineKind.RECORD)
    assert (display(older.points), display(newer.points)) == ("-14.40", "-21.60")
    assert older.factors == (
        ("deduction", Decimal(12)),
        ("category", Decimal("1.2")),
        ("repeat", Decimal(1)),
        ("time", Decimal("1.0")),
    )
    assert newer.factors[2] == ("repeat", Decimal("1.5"))
    assert (newer.ref, newer.related) == (NEWER.record_id, OLDER.record_id)


def test_worked_example_one_with_the_newer_repaired() -> None:
    found = graded([OLDER, replace(NEWER, state=State.REPAIRED)])
    assert (display(found.score or Decimal(0)), found.level) == ("85.60", "B")


def test_worked_example_one_on_the_day_the_older_expires() -> None:
    day_before = graded([OLDER, NEWER], as_of=date(2026, 8, 15))
    assert day_before.level == "C"
    found = graded([OLDER, NEWER], as_of=date(2026, 8, 16))
    assert (found.score, found.level) == (Decimal("85.6"), "B")
    (line,) = (line for line in found.lines if line.kind is LineKind.RECORD)
    assert (line.ref, line.related) == (NEWER.record_id, "")
    assert found == graded([replace(OLDER, state=State.EXPIRED), NEWER], as_of=date(2026, 8, 16))


def test_worked_example_two_a_serious_drug_record_thirteen_months_old() -> None:
    found = graded([SERIOUS_DRUG])
    assert (found.score, found.level) == (Decimal("68.8"), "C")
    listed = graded([SERIOUS_DRUG], [SERIOUS_LIST])
    assert (listed.score, listed.level) == (Decimal("68.8"), "D")
    cap = listed.lines[-1]
    assert (cap.kind, cap.basis, cap.detail, cap.ref) == (LineKind.CAP, "on_serious_list", "D", SERIOUS_LIST.ref)


def test_a_clean_subject_has_the_base_and_the_best_level() -> None:
    found = graded()
    assert (found.score, found.level, len(found.lines)) == (Decimal(100), "A", 1)


@pytest.mark.parametrize(("state", "counts"), [(state, state in (State.CONFIRMED, State.PUBLISHED)) for state in State])
def test_only_confirmed_and_published_records_count(state: State, counts: bool) -> None:
    assert (graded([record(state=state)]) != graded()) is counts


@pytest.mark.parametrize(
    ("age_from", "score"),
    [
        (date(2025, 6, 2), "85.6"),
        (date(2025, 6, 1), "91.36"),
        (date(2024, 6, 2), "91.36"),
        (date(2024, 6, 1), "95.68"),
        (date(2023, 6, 2), "95.68"),
        (date(2023, 6, 1), "100"),
    ],
)
def test_a_record_weighs_less_from_the_day_a_whole_year_is_over(age_from: date, score: str) -> None:
    assert graded([record(decided_on=age_from)]).score == Decimal(score)


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        (date(2026, 1, 31), date(2026, 2, 27), 0),
        (date(2026, 1, 31), date(2026, 2, 28), 1),
        (date(2024, 2, 29), date(2025, 2, 28), 12),
        (date(2026, 3, 15), date(2026, 6, 14), 2),
        (date(2026, 3, 15), date(2026, 6, 15), 3),
        (date(2026, 3, 15), date(2026, 3, 14), -1),
    ],
)
def test_months_are_whole_calendar_months(start: date, end: date, months: int) -> None:
    assert months_between(start, end) == months


def test_a_repeat_is_the_same_type_within_the_window_only() -> None:
    first = record(1, decided_on=date(2024, 6, 1))
    outside = record(2, decided_on=date(2026, 6, 1))
    inside = record(2, decided_on=date(2026, 5, 31))
    other = record(3, decided_on=date(2026, 5, 31), kind="未依法标注产地")
    assert graded([first, outside]).score == Decimal("100") - Decimal("14.4") * Decimal("1.3")
    assert graded([first, inside]).score == Decimal("100") - Decimal("14.4") * Decimal("1.8")
    assert graded([first, other]).score == Decimal("100") - Decimal("14.4") * Decimal("1.3")


def test_a_score_never_leaves_its_range_and_says_so() -> None:
    many = graded([record(n, severity=Severity.SERIOUS) for n in range(1, 9)])
    assert (many.score, many.level) == (Decimal(0), "D")
    assert (many.lines[-1].kind, many.lines[-1].basis) == (LineKind.LIMIT, "floor")
    red = graded(memberships=[Membership(ListKind.RED, "示诚信〔2026〕1号", date(2026, 1, 1))])
    assert red.score == Decimal(100)
    assert (red.lines[-1].points, red.lines[-1].basis) == (Decimal(-3), "cap")


def test_merits_earn_at_most_the_bonus_and_no_scan_can_take_more_than_it() -> None:
    minor = record(severity=Severity.MINOR, category="consumer")
    red = Membership(ListKind.RED, "示诚信〔2026〕1号", date(2026, 1, 1))
    certified = Completeness("示链证〔2026〕1号", Decimal("98.0"), date(2026, 1, 1), date(2026, 12, 31))
    facts = Facts(registered_on=LONG_AGO, completeness=(certified,))
    low = replace(facts, completeness=(replace(certified, percent=Decimal("12")),))
    assert graded([minor]).score == Decimal(96)
    assert graded([minor, replace(minor, record_id="f" * 32, violation_kind="x")], [red], facts=facts).score == Decimal(
        97
    )
    assert graded([minor], facts=facts).score == Decimal(98)
    assert graded([minor], facts=low).score == Decimal(96)


def test_a_record_that_is_not_minor_takes_the_red_list_away() -> None:
    red = Membership(ListKind.RED, "示诚信〔2026〕1号", date(2026, 1, 1))
    assert graded([record()], [red]) == graded([record()])
    assert graded([record(state=State.REPAIRED)], [red]) == graded([], [red])


@pytest.mark.parametrize(
    ("performance", "score", "level"),
    [(Performance.FULFILLED, 100, "A"), (Performance.PARTLY, 95, "A"), (Performance.UNFULFILLED, 90, "B")],
)
def test_a_broken_commitment_costs_points_until_it_is_made_good(
    performance: Performance, score: int, level: str
) -> None:
    broken = Commitment("32090020260101000001", performance, date(2026, 5, 1))
    found = graded(commitments=[broken])
    assert (found.score, found.level) == (Decimal(score), level)
    assert graded(commitments=[replace(broken, remedied_on=date(2026, 6, 1))]) == graded()
    assert graded(commitments=[replace(broken, determined_on=date(2026, 6, 2))]) == graded()


@pytest.mark.parametrize(
    ("facts", "memberships", "level"),
    [
        (RecallFault.REFUSED, [], "D"),
        (RecallFault.CLASS1_LATE, [], "C"),
        (None, [Membership(ListKind.ABNORMAL, "1号", date(2026, 1, 1))], "B"),
        (None, [Membership(ListKind.INDUSTRY_BLACK, "1号", date(2026, 1, 1))], "A"),
        (None, [Membership(ListKind.SERIOUS, "1号", date(2026, 1, 1), date(2026, 5, 31))], "A"),
        (None, [Membership(ListKind.SERIOUS, "1号", date(2026, 1, 1), date(2026, 6, 1))], "D"),
    ],
)
def test_conditions_cap_the_level_while_they_hold(
    facts: RecallFault | None, memberships: list[Membership], level: str
) -> None:
    recalls = (RecallFinding(facts, "2号", date(2026, 5, 1)),) if facts else ()
    found = graded(memberships=memberships, facts=Facts(LONG_AGO, recalls=recalls))
    assert (found.score, found.level) == (Decimal(100), level)
    mended = tuple(replace(finding, until=date(2026, 5, 31)) for finding in recalls)
    assert not recalls or graded(facts=Facts(LONG_AGO, recalls=mended)).level == "A"


def test_a_cap_never_lifts_a_level() -> None:
    assert (
        graded(
            [record(n, severity=Severity.SERIOUS) for n in range(1, 9)],
            [Membership(ListKind.ABNORMAL, "1号", date(2026, 1, 1))],
        ).level
        == "D"
    )


def test_a_subject_of_less_than_six_months_is_not_rated() -> None:
    new = graded([record()], facts=Facts(registered_on=date(2025, 12, 2)))
    assert (new.level, new.level_name, new.score, new.supervision) == ("NR", "未评级", None, None)
    assert [line.kind for line in new.lines] == [LineKind.NOT_RATED]
    assert graded([record()], facts=Facts(registered_on=date(2025, 12, 1))).level == "B"
    assert graded([record()], facts=Facts()).level == "B"


def test_what_is_decided_later_does_not_count_yet() -> None:
    assert graded([record(decided_on=date(2026, 6, 2))]) == graded()


def test_each_level_carries_its_supervision() -> None:
    assert graded().supervision == Supervision(1, 1, Decimal("0.5"), "sample")
    assert graded([], [SERIOUS_LIST]).supervision == Supervision(3, 4, Decimal("4.0"), "full_read")


def test_points_are_shown_half_up_with_two_decimals() -> None:
    shown = [display(Decimal(text)) for text in ("0.005", "-0.005", "85.6", "-0.001", "-21.6")]
    assert shown == ["0.01", "-0.01", "85.60", "0.00", "-21.60"]


def test_a_grade_has_no_input_for_scans_alerts_or_complaints() -> None:
    """Whatever a policy says: the calculation has these six parameters, and their types know no event."""
    parameters = inspect.signature(grade).parameters
    assert list(parameters) == ["records", "memberships", "commitments", "facts", "policy", "as_of"]
    inputs = {
        field
        for kind in (type(record()), Membership, Commitment, Facts, RecallFinding, Completeness)
        for field in kind.__dataclass_fields__
    }
    assert not inputs & set(NEVER_INPUT)
    assert inputs == {
        "record_id", "state", "severity", "category", "violation_kind", "decided_on", "window_max_end",
        "kind", "ref", "listed_on", "until", "performance", "determined_on", "remedied_on",
        "registered_on", "recalls", "completeness", "fault", "found_on", "percent", "certified_on",
    }  # fmt: skip
    assert policy().status == "default"
