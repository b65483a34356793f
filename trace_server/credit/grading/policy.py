"""Grading policies: every number of the calculation, dated, and which of them is in force on a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from trace_server.credit.grading.model import ListKind, RecallFault, Supervision
from trace_server.credit.model import Severity, State

SCHEME = "ABCD"
"""The scheme that pages show; a subject may carry grades of others, each under its own name."""


class Status(StrEnum):
    """How far the office has taken a policy."""

    DRAFT = "draft"
    """Never used."""
    DEFAULT = "default"
    """Shipped with the product and used until the office approves one; every grade says that it is not confirmed."""
    APPROVED = "approved"


class CapWhen(StrEnum):
    """Conditions that limit the level whatever the score."""

    SERIOUS_LIST = "on_serious_list"
    ABNORMAL_LIST = "on_abnormal_list"
    RECALL_REFUSED = RecallFault.REFUSED.value
    RECALL_LATE = RecallFault.CLASS1_LATE.value
    COMMITMENT = "commitment_unfulfilled_open"


class BonusWhen(StrEnum):
    """What can earn points."""

    RED_LIST = "red_list"
    COMPLETENESS = "chain_completeness_12m"


@dataclass(frozen=True, slots=True)
class Repeat:
    """The 2nd and each later decision of one type within the window weighs `factor` times."""

    window_months: int
    factor: Decimal
    count_states: frozenset[State]


@dataclass(frozen=True, slots=True)
class TimeWeight:
    """Weight of a decision less than so many whole months old."""

    lt_months: int
    weight: Decimal


@dataclass(frozen=True, slots=True)
class Bonus:
    """Points for a merit; `at_least_percent` for those that have a measure."""

    when: BonusWhen
    points: Decimal
    at_least_percent: Decimal | None


@dataclass(frozen=True, slots=True)
class Level:
    """A level from this score on."""

    id: str
    name: str
    name_en: str
    from_score: Decimal


@dataclass(frozen=True, slots=True)
class Cap:
    """The best level while a condition holds."""

    when: CapWhen
    level: str


@dataclass(frozen=True, slots=True)
class NotRated:
    """Subjects registered for less than so many whole months carry this label in place of a level."""

    if_registered_months_lt: int
    label: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class GreenRules:
    """Conditions of the green channel (绿色通道) and what it gives."""

    years_clean: int
    breaks_run: frozenset[State]
    ignore_classes: frozenset[Severity]
    not_on: tuple[ListKind, ...]
    no_commitment_breach: bool
    registered_months_ge: int
    or_red_list: bool
    benefits: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LegalBasis:
    """Law and article behind some rules of a policy, and the days on which it holds."""

    rules: tuple[str, ...]
    law: str
    article: str
    valid_from: date
    valid_to: date | None

    def holds(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True, slots=True)
class GradePolicy:
    """One policy. `version` changes with any byte of its file."""

    id: str
    version: str
    status: Status
    title: str
    title_en: str
    basis: str
    scheme: str
    effective_from: date
    effective_to: date | None
    base: Decimal
    floor: Decimal
    cap: Decimal
    deduction: Mapping[Severity, Decimal]
    category_factor: Mapping[str, Decimal]
    repeat: Repeat
    time_weights: tuple[TimeWeight, ...]
    zero_weight_states: frozenset[State]
    commitment_partly: Decimal
    commitment_unfulfilled: Decimal
    bonus_max: Decimal
    bonuses: tuple[Bonus, ...]
    levels: tuple[Level, ...]
    """Best first."""
    caps: tuple[Cap, ...]
    not_rated: NotRated
    supervision: Mapping[str, Supervision]
    green: GreenRules
    bases: tuple[LegalBasis, ...] = ()

    @property
    def rules(self) -> tuple[str, ...]:
        """Names of everything that needs a legal basis, in the order of the file."""
        return (
            *(f"deduction.{severity.value}" for severity in self.deduction),
            "category_factor",
            "repeat",
            "time_weight",
            "commitment.partly",
            "commitment.unfulfilled",
            *(f"bonus.{bonus.when.value}" for bonus in self.bonuses),
            "level",
            *(f"level_cap.{cap.when.value}" for cap in self.caps),
            "not_rated",
            *(f"supervision.{level}" for level in self.supervision),
            "green_channel",
        )

    def without_basis(self, day: date) -> tuple[str, ...]:
        """Rules that no law stands behind on a day."""
        founded = {rule for basis in self.bases if basis.holds(day) for rule in basis.rules}
        return tuple(rule for rule in self.rules if rule not in founded)

    def in_force(self, day: date) -> bool:
        """A draft never is."""
        dated = self.effective_from <= day and (self.effective_to is None or day <= self.effective_to)
        return dated and self.status is not Status.DRAFT

    def rank(self, level: str) -> int:
        """0 for the best level."""
        return next(rank for rank, known in enumerate(self.levels) if known.id == level)


def choose_policy(policies: tuple[GradePolicy, ...], day: date, scheme: str = SCHEME) -> GradePolicy | None:
    """The policy of a scheme in force on a day: an approved one before a default, then the latest; None if none is."""
    known = [policy for policy in policies if policy.scheme == scheme and policy.in_force(day)]
    return max(
        known,
        key=lambda p: (p.status is Status.APPROVED, p.effective_from, int(p.version.partition("-")[0]), p.id),
        default=None,
    )
