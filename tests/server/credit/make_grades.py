"""Builders for grading tests: everything that a test is not about has a default."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from importlib.resources import files

from tests.server.credit.make import SUBJECT
from trace_server.credit.grading.facts import FactKind, StatedFact
from trace_server.credit.grading.green import green_channel
from trace_server.credit.grading.model import Commitment, Facts, Grade, GradeRecord, GreenChannel, Membership
from trace_server.credit.grading.policy import GradePolicy, choose_policy
from trace_server.credit.grading.reading import shipped_policies
from trace_server.credit.grading.scoring import grade
from trace_server.credit.model import Severity, State

AS_OF = date(2026, 6, 1)
LONG_AGO = date(2001, 1, 1)
POLICY_TEXT = (files("trace_server.credit") / "policy" / "grade-default.toml").read_bytes()


def policy(day: date = AS_OF) -> GradePolicy:
    found = choose_policy(shipped_policies(), day)
    assert found is not None
    return found


def record(
    number: int = 1,
    *,
    decided_on: date = date(2026, 3, 1),
    severity: Severity = Severity.GENERAL,
    category: str = "food",
    kind: str = "经营超过保质期的食品",
    state: State = State.PUBLISHED,
    window_max_end: date = date(2099, 12, 31),
) -> GradeRecord:
    return GradeRecord(f"{number:032x}", state, severity, category, kind, decided_on, window_max_end)


def graded(
    records: Collection[GradeRecord] = (),
    memberships: Collection[Membership] = (),
    commitments: Collection[Commitment] = (),
    facts: Facts = Facts(registered_on=LONG_AGO),  # noqa: B008 – a frozen value
    as_of: date = AS_OF,
    by: GradePolicy | None = None,
) -> Grade:
    return grade(records, memberships, commitments, facts, by or policy(), as_of)


def green(
    records: Collection[GradeRecord] = (),
    memberships: Collection[Membership] = (),
    commitments: Collection[Commitment] = (),
    facts: Facts = Facts(registered_on=LONG_AGO),  # noqa: B008 – a frozen value
    as_of: date = AS_OF,
) -> GreenChannel:
    return green_channel(records, memberships, commitments, facts, policy(), as_of)


def fact(
    kind: FactKind,
    ref: str = "示列决〔2026〕1号",
    *,
    uscc: str = SUBJECT,
    from_day: date = date(2026, 5, 1),
    until_day: date | None = None,
    percent: str | None = None,
) -> StatedFact:
    return StatedFact(uscc, kind, ref, from_day, until_day, percent, "示例市市场监督管理局")
