"""The list, for gateways."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from apiflask import APIBlueprint
from flask import request
from pydantic import BaseModel

from trace_core.errors import NotFound
from trace_core.uplink import KEY_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, request_payload
from trace_server.accounts.access import signed
from trace_server.accounts.operations import verify_signed
from trace_server.blocklist import operations
from trace_server.services import services

blueprint = APIBlueprint("blocklist", __name__, url_prefix="/api/v1/gateways", tag="Gateways")


class EntryOut(BaseModel):
    """One line: what is meant, and what the gate answers."""

    match: Literal["uri", "class"]
    value: str
    answer: Literal["warn", "refuse"]
    reason: str


class BlockListOut(BaseModel):
    """The newest list."""

    version: int
    issued_at: datetime
    entries: list[EntryOut]


@blueprint.get("/block-list")
@signed
@blueprint.output(BlockListOut)
@blueprint.doc(summary="The list of what a gate must not let through", responses=[401, 403, 404, 503])
def block_list() -> BlockListOut:
    """The gateway signs `GET /api/v1/gateways/block-list <timestamp>`, without a body."""
    outside = services()
    payload = request_payload(request.method, request.path, request.headers.get(TIMESTAMP_HEADER, ""))
    with outside.db.read() as conn:
        verify_signed(conn, request.headers.get(KEY_ID_HEADER, ""), request.headers.get(SIGNATURE_HEADER, ""), payload)
    found = operations.newest(outside.db)
    if found is None:
        raise NotFound("no block list has been published yet", remedy="start `trace-server worker`")
    lines = [EntryOut.model_validate(line) for line in found.entries]
    return BlockListOut(version=found.version, issued_at=found.issued_at, entries=lines)
