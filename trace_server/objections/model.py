"""Objections as values (domain rules §4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ObjectionState(StrEnum):
    """Where an objection stands. What it is about is marked until the last two."""

    RAISED = "raised"
    PROPOSED = "proposed"
    """Found right; a second person decides."""
    UPHELD = "upheld"
    REJECTED = "rejected"


class ObjectionEvent(StrEnum):
    """What moves an objection."""

    PROPOSE = "propose"
    RETURN = "return"
    """The second person does not share the proposal."""
    UPHOLD = "uphold"
    REJECT = "reject"


class TargetKind(StrEnum):
    """What an objection can be about."""

    RECORD = "record"
    """A violation record."""
    LIST = "list"
    """A list entry."""
    COMMITMENT = "commitment"


class Remedy(StrEnum):
    """What an upheld objection does."""

    NONE = ""
    CORRECT = "correct"
    """A record's fields are mended; a finding about a commitment is taken back."""
    WITHDRAW = "withdraw"
    """It should not be there."""


@dataclass(frozen=True, slots=True)
class Objection:
    """One objection. `target`: record id, membership id or 承诺编码; `representative`: who speaks for the subject."""

    objection_id: str
    kind: TargetKind
    target: str
    uscc: str
    """"" when it is about a natural person."""
    state: ObjectionState
    claim: str
    papers: tuple[str, ...]
    representative: str
    raised_by: str
    raised_at: datetime
    due_at: datetime | None
    """When the authority's next step is due."""
    remedy: Remedy
    changes: Mapping[str, str]
    """Of a corrected record: official code → text, "" takes a field away."""
    proposed_by: str
    decided_by: str
    reason: str
    """Of the last step; told to who raised it."""
    document_no: str
    version: int
