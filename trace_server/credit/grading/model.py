"""Values of grading: what goes in, and the grade with its explanation that comes out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from trace_server.credit.model import Severity, State, ViolationRecord


@dataclass(frozen=True, slots=True)
class GradeRecord:
    """What grading knows of a violation record; a numbered decision stands behind every one."""

    record_id: str
    state: State
    severity: Severity
    category: str
    violation_kind: str
    """违法行为类型: decisions of the same type within the repeat window weigh more."""
    decided_on: date
    window_max_end: date

    def state_on(self, day: date) -> State:
        """The state on a day, also before the nightly job has ended a record whose window is over."""
        over = day > self.window_max_end and self.state in (State.CONFIRMED, State.PUBLISHED, State.UNPUBLISHED)
        return State.EXPIRED if over else self.state


def grade_record(record: ViolationRecord) -> GradeRecord:
    """The part of a violation record that grading looks at."""
    return GradeRecord(
        record_id=record.record_id,
        state=record.state,
        severity=record.severity,
        category=record.category,
        violation_kind="".join(record.decision.violation_kind.split()),
        decided_on=record.decision.decided_on,
        window_max_end=record.window_max_end,
    )


class ListKind(StrEnum):
    """Lists that a grade depends on (domain rules §2.6)."""

    SERIOUS = "serious"
    """严重违法失信名单."""
    ABNORMAL = "abnormal"
    """经营异常名录."""
    INDUSTRY_BLACK = "industry_black"
    """行业黑名单, kept by an association."""
    RED = "red"
    """红名单, 诚信典型."""


@dataclass(frozen=True, slots=True)
class Membership:
    """A subject on a list from `listed_on` to its last day `until` (None: still on it); `ref` numbers the paper."""

    kind: ListKind
    ref: str
    listed_on: date
    until: date | None = None

    def holds(self, day: date) -> bool:
        return self.listed_on <= day and (self.until is None or day <= self.until)


class Performance(StrEnum):
    """承诺履行状态, as the accepting authority determined it."""

    FULFILLED = "fulfilled"
    PARTLY = "partly"
    UNFULFILLED = "unfulfilled"


@dataclass(frozen=True, slots=True)
class Commitment:
    """信用承诺 whose performance an authority determined; a breach is open until the day it was made good."""

    ref: str
    performance: Performance
    determined_on: date
    remedied_on: date | None = None

    def is_breach(self, day: date) -> bool:
        return self.performance is not Performance.FULFILLED and self.determined_on <= day

    def is_open_breach(self, day: date) -> bool:
        return self.is_breach(day) and (self.remedied_on is None or day < self.remedied_on)


class RecallFault(StrEnum):
    """Breaches of recall duties that an authority found by a decision."""

    REFUSED = "refused_ordered_recall"
    """责令召回 refused."""
    CLASS1_LATE = "open_class1_recall_late"
    """A recall of the gravest class is open past its deadline."""


@dataclass(frozen=True, slots=True)
class RecallFinding:
    """A fault with an ordered recall, from `found_on` to `until`, its last day (None: not yet mended)."""

    fault: RecallFault
    ref: str
    found_on: date
    until: date | None = None

    def holds(self, day: date) -> bool:
        return self.found_on <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Completeness:
    """Chain completeness over twelve months in percent, as certified; it can earn a bonus and cost nothing."""

    ref: str
    percent: Decimal
    certified_on: date
    until: date

    def holds(self, day: date) -> bool:
        return self.certified_on <= day <= self.until


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a subject beside records, lists and commitments."""

    registered_on: date | None = None
    """Day of registration; None when no register has told us. Then the subject is rated like an old one."""
    recalls: tuple[RecallFinding, ...] = ()
    completeness: tuple[Completeness, ...] = ()


class LineKind(StrEnum):
    """What a line of an explanation is about."""

    BASE = "base"
    RECORD = "record"
    COMMITMENT = "commitment"
    BONUS = "bonus"
    LIMIT = "limit"
    """The sum left the range of the scheme and was brought back to its edge."""
    CAP = "cap"
    """The level was lowered whatever the score."""
    NOT_RATED = "not_rated"


@dataclass(frozen=True, slots=True)
class Line:
    """One step from the base to the level. `points` is exact and signed; `factors` multiply to it in this order."""

    kind: LineKind
    ref: str
    """Id of the record, number of the paper, or empty."""
    points: Decimal
    factors: tuple[tuple[str, Decimal], ...]
    basis: str
    """What it was counted for: a severity, a performance, a condition."""
    detail: str = ""
    """For a record its category, for a cap the level."""
    related: str = ""
    """Id of the earlier record that makes this one a repeat."""


@dataclass(frozen=True, slots=True)
class Supervision:
    """分级分类监管: how often a subject of a level is inspected, and how densely its goods are sampled."""

    inspections_min: int
    inspections_max: int
    """Per year."""
    sampling: Decimal
    """Multiple of the usual sampling rate."""
    checkpoint: str
    """What gates do with its goods: `sample` or `full_read`."""


@dataclass(frozen=True, slots=True)
class Grade:
    """A grade under one scheme and policy. `score` is exact and None when the subject is not rated."""

    scheme: str
    policy_id: str
    policy_version: str
    policy_status: str
    as_of: date
    level: str
    level_name: str
    level_name_en: str
    score: Decimal | None
    lines: tuple[Line, ...]
    supervision: Supervision | None


@dataclass(frozen=True, slots=True)
class Reason:
    """One condition of the green channel. `ref` names what stands against it, or the number that was compared."""

    condition: str
    met: bool
    refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GreenChannel:
    """绿色通道: whether a subject may use it on a day, with every condition, and what it then gets."""

    eligible: bool
    reasons: tuple[Reason, ...]
    benefits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything that is computed of a subject on a day."""

    grade: Grade
    green: GreenChannel
    inputs_hash: str
    """SHA-256 over policy version and all inputs, hexadecimal."""
