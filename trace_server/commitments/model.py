"""Commitments as values (domain rules §2.4, §4.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum


class CommitmentState(StrEnum):
    """Where a commitment stands."""

    SIGNED = "signed"
    PUBLIC = "public"
    IN_FORCE = "in_force"
    FULFILLED = "fulfilled"
    PARTLY = "partly"
    """Found partly unfulfilled; a second person has not recorded the breach yet."""
    UNFULFILLED = "unfulfilled"
    BREACH = "breach"
    """The breach stands in the credit archive."""
    REMEDIED = "remedied"
    WITHDRAWN = "withdrawn"
    """It should never have been registered: an objection was right."""


class CommitmentEvent(StrEnum):
    """What moves a commitment."""

    PUBLISH = "publish"
    ENTER = "enter"
    """It comes into force."""
    FULFIL = "fulfil"
    FIND_PARTLY = "find_partly"
    FIND_UNFULFILLED = "find_unfulfilled"
    RETURN = "return"
    """The second person does not share the finding."""
    RECORD_BREACH = "record_breach"
    REMEDY = "remedy"
    ANNUL = "annul"
    """The finding is taken back; the commitment is in force as before."""
    WITHDRAW = "withdraw"


class Performance(StrEnum):
    """承诺履行状态, in the words of the template."""

    UNDETERMINED = ""
    FULFILLED = "全部履行"
    PARTLY = "部分履行"
    UNFULFILLED = "全部未履行"


class Publicity(StrEnum):
    """公开类型."""

    OPEN = "可向社会公开"
    LIMITED = "特定范围内公开"
    CLOSED = "不可公开"


@dataclass(frozen=True, slots=True)
class CommitmentType:
    """A row of `types.toml`."""

    name: str
    name_en: str
    links_repair: bool
    effective_from: date
    legal_basis: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Promise:
    """What somebody signs. `subject_code` of a natural person is an identity document: it goes into the sealed store.

    `repair_id`: the application for credit repair that a 信用修复型 commitment belongs to, else "".
    """

    subject_name: str
    subject_kind: str
    subject_code: str
    type: str
    cause: str
    content: str
    liability: str
    made_on: date
    valid_until: date | None
    acceptor_name: str
    acceptor_code: str
    publicity: Publicity
    remarks: str = ""
    repair_id: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """How a commitment was kept, as an authority determined it; empty before that."""

    performance: Performance = Performance.UNDETERMINED
    unfulfilled: str = ""
    """未履行的承诺内容."""
    pursued: str = ""
    """违诺责任追究内容."""
    determined_on: date | None = None
    authority_name: str = ""
    authority_code: str = ""


@dataclass(frozen=True, slots=True)
class Commitment:
    """One commitment. `promise.subject_code` is "" for a natural person here."""

    code: str
    """承诺编码: region 6, date 8, serial 6."""
    promise: Promise
    state: CommitmentState
    finding: Finding
    record_id: str
    """The violation record whose repair it was given for, "" for none."""
    remedied_on: date | None
    signed_by: str
    signed_at: datetime
    determined_by: str
    reason: str
    document_no: str
    objection: str
    """Id of the objection under way, "" for none."""
    version: int

    @property
    def uscc(self) -> str:
        """Code of the archive that it belongs to; "" for a natural person."""
        return self.promise.subject_code

    @property
    def is_shown(self) -> bool:
        """The public may see it."""
        hidden = (CommitmentState.SIGNED, CommitmentState.WITHDRAWN)
        return self.promise.publicity is Publicity.OPEN and bool(self.uscc) and self.state not in hidden

    @property
    def told_state(self) -> CommitmentState:
        """The state as others hear of it: a finding that no second person has confirmed is not told."""
        unconfirmed = (CommitmentState.PARTLY, CommitmentState.UNFULFILLED)
        return CommitmentState.IN_FORCE if self.state in unconfirmed else self.state

    @property
    def told_finding(self) -> Finding:
        """As `told_state`, of the finding."""
        return self.finding if self.told_state is self.state else Finding()
