"""The made-up city as values: who is there, what is made, where it passes, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

LEGAL_TIME = ZoneInfo("Asia/Shanghai")
PLATFORM = "platform"
"""Key of the API client that reports for all companies without a system of their own."""


class Trade(StrEnum):
    """What a company does."""

    FARM = "farm"
    FACTORY = "factory"
    HUB = "hub"
    SHOP = "shop"
    STATION = "station"
    """Fills cylinders."""
    ESTATE = "estate"
    """Uses lifts."""
    MAINTAINER = "maintainer"
    CARRIER = "carrier"
    WEB = "web"
    """An online platform."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How large the city is."""

    name: str
    subjects: int
    products: int
    events: int
    factory_gates: int
    hub_gates: int
    shop_gates: int
    other_gates: int
    """Of each further kind of checkpoint."""
    cylinders: int
    lifts: int
    cases: int
    complaints: int
    own_clients: int
    """Producers that report by a system of their own."""
    turns: int
    """How often in the year things go wrong, each time with other goods."""


SCALES = {
    "small": Scale("small", 30, 14, 2_500, 2, 2, 2, 1, 24, 6, 8, 10, 2, 1),
    "city": Scale("city", 300, 180, 200_000, 10, 9, 9, 2, 240, 60, 60, 45, 12, 6),
}


@dataclass(frozen=True, slots=True)
class County:
    """A county or district of Yancheng with a point inside it, WGS 84 degrees."""

    code: str
    name: str
    name_en: str
    latitude: float
    longitude: float

    @property
    def department(self) -> str:
        """Its market office, as the routes of complaints name it."""
        return f"{self.name}市场监督管理局"


@dataclass(frozen=True, slots=True)
class Company:
    """A subject. `place`: URI of its site."""

    uscc: str
    name: str
    name_en: str
    county: County
    trade: Trade
    category: str
    place: str
    status: str = "active"


@dataclass(frozen=True, slots=True)
class Good:
    """A product. `indication`: the geographical indication that it carries, "" for none."""

    gtin: str
    name: str
    name_en: str
    category: str
    maker: Company
    unit: str
    shelf_days: int
    storage: tuple[float, float] | None = None
    indication: str = ""
    is_raw: bool = False


@dataclass(frozen=True, slots=True)
class Lot:
    """A batch. `items`: pieces with a code of their own; 0 for raw goods, which are weighed."""

    good: Good
    number: str
    made_on: date
    expires_on: date
    items: int
    quantity: str
    lacks: str = ""
    """What is wrong with its papers: "certificate", "inspection", or nothing."""

    @property
    def class_uri(self) -> str:
        return f"https://id.gs1.org/01/{self.good.gtin}/10/{self.number}"

    def item(self, number: int) -> str:
        """URI of one piece, from 0."""
        return f"https://id.gs1.org/01/{self.good.gtin}/21/{self.serial(number)}"

    def serial(self, number: int) -> str:
        return f"{self.number}{number:04}"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A site with a gateway."""

    gateway: str
    kind: str
    name: str
    name_en: str
    owner: Company
    read_point: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class Told:
    """An event before it is sent. `source`: a gateway's id, or the key of an API client."""

    at: datetime
    source: str
    event: dict[str, Any]


@dataclass(frozen=True, slots=True)
class City:
    """The registers. `usccs` of authorities are no subjects."""

    scale: Scale
    as_of: datetime
    counties: tuple[County, ...]
    companies: tuple[Company, ...]
    goods: tuple[Good, ...]
    checkpoints: tuple[Checkpoint, ...]

    def of(self, trade: Trade) -> list[Company]:
        """All of one trade."""
        return [one for one in self.companies if one.trade is trade]

    def gates(self, kind: str) -> list[Checkpoint]:
        """All checkpoints of a kind."""
        return [one for one in self.checkpoints if one.kind == kind]


@dataclass(slots=True)
class Summary:
    """What a load made."""

    seed: int
    scale: str
    as_of: str
    digest: str = ""
    """SHA-256 over the ids that the seed decides, in hexadecimal: two loads of one seed have the same."""
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    rules: dict[str, int] = field(default_factory=dict)
    """Alerts by rule, open and closed."""
    invitations: dict[str, str] = field(default_factory=dict)
    """Account → one-time code, with `--people`."""
