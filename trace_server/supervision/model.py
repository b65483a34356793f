"""Plans, candidates, tasks and results of inspections as values (domain rules §1 rows 一(二)d, 四(三))."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class PlanState(StrEnum):
    """Where a plan stands. From `COMMITTED` on the public sees that there is one."""

    DRAFT = "draft"
    COMMITTED = "committed"
    """Lists are closed, their digests and the digest of a secret are published: nothing can be chosen any more."""
    DRAWN = "drawn"
    PUBLISHED = "published"
    """Seed, lists and tasks are open to everybody, results as they come."""
    WITHDRAWN = "withdrawn"


class PlanEvent(StrEnum):
    """What moves a plan."""

    CHANGE = "change"
    """Another number of inspections for one subject, with a reason."""
    COMMIT = "commit"
    DRAW = "draw"
    PUBLISH = "publish"
    WITHDRAW = "withdraw"


class Intensity(StrEnum):
    """Which end of the policy's range of inspections a year a plan takes."""

    LEAST = "least"
    MOST = "most"


class TaskState(StrEnum):
    """Where a task stands."""

    PLANNED = "planned"
    DONE = "done"
    CANCELLED = "cancelled"


class TaskEvent(StrEnum):
    """What moves a task."""

    FINISH = "finish"
    CORRECT = "correct"
    """The result was entered wrongly."""
    CANCEL = "cancel"


class Finding(StrEnum):
    """What an inspection found."""

    NONE = "none"
    """未发现问题."""
    RECTIFIED = "rectified"
    """发现问题已责令改正."""
    CASE_OPENED = "case_opened"
    """发现问题待后续处理; a case takes it further."""


@dataclass(frozen=True, slots=True)
class PlanFields:
    """What is inspected, where, when, how, and by which law."""

    title: str
    region: str
    """GB/T 2260, six digits; one that ends in 00 stands for all below it."""
    content: str
    """抽查事项."""
    method: str
    """检查方式."""
    legal_basis: str
    period_from: date
    period_to: date
    intensity: Intensity


@dataclass(frozen=True, slots=True)
class Draw:
    """How chance was bound and used. Empty texts before their step."""

    commitment: str = ""
    """SHA-256 of `secret`, published before the draw."""
    secret: str = ""
    """64 hexadecimal digits, made when the plan was committed, shown after publication."""
    word: str = ""
    """What the second person added at the draw, unknown at the commitment."""
    seed: str = ""
    subjects_digest: str = ""
    inspectors_digest: str = ""
    committed_by: str = ""
    committed_at: datetime | None = None
    drawn_by: str = ""
    drawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan of inspections. `version` goes up with each change: who writes says which one was read."""

    plan_id: str
    fields: PlanFields
    department: str
    state: PlanState
    policy_version: str
    """Of the grading policy whose frequencies it takes."""
    draw: Draw
    created_by: str
    created_at: datetime
    published_by: str
    published_at: datetime | None
    reason: str
    """Why it was withdrawn, "" before."""
    version: int

    @property
    def is_told(self) -> bool:
        """The public knows of it; a plan that was withdrawn after its commitment stays visible."""
        return bool(self.draw.commitment)

    @property
    def is_open(self) -> bool:
        """Seed, lists, tasks and results are public."""
        return self.state is PlanState.PUBLISHED


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject that may be drawn. `reason`: why somebody set another frequency than the policy's, "" for nobody."""

    uscc: str
    name: str
    region: str
    level: str
    yearly: int
    """Inspections a year."""
    sampling: str
    """Multiple of the usual sampling rate, a decimal text."""
    reason: str = ""
    changed_by: str = ""

    @property
    def is_fixed(self) -> bool:
        """Its number of visits is set by hand, not drawn."""
        return bool(self.reason)


@dataclass(frozen=True, slots=True)
class Inspector:
    """Somebody who may be drawn to inspect: name in the audit log, and how colleagues call him."""

    actor: str
    name: str


@dataclass(frozen=True, slots=True)
class Visit:
    """One drawn visit: whom, by which day, by whom."""

    number: int
    uscc: str
    due_on: date
    inspectors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a visit. `case_id` for `CASE_OPENED`."""

    done_on: date
    finding: Finding
    note: str = ""
    case_id: str = ""


@dataclass(frozen=True, slots=True)
class Task:
    """A visit with its subject and its result. `note`: of the result, or why it was cancelled."""

    plan_id: str
    number: int
    uscc: str
    name: str
    level: str
    sampling: str
    due_on: date
    inspectors: tuple[str, ...]
    state: TaskState
    done_on: date | None
    finding: Finding | None
    case_id: str
    note: str
    recorded_by: str
    recorded_at: datetime | None
    version: int
