"""Online sellers and what platforms report of them, as values (domain.md §1, 二(六))."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class MarkState(StrEnum):
    """Where an identity mark stands."""

    PENDING = "pending"
    """Asked for; a second person confirms it."""
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class MarkEvent(StrEnum):
    """What moves a mark."""

    CONFIRM = "confirm"
    SUSPEND = "suspend"
    RESUME = "resume"
    REVOKE = "revoke"


class Standing(StrEnum):
    """What a mark is worth at a moment: its own state, and that of the seller behind it."""

    VALID = "valid"
    PENDING = "pending"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    NO_LICENCE = "no-licence"
    """The licence that the mark names is revoked, suspended, cancelled or over."""
    NO_BUSINESS = "no-business"
    """The seller is revoked or closed in the business register."""


class NoticeState(StrEnum):
    """Where a takedown notice stands."""

    ISSUED = "issued"
    ANSWERED = "answered"
    LIFTED = "lifted"
    """The batch is not blocked any more."""


class NoticeEvent(StrEnum):
    """What moves a notice."""

    ANSWER = "answer"
    LIFT = "lift"


class Outcome(StrEnum):
    """What a platform did about a notice."""

    REMOVED = "removed"
    DISPUTED = "disputed"
    """It holds that the listing is of other goods; a person looks into it, the deadline goes on."""


@dataclass(frozen=True, slots=True)
class Shop:
    """An online seller's identity mark. Either `uscc` or `person_ref` (a reference into the sealed store) is set.

    `platform`: USCC of who runs the platform. `licence_no` "": none is needed for what it sells.
    """

    mark: str
    uscc: str
    person_ref: str
    name: str
    platform: str
    platform_name: str
    url: str
    licence_no: str
    state: MarkState
    requested_by: str
    requested_at: datetime
    decided_by: str
    decided_at: datetime | None
    reason: str
    version: int


@dataclass(frozen=True, slots=True)
class Listing:
    """An offer of goods of one batch, as its platform reports it. `mark`, `seller_uscc` "": the platform names none.

    `as_of`: the moment that the report describes; an older report never replaces a newer one.
    """

    platform: str
    listing_no: str
    mark: str
    seller_uscc: str
    gtin: str
    lot: str
    url: str
    listed_at: datetime
    ended_at: datetime | None
    as_of: datetime


@dataclass(frozen=True, slots=True)
class Sale:
    """So much of a batch sold through a listing; of buyers nothing is taken."""

    platform: str
    sale_no: str
    listing_no: str
    gtin: str
    lot: str
    quantity: str
    sold_at: datetime


@dataclass(frozen=True, slots=True)
class Notice:
    """A takedown notice to a platform (电子商务法 art. 38). `cause`: number of the recall notice, or `expired`."""

    notice_id: str
    platform: str
    listing_no: str
    gtin: str
    lot: str
    cause: str
    basis: str
    issued_at: datetime
    due_at: datetime
    state: NoticeState
    outcome: str
    answer: str
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Watched:
    """A notice, and what is known of its listing."""

    notice: Notice
    seller_uscc: str
    mark: str
    ended_at: datetime | None
    sold_late: int
    """Sales reported after the deadline."""


@dataclass(frozen=True, slots=True)
class Term:
    """Hours that a platform has, by cause, from a day on."""

    cause: str
    hours: int
    basis: str
    starts: date
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long reports of platforms are kept."""

    years: int
    basis: str
    starts: date
