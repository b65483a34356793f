"""JSON routes of objections: the subject's and the authority's."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field

from trace_core.errors import InputError, NotAllowed
from trace_server.accounts.access import current_client, permission
from trace_server.accounts.model import Role
from trace_server.db.types import EPOCH, to_microseconds
from trace_server.objections import operations
from trace_server.objections.model import Objection, ObjectionEvent, ObjectionState, Remedy, TargetKind
from trace_server.objections.operations import Claim, Step
from trace_server.objections.wire import objection_json
from trace_server.services import services

blueprint = APIBlueprint("objections", __name__, url_prefix="/api/v1/credit/objections", tag="Credit objections")
_CURSOR = re.compile(r"(\d{1,17})\.(objection-[0-9a-f]{12})\Z")
_ONE_ANSWERS: dict[int | str, dict[str, Any]] = {
    304: {"description": "Not changed"},
    **{status: {"description": "Problem details (RFC 9457)"} for status in (404, 503)},
}


class ObjectionIn(BaseModel):
    """What is wrong with what."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Literal["record", "list", "commitment"]
    target: str = Field(min_length=1, max_length=36, description="Record id, membership id or 承诺编码")
    claim: str = Field(min_length=1, max_length=4096)
    papers: list[str] = Field(default=[], max_length=50)
    representative: str = Field(
        default="", max_length=200, description="Who speaks for the subject; needed when an authority hands it in"
    )


class StepIn(BaseModel):
    """A step of the authority; `version` is the one that was read."""

    model_config = ConfigDict(extra="forbid", strict=True)

    event: Literal["propose", "return", "uphold", "reject"]
    version: int = Field(ge=1)
    reason: str = Field(min_length=1, max_length=4096, description="Told to who raised it")
    document_no: str = Field(default="", max_length=128, description="Needed to uphold or reject")
    remedy: Literal["", "correct", "withdraw"] = Field(default="", description="Of a proposal")
    changes: dict[str, str] = Field(
        default={},
        max_length=40,
        description="Of a record to correct: official code → text",
        examples=[{"CF_NR_FK": "1"}],
    )


class ListIn(BaseModel):
    """Which objections."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["", "raised", "proposed", "upheld", "rejected"] = ""
    cursor: str = Field(default="", max_length=64)
    limit: int = Field(default=50, ge=1, le=500)


class ObjectionOut(BaseModel):
    """An objection as it stands."""

    objection_id: str
    kind: str
    target: str
    uscc: str
    state: str
    claim: str
    papers: list[str]
    representative: str
    raised_at: datetime
    due_at: datetime | None
    remedy: str
    changes: dict[str, str]
    reason: str
    document_no: str
    version: int


class ObjectionsOut(BaseModel):
    """Objections in the order they were raised."""

    items: list[ObjectionOut]
    next_cursor: str
    has_more: bool


@blueprint.post("")
@permission("objections:raise")
@blueprint.input(ObjectionIn)
@blueprint.output(ObjectionOut, status_code=201)
@blueprint.doc(summary="Raise an objection, free of charge", responses=[404, 409, 503])
def raise_objection(json_data: ObjectionIn) -> tuple[dict[str, Any], int, dict[str, str]]:
    """What it is about is marked 异议处理中 at once. A company's client objects to what is said of itself only."""
    given = json_data
    claim = Claim(TargetKind(given.kind), given.target, given.claim, tuple(given.papers), given.representative)
    row = operations.raise_objection(services(), _actor(), claim, owner=_owner() or None)
    return _json(row), 201, {"ETag": _etag(row)}


@blueprint.get("")
@permission("objections:read")
@blueprint.input(ListIn, location="query")
@blueprint.output(ObjectionsOut)
@blueprint.doc(summary="Objections: one's own, or all of them for the authority", responses=[503])
def list_objections(query_data: ListIn) -> dict[str, Any]:
    """In the order they were raised."""
    state = ObjectionState(query_data.state) if query_data.state else None
    found = operations.list_objections(
        services(), _owner(), state, after=_place(query_data.cursor), limit=query_data.limit + 1
    )
    page = found[: query_data.limit]
    last = f"{to_microseconds(page[-1].raised_at)}.{page[-1].objection_id}" if page else query_data.cursor
    return {"items": [_json(row) for row in page], "next_cursor": last, "has_more": len(found) > len(page)}


@blueprint.get("/<objection_id>")
@permission("objections:read")
@blueprint.output(ObjectionOut)
@blueprint.doc(summary="One objection", responses=_ONE_ANSWERS)
def one(objection_id: str) -> Response | tuple[dict[str, Any], int, dict[str, str]]:
    """With an `ETag`; `If-None-Match` answers 304 while nothing has changed."""
    row = operations.open_objection(services(), objection_id, owner=_owner())
    tag = _etag(row)
    if request.if_none_match.contains(tag.strip('"')):
        return Response(status=304, headers={"ETag": tag})
    return _json(row), 200, {"ETag": tag}


@blueprint.post("/<objection_id>/steps")
@permission("objections:decide")
@blueprint.input(StepIn)
@blueprint.output(ObjectionOut)
@blueprint.doc(summary="Propose, return, uphold or reject", responses=[404, 409, 503])
def take_step(objection_id: str, json_data: StepIn) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Whoever proposed does not uphold. What is upheld is corrected or withdrawn everywhere at once."""
    given = json_data
    step = Step(
        ObjectionEvent(given.event), given.version, given.reason, given.document_no, Remedy(given.remedy), given.changes
    )
    row = operations.take_step(services(), _actor(), objection_id, step)
    return _json(row), 200, {"ETag": _etag(row)}


def _actor() -> str:
    return f"client:{current_client().client_id}"


def _owner() -> str:
    """The company that this client acts for, "" for an authority."""
    client = current_client()
    if client.role is Role.PRODUCER and not client.subject:
        raise NotAllowed("this client acts for nobody", remedy="have a client made that names its company")
    return client.subject


def _json(row: Objection) -> dict[str, Any]:
    return objection_json(row, within=not current_client().subject)


def _etag(row: Objection) -> str:
    return f'"{row.objection_id}-{row.version}"'


def _place(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    found = _CURSOR.match(cursor)
    if found is None:
        raise InputError("this is no cursor of this server", where="cursor", remedy="use next_cursor as it was given")
    return EPOCH + timedelta(microseconds=int(found[1])), found[2]
