"""Tag ranges as values (domain.md §4.1): who may issue which serials of a product, and how many."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

LEGAL_TIME = ZoneInfo("Asia/Shanghai")
"""A day ends at midnight there (domain.md rule 10)."""


class RangeState(StrEnum):
    """Where a range stands."""

    REQUESTED = "requested"
    GRANTED = "granted"
    REFUSED = "refused"
    REVOKED = "revoked"
    """No new code of it may be issued; what was issued stays."""


class RangeEvent(StrEnum):
    """What moves a range."""

    GRANT = "grant"
    REFUSE = "refuse"
    REVOKE = "revoke"


@dataclass(frozen=True, slots=True)
class Span:
    """Serials from `first` to `last`: the same `prefix`, then the numbers `low` … `high`.

    `width` > 0: the numbers are written with that many digits; 0: without leading zeros.
    """

    first: str
    last: str
    prefix: str
    low: int
    high: int
    width: int

    @property
    def size(self) -> int:
        """How many serials there are."""
        return self.high - self.low + 1

    def holds(self, serial: str) -> bool:
        """Whether the serial is one of them."""
        digits = serial.removeprefix(self.prefix) if serial.startswith(self.prefix) else ""
        if not (digits.isascii() and digits.isdigit()):
            return False
        is_written_so = len(digits) == self.width if self.width else str(int(digits)) == digits
        return is_written_so and self.low <= int(digits) <= self.high

    def meets(self, other: Span) -> bool:
        """Whether some number is in both; numbers that differ in leading zeros only count as the same."""
        return self.prefix == other.prefix and self.low <= other.high and other.low <= self.high


@dataclass(frozen=True, slots=True)
class TagRange:
    """A range of serials of one product, from its request to its end. `uscc`: the issuer.

    `quota`: codes that may be issued of it; `issued`: those that were. `valid_to` is the last day, None: no end.
    """

    range_id: str
    uscc: str
    gtin: str
    span: Span
    quota: int
    issued: int
    state: RangeState
    purpose: str
    requested_by: str
    requested_at: datetime
    decided_by: str
    decided_at: datetime | None
    reason: str
    valid_from: date | None
    valid_to: date | None
    version: int

    def in_force(self, day: date) -> bool:
        """Whether codes of it may be issued on `day`, as it stands now."""
        return self.state is RangeState.GRANTED and self.held_on(day)

    def held_on(self, day: date) -> bool:
        """Whether codes of it might be issued on `day`: one that was revoked held until the day before."""
        if self.valid_from is None or day < self.valid_from or (self.valid_to is not None and day > self.valid_to):
            return False
        if self.state is RangeState.REVOKED and self.decided_at is not None:
            return day < self.decided_at.astimezone(LEGAL_TIME).date()
        return True

    @property
    def left(self) -> int:
        """Codes that may still be issued of it."""
        return max(0, self.quota - self.issued)


@dataclass(frozen=True, slots=True)
class Queried:
    """How many callers asked for a code (object key of the item) on one day (Asia/Shanghai)."""

    object_key: bytes
    day: date
    callers: int
