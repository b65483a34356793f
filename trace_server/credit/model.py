"""Values of the credit archive: a decision, the violation record made from it, and one entry of its change log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from trace_server.credit.fields import CODE_UNKNOWN, PERSON, SEALED
from trace_server.credit.penalties import PenaltyKind, penalty_kind

CATEGORIES = ("food", "drug", "special_equipment", "agricultural", "consumer", "gi")


class Severity(StrEnum):
    """The three classes every regime is read into; display names come from the regime."""

    MINOR = "minor"
    GENERAL = "general"
    SERIOUS = "serious"


class Procedure(StrEnum):
    """普通程序 or 简易程序."""

    ORDINARY = "ordinary"
    SIMPLE = "simple"


class State(StrEnum):
    """States of a violation record; who may go where is in `states.py`."""

    DRAFTED = "drafted"
    NOTICED = "noticed"
    DISMISSED = "dismissed"
    CONFIRMED = "confirmed"
    PUBLISHED = "published"
    UNPUBLISHED = "unpublished"
    SUSPENDED = "suspended"
    REPAIRED = "repaired"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


STOPPED = frozenset({State.REPAIRED, State.EXPIRED, State.WITHDRAWN})
"""Neither public nor shared nor graded any more; the archive keeps them (停止公示 is not deletion)."""


class Op(StrEnum):
    """What a consumer of the feed does with an item."""

    UPSERT = "upsert"
    CORRECT = "correct"
    REPAIR = "repair"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"
    SUSPEND = "suspend"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class PenaltyDecision:
    """行政处罚决定 with the fields of `fields.FIELDS`; built by `rules.parse_decision`, valid once built."""

    subject_name: str
    subject_kind: str
    decision_no: str
    """决定书文号: unique with `authority_code`."""
    violation_kind: str
    facts: str
    legal_basis: str
    penalty_kinds: tuple[str, ...]
    penalty_content: str
    decided_on: date
    valid_until: date
    authority_name: str
    authority_code: str
    source_name: str
    source_code: str
    uscc: str | None = None
    business_registration_no: str | None = None
    organisation_code: str | None = None
    tax_registration_no: str | None = None
    institution_no: str | None = None
    social_organisation_no: str | None = None
    legal_representative: str | None = None
    representative_document_kind: str | None = None
    representative_document_no: str | None = None
    person_document_kind: str | None = None
    person_document_no: str | None = None
    fine_wan: Decimal | None = None
    confiscated_wan: Decimal | None = None
    licence_affected: str | None = None
    public_until: date | None = None
    remarks: str | None = None

    def kinds(self) -> frozenset[PenaltyKind]:
        """The penalties as kinds; an unsplit licence penalty counts as revoked when the text says 吊销."""
        kinds = {penalty_kind(name) or PenaltyKind.OTHER for name in self.penalty_kinds}
        if PenaltyKind.LICENCE in kinds and "吊销" in f"{self.penalty_content}{self.licence_affected or ''}":
            kinds.add(PenaltyKind.LICENCE_REVOKED)
        return frozenset(kinds)

    def subject_key(self) -> str | None:
        """The code under which the subject's archive is kept: never the "unknown" code, never a person's."""
        if self.subject_kind == PERSON or self.uscc == CODE_UNKNOWN:
            return None
        return self.uscc

    def sealed(self) -> dict[str, str]:
        """Identity documents by attribute; goes into the sealed store and nowhere else."""
        found = {field.attribute: getattr(self, field.attribute) for field in SEALED}
        return {attribute: value for attribute, value in found.items() if value is not None}

    def opened(self) -> PenaltyDecision:
        """The same decision without identity documents."""
        nothing: dict[str, Any] = dict.fromkeys(field.attribute for field in SEALED)
        return replace(self, **nothing)


@dataclass(frozen=True, slots=True)
class Window:
    """Publication of a decision under one regime: last day of the least and of the longest display."""

    regime: str
    public: bool
    min_end: date
    max_end: date


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What people decided beside the document itself when a decision is recorded."""

    category: str
    procedure: Procedure = Procedure.ORDINARY
    severity: Severity | None = None
    """Given when the line department classed the act itself; otherwise policy does."""
    batches: tuple[str, ...] = ()
    """Canonical Digital Links of the lots concerned."""
    evidence_ref: str | None = None


@dataclass(frozen=True, slots=True)
class ViolationRecord:
    """One version of a violation record. `decision` never carries identity documents here."""

    record_id: str
    version: int
    state: State
    decision: PenaltyDecision
    category: str
    procedure: Procedure
    severity: Severity
    regime: str
    policy_version: str
    public: bool
    """The class is one that policy shows to the public."""
    window_min_end: date
    window_max_end: date
    batches: tuple[str, ...]
    evidence_ref: str | None
    recorded_by: str
    effective_at: datetime
    """When this version was made (UTC)."""
    reason: str | None = None
    """Why this version was made; shown with a withdrawal."""
    document: str | None = None
    """Number of the paper behind this version (correction, repair decision, revocation)."""
    objection: str = ""
    """Id of the objection under way (异议处理中), "" for none; every output says so."""

    def region(self) -> str:
        """GB/T 2260 code of the subject's registration, else of the authority (six digits)."""
        return (self.decision.subject_key() or self.decision.authority_code)[2:8]

    def is_shown(self, today: date) -> bool:
        """True when the public may see it on `today`, also before the nightly job has run."""
        return self.state is State.PUBLISHED and self.public and today <= self.window_max_end


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of a correction, by official code, with open values before and after."""

    code: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of the change log: `seq` is contiguous and follows the order of commits."""

    seq: int
    op: Op
    record: ViolationRecord
    supersedes: int | None
    diff: tuple[FieldChange, ...]
    stopped: bool
    """The record has ended by now: its content is no longer shared, not even in older entries."""


@dataclass(frozen=True, slots=True)
class Review:
    """A second person's check of one version for secrets, before it is published."""

    reviewed_by: str
    reviewed_at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class SharedVersion:
    """What the log tells of one thing that is no penalty: a list membership, a licence, a commitment, a recall."""

    record_id: str
    version: int
    kind: str
    op: Op
    state: str
    """In the words of the thing's own module."""
    has_stopped: bool
    """From this version on its content is no longer shared."""
    region: str
    category: str
    department: str
    record: Mapping[str, str]
    key_fields: tuple[str, ...]
    """Names of the fields that stay when it has stopped."""
    reason: str
    document: str
    effective_at: datetime


@dataclass(frozen=True, slots=True)
class SharedChange:
    """As `Change`, of something that is no penalty."""

    seq: int
    item: SharedVersion
    stopped: bool
    """By now."""


@dataclass(frozen=True, slots=True)
class GradeLine:
    """A grade in one line: never a level without its scheme and day."""

    scheme: str
    level: str
    is_rated: bool
    as_of: date


@dataclass(frozen=True, slots=True)
class CreditLine:
    """One line on a subject for the code page: scheme and level when a grade exists, and what is published now."""

    uscc: str
    as_of: date
    published: int
    """Penalties that the public may see on `as_of`."""
    latest_on: date | None
    """Date of the newest of those decisions."""
    scheme: str | None = None
    level: str | None = None
    is_rated: bool = False
    """False too for a subject that is too new: its level is then the label for that."""
    graded_on: date | None = None
    """Day of the assessment: inputs and result have not changed since."""


@dataclass(frozen=True, slots=True)
class Archive:
    """What the public may see of a subject on a day: penalties in their window, and notices of withdrawn ones."""

    uscc: str
    as_of: date
    shown: tuple[ViolationRecord, ...]
    withdrawn: tuple[ViolationRecord, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """Which changes a puller wants; an empty member does not narrow. `region` is a prefix of a GB/T 2260 code."""

    region: str = ""
    category: str = ""
    department: str = ""
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """Which published decisions somebody looks for; an empty member does not narrow.

    `text`: with 〔 or of digits only it is part of a decision number, else part of a company's name or a whole USCC;
    never a natural person's name.
    `region`: prefix of a GB/T 2260 code. `since`, `until`: days of the decision, both inclusive.
    """

    text: str = ""
    region: str = ""
    category: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A decision before the public, and the day on which it first was."""

    record: ViolationRecord
    published_on: date | None


@dataclass(frozen=True, slots=True)
class Tally:
    """How many decisions of one day and authority have one fate. `published_on` None: never yet."""

    authority_code: str
    decided_on: date
    state: State
    published_on: date | None
    count: int
