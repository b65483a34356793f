"""Applications for repair as values (NDRC Order 36; domain rules §2.7, §4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RepairState(StrEnum):
    """Where an application stands."""

    SUBMITTED = "submitted"
    RETURNED = "returned"
    """Something is missing; the applicant sends it again."""
    ACCEPTED = "accepted"
    GRANTED = "granted"
    REFUSED = "refused"


class RepairEvent(StrEnum):
    """What moves an application."""

    RETURN = "return"
    SUBMIT = "submit"
    ACCEPT = "accept"
    GRANT = "grant"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Guidance:
    """What a company is told before it applies: (Chinese, English) step by step."""

    steps: tuple[tuple[str, str], ...]
    legal_basis: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Application:
    """One application. `correction`: what was done; `promise`: 信用承诺, that the papers are true."""

    application_id: str
    record_id: str
    uscc: str
    state: RepairState
    correction: str
    promise: str
    papers: tuple[str, ...]
    submitted_by: str
    submitted_at: datetime
    due_at: datetime | None
    """When the authority's next step is due."""
    accepted_by: str
    decided_by: str
    reason: str
    document_no: str
    version: int
