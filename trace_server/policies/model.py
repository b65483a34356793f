"""Policy versions, simulations and comparisons as values (domain rules §1 row 二(七), §4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class PolicyState(StrEnum):
    """Where a version stands."""

    DRAFT = "draft"
    SIMULATED = "simulated"
    REVIEWED = "reviewed"
    """Its risks and the response to them are written down; two persons have yet to approve it."""
    APPROVED = "approved"
    ACTIVE = "active"
    """It counts from its first day on, which may be ahead."""
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"


class PolicyEvent(StrEnum):
    """What moves a version."""

    EDIT = "edit"
    SIMULATE = "simulate"
    REVIEW = "review"
    APPROVE = "approve"
    """One approval of two."""
    COMPLETE = "complete"
    """The second approval."""
    RETURN = "return"
    ACTIVATE = "activate"
    SUPERSEDE = "supersede"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Risk:
    """One line of the risk list, and what is done when it comes true (风险处置预案)."""

    risk: str
    response: str


@dataclass(frozen=True, slots=True)
class RiskReview:
    """What has to be written down before anybody approves (二(七)b)."""

    risks: tuple[Risk, ...]
    check_after_days: tuple[int, ...]
    """Days after the first day on which prediction and observation are compared."""
    reviewed_by: str
    reviewed_at: datetime


@dataclass(frozen=True, slots=True)
class Approval:
    """Who approved, when, in which words."""

    actor: str
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version of a policy. `version` goes up with each change: who writes says which one was read."""

    policy_id: str
    number: int
    state: PolicyState
    text: str
    """The TOML document, as `grade-default.toml` is."""
    rollback_of: int
    """Number of the earlier version whose content this one brings back, 0 for none."""
    created_by: str
    created_at: datetime
    run: int
    """Number of the simulation that counts, 0 for none."""
    review: RiskReview | None
    approvals: tuple[Approval, ...]
    effective_from: date | None
    reason: str
    """Words of the last step."""
    version: int

    @property
    def name(self) -> str:
        return f"{self.policy_id}/{self.number}"


@dataclass(frozen=True, slots=True)
class Move:
    """So many subjects go from one level to another (迁移矩阵)."""

    before: str
    after: str
    count: int


@dataclass(frozen=True, slots=True)
class RegionEffect:
    """Subjects of a region that would rise, fall and stay. "" for a region that nobody has told."""

    region: str
    better: int
    worse: int
    same: int


@dataclass(frozen=True, slots=True)
class Load:
    """Inspections a year that a policy asks for, over all simulated subjects."""

    least: int
    most: int


@dataclass(frozen=True, slots=True)
class Change:
    """A subject whose level would be another one. Scores are decimal texts, "" when not rated."""

    uscc: str
    region: str
    before: str
    after: str
    score_before: str
    score_after: str


@dataclass(frozen=True, slots=True)
class Simulation:
    """What a version would do to the subjects as they stand on a day."""

    run: int
    as_of: date
    seed: str
    population: int
    simulated: int
    """Fewer than the population: a sample drawn with the seed."""
    current_version: str
    draft_version: str
    moves: tuple[Move, ...]
    regions: tuple[RegionEffect, ...]
    load_before: Load
    load_after: Load
    changed: int
    changed_low: float
    changed_high: float
    """Share of all subjects that would change, between 0 and 1: 95 % interval of a sample, the share itself of all."""
    changes: tuple[Change, ...]
    """The first by code; `changed` counts them all."""
    digest: str
    """SHA-256 over day, seed, both versions and every subject's inputs and levels: equal runs have equal digests."""
    made_by: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class LevelShare:
    """Share of a level, between 0 and 1, as predicted and as observed."""

    level: str
    predicted: float
    observed: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Prediction against observation on a set day after the first (二(七)c)."""

    after_days: int
    due_on: date
    made_at: datetime
    observed: int
    """Subjects whose grade names this version."""
    shares: tuple[LevelShare, ...]
    load_predicted: Load
    load_observed: Load
    """Both for the number of subjects observed."""
