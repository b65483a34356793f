"""JSON routes of commitments: who signs, and the authority that decides how they were kept."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field

from trace_core.errors import InputError, NotAllowed
from trace_server.accounts.access import current_client, permission
from trace_server.accounts.model import Role
from trace_server.commitments import operations
from trace_server.commitments.model import Commitment, CommitmentEvent, CommitmentState, Finding, Promise, Publicity
from trace_server.commitments.operations import Step
from trace_server.commitments.wire import commitment_json
from trace_server.db.types import EPOCH, to_microseconds
from trace_server.services import services

blueprint = APIBlueprint("commitments", __name__, url_prefix="/api/v1/credit/commitments", tag="Credit commitments")
_CURSOR = re.compile(r"(\d{1,17})\.(\d{20})\Z")
UNTOLD_STATES = frozenset({CommitmentState.PARTLY, CommitmentState.UNFULFILLED})
_STATES = tuple(state.value for state in CommitmentState)


class PromiseIn(BaseModel):
    """A commitment as it was signed, by the fields of the national template."""

    model_config = ConfigDict(extra="forbid")

    subject_name: str = Field(min_length=1, max_length=200, description="承诺人名称")
    subject_kind: Literal["法人及非法人组织", "自然人", "个体工商户"] = Field(description="承诺人类别")
    subject_code: str = Field(min_length=1, max_length=18, description="承诺人代码; of a person it is sealed")
    type: str = Field(max_length=32, description="承诺类型", examples=["主动型"])
    cause: str = Field(min_length=1, max_length=512, description="承诺事由")
    content: str = Field(min_length=1, max_length=4000, description="承诺内容")
    liability: str = Field(min_length=1, max_length=4000, description="违诺责任")
    made_on: date = Field(description="承诺作出日期")
    valid_until: date | None = Field(default=None, description="承诺有效期; empty: without end")
    acceptor_name: str = Field(min_length=1, max_length=200, description="承诺受理单位")
    acceptor_code: str = Field(min_length=1, max_length=18, description="承诺受理单位代码")
    publicity: Literal["可向社会公开", "特定范围内公开", "不可公开"] = Field(description="公开类型")
    remarks: str = Field(default="", max_length=512, description="备注")
    repair_id: str = Field(default="", max_length=32, description="Of 信用修复型: the application it belongs to")


class StepIn(BaseModel):
    """A step of the authority; `version` is the one that was read."""

    model_config = ConfigDict(extra="forbid", strict=True)

    event: Literal["publish", "enter", "fulfil", "find_partly", "find_unfulfilled", "return", "record_breach", "remedy"]
    version: int = Field(ge=1)
    reason: str = Field(min_length=1, max_length=4096)
    document_no: str = Field(default="", max_length=128, description="Needed to record a breach and its remedy")
    unfulfilled: str = Field(default="", max_length=4000, description="未履行的承诺内容")
    pursued: str = Field(default="", max_length=4000, description="违诺责任追究内容")
    authority_name: str = Field(default="", max_length=200, description="认定单位; empty: who accepted it")
    authority_code: str = Field(default="", max_length=18, description="认定单位代码")


class ListIn(BaseModel):
    """Which commitments."""

    model_config = ConfigDict(extra="forbid")

    state: Literal["", *_STATES] = ""  # type: ignore[valid-type]
    cursor: str = Field(default="", max_length=64)
    limit: int = Field(default=50, ge=1, le=500)


class CommitmentOut(BaseModel):
    """A commitment as it stands."""

    code: str = Field(description="承诺编码")
    state: str
    record: dict[str, str] = Field(description="By official name; a person's name is masked, his number left out")
    objection: bool = Field(description="异议处理中")
    remedied_on: date | None
    signed_at: datetime
    reason: str
    document_no: str
    version: int
    proposed: dict[str, str] | None = Field(default=None, description="A finding that waits for a second person")


class CommitmentsOut(BaseModel):
    """Commitments in the order they were signed."""

    items: list[CommitmentOut]
    next_cursor: str
    has_more: bool


_ONE_ANSWERS: dict[int | str, dict[str, Any]] = {
    304: {"description": "Not changed"},
    **{status: {"description": "Problem details (RFC 9457)"} for status in (404, 503)},
}


@blueprint.post("")
@permission("commitments:sign")
@blueprint.input(PromiseIn)
@blueprint.output(CommitmentOut, status_code=201)
@blueprint.doc(summary="Sign a commitment; the code is made here", responses=[503])
def sign(json_data: PromiseIn) -> tuple[dict[str, Any], int, dict[str, str]]:
    """A company's client signs for itself only."""
    given = json_data
    promise = Promise(**{**given.model_dump(), "publicity": Publicity(given.publicity)})
    row = operations.sign(services(), _actor(), promise, owner=_owner() or None)
    return _json(row), 201, {"ETag": _etag(row)}


@blueprint.get("")
@permission("commitments:read")
@blueprint.input(ListIn, location="query")
@blueprint.output(CommitmentsOut)
@blueprint.doc(summary="Commitments: one's own, or all of them for the authority", responses=[503])
def list_commitments(query_data: ListIn) -> dict[str, Any]:
    """In the order they were signed. A company hears of a breach once a second person has recorded it."""
    owner, wanted = _owner(), CommitmentState(query_data.state) if query_data.state else None
    if owner and wanted in UNTOLD_STATES:
        return {"items": [], "next_cursor": query_data.cursor, "has_more": False}
    found = operations.list_commitments(
        services(), owner, wanted, after=_place(query_data.cursor), limit=query_data.limit + 1
    )
    page = found[: query_data.limit]
    last = f"{to_microseconds(page[-1].signed_at)}.{page[-1].code}" if page else query_data.cursor
    return {"items": [_json(row) for row in page], "next_cursor": last, "has_more": len(found) > len(page)}


@blueprint.get("/<code>")
@permission("commitments:read")
@blueprint.output(CommitmentOut)
@blueprint.doc(summary="One commitment", responses=_ONE_ANSWERS)
def one(code: str) -> Response | tuple[dict[str, Any], int, dict[str, str]]:
    """With an `ETag`; `If-None-Match` answers 304 while nothing has changed."""
    row = operations.open_commitment(services(), code, owner=_owner())
    tag = _etag(row)
    if request.if_none_match.contains(tag.strip('"')):
        return Response(status=304, headers={"ETag": tag})
    return _json(row), 200, {"ETag": tag}


@blueprint.post("/<code>/steps")
@permission("commitments:decide")
@blueprint.input(StepIn)
@blueprint.output(CommitmentOut)
@blueprint.doc(summary="Publish, bring into force, determine, record a breach or its remedy", responses=[404, 409, 503])
def take_step(code: str, json_data: StepIn) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Whoever found a breach does not record it."""
    given = json_data
    finding = Finding(
        unfulfilled=given.unfulfilled.strip(), pursued=given.pursued.strip(),
        authority_name=given.authority_name, authority_code=given.authority_code,
    )  # fmt: skip
    step = Step(CommitmentEvent(given.event), given.version, given.reason, given.document_no, finding)
    row = operations.take_step(services(), _actor(), code, step)
    return _json(row), 200, {"ETag": _etag(row)}


def _actor() -> str:
    return f"client:{current_client().client_id}"


def _owner() -> str:
    """The company that this client acts for, "" for an authority."""
    client = current_client()
    if client.role is Role.PRODUCER and not client.subject:
        raise NotAllowed("this client acts for nobody", remedy="have a client made that names its company")
    return client.subject


def _json(row: Commitment) -> dict[str, Any]:
    return commitment_json(row, within=not current_client().subject)


def _etag(row: Commitment) -> str:
    return f'"{row.code}-{row.version}"'


def _place(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    found = _CURSOR.match(cursor)
    if found is None:
        raise InputError("this is no cursor of this server", where="cursor", remedy="use next_cursor as it was given")
    return EPOCH + timedelta(microseconds=int(found[1])), found[2]
