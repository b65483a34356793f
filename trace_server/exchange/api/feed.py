"""JSON routes of the exchange. Identity documents are never in an answer; a person's name is masked."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from flask import Response, request, url_for
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, RootModel

from trace_core.ids import uscc as codes
from trace_server.accounts.access import current_client, permission
from trace_server.credit import operations
from trace_server.credit.document import document_schema, read_document
from trace_server.credit.model import CATEGORIES, Filter, SharedVersion
from trace_server.credit.regimes import shipped_policy
from trace_server.credit.rules import BadDecision
from trace_server.credit.steps import law_day
from trace_server.credit.wire import change_json, record_json, shared_json
from trace_server.exchange import files, pulling, reconciling, rules
from trace_server.exchange.api._blueprint import blueprint
from trace_server.exchange.cursor import read_cursor, read_place, write_cursor, write_place
from trace_server.exports.registry import registry
from trace_server.problems import FieldError, Kind, Problem, language, problem_response
from trace_server.services import services

BAD_DECISION = Kind("bad-decision", 422, "处罚决定有需要改正的字段", "Fields of the decision need correction")


class FeedIn(BaseModel):
    """Where to go on, how much to read, and what to leave out."""

    model_config = ConfigDict(extra="forbid")

    cursor: str = Field(default="", max_length=128, description="`next_cursor` of the answer before; empty: the start")
    limit: int = Field(default=50, ge=1, le=500)
    region: str = Field(default="", pattern=r"^([0-9]{2}|[0-9]{4}|[0-9]{6})?$", description="GB/T 2260 code or prefix")
    category: Literal["", *CATEGORIES] = Field(default="")  # type: ignore[valid-type]
    department: str = Field(default="", max_length=18, description="Code of the penalising authority")
    kind: str = Field(default="", max_length=64, description=f"Of {', '.join(rules.KINDS)}; several joined by commas")


class ItemOut(BaseModel):
    """One change. Applied in order of `seq` from the start, the changes rebuild the current state."""

    seq: int
    op: Literal["upsert", "correct", "repair", "expire", "withdraw", "suspend", "resume"]
    record_id: str
    version: int
    supersedes: int | None
    effective_at: datetime
    record: dict[str, str] = Field(description="By official code; of a stopped record its keys alone")
    ext: dict[str, Any]


class FeedOut(BaseModel):
    """A stretch of the change log."""

    items: list[ItemOut]
    next_cursor: str = Field(description="Always given: keep it and ask again")
    has_more: bool
    as_of: datetime


class RecordOut(BaseModel):
    """A violation record in its current version."""

    record_id: str
    version: int
    effective_at: datetime
    record: dict[str, str]
    ext: dict[str, Any]


class SubjectOut(BaseModel):
    """All records of a subject, newest decision first."""

    uscc: str
    items: list[RecordOut]
    as_of: datetime


class SnapshotIn(BaseModel):
    """Which moment, and where to go on."""

    model_config = ConfigDict(extra="forbid")

    as_of: AwareDatetime | None = Field(default=None, description="RFC 3339 with offset; empty: now")
    cursor: str = Field(default="", max_length=200)
    limit: int = Field(default=200, ge=1, le=500)


class SnapshotOut(BaseModel):
    """Records as of change `seq`; `ext.state` says how each stands."""

    items: list[RecordOut]
    seq: int
    feed_cursor: str
    next_cursor: str
    has_more: bool
    as_of: datetime


class DigestIn(BaseModel):
    """Which day of law (Asia/Shanghai); it must be over."""

    model_config = ConfigDict(extra="forbid")

    day: date


class DigestOut(BaseModel):
    """Counts and digest of a day."""

    day: str
    seq: int
    ops: dict[str, int]
    classes: dict[str, int]
    states: dict[str, int]
    sha256: str


class FileIn(BaseModel):
    """Which file."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["csv", "xlsx"] = "xlsx"
    persons: bool = Field(default=False, description="The file of natural persons, names masked")


class DecisionIn(RootModel[dict[str, Any]]):
    """A decision with its circumstances; the fields are checked one by one and named in a 422 answer."""

    model_config = ConfigDict(json_schema_extra=document_schema())


@blueprint.get("/violations")
@permission("credit:read")
@blueprint.input(FeedIn, location="query")
@blueprint.output(FeedOut)
@blueprint.doc(summary="Pull changes of violation records in the order of commits", responses=[409, 429])
def violations(query_data: FeedIn) -> tuple[dict[str, Any], int, dict[str, str]]:
    """No change is left out or given twice, whoever writes at the same time."""
    outside = services()
    wanted = Filter(query_data.region, query_data.category, query_data.department, rules.kinds_of(query_data.kind))
    secret = outside.settings.oldest_secret
    after = read_cursor(query_data.cursor, wanted, secret) if query_data.cursor else 0
    with outside.db.read() as conn:
        page = operations.feed(conn, after=after, limit=query_data.limit, wanted=wanted)
    pulling.note_pull(outside.db, outside.clock(), current_client().client_id, wanted, after=after, upto=page.upto)
    cursor = write_cursor(page.upto, wanted, secret)
    body = {
        "items": [change_json(change, shipped_policy()) for change in page.changes],
        "next_cursor": cursor,
        "has_more": page.has_more,
        "as_of": outside.clock(),
    }
    return body, 200, {"Link": f'<{_next_url(cursor)}>; rel="next"'} if page.has_more else {}


@blueprint.get("/snapshot")
@permission("credit:read")
@blueprint.input(SnapshotIn, location="query")
@blueprint.output(SnapshotOut)
@blueprint.doc(summary="Every record as it stood at one place of the change log", responses=[409, 429])
def snapshot(query_data: SnapshotIn) -> dict[str, Any]:
    """Begin without a cursor; the feed goes on from `feed_cursor` without a gap. Of stopped records only the keys."""
    outside = services()
    now, secret = outside.clock(), outside.settings.oldest_secret
    seq, after = read_place(query_data.cursor, secret) if query_data.cursor else (None, "")
    as_of = query_data.as_of if query_data.as_of and query_data.as_of < now else None
    page = reconciling.snapshot(outside.db, as_of=as_of, seq=seq, after=after, limit=query_data.limit)
    if not page.after:
        client_id = current_client().client_id
        pulling.note_pull(outside.db, now, client_id, Filter(), after=0, upto=page.seq)
    policy = shipped_policy()
    return {
        "items": [
            shared_json(record, has_stopped=stopped)
            if isinstance(record, SharedVersion)
            else record_json(record, policy, has_stopped=stopped)
            for record, stopped in page.records
        ],
        "seq": page.seq,
        "feed_cursor": write_cursor(page.seq, Filter(), secret),
        "next_cursor": write_place(page.seq, page.after, secret) if page.after else "",
        "has_more": bool(page.after),
        "as_of": as_of or now,
    }


@blueprint.get("/digest")
@permission("credit:read")
@blueprint.input(DigestIn, location="query")
@blueprint.output(DigestOut)
@blueprint.doc(summary="What a day did, and what stood at its end", responses=[429])
def digest(query_data: DigestIn) -> dict[str, Any]:
    """SHA-256 over `record_id:version:state` lines by record id: both sides compute it and compare."""
    outside = services()
    found = reconciling.digest(outside.db, query_data.day, outside.clock())
    return {**asdict(found), "day": found.day.isoformat()}


_FILE_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {one.media_type: {"schema": {"type": "string", "format": "binary"}} for one in registry().values()},
    },
    **{status: {"description": "Problem details (RFC 9457)"} for status in (400, 429, 503)},
}


@blueprint.get("/violations/file")
@permission("credit:read")
@blueprint.input(FileIn, location="query")
@blueprint.doc(summary="Published penalties in the template of 2018", responses=_FILE_ANSWERS)
def violations_file(query_data: FileIn) -> Response:
    """Every cell is text; natural persons are a file of their own."""
    outside = services()
    export = registry()[query_data.format]
    now, client = outside.clock(), current_client()
    content = files.write(outside.db, export, now, f"client:{client.client_id}", persons=query_data.persons)
    answer = Response(content, content_type=export.media_type)
    answer.headers["Content-Disposition"] = f'attachment; filename="penalties-{law_day(now)}{export.suffix}"'
    return answer


@blueprint.post("/decisions")
@permission("credit:record")
@blueprint.input(DecisionIn)
@blueprint.output(RecordOut, status_code=201)
@blueprint.doc(summary="Hand in a numbered decision", responses=[200, 409, 422, 429])
def record_decision(json_data: DecisionIn) -> Response | tuple[dict[str, Any], int]:
    """201 for a new record, 200 when the same decision is there already, 409 when it is there with other content."""
    outside = services()
    try:
        decision, around = read_document(json_data.root, today=law_day(outside.clock()))
    except BadDecision as err:
        return problem_response(_problem(err))
    actor = f"client:{current_client().client_id}"
    recorded = operations.record_decision(outside, decision, around, actor=actor)
    return record_json(recorded.record, shipped_policy()), 201 if recorded.created else 200


@blueprint.get("/subjects/<uscc>")
@permission("credit:read")
@blueprint.output(SubjectOut)
@blueprint.doc(summary="Violation records of one subject", responses=[429])
def subject(uscc: Annotated[str, "Unified social credit code"]) -> dict[str, Any]:
    """An unknown subject has no records: the list is empty."""
    outside = services()
    code = codes.parse(uscc).code
    with outside.db.read() as conn:
        found = operations.records_of(conn, code)
    return {
        "uscc": code,
        "items": [record_json(record, shipped_policy()) for record in found],
        "as_of": outside.clock(),
    }


def _next_url(cursor: str) -> str:
    given = {name: value for name, value in request.args.items() if name != "cursor"}
    return f"{url_for('exchange.violations')}?{urlencode({**given, 'cursor': cursor})}"


def _problem(err: BadDecision) -> Problem:
    tongue = language()
    count = len(err.problems)
    detail = f"{count} field(s) need correction." if tongue == "en" else f"有 {count} 个字段需要改正。"
    errors = tuple(FieldError(p.pointer, p.code, p.message(tongue)) for p in err.problems)
    return Problem(BAD_DECISION, detail, errors)
