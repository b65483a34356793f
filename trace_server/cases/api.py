"""JSON routes of cases and of the triage of alerts. An API client acts for the department it is named after."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from trace_core.errors import InputError
from trace_server.accounts.access import current_client, permission
from trace_server.cases import operations
from trace_server.cases.model import Actor, CaseEvent, CaseState, Verdict
from trace_server.cases.operations import NewCase, Step
from trace_server.cases.store import Wanted
from trace_server.cases.wire import case_json, dossier_json, precision_json
from trace_server.credit.document import document_schema, read_document
from trace_server.credit.steps import law_day
from trace_server.db.types import EPOCH, to_microseconds
from trace_server.services import services

blueprint = APIBlueprint("cases", __name__, url_prefix="/api/v1", tag="Cases")

_CURSOR = re.compile(r"(\d{1,17})\.(case-[0-9a-f]{12})\Z")


class CaseIn(BaseModel):
    """A case to open, with the alerts it grows from."""

    model_config = ConfigDict(extra="forbid", strict=True)

    title: str = Field(min_length=1, max_length=200)
    category: str = Field(max_length=32)
    region: str = Field(pattern=r"^[0-9]{6}$", description="GB/T 2260")
    subject: str = Field(default="", max_length=18, description="统一社会信用代码, if known")
    alerts: list[str] = Field(default_factory=list, max_length=500, description="Ids of alerts")
    reason: str = Field(default="", max_length=4096, description="Needed when there are alerts")


class StepIn(BaseModel):
    """A step of a case. `version`: the one that was read."""

    model_config = ConfigDict(extra="forbid", strict=True)

    event: Literal["file", "investigate", "propose", "notice", "return", "execute", "close", "dismiss"]
    version: int = Field(ge=1)
    text: str = Field(min_length=1, max_length=4096)
    document_no: str = Field(default="", max_length=128, description="文号 of the paper that the step rests on")


class DecisionIn(BaseModel):
    """The numbered decision of a case; fields as in the credit exchange."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1)
    document: dict[str, Any] = Field(json_schema_extra=document_schema())


class TransferIn(BaseModel):
    """Where a case is sent to."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: int = Field(ge=1)
    to_department: str = Field(min_length=1, max_length=200)
    is_outside: bool = Field(default=False, description="公安, 检察 and others who do not work here")
    reason: str = Field(min_length=1, max_length=4096)


class JointIn(BaseModel):
    """Which department is to work on the same evidence."""

    model_config = ConfigDict(extra="forbid", strict=True)

    to_department: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=4096)


class AnswerIn(BaseModel):
    """The receipt of a transfer, or its refusal."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: int = Field(ge=1)
    accept: bool
    answer: str = Field(min_length=1, max_length=4096)


class NoteIn(BaseModel):
    """Evidence or a remark."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(min_length=1, max_length=4096)
    document_no: str = Field(default="", max_length=128)


class TriageIn(BaseModel):
    """What a person makes of alerts that need no case."""

    model_config = ConfigDict(extra="forbid", strict=True)

    alerts: list[str] = Field(min_length=1, max_length=500)
    verdict: Literal["false_data", "benign"]
    reason: str = Field(min_length=1, max_length=4096)


class CasesIn(BaseModel):
    """Which cases."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["", *(state.value for state in CaseState)] = ""  # type: ignore[valid-type]
    subject: str = Field(default="", max_length=18)
    category: str = Field(default="", max_length=32)
    cursor: str = Field(default="", max_length=128)
    limit: int = Field(default=50, ge=1, le=500)


class CaseOut(BaseModel):
    """A case as it stands."""

    case_id: str
    title: str
    subject: str
    category: str
    region: str
    department: str
    state: str
    handler: str
    opened_by: str
    opened_at: datetime
    due_at: datetime | None
    due_confirmed: bool
    record_id: str
    version: int


class DossierOut(CaseOut):
    """A case with everything that belongs to it."""

    entries: list[dict[str, Any]]
    transfers: list[dict[str, Any]]
    alerts: list[str]
    joint: list[dict[str, str]] = Field(description="Linked cases of other departments on the same evidence")


class CasesOut(BaseModel):
    """Cases, oldest first."""

    items: list[CaseOut]
    next_cursor: str
    has_more: bool


class TriagedOut(BaseModel):
    """How many alerts have their verdict now."""

    triaged: int


class PrecisionOut(BaseModel):
    """How often each rule was right."""

    items: list[dict[str, Any]]


@blueprint.get("/cases")
@permission("cases:read")
@blueprint.input(CasesIn, location="query")
@blueprint.output(CasesOut)
@blueprint.doc(summary="List cases", responses=[503])
def list_cases(query_data: CasesIn) -> dict[str, Any]:
    """In the order they were opened."""
    states = (CaseState(query_data.state),) if query_data.state else ()
    wanted = Wanted(states, subject=query_data.subject, category=query_data.category)
    found = operations.list_cases(
        services(), _actor(), wanted, after=_place(query_data.cursor), limit=query_data.limit + 1
    )
    page = found[: query_data.limit]
    last = f"{to_microseconds(page[-1].opened_at)}.{page[-1].case_id}" if page else query_data.cursor
    return {"items": [case_json(case) for case in page], "next_cursor": last, "has_more": len(found) > len(page)}


@blueprint.post("/cases")
@permission("cases:handle")
@blueprint.input(CaseIn)
@blueprint.output(CaseOut, status_code=201)
@blueprint.doc(summary="Open a case", responses=[404, 409, 503])
def open_case(json_data: CaseIn) -> dict[str, Any]:
    """Its alerts are thereby triaged as suspected."""
    given = json_data
    new = NewCase(given.title, given.category, given.region, given.subject, _keys(given.alerts), given.reason)
    return case_json(operations.open_case(services(), _actor(), new))


@blueprint.get("/cases/<case_id>")
@permission("cases:read")
@blueprint.output(DossierOut)
@blueprint.doc(summary="A case with its dossier", responses=[404, 503])
def read_case(case_id: str) -> dict[str, Any]:
    """Everything that was written about it."""
    return dossier_json(operations.dossier(services(), _actor(), case_id))


@blueprint.post("/cases/<case_id>/steps")
@permission("cases:handle")
@blueprint.input(StepIn)
@blueprint.output(CaseOut)
@blueprint.doc(summary="Take a step", responses=[404, 409, 503])
def take_step(case_id: str, json_data: StepIn) -> dict[str, Any]:
    """Notice, return and decision are for a second person."""
    step = Step(CaseEvent(json_data.event), json_data.version, json_data.text, json_data.document_no)
    return case_json(operations.take_step(services(), _actor(), case_id, step))


@blueprint.post("/cases/<case_id>/decision")
@permission("cases:handle")
@blueprint.input(DecisionIn)
@blueprint.output(CaseOut)
@blueprint.doc(summary="Decide: makes the violation record", responses=[404, 409, 422, 503])
def decide(case_id: str, json_data: DecisionIn) -> dict[str, Any]:
    """For a second person, with the number of the decision; case and record are written together."""
    outside = services()
    decision, around = read_document(json_data.document, today=law_day(outside.clock()))
    case, _ = operations.decide(outside, _actor(), case_id, decision, around, version=json_data.version)
    return case_json(case)


@blueprint.post("/cases/<case_id>/notes")
@permission("cases:handle")
@blueprint.input(NoteIn)
@blueprint.output(CaseOut)
@blueprint.doc(summary="Add evidence or a remark", responses=[404, 409, 503])
def add_note(case_id: str, json_data: NoteIn) -> dict[str, Any]:
    """The state stays."""
    return case_json(operations.add_note(services(), _actor(), case_id, json_data.text, json_data.document_no))


@blueprint.post("/cases/<case_id>/transfer")
@permission("cases:handle")
@blueprint.input(TransferIn)
@blueprint.output(CaseOut)
@blueprint.doc(summary="Send a case to another department", responses=[404, 409, 503])
def transfer(case_id: str, json_data: TransferIn) -> dict[str, Any]:
    """It waits for their receipt."""
    given = json_data
    moved = operations.transfer(
        services(), _actor(), case_id, to_department=given.to_department, is_outside=given.is_outside,
        reason=given.reason, version=given.version,
    )  # fmt: skip
    return case_json(moved)


@blueprint.post("/cases/<case_id>/joint")
@permission("cases:handle")
@blueprint.input(JointIn)
@blueprint.output(CaseOut, status_code=201)
@blueprint.doc(summary="Open a linked case in another department", responses=[404, 409, 503])
def open_joint(case_id: str, json_data: JointIn) -> dict[str, Any]:
    """联合执法: the evidence is shared, each case goes its own way."""
    given = json_data
    made = operations.open_joint(services(), _actor(), case_id, to_department=given.to_department, reason=given.reason)
    return case_json(made)


@blueprint.post("/cases/<case_id>/receipt")
@permission("cases:handle")
@blueprint.input(AnswerIn)
@blueprint.output(CaseOut)
@blueprint.doc(summary="Answer a transfer", responses=[404, 409, 503])
def answer_transfer(case_id: str, json_data: AnswerIn) -> dict[str, Any]:
    """By the department it was sent to."""
    given = json_data
    return case_json(
        operations.answer_transfer(
            services(), _actor(), case_id, accept=given.accept, answer=given.answer, version=given.version
        )
    )


@blueprint.post("/alerts/triage")
@permission("cases:handle")
@blueprint.input(TriageIn)
@blueprint.output(TriagedOut)
@blueprint.doc(summary="Close alerts that need no case", responses=[404, 409, 503])
def triage(json_data: TriageIn) -> dict[str, Any]:
    """With the reason, which feeds the precision of the rule."""
    done = operations.triage(
        services(), _actor(), _keys(json_data.alerts), Verdict(json_data.verdict), json_data.reason
    )
    return {"triaged": done}


@blueprint.get("/alerts/precision")
@permission("cases:read")
@blueprint.output(PrecisionOut)
@blueprint.doc(summary="How often each rule was right", responses=[503])
def precision() -> dict[str, Any]:
    """Suspected of triaged."""
    return {"items": [precision_json(found) for found in operations.precision(services())]}


def _actor() -> Actor:
    client = current_client()
    return Actor(f"client:{client.client_id}", client.name)


def _keys(texts: list[str]) -> tuple[bytes, ...]:
    try:
        keys = tuple(bytes.fromhex(text) for text in texts)
    except ValueError as error:
        raise InputError("an id of an alert has 32 hexadecimal digits", where="/alerts") from error
    if any(len(key) != 16 for key in keys):
        raise InputError("an id of an alert has 32 hexadecimal digits", where="/alerts")
    return keys


def _place(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    found = _CURSOR.match(cursor)
    if found is None:
        raise InputError("this is no cursor of this server", where="cursor", remedy="use next_cursor as it was given")
    return EPOCH + timedelta(microseconds=int(found[1])), found[2]
