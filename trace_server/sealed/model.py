"""Sealed values, and requests to open them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import NewType

SealedId = NewType("SealedId", str)
"""Names a sealed value and says nothing of it; may be stored, shown and logged."""


class Purpose(StrEnum):
    """What a value was sealed for. Each desk asks for values of its own purpose and finds no others."""

    REPORTER = "reporter"
    NATURAL_PERSON = "natural_person"


class OpeningState(StrEnum):
    """Where a request to open stands."""

    REQUESTED = "requested"
    APPROVED = "approved"
    REFUSED = "refused"
    ENDED = "ended"
    """The time to look is over, or the approval was not used in time."""


class OpeningEvent(StrEnum):
    """What moves a request."""

    APPROVE = "approve"
    REFUSE = "refuse"
    END = "end"


@dataclass(frozen=True, slots=True)
class Opening:
    """A request to open one value: who asks and why, who else allowed it, and until when it may be looked at."""

    opening_id: str
    sealed_id: SealedId
    purpose: Purpose
    state: OpeningState
    requested_by: str
    reason: str
    requested_at: datetime
    decided_by: str
    decision: str
    """Sentence of the one who decided."""
    decided_at: datetime | None
    until: datetime | None
    """Approved: use it before; once opened: the end of the look."""
    views: int


@dataclass(frozen=True, slots=True)
class Opened:
    """What was sealed, for the eyes of the one who asked, until `until`. Answer it with `no-store`."""

    fields: Mapping[str, str] = field(repr=False)
    until: datetime


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How many values lie under one key, by its letter."""

    key_id: str
    values: int
    is_newest: bool
