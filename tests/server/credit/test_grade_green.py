"""绿色通道: every condition can stand against it, and says what it was."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from tests.server.credit.make_grades import AS_OF, LONG_AGO, green, record
from trace_server.credit.grading.model import Commitment, Facts, ListKind, Membership, Performance
from trace_server.credit.model import Severity, State

RED = Membership(ListKind.RED, "示诚信〔2026〕1号", date(2026, 1, 1))
NEW = Facts(registered_on=date(2023, 6, 2))


def test_a_clean_subject_of_three_years_may_use_it() -> None:
    found = green()
    assert found.eligible
    assert found.benefits == ("绿色通道", "容缺受理", "简化程序", "降低抽检比例")
    assert all(reason.met for reason in found.reasons)


@pytest.mark.parametrize(
    ("state", "stands"),
    [(s, s in (State.CONFIRMED, State.PUBLISHED, State.EXPIRED)) for s in State],
)
def test_a_repaired_record_does_not_break_the_run_and_an_expired_one_does(state: State, stands: bool) -> None:
    found = green([record(state=state)])
    assert found.eligible is not stands
    assert found.benefits == () or not stands
    clean = next(reason for reason in found.reasons if reason.condition == "years_clean")
    assert clean.refs == ((record().record_id,) if stands else ())


def test_minor_and_older_records_do_not_break_the_run() -> None:
    assert green([record(severity=Severity.MINOR)]).eligible
    assert green([record(decided_on=date(2023, 6, 1))]).eligible
    assert not green([record(decided_on=date(2023, 6, 2))]).eligible
    assert green([record(decided_on=date(2026, 6, 2))]).eligible


@pytest.mark.parametrize("kind", [ListKind.SERIOUS, ListKind.ABNORMAL, ListKind.INDUSTRY_BLACK])
def test_a_list_stands_against_it_while_it_holds(kind: ListKind) -> None:
    listed = Membership(kind, "1号", date(2026, 1, 1))
    found = green([], [listed])
    assert not found.eligible
    assert [(r.condition, r.refs) for r in found.reasons if not r.met] == [(f"not_on_{kind.value}", ("1号",))]
    assert green([], [replace(listed, until=date(2026, 5, 31))]).eligible


def test_a_broken_commitment_stands_against_it_for_three_years_and_while_it_is_open() -> None:
    broken = Commitment("1", Performance.PARTLY, date(2026, 1, 1), remedied_on=date(2026, 2, 1))
    assert not green([], [], [broken]).eligible
    old = replace(broken, determined_on=date(2020, 1, 1))
    assert green([], [], [old]).eligible
    assert not green([], [], [replace(old, remedied_on=None)]).eligible
    assert green([], [], [replace(broken, performance=Performance.FULFILLED)]).eligible


def test_the_red_list_replaces_the_years_of_registration_and_nothing_else() -> None:
    assert not green(facts=NEW).eligible
    assert green(facts=Facts(registered_on=date(2023, 6, 1))).eligible
    assert not green(facts=Facts()).eligible
    assert green([], [RED], facts=NEW).eligible
    assert not green([record()], [RED], facts=Facts(LONG_AGO)).eligible
    assert not green([], [replace(RED, until=date(2026, 5, 1))], facts=NEW).eligible
    assert date(2026, 6, 1) == AS_OF
