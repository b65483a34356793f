"""HTTP routes of the chains."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from trace_server.accounts.access import permission
from trace_server.services import services
from trace_server.trace import wire
from trace_server.trace.acts import acts_json, acts_of
from trace_server.trace.answering import ask
from trace_server.trace.balance import Balance, mass_balance
from trace_server.trace.balance_wire import FORMATS, BalanceOut, balance_file, balance_out
from trace_server.trace.frontier import MAX_DEPTH
from trace_server.trace.question import Question
from trace_server.trace.wire import ChainOut

blueprint = APIBlueprint("trace", __name__, url_prefix="/api/v1/trace", tag="Trace")


class ChainIn(BaseModel):
    """Which object is asked about, when, and how far."""

    model_config = ConfigDict(populate_by_name=True)

    uri: str = Field(min_length=1, max_length=512, description="EPC URN, class URN or GS1 Digital Link")
    begin: datetime | None = Field(None, alias="from", description="the object counts from here on, with offset")
    end: datetime | None = Field(None, alias="to", description="the object counts until here, with offset")
    depth: int = Field(MAX_DEPTH, ge=1, le=MAX_DEPTH, description="steps from the object")


class FileIn(ChainIn):
    """The same question and the format of its answer."""

    format: Literal[wire.FILES]  # type: ignore[valid-type]


class BalanceIn(BaseModel):
    """The object or site, and in which time its transformations count."""

    model_config = ConfigDict(populate_by_name=True)

    uri: str = Field(min_length=1, max_length=512, description="URI of a lot, an item or a site")
    begin: datetime | None = Field(None, alias="from", description="transformations count from here on, with offset")
    end: datetime | None = Field(None, alias="to", description="transformations count until here, with offset")


class BalanceFileIn(BalanceIn):
    """The same, and as what."""

    format: Literal[FORMATS]  # type: ignore[valid-type]


class ActsIn(BaseModel):
    """Which piece of equipment."""

    model_config = ConfigDict(extra="forbid")

    uri: str = Field(min_length=1, max_length=512, description="EPC URN or GS1 Digital Link")


class ActOut(BaseModel):
    """One act that an event tells."""

    event: str
    event_time: datetime
    kind: Literal["filling", "pre_check", "post_check", "maintenance"]
    place: str
    medium: str
    weight_kg: float | None
    passed: bool | None
    refused: str


class ActsOut(BaseModel):
    """By event time."""

    uri: str
    acts: list[ActOut]


_FILE_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in wire.MEDIA_TYPES},
    },
    **{status: {"description": "Problem details (RFC 9457)"} for status in (400, 404, 413, 503)},
}


@blueprint.get("/balance")
@permission("events:read")
@blueprint.input(BalanceIn, location="query")
@blueprint.output(BalanceOut)
@blueprint.doc(summary="The mass balance of an object or a site", responses=[404, 503])
def balance(query_data: BalanceIn) -> BalanceOut:
    """What came out of the transformations of the object, or at the site, against what usually comes of what went in;
    and what is left of each lot in them. `missing` says what is not recorded.
    """
    return balance_out(_balance(query_data))


@blueprint.get("/balance/file")
@permission("events:read")
@blueprint.input(BalanceFileIn, location="query")
@blueprint.doc(summary="The same balance as CSV or XLSX", responses=_FILE_ANSWERS)
def balance_as_file(query_data: BalanceFileIn) -> Response:
    """One row per transformation and yield."""
    file = balance_file(_balance(query_data), query_data.format)
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.data, content_type=file.media_type, headers=headers)


def _balance(given: BalanceIn) -> Balance:
    window = wire.question(given.uri, wire.BOTH, (given.begin, given.end), 1).window
    outside = services()
    with outside.db.read() as conn:
        return mass_balance(conn, outside.db.dialect, given.uri, window)


@blueprint.get("/acts")
@permission("events:read")
@blueprint.input(ActsIn, location="query")
@blueprint.output(ActsOut)
@blueprint.doc(summary="Fillings, checks and maintenance of a piece of equipment", responses=[503])
def acts(query_data: ActsIn) -> dict[str, Any]:
    """As its events tell them; those that were declared wrong are left out."""
    outside = services()
    with outside.db.read() as conn:
        return acts_json(query_data.uri, acts_of(conn, outside.db.dialect, [query_data.uri]).get(query_data.uri, []))


@blueprint.get("/<direction>")
@permission("events:read")
@blueprint.input(ChainIn, location="query")
@blueprint.output(ChainOut)
@blueprint.doc(summary="The chain of an object: upstream, downstream or both", responses=[404, 503])
def chain(direction: str, query_data: ChainIn) -> ChainOut:
    """Upstream: containers while the object was inside, its contents, inputs before they were used, lots. Downstream:
    containers, contents, members of the lot, and what was made from any of these. Per event the responsible party,
    its licence that day, the device and its clock.
    """
    outside = services()
    with outside.db.read() as conn:
        answer = ask(conn, outside.db.dialect, _question(direction, query_data), outside.clock())
    return wire.chain_out(answer)


@blueprint.get("/<direction>/file")
@permission("events:read")
@blueprint.input(FileIn, location="query")
@blueprint.doc(summary="The same chain as CSV, XLSX, EPCIS document or SVG picture", responses=_FILE_ANSWERS)
def chain_file(direction: str, query_data: FileIn) -> Response:
    """CSV and XLSX hold one row per event and one column per key data element; more than 150 objects are drawn as
    groups by product and site.
    """
    outside = services()
    with outside.db.read() as conn:
        answer = ask(conn, outside.db.dialect, _question(direction, query_data), outside.clock())
        file = wire.file(conn, outside.db.dialect, answer, query_data.format)
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.data, content_type=file.media_type, headers=headers)


def _question(direction: str, given: ChainIn) -> Question:
    return wire.question(given.uri, direction, (given.begin, given.end), given.depth)
