"""The grade of a subject on a day: a pure function with exact arithmetic and an explanation of every point."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal, Inexact, localcontext

from trace_server.credit.grading.model import (
    Commitment,
    Facts,
    Grade,
    GradeRecord,
    Line,
    LineKind,
    ListKind,
    Membership,
    Performance,
    RecallFault,
)
from trace_server.credit.grading.policy import BonusWhen, CapWhen, GradePolicy
from trace_server.credit.model import Severity, State
from trace_server.credit.windows import months_after

EXACT = Context(prec=200, traps=[Inexact])
"""Products of a few policy numbers with six decimals each are exact in it; a result that were not raises."""
CENT = Decimal("0.01")
ZERO = Decimal(0)
_LISTS = {CapWhen.SERIOUS_LIST: ListKind.SERIOUS, CapWhen.ABNORMAL_LIST: ListKind.ABNORMAL}
_FAULTS = {CapWhen.RECALL_REFUSED: RecallFault.REFUSED, CapWhen.RECALL_LATE: RecallFault.CLASS1_LATE}


def grade(
    records: Collection[GradeRecord],
    memberships: Collection[Membership],
    commitments: Collection[Commitment],
    facts: Facts,
    policy: GradePolicy,
    as_of: date,
) -> Grade:
    """The grade on `as_of` (domain rules §5).

    The order of the inputs has no influence. Records decided later than `as_of` and papers of a later day are left
    out. `score` is exact; `display` rounds it. A subject registered for less than the policy's months is not rated.
    """
    months = None if facts.registered_on is None else months_between(facts.registered_on, as_of)
    if months is not None and months < policy.not_rated.if_registered_months_lt:
        line = Line(LineKind.NOT_RATED, "", ZERO, (("registered_months", Decimal(months)),), "registered_months")
        label = policy.not_rated
        return _grade(policy, as_of, (label.label, label.name, label.name_en), None, (line,))
    with localcontext(EXACT):
        counted = counted_records(records, policy, as_of)
        lines = [Line(LineKind.BASE, "", policy.base, (), "base")]
        lines += _record_lines(counted, policy, as_of)
        lines += _commitment_lines(commitments, policy, as_of)
        lines += _bonus_lines(counted, memberships, facts, policy, as_of)
        total = sum((line.points for line in lines), ZERO)
        score = min(policy.cap, max(policy.floor, total))
        if score != total:
            lines.append(Line(LineKind.LIMIT, "", score - total, (), "floor" if score > total else "cap"))
    level = next(rank for rank, known in enumerate(policy.levels) if score >= known.from_score)
    for line in _cap_lines(memberships, commitments, facts, policy, as_of):
        lines.append(line)
        level = max(level, policy.rank(line.detail))
    found = policy.levels[level]
    return _grade(policy, as_of, (found.id, found.name, found.name_en), score, tuple(lines))


def display(points: Decimal) -> str:
    """Points as people read them: two decimals, half up."""
    cents = points.quantize(CENT, rounding=ROUND_HALF_UP)
    return f"{cents if cents else abs(cents):f}"


def months_between(start: date, end: date) -> int:
    """Whole calendar months from `start` to `end`; negative when `end` is earlier."""
    months = (end.year - start.year) * 12 + end.month - start.month
    return months - 1 if end.day < start.day and months_after(start, months) > end else months


def counted_records(records: Collection[GradeRecord], policy: GradePolicy, as_of: date) -> list[GradeRecord]:
    """The records in use on a day, by day of decision and id."""
    counted = [r for r in records if r.decided_on <= as_of and r.state_on(as_of) in policy.repeat.count_states]
    return sorted(counted, key=lambda record: (record.decided_on, record.record_id))


def on_red_list(memberships: Collection[Membership], counted: Collection[GradeRecord], as_of: date) -> list[str]:
    """Numbers of the red-list entries that hold; any record in use that is not minor takes them away at once."""
    if any(record.severity is not Severity.MINOR for record in counted):
        return []
    return sorted(m.ref for m in memberships if m.kind is ListKind.RED and m.holds(as_of))


def _grade(
    policy: GradePolicy, as_of: date, level: tuple[str, str, str], score: Decimal | None, lines: tuple[Line, ...]
) -> Grade:
    return Grade(
        scheme=policy.scheme,
        policy_id=policy.id,
        policy_version=policy.version,
        policy_status=policy.status.value,
        as_of=as_of,
        level=level[0],
        level_name=level[1],
        level_name_en=level[2],
        score=score,
        lines=lines,
        supervision=policy.supervision.get(level[0]),
    )


def _record_lines(counted: list[GradeRecord], policy: GradePolicy, as_of: date) -> Iterator[Line]:
    for index, record in enumerate(counted):
        weight = _time_weight(record.decided_on, policy, as_of)
        earlier = _earlier_of_its_type(record, counted[:index], policy)
        factors = [
            ("deduction", policy.deduction[record.severity]),
            ("category", policy.category_factor[record.category]),
            ("repeat", policy.repeat.factor if earlier else Decimal(1)),
            ("time", weight),
        ]
        points = ZERO
        if weight:
            points = factors[0][1] * factors[1][1] * factors[2][1] * weight
        yield Line(
            LineKind.RECORD,
            record.record_id,
            -points,
            tuple(factors),
            record.severity.value,
            detail=record.category,
            related=earlier.record_id if earlier else "",
        )


def _time_weight(decided_on: date, policy: GradePolicy, as_of: date) -> Decimal:
    age = months_between(decided_on, as_of)
    return next((row.weight for row in policy.time_weights if age < row.lt_months), ZERO)


def _earlier_of_its_type(record: GradeRecord, before: list[GradeRecord], policy: GradePolicy) -> GradeRecord | None:
    """The newest earlier decision of the same type within the repeat window."""
    for earlier in reversed(before):
        if months_between(earlier.decided_on, record.decided_on) >= policy.repeat.window_months:
            return None
        if earlier.violation_kind == record.violation_kind:
            return earlier
    return None


def _commitment_lines(commitments: Collection[Commitment], policy: GradePolicy, as_of: date) -> Iterator[Line]:
    points = {
        Performance.PARTLY: policy.commitment_partly,
        Performance.UNFULFILLED: policy.commitment_unfulfilled,
    }
    for commitment in sorted(commitments, key=lambda c: (c.determined_on, c.ref, c.performance)):
        if commitment.is_open_breach(as_of):
            yield Line(
                LineKind.COMMITMENT, commitment.ref, -points[commitment.performance], (), commitment.performance.value
            )


def _bonus_lines(
    counted: list[GradeRecord],
    memberships: Collection[Membership],
    facts: Facts,
    policy: GradePolicy,
    as_of: date,
) -> Iterator[Line]:
    left = policy.bonus_max
    for bonus in policy.bonuses:
        if bonus.when is BonusWhen.RED_LIST:
            refs = on_red_list(memberships, counted, as_of)
        else:
            least = bonus.at_least_percent or ZERO
            refs = sorted(c.ref for c in facts.completeness if c.holds(as_of) and c.percent >= least)
        points = min(bonus.points, left)
        if refs and points:
            left -= points
            yield Line(LineKind.BONUS, refs[0], points, (), bonus.when.value)


def _cap_lines(
    memberships: Collection[Membership],
    commitments: Collection[Commitment],
    facts: Facts,
    policy: GradePolicy,
    as_of: date,
) -> Iterator[Line]:
    for cap in policy.caps:
        if cap.when in _LISTS:
            refs = sorted(m.ref for m in memberships if m.kind is _LISTS[cap.when] and m.holds(as_of))
        elif cap.when in _FAULTS:
            refs = sorted(r.ref for r in facts.recalls if r.fault is _FAULTS[cap.when] and r.holds(as_of))
        else:
            unfulfilled = (c for c in commitments if c.performance is Performance.UNFULFILLED)
            refs = sorted(c.ref for c in unfulfilled if c.is_open_breach(as_of))
        if refs:
            yield Line(LineKind.CAP, refs[0], ZERO, (), cap.when.value, detail=cap.level)


def breaks_run(record: GradeRecord, states: frozenset[State], as_of: date) -> bool:
    """The record stands in one of these states on a day and was decided by then."""
    return record.decided_on <= as_of and record.state_on(as_of) in states
