"""JSON routes of the base registers: subjects with names and old codes, premises, documents, sealed persons."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from trace_core.errors import InputError
from trace_server.accounts.access import current_client, permission
from trace_server.registers import keeping
from trace_server.registers.parties import CodeScheme, Paper, Premises
from trace_server.registers.party_wire import code_json, paper_json, person_json, premises_json, view_json
from trace_server.services import services

blueprint = APIBlueprint("parties", __name__, url_prefix="/api/v1/registers", tag="Base registers")
_DATE = r"^\d{4}-\d{2}-\d{2}$"
_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


class NameOut(BaseModel):
    """A name and the days on which a register first and last told it."""

    name: str
    first_on: date
    last_on: date
    source: str


class CodeOut(BaseModel):
    """An old code and whose it is."""

    code: str
    scheme: str
    uscc: str
    source: str


class PremisesOut(BaseModel):
    """Where a subject works."""

    premises_id: str
    address: str
    region: str
    latitude: float | None
    longitude: float | None
    licence_no: str
    source: str
    as_of: date


class PaperOut(BaseModel):
    """A document; `verified_by` is empty until somebody has compared it."""

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


class JudgmentOut(BaseModel):
    """What a court told of the subject."""

    judgment_id: str
    kind: str
    case_no: str
    court: str
    party_name: str
    published_on: date
    ended_on: date | None
    source: str


class PartyOut(BaseModel):
    """All that the registers say of a subject."""

    uscc: str
    is_registered: bool
    name: str
    status: str
    region: str
    names: list[NameOut]
    old_codes: list[CodeOut]
    premises: list[PremisesOut]
    documents: list[PaperOut]
    judgments: list[JudgmentOut]


class CodesOut(BaseModel):
    """Whose an old code is, by scheme."""

    items: list[CodeOut]


class MergeIn(BaseModel):
    """Whose an old code is, as a person has found."""

    model_config = ConfigDict(extra="forbid", strict=True)

    scheme: str = Field(description="registration_no, organisation or tax_no", max_length=16)
    uscc: str = Field(min_length=18, max_length=18)
    reason: str = Field(min_length=1, max_length=1000)


class PremisesIn(BaseModel):
    """A place; with `premises_id` the one that is there is changed."""

    model_config = ConfigDict(extra="forbid", strict=True)

    premises_id: str = Field(default="", max_length=32, pattern=r"^[a-z0-9-]*$")
    address: str = Field(min_length=1, max_length=400)
    region: str = Field(pattern=r"^[0-9]{6}$", description="GB/T 2260")
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    licence_no: str = Field(default="", max_length=64)
    source: str = Field(min_length=1, max_length=200)
    as_of: str = Field(pattern=_DATE)


class PaperIn(BaseModel):
    """A document with the digest of its file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: str = Field(min_length=1, max_length=64)
    number: str = Field(min_length=1, max_length=128)
    issuer: str = Field(min_length=1, max_length=200)
    issued_on: str = Field(pattern=_DATE)
    valid_to: str | None = Field(default=None, pattern=_DATE)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class PersonsIn(BaseModel):
    """Which persons."""

    model_config = ConfigDict(extra="forbid")

    after: str = Field(default="", max_length=17, description="person_id of the last one seen")
    limit: int = Field(default=50, ge=1, le=500)


class SealedPersonOut(BaseModel):
    """A natural person: the name masked, name and document sealed under `sealed_id`."""

    person_id: str
    masked_name: str
    document_kind: str
    sealed_id: str
    source: str
    added_at: datetime


class PersonsOut(BaseModel):
    """Persons by id."""

    items: list[SealedPersonOut]
    has_more: bool


@blueprint.get("/subjects/<uscc>")
@permission("registers:read")
@blueprint.output(PartyOut)
@blueprint.doc(summary="All that the registers say of a subject", responses=[503])
def subject(uscc: str) -> dict[str, Any]:
    """One that nobody registered has empty lists."""
    return view_json(keeping.view(services(), uscc))


@blueprint.get("/codes/<code>")
@permission("registers:read")
@blueprint.output(CodesOut)
@blueprint.doc(summary="Whose an old code is (注册号, 组织机构代码, 税号)", responses=[503])
def find_code(code: str) -> dict[str, Any]:
    """Blanks and hyphens do not count."""
    return {"items": [code_json(row) for row in keeping.find_code(services(), code)]}


@blueprint.post("/codes/<code>")
@permission("registers:write")
@blueprint.input(MergeIn)
@blueprint.output(CodeOut)
@blueprint.doc(summary="Say whose an old code is", responses=[503])
def merge_code(code: str, json_data: MergeIn) -> dict[str, Any]:
    """Stands above what registers tell."""
    if json_data.scheme not in set(CodeScheme):
        raise InputError("there is no such scheme", where="scheme", remedy=", ".join(CodeScheme))
    scheme = CodeScheme(json_data.scheme)
    return code_json(keeping.merge_code(services(), _actor(), code, scheme, json_data.uscc, json_data.reason))


@blueprint.post("/subjects/<uscc>/premises")
@permission("registers:write")
@blueprint.input(PremisesIn)
@blueprint.output(PremisesOut, status_code=201)
@blueprint.doc(summary="Register where a subject works", responses=[503])
def add_premises(uscc: str, json_data: PremisesIn) -> dict[str, Any]:
    """A new place, or what has changed of one."""
    given = json_data
    row = Premises(
        uscc, given.premises_id, given.address, given.region, given.latitude, given.longitude, given.licence_no,
        given.source, _day(given.as_of, "as_of"),
    )  # fmt: skip
    return premises_json(keeping.save_premises(services(), _actor(), row))


@blueprint.post("/subjects/<uscc>/documents")
@permission("registers:write")
@blueprint.input(PaperIn)
@blueprint.output(PaperOut, status_code=201)
@blueprint.doc(summary="Register a document of a subject", responses=[503])
def add_document(uscc: str, json_data: PaperIn) -> dict[str, Any]:
    """Not verified yet."""
    given = json_data
    ends = _day(given.valid_to, "valid_to") if given.valid_to is not None else None
    row = Paper(
        uscc, "", given.type, given.number, given.issuer, _day(given.issued_on, "issued_on"), ends, given.sha256, "",
        None, "", _EPOCH,
    )  # fmt: skip
    return paper_json(keeping.add_paper(services(), _actor(), row))


@blueprint.post("/subjects/<uscc>/documents/<document_id>/verification")
@permission("registers:write")
@blueprint.output(PaperOut)
@blueprint.doc(summary="A second person has compared a document with its issuer", responses=[404, 503])
def verify_document(uscc: str, document_id: str) -> dict[str, Any]:
    """Not the one who registered it."""
    return paper_json(keeping.verify_paper(services(), _actor(), uscc, document_id))


@blueprint.get("/persons")
@permission("registers:read")
@blueprint.input(PersonsIn, location="query")
@blueprint.output(PersonsOut)
@blueprint.doc(summary="Natural persons, masked", responses=[503])
def persons(query_data: PersonsIn) -> dict[str, Any]:
    """What is sealed is opened by two persons only."""
    found = keeping.list_persons(services(), after=query_data.after, limit=query_data.limit + 1)
    page = found[: query_data.limit]
    return {"items": [person_json(row) for row in page], "has_more": len(found) > len(page)}


def _actor() -> str:
    return f"client:{current_client().client_id}"


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"{text!r} is no date", where=where, remedy="write 2026-11-24") from error
