"""A table on its way in: what a kind of table is, a run of the import, and what became of each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from trace_core.errors import InputError
from trace_server.db import Connection
from trace_server.services import Services


class RunState(StrEnum):
    """Where an import stands."""

    QUEUED = "queued"
    DONE = "done"
    DISCARDED = "discarded"
    """What waited in its quarantine was given up."""


class RunEvent(StrEnum):
    """What moves an import."""

    FINISH = "finish"
    DISCARD = "discard"


class RowState(StrEnum):
    """What became of a row."""

    STAGED = "staged"
    TAKEN = "taken"
    UNCHANGED = "unchanged"
    """It was known already, with this content."""
    REFUSED = "refused"
    """In quarantine."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a template. `code`: its official name; `headings`: what it may be called in a file, `code` included.

    `choices` and `length` are those of the data standard; a kind's own operation checks them again.
    """

    code: str
    headings: tuple[str, ...]
    is_required: bool = True
    """The column has to be there; its cells may be empty where the standard lets them."""


@dataclass(frozen=True, slots=True)
class Template:
    """The columns of one version of a table."""

    version: str
    columns: tuple[Column, ...]

    def column(self, heading: str) -> Column | None:
        """The column that a file calls `heading`."""
        return next((one for one in self.columns if heading in one.headings), None)


@dataclass(frozen=True, slots=True)
class IdentityCells:
    """Columns that name a natural person: they are sealed before anything else happens to a row.

    `party_kind`: the column that says whether the party is a person, "" when these columns always name one.
    `is_code`: `number` holds a company's code in rows of companies.
    """

    name: str
    document_kind: str
    number: str
    party_kind: str = ""
    is_code: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a row was refused: official field, stable code, and the parts of its sentence."""

    column: str
    code: str
    params: Mapping[str, str] = field(default_factory=dict)


class RowRefused(InputError):
    """A row breaks rules; `faults` name each field."""

    code = "row-refused"

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        super().__init__(f"{len(faults)} field(s) do not fit")
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody hands in beside the file. `template`: the version that the file was made by, "" when not said.

    `category`: of products, for tables that have no column for it; `source`: the unit that the table comes from.
    """

    kind: str
    template: str
    file_name: str
    source: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One import. `columns`: official codes in the order of the file, by which its rows are kept."""

    import_id: str
    order: Order
    format: str
    sha256: str
    headings: tuple[str, ...]
    columns: tuple[str, ...]
    state: RunState
    total: int
    taken: int
    unchanged: int
    refused: int
    owner: str
    created_at: datetime
    finished_at: datetime | None
    job_key: bytes | None


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a run: `number` as the sender sees it, `cells` in the order of the run's columns; `ref`: what it
    became.
    """

    number: int
    state: RowState
    cells: tuple[str, ...]
    faults: tuple[Fault, ...] = ()
    ref: str = ""


@dataclass(frozen=True, slots=True)
class Taken:
    """A row was taken: what it became, and whether that is new."""

    ref: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Intake:
    """What a kind gets to take a row with: a transaction that is the row's own, and who asks."""

    services: Services
    conn: Connection
    now: datetime
    today: date
    actor: str
    order: Order


Take = Callable[[Intake, Mapping[str, str]], Taken]
"""Takes one row, official code → text of its cells that are not empty. Raises `RowRefused` or another `TraceError`."""


@dataclass(frozen=True, slots=True)
class ImportKind:
    """A kind of table, as found by the registry under `KIND`."""

    name: str
    title: str
    title_en: str
    templates: Mapping[str, Template]
    take: Take
    identities: tuple[IdentityCells, ...] = ()
    needs_source: bool = False
    """No column says which unit the table comes from."""
    needs_category: bool = False
    """Each row is about products of a category."""
