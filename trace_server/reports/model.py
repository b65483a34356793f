"""A report from request to end, and what is printed in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from trace_server.catalog.model import Batch, Licence, Subject
from trace_server.commitments.model import Commitment
from trace_server.credit.grading.facts import StatedFact
from trace_server.credit.model import ViolationRecord
from trace_server.credit.operations import CheckedGrade
from trace_server.lists.model import Membership
from trace_server.trace.question import Step


class ReportState(StrEnum):
    """Where a report stands."""

    REQUESTED = "requested"
    ISSUED = "issued"
    WITHDRAWN = "withdrawn"


class ReportEvent(StrEnum):
    """What moves a report."""

    ISSUE = "issue"
    WITHDRAW = "withdraw"


class Standing(StrEnum):
    """What the verify page says of a number."""

    VALID = "valid"
    SUPERSEDED = "superseded"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    UNKNOWN = "unknown"
    """No report that was issued has this number."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks. `actor`: `client:<id>`, `user:<id>` or `cli:<name>`; `subject`: the company that it acts for, "" for an
    authority."""

    actor: str
    subject: str = ""
    name: str = ""
    """For people; printed on the report."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. `uri`: the goods of a diligence pack, "" else; `authorisation`: number of the paper that
    allows it, "" where none is needed."""

    kind: str
    usccs: tuple[str, ...]
    purpose: str
    uri: str = ""
    authorisation: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """One version of one thing that a report states; when it changes, the report is superseded."""

    kind: str
    ref: str
    version: int


@dataclass(frozen=True, slots=True)
class Report:
    """One report. Texts are "" and days None until it is issued; hashes are SHA-256 in hexadecimal."""

    report_no: str
    wish: Wish
    asker: Asker
    state: ReportState
    requested_at: datetime
    job_id: str
    subject_name: str = ""
    generated_at: datetime | None = None
    valid_to: date | None = None
    """The last day it may be relied on."""
    content_sha256: str = ""
    """Of the facts, as canonical JSON; printed in the report."""
    file_sha256: str = ""
    policy_version: str = ""
    seal: str = ""
    """`ed25519;<key id>;<base64url>`: what `signing.statement` makes of number, times and hashes."""
    withdrawn_on: date | None = None
    withdraw_reason: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """The answer to whoever holds a report. `since`: the day from which it should not be relied on."""

    report_no: str
    standing: Standing
    report: Report | None = None
    since: date | None = None
    why: str = ""
    """`repair`, `correct`, `withdraw`, `expire`, `suspend`, `resume`, `objection`, `change`, `green`; of a withdrawn
    report the reason in words. Never what has changed."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a credit service agency's report says that this server knows too; None: it says nothing of it."""

    penalties: int | None = None
    """Penalties in their window of publication."""
    lists: tuple[str, ...] | None = None
    """Ids of the lists that the subject is on."""
    grade: str | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """Where such a report and this server's facts differ."""

    about: str
    theirs: str
    ours: str


@dataclass(frozen=True, slots=True)
class ThirdPartyReport:
    """A report of a credit service agency (信用服务机构) that somebody handed in."""

    agency: str
    """USCC of the agency, which with `number` names the report."""
    number: str
    uscc: str
    agency_name: str
    issued_on: date
    valid_to: date
    file_sha256: str
    purpose: str
    claims: Claims
    differences: tuple[Difference, ...] = ()
    """As of the day it was taken in."""
    taken_by: str = ""
    taken_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """What this server holds of one subject at `as_of`, for every kind of report to choose from."""

    uscc: str
    as_of: datetime
    today: date
    change_no: int
    """Number of the last entry in the change log that counts."""
    subject: Subject | None
    licences: tuple[Licence, ...]
    penalties: tuple[ViolationRecord, ...]
    """Those that the public may see."""
    all_records: tuple[ViolationRecord, ...]
    """With those that have stopped; for the full archive only."""
    memberships: tuple[Membership, ...]
    """On a list today."""
    all_memberships: tuple[Membership, ...]
    commitments: tuple[Commitment, ...]
    grade: CheckedGrade | None
    stated: tuple[StatedFact, ...]
    recalled: tuple[Batch, ...]
    batches: int
    inspected: int

    @property
    def name(self) -> str:
        """In the register, else in the newest decision."""
        if self.subject is not None:
            return self.subject.name
        return self.penalties[0].decision.subject_name if self.penalties else ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One upstream event; `documents`: the papers that it names (type and number); `event_id` leads to the evidence."""

    step: Step
    is_receiving: bool
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """Where goods came from. `uri` is the canonical spelling of what was asked."""

    uri: str
    receipts: tuple[Receipt, ...]
    is_cut: bool


@dataclass(frozen=True, slots=True)
class Source:
    """Everything that a kind builds its report from; `chain` only for kinds that ask for goods."""

    wish: Wish
    subjects: tuple[Facts, ...]
    chain: Chain | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A numbered part: a table, or `empty` in words where it has no row."""

    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""
    empty: str = "无"


@dataclass(frozen=True, slots=True)
class Content:
    """A report as data: what is signed, and what the file shows."""

    parts: tuple[Part, ...]
    held: tuple[Held, ...]
    policy_version: str


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of report, a file in `kinds/`."""

    id: str
    title: str
    build: Callable[[Source], Content]
    most_subjects: int = 1
    needs_goods: bool = False
    needs_authority: bool = False
    """Only an authority may ask, never a company."""
    needs_authorisation: bool = False
    needs_green: bool = False
    """The subject meets the conditions of the green channel, when it asks and for as long as the report is good."""


Registry = Mapping[str, Kind]
