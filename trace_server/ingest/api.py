"""JSON routes of the capture path. Each reads as its steps: limit, permit, parse, one operation, answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from apiflask import APIBlueprint
from flask import Response, request, url_for
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import UnsupportedMediaType

from trace_core.errors import NotFound, TraceError
from trace_core.uplink import (
    CONTENT_TYPE,
    KEY_ID_HEADER,
    MAX_PAYLOAD_BYTES,
    SIGNATURE_HEADER,
    decode_batch,
    encode_ack,
)
from trace_server.accounts.access import current_client, permission, signed
from trace_server.accounts.operations import verify_signed
from trace_server.db import Connection
from trace_server.ingest import exceptions, later, negotiation, operations, representation, wire
from trace_server.ingest.document import MAX_DOCUMENT_BYTES, RolledBack
from trace_server.ingest.model import CLIENT, ErrorBehaviour, Job, Position, QuarantineState, Reason, StoredEvent
from trace_server.problems import MEDIA_TYPE
from trace_server.services import services

blueprint = APIBlueprint("ingest", __name__, url_prefix="/api/v1", tag="Capture")

JSON = negotiation.JSON
RESPOND_ASYNC = "respond-async"
"""RFC 7240: the client prefers a quick answer to a complete one."""


class JobsIn(BaseModel):
    """A page of capture jobs, named as EPCIS 2.0 names it."""

    model_config = ConfigDict(extra="forbid")

    nextPageToken: str = Field(default="", max_length=128)  # noqa: N815 – the standard's name
    perPage: int = Field(default=30, ge=1, le=500)  # noqa: N815


class PageIn(BaseModel):
    """Where to go on and how much to read."""

    model_config = ConfigDict(extra="forbid")

    cursor: str = Field(default="", max_length=128, description="`next_cursor` of the answer before; empty: the start")
    limit: int = Field(default=50, ge=1, le=500)


class QuarantineIn(PageIn):
    """A page of one state, or of all."""

    state: Literal["", "held", "replayed", "evidence"] = ""


class EventOut(BaseModel):
    """One stored event, as its sender wrote it."""

    event_key: str
    source: str
    gateway: str | None
    epoch: str | None
    seq: int | None
    record_time: datetime
    is_correction: bool
    event: dict[str, Any]


class EventsOut(BaseModel):
    """A stretch of the event stream."""

    items: list[EventOut]
    next_cursor: str = Field(description="Always given: keep it and ask again")
    has_more: bool
    as_of: datetime


class QuarantineItemOut(BaseModel):
    """A body that was not taken, and why."""

    id: str
    source: str
    epoch: str | None
    seq: int | None
    state: str
    received_at: datetime
    reason: str
    what: str
    where: str
    remedy: str
    body: str


class QuarantineOut(BaseModel):
    """A stretch of the quarantine."""

    items: list[QuarantineItemOut]
    next_cursor: str
    has_more: bool
    as_of: datetime


class AlarmOut(BaseModel):
    """One cause that a person must look at, and how often it was met."""

    id: str
    kind: str
    source: str
    epoch: str | None
    seq: int | None
    detail: str
    first_seen: datetime
    last_seen: datetime
    times: int


class AlarmsOut(BaseModel):
    """A stretch of the alarms."""

    items: list[AlarmOut]
    next_cursor: str
    has_more: bool
    as_of: datetime


class ReplayOut(BaseModel):
    """What became of a replayed body; the reason is empty when it was taken."""

    id: str
    taken: bool
    reason: str = ""
    what: str = ""
    where: str = ""
    remedy: str = ""


@blueprint.post("/uplink")
@signed
@blueprint.doc(
    summary="Take a gateway's batch; the acknowledgement follows the commit",
    responses=[200, 400, 401, 403, 409, 413, 415, 503],
)
def uplink() -> Response:
    """Body and headers as `trace_core.uplink` says. 409 carries `cursor`: where to go on from."""
    payload = _body({CONTENT_TYPE}, MAX_PAYLOAD_BYTES)
    outside = services()
    with outside.db.read() as conn:  # nothing of a stranger's body is unpacked
        gateway = _sender(conn, payload)
    batch = decode_batch(payload)
    ack = operations.accept_batch(
        outside.db,
        outside.clock(),
        gateway,
        batch,
        admit=lambda conn: _sender(conn, payload),
        is_backup=outside.settings.backup_confirms == "immediate",
    )
    return Response(encode_ack(ack), mimetype="application/json")


@blueprint.post("/capture")
@permission("events:capture")
@blueprint.doc(
    summary="Take an EPCIS document of at most 1,000 events: JSON or XML 2.0, XML 1.2",
    responses=[202, 400, 401, 403, 406, 413, 415, 429, 503],
)
def capture() -> Response:
    """All is stored when this answers, or nothing. With `Prefer: respond-async` the document is kept, the worker reads
    it, and the job is `running` until then. With `GS1-Capture-Error-Behaviour: proceed` the good events are stored and
    the bad ones wait in quarantine; the job says which."""
    negotiation.accepted(request.accept_mimetypes)  # before anything is stored
    told = request.headers.get(negotiation.ERROR_BEHAVIOUR, ErrorBehaviour.ROLLBACK.value)
    behaviour = negotiation.choice(ErrorBehaviour, told, negotiation.ERROR_BEHAVIOUR)
    is_later = RESPOND_ASYNC in request.headers.get("Prefer", "").replace(" ", "").lower().split(",")
    job = _kept(behaviour) if is_later else _captured(behaviour)
    location = url_for("ingest.capture_job", job_id=job.job_key.hex())
    if job.errors and job.behaviour is ErrorBehaviour.ROLLBACK:
        raise _refusal(job, location)
    response = _json(wire.job_json(job), 202)
    response.headers["Location"] = location
    if is_later:
        response.headers["Preference-Applied"] = RESPOND_ASYNC
    return response


@blueprint.get("/capture")
@permission("events:capture")
@blueprint.input(JobsIn, location="query")
@blueprint.doc(summary="This client's capture jobs, the newest first", responses=[200, 406, 503])
def capture_jobs(query_data: JobsIn) -> Response:
    """`Link: rel="next"` leads on while there are more."""
    negotiation.accepted(request.accept_mimetypes)
    outside = services()
    before = wire.read_key(query_data.nextPageToken, "page token") if query_data.nextPageToken else None
    found = operations.list_jobs(outside.db, current_client().client_id, before, query_data.perPage + 1)
    page = found[: query_data.perPage]
    response = _json([wire.job_json(job) for job in page])
    if len(found) > len(page):
        url = url_for("ingest.capture_jobs", nextPageToken=page[-1].job_key.hex(), perPage=query_data.perPage)
        response.headers["Link"] = f'<{url}>; rel="next"'
    return response


@blueprint.get("/capture/<job_id>")
@permission("events:capture")
@blueprint.doc(summary="What became of a captured document", responses=[200, 404, 406, 503])
def capture_job(job_id: str) -> Response:
    """Only the client that sent the document may ask."""
    outside = services()
    job = operations.find_job(outside.db, wire.read_key(job_id, "capture job"))
    if job is None or job.source != f"{CLIENT}{current_client().client_id}":
        raise NotFound("there is no such capture job of this client", where=job_id)
    if negotiation.accepted(request.accept_mimetypes) in negotiation.XML_TYPES:
        return Response(wire.job_xml(job), mimetype=negotiation.XML)
    return _json(wire.job_json(job))


@blueprint.post("/events")
@permission("events:capture")
@blueprint.doc(
    summary="Take one event; a repeat is answered 200",
    responses=[200, 201, 400, 401, 403, 406, 413, 415, 503],
)
def post_event() -> Response:
    """A bare JSON event with its `@context`, or a document with one event. `Location` names the event."""
    negotiation.accepted(request.accept_mimetypes)
    job = _captured(ErrorBehaviour.ROLLBACK)
    if not job.success:
        raise _refusal(job, url_for("ingest.capture_job", job_id=job.job_key.hex()))
    (event_id,) = job.event_ids
    found = operations.find_events(services().db, event_id)
    # others may have told of the same: that is for those who may read
    response = _answer([one for one in found if one.source == job.source], JSON)
    response.status_code = 201 if job.accepted else 200
    response.headers["Location"] = url_for("ingest.get_event", event_id="") + quote(event_id, safe="")
    return response


@blueprint.get("/events/<path:event_id>", merge_slashes=False)
@permission("events:read")
@blueprint.doc(
    summary="Events of one eventID or CBV hash, as EPCISQueryDocument in JSON or XML",
    responses=[200, 404, 406, 503],
)
def get_event(event_id: str) -> Response:
    """More than one when an error declaration repeats the eventID."""
    found = operations.find_events(services().db, event_id)
    if not found:
        raise NotFound("there is no such event", where=event_id[:200])
    return _answer(found, negotiation.accepted(request.accept_mimetypes))


@blueprint.get("/events/stream")
@permission("events:read")
@blueprint.input(PageIn, location="query")
@blueprint.output(EventsOut)
@blueprint.doc(summary="Read the event stream in the order of its captures", responses=[503])
def list_events(query_data: PageIn) -> EventsOut:
    """Each event once, none skipped, however many writers there are."""
    outside = services()
    position = wire.read_position(query_data.cursor)
    found = operations.read_events(outside.db, position, query_data.limit + 1)
    page = found[: query_data.limit]
    after = Position(page[-1].capture_seq, page[-1].ordinal) if page else position
    return EventsOut(
        items=[EventOut.model_validate(wire.event_json(event)) for event in page],
        next_cursor=wire.write_position(after) if after.seq else "",
        has_more=len(found) > len(page),
        as_of=outside.clock(),
    )


@blueprint.get("/quarantine")
@permission("quarantine:read")
@blueprint.input(QuarantineIn, location="query")
@blueprint.output(QuarantineOut)
@blueprint.doc(summary="Bodies that were not taken, and why", responses=[503])
def list_quarantine(query_data: QuarantineIn) -> QuarantineOut:
    """Oldest first."""
    outside = services()
    state = QuarantineState(query_data.state) if query_data.state else None
    found = operations.read_quarantine(
        outside.db, state=state, after=wire.read_place(query_data.cursor), limit=query_data.limit + 1
    )
    page = found[: query_data.limit]
    return QuarantineOut(
        items=[QuarantineItemOut.model_validate(wire.quarantine_json(entry)) for entry in page],
        next_cursor=wire.write_place(page[-1].received_at, page[-1].quarantine_key) if page else query_data.cursor,
        has_more=len(found) > len(page),
        as_of=outside.clock(),
    )


@blueprint.get("/alarms")
@permission("quarantine:read")
@blueprint.input(PageIn, location="query")
@blueprint.output(AlarmsOut)
@blueprint.doc(summary="What a person must look at, the first seen first", responses=[503])
def list_alarms(query_data: PageIn) -> AlarmsOut:
    """Such as two bodies for one number of a gateway: it was copied, or restored from a backup."""
    outside = services()
    found = operations.read_alarms(outside.db, wire.read_place(query_data.cursor), query_data.limit + 1)
    page = found[: query_data.limit]
    return AlarmsOut(
        items=[AlarmOut.model_validate(wire.alarm_json(alarm)) for alarm in page],
        next_cursor=wire.write_place(page[-1].first_seen, page[-1].alarm_key) if page else query_data.cursor,
        has_more=len(found) > len(page),
        as_of=outside.clock(),
    )


@blueprint.post("/quarantine/<entry_id>/replay")
@permission("quarantine:replay")
@blueprint.output(ReplayOut)
@blueprint.doc(summary="Try a held body again", responses=[404, 409, 503])
def replay(entry_id: str) -> ReplayOut:
    """After the rules, the code or the master data were mended."""
    outside = services()
    key = wire.read_key(entry_id, "quarantine entry")
    rejection = operations.replay(outside.db, outside.clock(), f"client:{current_client().client_id}", key)
    if rejection is None:
        return ReplayOut(id=entry_id, taken=True)
    return ReplayOut(id=entry_id, taken=False, **wire.rejection_json(rejection))


@blueprint.after_request
def _say_versions(response: Response) -> Response:
    """What the standard asks of every answer of its resources, of OPTIONS, and of errors."""
    if request.path.startswith(("/api/v1/capture", "/api/v1/events")):
        headers, response.status_code = negotiation.told(request.method, response.status_code)
        response.headers.update(headers)
        if response.mimetype == MEDIA_TYPE:
            response.set_data(exceptions.named(response.status_code, response.get_data()))
    return response


def _captured(behaviour: ErrorBehaviour) -> Job:
    """The job of this request's body, JSON or XML."""
    negotiation.require_versions(request.headers)
    raw = _body(negotiation.JSON_TYPES | negotiation.XML_TYPES, MAX_DOCUMENT_BYTES)
    outside = services()
    xml = request.mimetype in negotiation.XML_TYPES
    single = request.method == "POST" and request.path.endswith("/events")
    return operations.capture_document(
        outside.db, outside.clock(), current_client().client_id, raw, behaviour, xml=xml, single=single
    )


def _kept(behaviour: ErrorBehaviour) -> Job:
    """The running job of this request's body."""
    negotiation.require_versions(request.headers)
    raw = _body(negotiation.JSON_TYPES | negotiation.XML_TYPES, MAX_DOCUMENT_BYTES)
    outside = services()
    client, xml = current_client().client_id, request.mimetype in negotiation.XML_TYPES
    return later.accept_document(outside.db, outside.clock(), client, raw, behaviour, xml=xml)


def _refusal(job: Job, location: str) -> TraceError:
    """Why nothing was stored; 500 when it was not the sender's fault."""
    if any(error.reason is Reason.INTERNAL for error in job.errors):
        return TraceError("the server cannot read an event of this document", where=location)
    return RolledBack(job, location)


def _answer(found: Sequence[StoredEvent], kind: str) -> Response:
    now, epc_format = services().clock(), negotiation.epc_format(request.headers)
    if kind in negotiation.XML_TYPES:
        body = representation.query_xml(found, now, epc_format, negotiation.cbv_format(request.headers))
    else:
        body = representation.query_json(found, now, epc_format)
    response = Response(body, mimetype=kind)
    response.headers["Vary"] = f"Accept, {negotiation.EPC_FORMAT}, {negotiation.CBV_FORMAT}"
    return response


def _json(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value, ensure_ascii=False), status=status, mimetype=JSON)


def _sender(conn: Connection, payload: bytes) -> str:
    headers = request.headers
    key_id, signature = headers.get(KEY_ID_HEADER, ""), headers.get(SIGNATURE_HEADER, "")
    return verify_signed(conn, key_id, signature, payload, services().clock()).gateway_id


def _body(types: frozenset[str] | set[str], limit: int) -> bytes:
    """The request's body, refused before it is read when it is too long or of another type."""
    if request.mimetype not in types:
        raise UnsupportedMediaType
    request.max_content_length = min(limit, request.max_content_length or limit)
    return request.get_data(cache=False)
