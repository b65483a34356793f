"""Goods, sites and what happens to them. Times are aware UTC, quantities decimal text with a UN/ECE Rec 20 unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import TypeAlias


class PlaceKind(StrEnum):
    FARM = "farm"
    PROCESSOR = "processor"
    WHOLESALE_GATE = "wholesale_gate"
    DRUG_STORE = "drug_store"


@dataclass(frozen=True, slots=True)
class Place:
    """One site of one subject."""

    gln: str
    """13 digits."""
    uri: str
    """`urn:epc:id:sgln:…` of the site; extension 0."""
    read_point: str
    """`urn:epc:id:sgln:…` of the gate there; extension 1."""
    name: str
    name_en: str
    city: str
    city_en: str
    kind: PlaceKind
    owner_uscc: str


@dataclass(frozen=True, slots=True)
class Producer:
    """A sample enterprise; `company_prefix` is of GS1 prefix 952, which is kept for demonstrations."""

    uscc: str
    name: str
    name_en: str
    region: str
    company_prefix: str
    place: Place


@dataclass(frozen=True, slots=True)
class Product:
    """A trade item. `uom` is empty for things that are counted."""

    gtin: str
    name: str
    name_en: str
    category: str
    """`agricultural`, `food` or `drug`."""
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
    shelf_days: int
    uom: str
    is_tagged: bool
    """Single items carry a tag; otherwise the goods travel in bulk."""


@dataclass(frozen=True, slots=True)
class Batch:
    """A production lot. `expiry_date` is the last good day."""

    gtin: str
    lot: str
    producer_uscc: str
    production_date: date
    expiry_date: date
    quantity: str
    uom: str
    inspection_report_no: str

    @property
    def class_uri(self) -> str:
        """Digital Link of the lot."""
        return f"https://id.gs1.org/01/{self.gtin}/10/{self.lot}"

    def is_expired(self, on: date) -> bool:
        return on > self.expiry_date


@dataclass(frozen=True, slots=True)
class BatchQuantity:
    """So much of one batch."""

    batch: Batch
    quantity: str
    uom: str


@dataclass(frozen=True, slots=True)
class Item:
    """One thing with a tag (SGTIN-96)."""

    batch: Batch
    serial: int
    epc: bytes
    uri: str
    """`urn:epc:id:sgtin:…`"""


@dataclass(frozen=True, slots=True)
class Case:
    """A crate, sack or tank with a tag (SSCC-96)."""

    sscc: str
    epc: bytes
    uri: str
    """`urn:epc:id:sscc:…`"""


@dataclass(frozen=True, slots=True)
class Commission:
    """A batch exists from now on, and with it its tagged items."""

    at: datetime
    place: Place
    batch: Batch
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Transform:
    """Inputs are used up for outputs; the outputs' items are commissioned by the steps that follow."""

    at: datetime
    place: Place
    inputs: tuple[BatchQuantity, ...]
    outputs: tuple[BatchQuantity, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """Items, or a quantity in bulk, go into a case."""

    at: datetime
    place: Place
    case: Case
    items: tuple[Item, ...]
    bulk: tuple[BatchQuantity, ...]


@dataclass(frozen=True, slots=True)
class Ship:
    """Cases leave for another place with a despatch note."""

    at: datetime
    place: Place
    destination: Place
    cases: tuple[Case, ...]
    despatch_no: str


@dataclass(frozen=True, slots=True)
class GatePassage:
    """A case and what is in it pass the gate of a place; every tag passes a gate once in its life."""

    at: datetime
    place: Place
    read_point: str
    case: Case
    items: tuple[Item, ...]

    @property
    def tags(self) -> tuple[bytes, ...]:
        """EPCs in the field, the case first."""
        return (self.case.epc, *(item.epc for item in self.items))


Step: TypeAlias = Commission | Transform | Pack | Ship | GatePassage


@dataclass(frozen=True, slots=True)
class World:
    """Master data and all steps in the order of time: made, packed and shipped before `start`, gates after it."""

    start: datetime
    producers: tuple[Producer, ...]
    dealers: tuple[Producer, ...]
    """Owners of the gates; they make nothing."""
    places: tuple[Place, ...]
    products: tuple[Product, ...]
    batches: tuple[Batch, ...]
    steps: tuple[Step, ...]

    def passages(self) -> tuple[GatePassage, ...]:
        """The steps that a gateway sees."""
        return tuple(step for step in self.steps if isinstance(step, GatePassage))
