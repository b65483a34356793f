"""JSON routes of the capture path. Each reads as its steps: limit, permit, parse, one operation, answer."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, request, url_for
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import UnsupportedMediaType

from trace_core.errors import NotFound
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
from trace_server.ingest import operations, wire
from trace_server.ingest.document import MAX_DOCUMENT_BYTES
from trace_server.ingest.model import CLIENT, Position, QuarantineState
from trace_server.services import services

blueprint = APIBlueprint("ingest", __name__, url_prefix="/api/v1", tag="Capture")

JSON_TYPES = frozenset({"application/json", "application/ld+json"})


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
        outside.db, outside.clock(), gateway, batch, admit=lambda conn: _sender(conn, payload)
    )
    return Response(encode_ack(ack), mimetype="application/json")


@blueprint.post("/capture")
@permission("events:capture")
@blueprint.doc(
    summary="Take an EPCIS 2.0 JSON document of at most 1,000 events",
    responses=[202, 400, 401, 403, 413, 415, 503],
)
def capture() -> Response:
    """Good events are stored when this answers, bad ones are in quarantine; the job says which."""
    raw = _body(JSON_TYPES, MAX_DOCUMENT_BYTES)
    outside = services()
    job = operations.capture_document(outside.db, outside.clock(), current_client().client_id, raw)
    response = Response(json.dumps(wire.job_json(job), ensure_ascii=False), status=202, mimetype="application/json")
    response.headers["Location"] = url_for("ingest.capture_job", job_id=job.job_key.hex())
    return response


@blueprint.get("/capture/<job_id>")
@permission("events:capture")
@blueprint.doc(summary="What became of a captured document", responses=[200, 404, 503])
def capture_job(job_id: str) -> Response:
    """Only the client that sent the document may ask."""
    outside = services()
    job = operations.find_job(outside.db, wire.read_key(job_id, "capture job"))
    if job is None or job.source != f"{CLIENT}{current_client().client_id}":
        raise NotFound("there is no such capture job of this client", where=job_id)
    return Response(json.dumps(wire.job_json(job), ensure_ascii=False), mimetype="application/json")


@blueprint.get("/events")
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


def _sender(conn: Connection, payload: bytes) -> str:
    headers = request.headers
    gateway = verify_signed(conn, headers.get(KEY_ID_HEADER, ""), headers.get(SIGNATURE_HEADER, ""), payload)
    return gateway.gateway_id


def _body(types: frozenset[str] | set[str], limit: int) -> bytes:
    """The request's body, refused before it is read when it is too long or of another type."""
    if request.mimetype not in types:
        raise UnsupportedMediaType
    request.max_content_length = min(limit, request.max_content_length or limit)
    return request.get_data(cache=False)
