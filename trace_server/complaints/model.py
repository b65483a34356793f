"""Reports and complaints of the public as values (domain rules §2.8, §4.2). Nothing here says who came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from trace_server.sealed.model import SealedId


class Kind(StrEnum):
    """What somebody hands in."""

    REPORT = "report"
    """举报: a breach of law; needs no name."""
    COMPLAINT = "complaint"
    """投诉: a dispute of one's own; mediation needs both sides' names."""
    RETALIATION = "retaliation"
    """打击报复: somebody is made to suffer for a report."""


class State(StrEnum):
    """Where it stands."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    INVESTIGATING = "investigating"
    VERIFIED = "verified"
    UNFOUNDED = "unfounded"
    MEDIATED = "mediated"
    """The mediation is over, with or without an agreement; the answer says which."""
    CLOSED = "closed"


class Event(StrEnum):
    """What moves it."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    INVESTIGATE = "investigate"
    VERIFY = "verify"
    UNFOUND = "unfound"
    MEDIATE = "mediate"
    CLOSE = "close"


class RewardState(StrEnum):
    """Where the reward of a verified report stands."""

    ASSESSED = "assessed"
    APPROVED = "approved"
    REFUSED = "refused"
    CLAIMED = "claimed"
    FORFEITED = "forfeited"


class RewardEvent(StrEnum):
    """What moves a reward."""

    APPROVE = "approve"
    REFUSE = "refuse"
    CLAIM = "claim"
    FORFEIT = "forfeit"


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed so far. Kept sealed under the form's own token, for hours."""

    kind: Kind | None = None
    code: str = ""
    what: str = ""
    region: str = ""
    place: str = ""
    is_named: bool = False
    name: str = ""
    contact: str = ""
    photo: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Complaint:
    """One report or complaint, without its reporter."""

    complaint_id: str
    kind: Kind
    state: State
    code: str
    """As on the label, "" when nothing was scanned."""
    code_known: bool
    category: str
    subject: str
    """统一社会信用代码 of the producer that the code names, "" for none."""
    region: str
    place: str
    what: str
    has_photo: bool
    department: str
    received_hour: datetime
    due_at: datetime | None
    due_confirmed: bool
    is_extended: bool
    sealed_id: SealedId
    """Who came, sealed; "" for nobody."""
    case_id: str
    version: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of what was said and done. `hour`: whole hours; `author` is "" for the reporter."""

    complaint_id: str
    number: int
    hour: datetime
    author: str
    event: str
    text: str
    is_public: bool
    """Whether the reporter sees it."""


@dataclass(frozen=True, slots=True)
class Clock:
    """A dated period of `clocks.toml`: it starts when `starts` is entered and runs on through `runs`."""

    kind: Kind
    starts: State
    runs: frozenset[State]
    working_days: int
    extension: int
    """Working days that a reasoned extension adds, 0 for none."""
    what: str
    what_zh: str
    legal_basis: str
    effective_from: date
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class Region:
    """A county or district, and the department that takes what happened there."""

    code: str
    zh: str
    en: str
    department: str


@dataclass(frozen=True, slots=True)
class RewardClass:
    """Share of fine and confiscation in per mille, and the least amount in yuan."""

    per_mille: int
    least_yuan: int


@dataclass(frozen=True, slots=True)
class RewardPolicy:
    """The reward rule in force on a day, with its basis."""

    classes: Mapping[int, RewardClass]
    cap_yuan: int
    finance_from_yuan: int
    categories: frozenset[str]
    exclusions: frozenset[str]
    claim_working_days: int
    legal_basis: str
    effective_from: date
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class Deed:
    """What the reward is computed from. Amounts in whole yuan."""

    category: str
    reward_class: int
    fine_yuan: int
    confiscated_yuan: int
    is_insider: bool = False
    raised_to_yuan: int = 0
    """What the office wants to give an insider; 0: nothing above the rule."""
    exclusion: str = ""
    """One of the policy's exclusions, "" when none applies."""


@dataclass(frozen=True, slots=True)
class Assessment:
    """The amount with its steps. `needs_finance`: the finance department is asked first."""

    amount_yuan: int
    needs_finance: bool
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reward:
    """A reward on its way: assessed by one person, approved by another."""

    complaint_id: str
    state: RewardState
    deed: Deed
    amount_yuan: int
    needs_finance: bool
    steps: tuple[str, ...]
    legal_basis: str
    assessed_by: str
    assessed_at: datetime
    decided_by: str
    decided_at: datetime | None
    decision: str
    finance_no: str
    """Number of the finance department's paper."""
    claim_until: datetime | None
