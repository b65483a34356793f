"""What the public lists show, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from trace_server.credit.model import ViolationRecord
from trace_server.lists.model import ListKind, Membership


class Timing(StrEnum):
    """Whether a decision came before the public within its working days."""

    ON_TIME = "on_time"
    LATE = "late"


@dataclass(frozen=True, slots=True)
class Decision:
    """A published decision, masked for the public. `due_on`: last day of the period for publishing it."""

    record: ViolationRecord
    published_on: date | None
    due_on: date
    timing: Timing


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """All that is left of a decision that was public: which it was, and why it is gone."""

    record_id: str
    decision_no: str
    authority_name: str
    source_name: str
    withdrawn_at: datetime
    reason: str
    document: str


@dataclass(frozen=True, slots=True)
class Timeliness:
    """Decisions of one authority that had to be published: `on_time` + `late` + `overdue` + `waiting`.

    `late`: published after the period; `overdue`: not published though it is over; `waiting`: it still runs.
    """

    authority_code: str
    authority_name: str
    on_time: int
    late: int
    overdue: int
    waiting: int

    @property
    def due(self) -> int:
        """Those whose publication can be judged already."""
        return self.on_time + self.late + self.overdue

    @property
    def percent(self) -> str:
        """Share on time of `due`, one decimal, never rounded up to 100; "" when none is due."""
        if not self.due:
            return ""
        tenths = self.on_time * 1000 // self.due
        return f"{tenths // 10}.{tenths % 10}"


@dataclass(frozen=True, slots=True)
class Entry:
    """A subject on a list; `name` is "" when the register does not have it."""

    kind: ListKind
    membership: Membership
    name: str


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of open data: the day it shows, and what proves that a copy is whole."""

    name: str
    format: str
    day: date
    seq: int
    rows: int
    size: int
    sha256: str
    made_at: datetime
