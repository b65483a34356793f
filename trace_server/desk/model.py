"""What the desk shows, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from trace_server.catalog.model import Batch, Licence, Product


class Filter(StrEnum):
    """Which batches a list holds; a batch can be in several."""

    ALL = "all"
    UNINSPECTED = "uninspected"
    """No inspection on record and not past its date."""
    FAILED = "failed"
    RECALLED = "recalled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class OwnBatch:
    """One line of the list: the batch, its product's names, how many codes were printed for it."""

    batch: Batch
    product_name: str
    product_name_en: str
    codes: int


@dataclass(frozen=True, slots=True)
class Run:
    """Codes issued in one go for a batch."""

    issued_at: datetime
    count: int
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Release:
    """Who let a batch leave the factory (放行), and when."""

    released_by: str
    released_at: datetime


class Obstacle(StrEnum):
    """Why a batch may not leave the factory."""

    CERTIFICATE = "certificate"
    UNINSPECTED = "uninspected"
    FAILED = "failed"
    RECALLED = "recalled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class BatchFile:
    """All that one page says of a batch. `missing`: kinds of certificates that it must still carry."""

    batch: Batch
    product: Product
    missing: tuple[str, ...]
    runs: tuple[Run, ...]
    release: Release | None
    obstacles: tuple[Obstacle, ...]


class NeedKind(StrEnum):
    """Why something waits for the company, gravest first."""

    RECALL = "recall"
    REPAIR = "repair"
    LICENCE_OVER = "licence_over"
    LICENCE_SOON = "licence_soon"
    UNINSPECTED = "uninspected"


@dataclass(frozen=True, slots=True)
class Need:
    """One line of the home page. `due`: the day it must be done by, None when no rule sets one."""

    kind: NeedKind
    about: str
    about_en: str
    due: date | None
    path: str


@dataclass(frozen=True, slots=True)
class Notice:
    """How early the desk speaks of something that ends; `is_confirmed` is False while the office has not agreed."""

    name: str
    days: int
    basis: str
    starts: date
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class Home:
    """The first page."""

    needs: tuple[Need, ...]
    licences: tuple[Licence, ...]
    batches: int
    uninspected: int


@dataclass(frozen=True, slots=True)
class Mistake:
    """A row of an import file that was not taken. `line`: as a spreadsheet counts, heading first."""

    line: int
    field: str
    code: str
    what: str


@dataclass(frozen=True, slots=True)
class FileRow:
    """One row of an import file: its line, and its cells in the order of `rules.COLUMNS`."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of an import file. `refused`: the rows behind `mistakes`, tidied, to mend and send again."""

    changed: int
    unchanged: int
    mistakes: tuple[Mistake, ...]
    refused: tuple[FileRow, ...]
