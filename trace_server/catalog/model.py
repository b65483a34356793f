"""Master data: who makes what, under which licence, in which batch, and at which places.

Every fact carries its source and the day it was true, so that a page can say both. Official facts and facts that
an enterprise states of itself are told apart by `Origin`, never by guessing from the source's name.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class Origin(StrEnum):
    """Who stands behind a fact."""

    OFFICIAL = "official"
    """An authority's register, notice or report."""
    DECLARED = "declared"
    """企业自行公示: stated by the enterprise itself."""


class SubjectKind(StrEnum):
    """Kind of a credit subject (domain.md §4.1)."""

    LEGAL_PERSON = "legal_person"
    SOLE_TRADER = "sole_trader"


class SubjectStatus(StrEnum):
    """State in the business register."""

    ACTIVE = "active"
    ABNORMAL = "abnormal"
    REVOKED = "revoked"
    CLOSED = "closed"


class LicenceState(StrEnum):
    """State of an administrative licence as its authority reports it (XK_ZT)."""

    VALID = "valid"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Subject:
    """A producer or dealer. `uscc`: 统一社会信用代码, 18 characters (GB 32100-2015)."""

    uscc: str
    name: str
    name_en: str
    kind: SubjectKind
    region: str
    status: SubjectStatus
    source: str
    as_of: date


@dataclass(frozen=True, slots=True)
class Licence:
    """An administrative licence (行政许可). `valid_to` is the last day it holds."""

    uscc: str
    number: str
    title: str
    title_en: str
    authority: str
    valid_from: date
    valid_to: date
    state: LicenceState
    source: str
    as_of: date


@dataclass(frozen=True, slots=True)
class Product:
    """A trade item. `gtin`: 14 digits. `*_en` may be empty; the page then shows the Chinese text, marked as such.

    `storage_min_c`, `storage_max_c`: degrees Celsius that it is kept and moved at; None for no limit on that side.
    """

    gtin: str
    name: str
    name_en: str
    category: str
    spec: str
    spec_en: str
    producer_uscc: str
    ingredients: str
    ingredients_en: str
    standard: str
    storage: str
    storage_en: str
    origin: str
    origin_en: str
    approval_no: str
    source: str
    as_of: date
    storage_min_c: float | None = None
    storage_max_c: float | None = None


@dataclass(frozen=True, slots=True)
class Certificate:
    """A document that went with the batch, e.g. kind `food.factory_inspection`."""

    kind: str
    number: str
    issuer: str
    issued_on: date


@dataclass(frozen=True, slots=True)
class Inspection:
    """The newest inspection of the batch: verdict, report number, who inspected, when."""

    passed: bool
    report_no: str
    body: str
    inspected_on: date
    origin: Origin


@dataclass(frozen=True, slots=True)
class Recall:
    """A recall notice (食品安全法 art. 63). `level` 1 is the gravest."""

    level: int
    notice_no: str
    authority: str
    announced_on: date
    reason: str
    reason_en: str
    action: str
    action_en: str
    return_to: str
    return_to_en: str
    phone: str


@dataclass(frozen=True, slots=True)
class Batch:
    """A production lot. `quantity` is a decimal as text with its unit in `uom`; neither is public."""

    gtin: str
    lot: str
    producer_uscc: str
    production_date: date
    expiry_date: date | None
    quantity: str
    uom: str
    certificates: tuple[Certificate, ...]
    inspection: Inspection | None
    recall: Recall | None
    source: str
    as_of: date


@dataclass(frozen=True, slots=True)
class Place:
    """A read point or location by its URI (SGLN Digital Link or our own). Only the city is public.

    `latitude`, `longitude`: WGS 84 degrees, both or none.
    """

    uri: str
    name: str
    name_en: str
    city: str
    city_en: str
    operator_uscc: str
    latitude: float | None = None
    longitude: float | None = None


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """One printed code: one item. `epc` is the tag's EPC URI when the item carries a tag too."""

    gtin: str
    lot: str
    serial: str
    epc: str
    key_id: str
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class RowError:
    """A row of an import that was not taken: JSON pointer, stable code, sentence."""

    pointer: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ImportResult:
    """Rows that changed something, rows that were already so, rows refused."""

    changed: int
    unchanged: int
    errors: tuple[RowError, ...]


@dataclass(frozen=True, slots=True)
class CatalogDocument:
    """One parsed import document: the good rows, each with its JSON pointer."""

    subjects: tuple[tuple[str, Subject], ...]
    licences: tuple[tuple[str, Licence], ...]
    products: tuple[tuple[str, Product], ...]
    batches: tuple[tuple[str, Batch], ...]
    places: tuple[tuple[str, Place], ...]
    errors: tuple[RowError, ...]
