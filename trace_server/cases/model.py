"""Cases as values (domain rules §4.2, 案件; 市场监督管理行政处罚程序规定)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class CaseState(StrEnum):
    """Where a case stands; who may go where is in `states.py`."""

    CLUE = "clue"
    """线索"""
    FILED = "filed"
    """立案"""
    INVESTIGATING = "investigating"
    """调查取证"""
    PROPOSED = "proposed"
    """拟处罚意见, waits for a second person"""
    NOTICED = "noticed"
    """已告知; statement, defence and hearing"""
    DECIDED = "decided"
    """已决定: the decision has its number"""
    EXECUTED = "executed"
    CLOSED = "closed"
    DISMISSED = "dismissed"
    """不予立案 or 不予处罚"""
    TRANSFERRED = "transferred"
    """移送: waits for the other department's receipt, or is out of our hands"""


class CaseEvent(StrEnum):
    """What moves a case."""

    FILE = "file"
    INVESTIGATE = "investigate"
    PROPOSE = "propose"
    NOTICE = "notice"
    RETURN = "return"
    """A second person sends a proposal back."""
    DECIDE = "decide"
    EXECUTE = "execute"
    CLOSE = "close"
    DISMISS = "dismiss"
    TRANSFER = "transfer"
    RECEIVE = "receive"
    REFUSE = "refuse"


class Verdict(StrEnum):
    """What a person makes of an alert. Only `suspected` leads to a case."""

    FALSE_DATA = "false_data"
    """The record was wrong: device, upload or master data."""
    BENIGN = "benign"
    """It happened, and was allowed."""
    SUSPECTED = "suspected"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as the audit log names him, and for which department; `regions` empty: the whole city."""

    name: str
    department: str
    regions: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Case:
    """One case. `version` goes up with each change: who writes says which one was read."""

    case_id: str
    title: str
    subject: str
    """统一社会信用代码, "" while nobody is known."""
    category: str
    region: str
    """GB/T 2260, six digits."""
    department: str
    state: CaseState
    handler: str
    proposed_by: str
    """Who wrote the proposal that waits or was approved: another person approves it."""
    opened_by: str
    opened_at: datetime
    due_at: datetime | None
    """Next legal deadline; None when nothing is due."""
    due_confirmed: bool
    """Whether the working-day calendar of all years concerned was announced."""
    record_id: str
    """Violation record made from its decision, "" before."""
    version: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the dossier: nothing in it is changed, everything is added."""

    case_id: str
    number: int
    at: datetime
    actor: str
    event: str
    text: str
    document_no: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """A case on its way to another department, or to a body outside (`is_outside`: 公安, 检察)."""

    case_id: str
    number: int
    from_department: str
    to_department: str
    is_outside: bool
    reason: str
    sent_by: str
    sent_at: datetime
    due_at: datetime
    """When the receipt is due."""
    receipt: str
    """"", "received" or "refused"."""
    answered_by: str
    answered_at: datetime | None
    answer: str


@dataclass(frozen=True, slots=True)
class Triage:
    """What a person made of an alert, and why."""

    alert_key: bytes
    rule_id: str
    verdict: Verdict
    reason: str
    actor: str
    at: datetime
    case_id: str


@dataclass(frozen=True, slots=True)
class Precision:
    """How often a rule was right: confirmed of triaged (domain rules §3.8)."""

    rule_id: str
    suspected: int
    benign: int
    false_data: int

    @property
    def triaged(self) -> int:
        return self.suspected + self.benign + self.false_data

    @property
    def share(self) -> float | None:
        """0 to 1; None before anything was triaged."""
        return self.suspected / self.triaged if self.triaged else None


@dataclass(frozen=True, slots=True)
class Dossier:
    """A case with everything that belongs to it."""

    case: Case
    entries: tuple[Entry, ...]
    transfers: tuple[Transfer, ...]
    alerts: tuple[bytes, ...]
    """Of a linked case those of the case that it was opened beside: the evidence is shared."""
    joint: tuple[Case, ...] = ()
    """Linked cases of other departments (联合执法)."""
