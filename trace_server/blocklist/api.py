"""The list, for gateways, and the key by which they check it."""

from __future__ import annotations

import base64
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import BaseModel

from trace_core.block_list import CONTENT_TYPE, pack
from trace_core.errors import NotFound
from trace_core.uplink import KEY_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, request_payload
from trace_server.accounts.access import public, signed
from trace_server.accounts.operations import verify_signed
from trace_server.blocklist import operations
from trace_server.blocklist.signing import list_signer
from trace_server.services import services

blueprint = APIBlueprint("blocklist", __name__, url_prefix="/api/v1/gateways", tag="Gateways")


_ANSWERS: dict[int | str, dict[str, str | dict[str, dict[str, Any]]]] = {
    200: {
        "description": "gzip of a line with the signature and the JSON that is signed (docs/wire/block-list.md)",
        "content": {CONTENT_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    },
    **{status: {"description": "Problem details (RFC 9457)"} for status in (401, 403, 404, 503)},
}


class ListKeyOut(BaseModel):
    """The Ed25519 key that signs the block list."""

    key_id: str
    public_key: str
    """Base64 of the 32 raw bytes."""


@blueprint.get("/block-list")
@signed
@blueprint.doc(summary="The signed list of what a gate must not let through", responses=_ANSWERS)
def block_list() -> Response:
    """The gateway signs `GET /api/v1/gateways/block-list <timestamp>`, without a body."""
    outside = services()
    payload = request_payload(request.method, request.path, request.headers.get(TIMESTAMP_HEADER, ""))
    with outside.db.read() as conn:
        verify_signed(conn, request.headers.get(KEY_ID_HEADER, ""), request.headers.get(SIGNATURE_HEADER, ""), payload)
    signer = list_signer(outside.settings)
    found = operations.newest(outside.db)
    if found is None:
        raise NotFound("no block list has been published yet", remedy="start `trace-server worker`")
    return Response(pack(signer.sealed(found)), content_type=CONTENT_TYPE)


@blueprint.get("/block-list/key")
@public
@blueprint.output(ListKeyOut)
@blueprint.doc(summary="The public key of the block list; gateways pin it when they enrol", responses=[404])
def block_list_key() -> ListKeyOut:
    """Public on purpose: it proves nothing by itself, and a box may compare it before it is enrolled."""
    signer = list_signer(services().settings)
    return ListKeyOut(key_id=signer.key_id, public_key=base64.b64encode(signer.public_key).decode())
