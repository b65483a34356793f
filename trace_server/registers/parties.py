"""Values of the base registers: who a party is beside its code (domain rules §4.1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from trace_server.sealed.model import SealedId


class CodeScheme(StrEnum):
    """Which register gave an old code out, before there was a unified one."""

    REGISTRATION_NO = "registration_no"
    """工商注册号."""
    ORGANISATION_CODE = "organisation"
    """组织机构代码."""
    TAX_NO = "tax_no"
    """税务登记号."""


class JudgmentKind(StrEnum):
    """What a court tells."""

    DISHONEST = "dishonest"
    """失信被执行人."""
    JUDGMENT = "judgment"
    """判决."""


@dataclass(frozen=True, slots=True)
class Person:
    """A natural person, whose name and identity document lie sealed; `person_id` may stand where the number stood."""

    person_id: str
    masked_name: str
    document_kind: str
    sealed_id: SealedId
    source: str
    added_by: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class SubjectName:
    """A name of a subject; days on which a register first and last told it."""

    uscc: str
    name: str
    first_on: date
    last_on: date
    source: str


@dataclass(frozen=True, slots=True)
class OldCode:
    """A code that a subject had before, and the unified one that took its place."""

    code: str
    scheme: CodeScheme
    uscc: str
    source: str
    added_by: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Premises:
    """Where a subject works. `region`: GB/T 2260; `latitude`, `longitude`: WGS 84 degrees, both or none."""

    uscc: str
    premises_id: str
    address: str
    region: str
    latitude: float | None
    longitude: float | None
    licence_no: str
    source: str
    as_of: date


@dataclass(frozen=True, slots=True)
class Paper:
    """A document of a subject. `sha256` of its file in hex; `verified_by` "" as long as nobody has."""

    uscc: str
    document_id: str
    type: str
    number: str
    issuer: str
    issued_on: date
    valid_to: date | None
    sha256: str
    verified_by: str
    verified_at: datetime | None
    added_by: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Judgment:
    """What a court told of a party: `uscc` of a company, else `person_id`. A person's name is masked."""

    judgment_id: str
    kind: JudgmentKind
    case_no: str
    court: str
    party_name: str
    uscc: str
    person_id: str
    basis_no: str
    duty: str
    performance: str
    conduct: str
    filed_on: date | None
    published_on: date
    ended_on: date | None
    source: str
    recorded_by: str
    recorded_at: datetime
