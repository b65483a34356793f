"""JSON routes of credit repair: the applicant's and the authority's."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from trace_core.errors import InputError
from trace_server.accounts.access import current_client, permission, public
from trace_server.db.types import EPOCH, to_microseconds
from trace_server.repairs import operations, rules
from trace_server.repairs.model import Application, RepairEvent, RepairState
from trace_server.services import services

blueprint = APIBlueprint("repairs", __name__, url_prefix="/api/v1/credit/repairs", tag="Credit repair")
_CURSOR = re.compile(r"(\d{1,17})\.(repair-[0-9a-f]{12})\Z")


class ApplicationIn(BaseModel):
    """What was done, the promise that the papers are true, and the papers."""

    model_config = ConfigDict(extra="forbid", strict=True)

    record_id: str = Field(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
    correction: str = Field(min_length=1, max_length=4096)
    promise: str = Field(min_length=1, max_length=4096, description="信用承诺")
    papers: list[str] = Field(min_length=1, max_length=50)
    training: str = Field(default="", max_length=180, description="Record of a training, kept among the papers")


class AgainIn(BaseModel):
    """The completed application."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: int = Field(ge=1)
    correction: str = Field(min_length=1, max_length=4096)
    papers: list[str] = Field(min_length=1, max_length=50)


class StepIn(BaseModel):
    """A step of the authority."""

    model_config = ConfigDict(extra="forbid", strict=True)

    event: Literal["return", "accept", "grant", "refuse"]
    version: int = Field(ge=1)
    reason: str = Field(min_length=1, max_length=4096)
    document_no: str = Field(default="", max_length=128, description="Needed to grant or refuse")


class ListIn(BaseModel):
    """Which applications."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["", "submitted", "returned", "accepted", "granted", "refused"] = ""
    cursor: str = Field(default="", max_length=64)
    limit: int = Field(default=50, ge=1, le=500)


class ApplicationOut(BaseModel):
    """An application as it stands; it costs nothing."""

    application_id: str
    record_id: str
    uscc: str
    state: str
    correction: str
    promise: str
    papers: list[str]
    submitted_at: datetime
    due_at: datetime | None
    reason: str
    document_no: str
    version: int


class GuidanceOut(BaseModel):
    """Step by step, in both languages."""

    steps: list[dict[str, str]]
    legal_basis: str
    confirmed: bool


class ApplicationsOut(BaseModel):
    """Applications in the order they came."""

    items: list[ApplicationOut]
    next_cursor: str
    has_more: bool


@blueprint.get("/guidance")
@public
@blueprint.output(GuidanceOut)
@blueprint.doc(summary="What to do before applying for repair")
def guidance() -> dict[str, Any]:
    """For everybody; the desk shows it above its form."""
    found = rules.guidance()
    steps = [{"zh-CN": text, "en": text_en} for text, text_en in found.steps]
    return {"steps": steps, "legal_basis": found.legal_basis, "confirmed": found.confirmed}


@blueprint.post("")
@permission("repairs:apply")
@blueprint.input(ApplicationIn)
@blueprint.output(ApplicationOut, status_code=201)
@blueprint.doc(summary="Apply for repair, free of charge", responses=[404, 409, 503])
def apply(json_data: ApplicationIn) -> dict[str, Any]:
    """A company's client applies about its own records only."""
    given = json_data
    row = operations.apply(
        services(), _actor(), given.record_id, owner=current_client().subject or None, correction=given.correction,
        promise=given.promise, papers=rules.with_training(tuple(given.papers), given.training),
    )  # fmt: skip
    return _json(row)


@blueprint.get("")
@permission("repairs:apply")
@blueprint.input(ListIn, location="query")
@blueprint.output(ApplicationsOut)
@blueprint.doc(summary="Applications: one's own, or all of them for the authority", responses=[503])
def list_applications(query_data: ListIn) -> dict[str, Any]:
    """In the order they came."""
    state = RepairState(query_data.state) if query_data.state else None
    found = operations.list_applications(
        services(), current_client().subject, state, after=_place(query_data.cursor), limit=query_data.limit + 1
    )
    page = found[: query_data.limit]
    last = f"{to_microseconds(page[-1].submitted_at)}.{page[-1].application_id}" if page else query_data.cursor
    return {"items": [_json(row) for row in page], "next_cursor": last, "has_more": len(found) > len(page)}


@blueprint.post("/<application_id>/again")
@permission("repairs:apply")
@blueprint.input(AgainIn)
@blueprint.output(ApplicationOut)
@blueprint.doc(summary="Complete a returned application", responses=[404, 409, 503])
def hand_in_again(application_id: str, json_data: AgainIn) -> dict[str, Any]:
    """The clock of the intake check starts anew."""
    row = operations.hand_in_again(
        services(), _actor(), application_id, owner=current_client().subject or None,
        correction=json_data.correction, papers=tuple(json_data.papers), version=json_data.version,
    )  # fmt: skip
    return _json(row)


@blueprint.post("/<application_id>/steps")
@permission("repairs:decide")
@blueprint.input(StepIn)
@blueprint.output(ApplicationOut)
@blueprint.doc(summary="Return, accept, grant or refuse", responses=[404, 409, 503])
def decide(application_id: str, json_data: StepIn) -> dict[str, Any]:
    """Whoever accepted does not decide. A grant ends the record everywhere at once."""
    given = json_data
    row = operations.decide(
        services(), _actor(), application_id, RepairEvent(given.event), reason=given.reason,
        document_no=given.document_no, version=given.version,
    )  # fmt: skip
    return _json(row)


def _actor() -> str:
    return f"client:{current_client().client_id}"


def _json(row: Application) -> dict[str, Any]:
    return {
        "application_id": row.application_id,
        "record_id": row.record_id,
        "uscc": row.uscc,
        "state": row.state.value,
        "correction": row.correction,
        "promise": row.promise,
        "papers": list(row.papers),
        "submitted_at": row.submitted_at.isoformat(),
        "due_at": row.due_at.isoformat() if row.due_at else None,
        "reason": row.reason,
        "document_no": row.document_no,
        "version": row.version,
    }


def _place(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    found = _CURSOR.match(cursor)
    if found is None:
        raise InputError("this is no cursor of this server", where="cursor", remedy="use next_cursor as it was given")
    return EPOCH + timedelta(microseconds=int(found[1])), found[2]
