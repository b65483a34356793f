"""What a code page says, before any word of any language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from urllib.parse import quote

from trace_server.catalog.model import Batch, Licence, Product, Subject
from trace_server.catalog.profiles import CategoryProfile
from trace_server.credit.model import CreditLine
from trace_server.portal.equipment import EquipmentFacts
from trace_server.trace.model import Journey, Relation


class Verdict(StrEnum):
    """The six words of the page (quality.md §1.1). None of them claims that goods are real."""

    NORMAL = "normal"
    NOTICE = "notice"
    RECALL = "recall"
    SUSPECT = "suspect"
    UNKNOWN = "unknown"
    UNAVAILABLE = "unavailable"


class Reason(StrEnum):
    """Why the verdict is what it is; each has its sentence in the template."""

    FINE = "fine"
    EXPIRED = "expired"
    NEAR_EXPIRY = "near_expiry"
    NO_BATCH = "no_batch"
    LICENCE = "licence"
    FAILED_INSPECTION = "failed_inspection"
    NO_JOURNEY = "no_journey"
    RECALLED = "recalled"
    MANY_QUERIES = "many_queries"
    SCRAPPED = "scrapped"
    OVERDUE = "overdue"
    OUT_OF_SERVICE = "out_of_service"
    DUE_SOON = "due_soon"
    UNREGISTERED = "unregistered"
    EQUIPMENT_FINE = "equipment_fine"


@dataclass(frozen=True, slots=True)
class Code:
    """One printed code, canonical: 14-digit GTIN, lot and serial as issued."""

    gtin: str
    lot: str
    serial: str

    @property
    def uri(self) -> str:
        """Canonical Digital Link with the lot, as printed."""
        return f"https://id.gs1.org{self.path}"

    @property
    def path(self) -> str:
        """Path of the code page, percent-encoded."""
        return f"/01/{self.gtin}/10/{quote(self.lot, safe='')}/21/{quote(self.serial, safe='')}"

    @property
    def readable(self) -> str:
        """GS1 human-readable form: (01)…(10)…(21)…."""
        return f"(01){self.gtin}(10){self.lot}(21){self.serial}"


@dataclass(frozen=True, slots=True)
class Queries:
    """How often this code was asked for, this time included. No device, no address, no city.

    `first_day` and `first_hour` are of Asia/Shanghai; `previous_day` is None on the first query. `total` counts
    every look, `today` and `yesterday` count callers (one network in one hour).
    """

    total: int
    first_day: date
    first_hour: int
    previous_day: date | None
    today: int
    yesterday: int


@dataclass(frozen=True, slots=True)
class ShownHop:
    """One line of the journey as the public sees it: a day, a city, who recorded it. Nothing finer."""

    day: date
    step: str
    """Short CBV business step, "" when the event has none."""
    event_type: str
    city: str
    city_en: str
    recorder: str
    recorder_en: str
    by_device: bool
    relation: Relation
    is_input: bool
    gap_before: bool


@dataclass(frozen=True, slots=True)
class PageFacts:
    """Everything that the page of one code says, for one day."""

    code: Code
    today: date
    product: Product
    profile: CategoryProfile
    batch: Batch | None
    producer: Subject | None
    licence: Licence | None
    licence_expired: bool
    credit: CreditLine | None
    journey: Journey
    equipment: EquipmentFacts | None = None
    """Of special equipment: what the register says of this very thing."""

    @property
    def days_left(self) -> int | None:
        """Whole days until the last good day; negative once it has passed; None without a date."""
        if self.batch is None or self.batch.expiry_date is None:
            return None
        return (self.batch.expiry_date - self.today).days
