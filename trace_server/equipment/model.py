"""Special equipment as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class State(StrEnum):
    """Where a thing stands in its life (domain.md §4.2)."""

    REGISTERED = "registered"
    IN_USE = "in_use"
    DUE_SOON = "due_soon"
    """In use, its inspection is near. Follows from the day, is never stored."""
    OVERDUE = "overdue"
    """Blocked: its last day of use is over. Follows from the day, is never stored."""
    INSPECTED = "inspected"
    """Passed an inspection after it was overdue; may be put in use again."""
    OUT_OF_SERVICE = "out_of_service"
    SCRAPPED = "scrapped"


class Step(StrEnum):
    """What happens to a thing. `near_due` and `fall_due` are the calendar's."""

    PUT_IN_USE = "put_in_use"
    NEAR_DUE = "near_due"
    FALL_DUE = "fall_due"
    PASSED = "passed"
    FAILED = "failed"
    TAKE_OUT = "take_out"
    SCRAP = "scrap"


@dataclass(frozen=True, slots=True)
class Asset:
    """What is known of one thing. Empty text, None: unknown.

    `inspection_due` is the last day of use (特种设备安全法 art. 40), `scrap_on` the first day on which it is scrap
    (art. 48); both come from certificates. `tid` in hex binds the code to one chip.
    """

    uri: str
    """Canonical URI: what the tag or plate carries, else made of the device code."""
    tid: str
    medium: str
    owner: str
    """USCC of the unit that uses and answers for it 使用单位."""
    inspection_due: date | None
    scrap_on: date | None
    source: str
    as_of: date
    device_code: str = ""
    """设备代码, 18 characters (`device_code.parse`)."""
    kind: str = ""
    """Name in `kinds.toml`."""
    registration_no: str = ""
    """使用登记证编号."""
    registered_on: date | None = None
    maintainer: str = ""
    """USCC of the maintenance unit 维保单位."""
    fill_limit_kg: float | None = None
    made_on: date | None = None
    in_use_on: date | None = None
    """First day of use, from the papers."""
    state: State = State.IN_USE
    """As the last step left it; what the calendar adds says `states.state_on`."""
    revision: int = 1


@dataclass(frozen=True, slots=True)
class Inspection:
    """One inspection of one thing. `next_due`: as its certificate says; None when it failed."""

    uri: str
    inspected_on: date
    certificate_no: str
    body: str
    """Who inspected."""
    passed: bool
    next_due: date | None
    due_before: date | None
    """The last day of use that held until then: earlier acts are judged by it."""
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of equipment. Default periods only pre-fill forms; what counts is the certificate."""

    name: str
    title: str
    title_en: str
    codes: tuple[str, ...]
    """Beginnings of device codes, the longest counts."""
    is_filled: bool
    """Cylinders and tanks: last filling instead of last maintenance matters."""
    inspection_months: int | None
    life_years: int | None
    maintenance_days: int | None
    """By law, not a default: rule D55."""
    basis: str
    effective_from: date
    is_confirmed: bool
