"""A recall, its affected set in versions, notices to holders and their answers, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from trace_server.workdays.model import Period


class RecallState(StrEnum):
    """Where a recall stands (domain.md §4.2)."""

    DRAFT = "draft"
    ANNOUNCED = "announced"
    ORDERED = "ordered"
    """责令召回: the authority orders what the enterprise did not do."""
    NOTIFYING = "notifying"
    RECOVERING = "recovering"
    RECONCILED = "reconciled"
    DISPOSED = "disposed"
    CLOSED = "closed"


class RecallEvent(StrEnum):
    """What moves a recall on (`states.py`)."""

    ANNOUNCE = "announce"
    ORDER = "order"
    NOTIFY = "notify"
    RECOVER = "recover"
    """The first holder answered."""
    RECONCILE = "reconcile"
    REOPEN = "reopen"
    """Late events brought more goods in."""
    DISPOSE = "dispose"
    CLOSE = "close"


class GoodsStatus(StrEnum):
    """What became of one affected thing, by the newest event about it or its container."""

    IN_STOCK = "in_stock"
    SOLD = "sold"
    RETURNED = "returned"
    DESTROYED = "destroyed"
    USED = "used"
    """Used up in making other goods, which are affected themselves."""
    UNKNOWN = "unknown"
    """No event names a place."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What was asked to be recalled. `batches`: (GTIN of 14 digits, lot), also of ingredients; `items`: canonical
    URIs; `site`: everything seen at this read point or location from `since` until `until`."""

    batches: tuple[tuple[str, str], ...] = ()
    items: tuple[str, ...] = ()
    site: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """The text that the public and the holders get; `*_en` may be empty."""

    notice_no: str
    authority: str
    reason: str
    action: str
    return_to: str
    phone: str
    reason_en: str = ""
    action_en: str = ""
    return_to_en: str = ""


@dataclass(frozen=True, slots=True)
class Recall:
    """One recall. `version` counts the affected sets it had, from 1; `level` 1 is the gravest."""

    recall_id: str
    state: RecallState
    category: str
    level: int
    scope: Scope
    notice: Notice
    created_by: str
    created_at: datetime
    announced_by: str
    announced_at: datetime | None
    notified_at: datetime | None
    reconciled_at: datetime | None
    version: int


@dataclass(frozen=True, slots=True)
class Affected:
    """One affected thing. `via` and `event_key` (hex) lead one step back towards the scope; both "" at its start.

    `counts`: it is goods and not a box, a pallet or a lot whose items are counted one by one.
    """

    key: bytes
    uri: str
    relation: str
    depth: int
    via: str
    event_key: str
    gtin: str
    lot: str
    counts: bool
    quantity: str
    uom: str
    status: GoodsStatus
    place: str
    holder: str
    """USCC of who runs `place`, else `place` itself."""


@dataclass(frozen=True, slots=True)
class AffectedLot:
    """A batch in the affected set: how near to the scope it lies, and how many rows of the set are of it."""

    gtin: str
    lot: str
    depth: int
    rows: int


@dataclass(frozen=True, slots=True)
class Spared:
    """A thing that one could take for affected and that is not, with the reason."""

    uri: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a holder says it did, in pieces of the unit of its notice."""

    in_stock: int
    sold: int
    returned: int
    destroyed: int
    note: str = ""

    @property
    def total(self) -> int:
        return self.in_stock + self.sold + self.returned + self.destroyed


@dataclass(frozen=True, slots=True)
class HolderNotice:
    """A notice to one holder: how many affected things it has or sold when `sent_at`, and its answer."""

    recall_id: str
    holder: str
    things: int
    sent_at: datetime
    answer: Answer | None
    answered_by: str
    answered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """The sum of one holder by events, what it answered, and the difference answer − events."""

    holder: str
    by_status: Mapping[str, int]
    things: int
    answer: Answer | None
    difference: int | None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """`affected` is the sum of `by_status`; `unaccounted` those that neither an event nor an answer places."""

    affected: int
    by_status: Mapping[str, int]
    lines: tuple[Line, ...]
    unanswered: tuple[str, ...]
    unaccounted: int
    shortfall_percent: float
    """Affected that are not recovered, destroyed or proven sold, of all affected."""
    closes: bool


@dataclass(frozen=True, slots=True)
class Milestone:
    """A period of law and what came of it. `done_at` None: not yet."""

    name: str
    due_at: datetime
    is_confirmed: bool
    done_at: datetime | None
    is_late: bool
    basis: str


@dataclass(frozen=True, slots=True)
class ClassPolicy:
    """The periods of one category and class. `finish` None: the rule sets no fixed end."""

    category: str
    level: int
    start: Period
    finish: Period | None
    basis: str
