"""JSON routes of the recalls."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import IO, Any, Final, Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from trace_core.errors import NotAllowed
from trace_server.accounts.access import current_client, permission
from trace_server.exports.registry import registry
from trace_server.recall import operations, wire
from trace_server.recall.cursors import MAX_TEXT, read_cursor, write_cursor
from trace_server.recall.model import Answer, Notice, RecallEvent, Scope
from trace_server.services import services

blueprint = APIBlueprint("recall", __name__, url_prefix="/api/v1/recalls", tag="Recalls")
MAX_ROWS = 1000
SPOOL_BYTES = 8_000_000
"""A larger file goes to disk while it is written."""
PIECE_BYTES = 65_536
FORMATS: Final = tuple(sorted(registry()))


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class BatchIn(_Strict):
    """A batch, also of an ingredient."""

    gtin: str = Field(pattern=r"^[0-9]{8,14}$")
    lot: str = Field(min_length=1, max_length=20)


class ScopeIn(_Strict):
    """What to recall: batches, items, or all that was at a site in a time."""

    batches: list[BatchIn] = Field(default=[], max_length=1000)
    items: list[str] = Field(default=[], max_length=1000)
    site: str = Field(default="", max_length=512)
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None


class NoticeIn(_Strict):
    """The text for the public and the holders."""

    notice_no: str = Field(min_length=1, max_length=64)
    authority: str = Field(min_length=1, max_length=200)
    reason: str = Field(min_length=1, max_length=2000)
    action: str = Field(min_length=1, max_length=2000)
    return_to: str = Field(min_length=1, max_length=500)
    phone: str = Field(min_length=1, max_length=32)
    reason_en: str = Field(default="", max_length=2000)
    action_en: str = Field(default="", max_length=2000)
    return_to_en: str = Field(default="", max_length=500)


class RecallIn(_Strict):
    """A draft."""

    category: str = Field(max_length=32, description="A category with dated periods, such as food")
    level: int = Field(ge=1, le=3, description="Class; 1 is the gravest")
    scope: ScopeIn
    notice: NoticeIn


class RecallOut(BaseModel):
    """A recall without its affected set."""

    recall_id: str
    state: str
    category: str
    level: int
    version: int = Field(description="Of the affected set")
    scope: dict[str, Any]
    notice: dict[str, str]
    created_by: str
    created_at: datetime
    announced_by: str
    announced_at: datetime | None
    notified_at: datetime | None
    reconciled_at: datetime | None


class RowsIn(_Strict):
    """Where to go on, and how many rows."""

    cursor: str = Field(default="", max_length=MAX_TEXT, description="`next_cursor` of the answer before; empty: start")
    limit: int = Field(default=200, ge=1, le=MAX_ROWS)


class RowsOut(BaseModel):
    """A stretch of a list and how many rows there are in all."""

    items: list[dict[str, Any]]
    total: int
    next_cursor: str
    has_more: bool


class FileIn(_Strict):
    """The format of the file."""

    format: Literal[FORMATS]  # type: ignore[valid-type]


_FILE_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {
            export.media_type: {"schema": {"type": "string", "format": "binary"}} for export in registry().values()
        },
    },
    **{status: {"description": "Problem details (RFC 9457)"} for status in (400, 404, 503)},
}


class StepIn(_Strict):
    """What is done, and why."""

    step: Literal["announce", "order", "notify", "reconcile", "dispose", "close"]
    reason: str = Field(default="", max_length=2000)


class AnswerIn(_Strict):
    """Pieces, as the holder counted them."""

    in_stock: int = Field(ge=0, le=2_000_000_000)
    sold: int = Field(ge=0, le=2_000_000_000)
    returned: int = Field(ge=0, le=2_000_000_000)
    destroyed: int = Field(ge=0, le=2_000_000_000)
    note: str = Field(default="", max_length=500)


class SumsOut(BaseModel):
    """Whether the sums close, and the periods of law."""

    reconciliation: dict[str, Any]
    milestones: list[dict[str, Any]]


@blueprint.get("")
@permission("recalls:read")
@blueprint.input(RowsIn, location="query")
@blueprint.output(RowsOut)
@blueprint.doc(summary="Recalls, newest first", responses=[503])
def list_recalls(query_data: RowsIn) -> dict[str, Any]:
    """Drafts too: this is not the public list."""
    db, place = services().db, _place("recalls", query_data)
    after = (datetime.fromisoformat(place[0]), place[1]) if place else None
    found = operations.list_recalls(db, after=after, limit=query_data.limit + 1)
    rows = [((row.created_at.isoformat(), row.recall_id), wire.recall_json(row)) for row in found]
    return _rows("recalls", rows, operations.count_recalls(db), query_data)


@blueprint.post("")
@permission("recalls:manage")
@blueprint.input(RecallIn)
@blueprint.output(RecallOut, status_code=201)
@blueprint.doc(summary="Draft a recall", responses=[409, 503])
def create(json_data: RecallIn) -> dict[str, Any]:
    """Its affected set is worked out at once; nobody outside sees it."""
    outside, given = services(), json_data.scope
    batches = tuple((one.gtin, one.lot) for one in given.batches)
    scope = Scope(batches, tuple(given.items), given.site, given.since, given.until)
    notice = Notice(**json_data.notice.model_dump())
    found = operations.create(
        outside.db, outside.clock(), _actor(), category=json_data.category, level=json_data.level, scope=scope,
        notice=notice,
    )  # fmt: skip
    return wire.recall_json(found)


@blueprint.get("/<recall_id>")
@permission("recalls:read")
@blueprint.output(RecallOut)
@blueprint.doc(summary="One recall", responses=[404, 503])
def show(recall_id: str) -> dict[str, Any]:
    """As it is now."""
    return wire.recall_json(operations.get(services().db, recall_id))


@blueprint.get("/<recall_id>/affected")
@permission("recalls:read")
@blueprint.input(RowsIn, location="query")
@blueprint.output(RowsOut)
@blueprint.doc(summary="Affected things, each with the step that proves it", responses=[404, 503])
def affected(recall_id: str, query_data: RowsIn) -> dict[str, Any]:
    """`via` and `event_key` lead one step back; follow `via` to the scope. Nearest to the scope first."""
    of = f"affected {recall_id}"
    place = _place(of, query_data)
    after = (int(place[0]), bytes.fromhex(place[1])) if place else None
    found, total = operations.affected_page(services().db, recall_id, after, query_data.limit + 1)
    rows = [((str(row.depth), row.key.hex()), wire.affected_json(row)) for row in found]
    return _rows(of, rows, total, query_data)


@blueprint.get("/<recall_id>/affected/file")
@permission("recalls:read")
@blueprint.input(FileIn, location="query")
@blueprint.doc(summary="The same set as CSV or XLSX", responses=_FILE_ANSWERS)
def affected_file(recall_id: str, query_data: FileIn) -> Response:
    """All rows of the newest version, one row a thing."""
    export = registry()[query_data.format]
    with ExitStack() as opened:
        out = opened.enter_context(tempfile.SpooledTemporaryFile(max_size=SPOOL_BYTES))
        operations.export_affected(services().db, recall_id, export, out)
        out.seek(0)
        headers = {"Content-Disposition": f'attachment; filename="recall-{recall_id}{export.suffix}"'}
        answer = Response(_pieces(out), content_type=export.media_type, headers=headers)
        answer.call_on_close(opened.pop_all().close)
    return answer


def _pieces(out: IO[bytes]) -> Iterator[bytes]:
    with out:
        while piece := out.read(PIECE_BYTES):
            yield piece


@blueprint.get("/<recall_id>/not-affected")
@permission("recalls:read")
@blueprint.input(RowsIn, location="query")
@blueprint.output(RowsOut)
@blueprint.doc(summary="What is not affected, and why", responses=[404, 503])
def not_affected(recall_id: str, query_data: RowsIn) -> dict[str, Any]:
    """Other batches of the same products, and what only shared a box."""
    of, found = f"spared {recall_id}", operations.spared(services().db, recall_id)
    place = _place(of, query_data) or ("", "")
    rows = [((row.reason, row.uri), {"uri": row.uri, "reason": row.reason, "detail": row.detail}) for row in found]
    return _rows(of, [row for row in rows if row[0] > place], len(found), query_data)


@blueprint.get("/<recall_id>/notices")
@permission("recalls:read")
@blueprint.input(RowsIn, location="query")
@blueprint.output(RowsOut)
@blueprint.doc(summary="Delivery list with answers", responses=[404, 503])
def notices(recall_id: str, query_data: RowsIn) -> dict[str, Any]:
    """One row a holder."""
    db, of = services().db, f"notices {recall_id}"
    operations.get(db, recall_id)
    found = operations.notices(db, recall_id=recall_id, after=_pair(of, query_data), limit=query_data.limit + 1)
    rows = [((row.recall_id, row.holder), wire.notice_json(row)) for row in found]
    return _rows(of, rows, operations.count_notices(db, recall_id=recall_id), query_data)


@blueprint.get("/<recall_id>/reconciliation")
@permission("recalls:read")
@blueprint.output(SumsOut)
@blueprint.doc(summary="Sums and milestones", responses=[404, 503])
def reconciliation(recall_id: str) -> dict[str, Any]:
    """By events and by answers."""
    outside = services()
    sums = operations.reconciliation(outside.db, recall_id)
    periods = operations.milestones(outside.db, recall_id, outside.clock())
    return {"reconciliation": wire.sums_json(sums), "milestones": [wire.milestone_json(one) for one in periods]}


@blueprint.post("/<recall_id>/steps")
@permission("recalls:manage")
@blueprint.input(StepIn)
@blueprint.output(RecallOut)
@blueprint.doc(summary="Take the next step", responses=[404, 409, 503])
def take_step(recall_id: str, json_data: StepIn) -> dict[str, Any]:
    """announce and order need a reason and a second person; reconcile needs one if the sums do not close."""
    outside, now, step = services(), services().clock(), json_data.step
    if step in ("announce", "order"):
        is_order = step == "order"
        row = operations.announce(outside.db, now, _actor(), recall_id, json_data.reason, order=is_order)
    elif step == "notify":
        row = operations.notify(outside.db, now, _actor(), recall_id)
    else:
        row = operations.finish_step(outside.db, now, _actor(), recall_id, RecallEvent(step), json_data.reason)
    return wire.recall_json(row)


@blueprint.get("/notices")
@permission("recalls:answer")
@blueprint.input(RowsIn, location="query")
@blueprint.output(RowsOut)
@blueprint.doc(summary="Notices to the caller's enterprise", responses=[503])
def own_notices(query_data: RowsIn) -> dict[str, Any]:
    """With the text of each recall."""
    db, holder, rows = services().db, _holder(), []
    of = f"notices to {holder}"
    for row in operations.notices(db, holder=holder, after=_pair(of, query_data), limit=query_data.limit + 1):
        told = wire.recall_json(operations.get(db, row.recall_id))
        said = wire.notice_json(row) | {"notice": told["notice"], "level": told["level"]}
        rows.append(((row.recall_id, row.holder), said))
    return _rows(of, rows, operations.count_notices(db, holder=holder), query_data)


@blueprint.put("/<recall_id>/answer")
@permission("recalls:answer")
@blueprint.input(AnswerIn)
@blueprint.output({}, status_code=204)
@blueprint.doc(summary="Answer a notice", responses=[404, 409, 503])
def answer(recall_id: str, json_data: AnswerIn) -> tuple[str, int]:
    """For the caller's own enterprise; a later answer replaces the earlier."""
    outside = services()
    given = Answer(**json_data.model_dump())
    operations.answer(outside.db, outside.clock(), _actor(), recall_id, _holder(), given)
    return "", 204


def _place(of: str, wanted: RowsIn) -> tuple[str, ...] | None:
    return read_cursor(of, wanted.cursor, services().settings)


def _pair(of: str, wanted: RowsIn) -> tuple[str, str] | None:
    place = _place(of, wanted)
    return (place[0], place[1]) if place else None


def _rows(
    of: str, rows: Sequence[tuple[tuple[str, ...], dict[str, Any]]], total: int, wanted: RowsIn
) -> dict[str, Any]:
    """`rows`: place and row, one more than wanted when there are more."""
    page = rows[: wanted.limit]
    after = write_cursor(of, page[-1][0], services().settings) if page else wanted.cursor
    return {
        "items": [row for _, row in page],
        "total": total,
        "next_cursor": after,
        "has_more": len(rows) > len(page),
    }


def _holder() -> str:
    subject = current_client().subject
    if not subject:
        raise NotAllowed("this client acts for no enterprise", remedy="use a client that is bound to a USCC")
    return subject


def _actor() -> str:
    return f"client:{current_client().client_id}"
