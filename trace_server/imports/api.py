"""JSON routes of imports: hand an official table in, follow it, get its refused rows back; how the feeds stand."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import UnsupportedMediaType

from trace_core.errors import InputError, NotFound
from trace_server.accounts.access import current_client, permission
from trace_server.db.types import EPOCH, to_microseconds
from trace_server.exports.registry import registry as formats
from trace_server.imports import feeds, operations
from trace_server.imports.model import Order, Run, RunState
from trace_server.imports.operations import File
from trace_server.imports.reading import CSV, JSON, XLSX
from trace_server.imports.registered import registry
from trace_server.imports.wire import errors_json, feed_json, run_json
from trace_server.services import services

blueprint = APIBlueprint("imports", __name__, url_prefix="/api/v1/exchange", tag="Imports of official tables")
BODIES = {
    "application/json": JSON,
    "text/csv": CSV,
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": XLSX,
}
FIRST_ERRORS = 100
"""Rows whose errors come with the answer."""
_CURSOR = re.compile(r"(\d{1,17})\.(imp-[0-9a-f]{16})\Z")
_KINDS = tuple(registry())
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_ROWS = {"schema": {"type": "array", "items": {"type": "object", "additionalProperties": {"type": "string"}}}}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A table. JSON: a list of objects, one a row, by Chinese heading or official code.",
        "content": {media: _ROWS if form == JSON else _BINARY for media, form in BODIES.items()},
    }
}
_FILE_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {one.media_type: _BINARY for one in formats().values()},
    },
    **{status: {"description": "Problem details (RFC 9457)"} for status in (404, 503)},
}
_ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "Accepted; follow the job or the import",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/InboundOut"}}},
    },
    **{status: {"description": "Problem details (RFC 9457)"} for status in (404, 409, 413, 415, 503)},
}


class InboundIn(BaseModel):
    """What belongs to the table beside its rows."""

    model_config = ConfigDict(extra="forbid")

    template: str = Field(default="", max_length=16, description="Version of the 双公示 template: 2016 or 2018")
    category: str = Field(default="", max_length=32, description="Of penalties: category of products, e.g. food")
    source: str = Field(default="", max_length=200, description="Unit that the table comes from (数据来源单位)")
    file_name: str = Field(default="", max_length=200)


class RunsIn(BaseModel):
    """Which imports."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal[("", *_KINDS)] = ""  # type: ignore[valid-type]
    cursor: str = Field(default="", max_length=64)
    limit: int = Field(default=50, ge=1, le=500)


class ErrorsIn(BaseModel):
    """Which refused rows."""

    model_config = ConfigDict(extra="forbid")

    after: int = Field(default=0, ge=0, le=2**31 - 1, description="Number of the last row seen")
    limit: int = Field(default=100, ge=1, le=500)


class CorrectedIn(BaseModel):
    """As which file."""

    model_config = ConfigDict(extra="forbid")

    format: Literal[tuple(formats())] = "csv"  # type: ignore[valid-type]


class RunOut(BaseModel):
    """An import and what became of its rows so far."""

    import_id: str
    kind: str
    template: str
    format: str
    file_name: str
    source: str
    category: str
    sha256: str
    state: Literal[tuple(state.value for state in RunState)]  # type: ignore[valid-type]
    rows: int
    taken: int
    unchanged: int
    refused: int
    submitted_by: str
    created_at: datetime
    finished_at: datetime | None
    job: str | None


class ErrorOut(BaseModel):
    """Why a row was refused. `row`: line of the spreadsheet (heading = 1), in JSON the place in the list from 1."""

    row: int
    field: str = Field(description="Official code of the column, empty for the row as a whole")
    code: str
    message: str


class InboundOut(RunOut):
    """The import with the errors of its first rows."""

    errors: list[ErrorOut]


class RunsOut(BaseModel):
    """Imports, the newest first."""

    items: list[RunOut]
    next_cursor: str
    has_more: bool


class ErrorsOut(BaseModel):
    """Errors of refused rows, by row."""

    items: list[ErrorOut]
    next_after: int
    has_more: bool


class GatheredOut(BaseModel):
    """An item of the catalogue (信用信息归集目录) and how its feed stands."""

    id: str
    item: str
    item_en: str
    kind: str
    source: str
    department: str
    every_days: int
    publicity: Literal["public", "authorised", "internal", "sealed"]
    basis: str
    confirmed: bool
    state: Literal["on_time", "late", "never", "own"]
    last_at: datetime | None
    due_at: datetime | None
    days_late: int


class CatalogueOut(BaseModel):
    """The whole catalogue."""

    as_of: date
    items: list[GatheredOut]


@blueprint.post("/inbound/<kind>")
@permission("imports:submit")
@blueprint.input(InboundIn, location="query")
@blueprint.output(InboundOut)
@blueprint.doc(
    summary="Hand in an official table",
    description="Kinds: penalties, licences, commitments, lists, judgments, subjects. A small table is worked off "
    "before the answer (200); a larger one is a job (202). Header Idempotency-Key: the same key is the same import.",
    responses=_ACCEPTED,
    extensions=_BODY,
)  # fmt: skip
def inbound(kind: str, query_data: InboundIn) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Good rows are taken, the others wait in quarantine with their reasons."""
    if kind not in registry():
        raise NotFound("there is no such kind of table", where="kind", remedy=", ".join(registry()))
    form = BODIES.get(request.mimetype)
    if form is None:
        raise UnsupportedMediaType
    given = query_data
    order = Order(kind, given.template, given.file_name, given.source, given.category)
    run = operations.submit(
        services(), _actor(), order, File(request.get_data(), form),
        idempotency=request.headers.get("Idempotency-Key", ""),
    )  # fmt: skip
    status = 200 if run.finished_at is not None else 202
    return _answer(run), status, {"Location": f"/api/v1/exchange/imports/{run.import_id}"}


@blueprint.get("/imports")
@permission("imports:read")
@blueprint.input(RunsIn, location="query")
@blueprint.output(RunsOut)
@blueprint.doc(summary="Imports, the newest first", responses=[503])
def list_runs(query_data: RunsIn) -> dict[str, Any]:
    """Of everybody."""
    found = operations.list_runs(
        services(), kind=query_data.kind, before=_place(query_data.cursor), limit=query_data.limit + 1
    )
    page = found[: query_data.limit]
    last = f"{to_microseconds(page[-1].created_at)}.{page[-1].import_id}" if page else query_data.cursor
    return {"items": [run_json(run) for run in page], "next_cursor": last, "has_more": len(found) > len(page)}


@blueprint.get("/imports/<import_id>")
@permission("imports:read")
@blueprint.output(InboundOut)
@blueprint.doc(summary="One import and its first errors", responses=[404, 503])
def one(import_id: str) -> dict[str, Any]:
    """How far it is, while it runs."""
    return _answer(operations.find(services(), import_id))


@blueprint.get("/imports/<import_id>/errors")
@permission("imports:read")
@blueprint.input(ErrorsIn, location="query")
@blueprint.output(ErrorsOut)
@blueprint.doc(summary="Why rows were refused", responses=[404, 503])
def errors(import_id: str, query_data: ErrorsIn) -> dict[str, Any]:
    """By row; a row with several faults stands there several times."""
    run = operations.find(services(), import_id)
    rows = operations.refused_rows(services(), import_id, after=query_data.after, limit=query_data.limit + 1)
    page = rows[: query_data.limit]
    return {
        "items": errors_json(run, page, _language()),
        "next_after": page[-1].number if page else query_data.after,
        "has_more": len(rows) > len(page),
    }


@blueprint.get("/imports/<import_id>/corrected")
@permission("imports:submit")
@blueprint.input(CorrectedIn, location="query")
@blueprint.doc(summary="The refused rows as a file, to mend and send again", responses=_FILE_ANSWERS)
def corrected(import_id: str, query_data: CorrectedIn) -> Response:
    """The columns of the file and one more with what is wrong; every cell is text."""
    name, media, data = operations.corrected_file(services(), _actor(), import_id, query_data.format, _language())
    answer = Response(data, content_type=media)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@blueprint.post("/imports/<import_id>/discard")
@permission("imports:submit")
@blueprint.output(RunOut)
@blueprint.doc(summary="Give up the refused rows", responses=[404, 409, 503])
def discard(import_id: str) -> dict[str, Any]:
    """What was taken stays."""
    return run_json(operations.discard(services(), _actor(), import_id))


@blueprint.get("/feeds")
@permission("imports:read")
@blueprint.output(CatalogueOut)
@blueprint.doc(summary="The catalogue of what is gathered, and which feeds are late", responses=[503])
def list_feeds() -> dict[str, Any]:
    """An item that this system makes itself has the state `own`."""
    outside = services()
    return {"as_of": outside.clock().date(), "items": [feed_json(feed) for feed in feeds.feeds(outside)]}


def _answer(run: Run) -> dict[str, Any]:
    rows = operations.refused_rows(services(), run.import_id, limit=FIRST_ERRORS)
    return {**run_json(run), "errors": errors_json(run, rows, _language())}


def _language() -> str:
    return "en" if request.accept_languages.best_match(("zh-CN", "zh", "en")) == "en" else "zh"


def _actor() -> str:
    return f"client:{current_client().client_id}"


def _place(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    found = _CURSOR.match(cursor)
    if found is None:
        raise InputError("this is no cursor of this server", where="cursor", remedy="use next_cursor as it was given")
    return EPOCH + timedelta(microseconds=int(found[1])), found[2]
