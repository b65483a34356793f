"""JSON routes of the fleet: gateways report and fetch, administrators look and set."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from trace_core.errors import InputError, NotAllowed
from trace_core.fleet import SETTINGS_TYPE
from trace_core.uplink import KEY_ID_HEADER, SIGNATURE_HEADER, TIMESTAMP_HEADER, request_payload
from trace_core.uplink import key_id as name_of_key
from trace_server.accounts import operations as accounts
from trace_server.accounts.access import current_client, permission, signed
from trace_server.accounts.model import Gateway
from trace_server.blocklist.signing import list_signer
from trace_server.fleet import operations, rules, wire
from trace_server.services import services

blueprint = APIBlueprint("fleet", __name__, url_prefix="/api/v1/gateways", tag="Gateways")

_SETTINGS: dict[int | str, dict[str, str | dict[str, dict[str, Any]]]] = {
    200: {
        "description": "a line with the signature and the JSON that is signed (docs/wire/fleet.md)",
        "content": {SETTINGS_TYPE: {"schema": {"type": "string", "format": "binary"}}},
    },
    **{status: {"description": "Problem details (RFC 9457)"} for status in (401, 403, 404, 503)},
}


class OrdersOut(BaseModel):
    """What the server has for the gateway that reported."""

    server_time: datetime
    config_version: int
    block_list_version: int
    rotate_key: bool = Field(description="The key has lived two thirds of its life: make another")


class RotationIn(BaseModel):
    """A new key, and the proof that the sender has it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: str = Field(pattern="^key-rotation$")
    public_key: str = Field(min_length=43, max_length=44, description="Base64 of the raw 32-byte Ed25519 key")
    proof: str = Field(max_length=128, description="Base64: the new key's signature (docs/wire/fleet.md)")


class RotationOut(BaseModel):
    """Both keys are good until the old one ends."""

    key_id: str
    old_key_ends_at: datetime


class PageIn(BaseModel):
    """Where to go on and how much to read."""

    model_config = ConfigDict(extra="forbid")

    cursor: str = Field(default="", max_length=160, description="`next_cursor` of the answer before; empty: the start")
    limit: int = Field(default=50, ge=1, le=500)


class GatewayOut(BaseModel):
    """One gateway of the fleet: who it is, how it is, what it said last."""

    gateway_id: str
    site: str
    read_points: list[str]
    state: str
    auto_approve: bool
    health: str = Field(description="well, attention, silent, never, waiting or revoked")
    reasons: list[str]
    software: str
    hostname: str
    key_id: str | None
    key_made_at: datetime | None
    created_at: datetime
    last_seen: datetime | None
    settings_issued: int
    settings_running: int | None
    report: dict[str, Any] | None


class GatewaysOut(BaseModel):
    """A stretch of the fleet, by id."""

    items: list[GatewayOut]
    next_cursor: str
    has_more: bool
    as_of: datetime


class SettingsIn(BaseModel):
    """The whole document of the next version."""

    model_config = ConfigDict(extra="forbid")

    settings: dict[str, Any]
    base: int | None = Field(default=None, ge=0, description="The version that was seen; refused when it is old")


class SettingsOut(BaseModel):
    """One version, and what the gateway made of it."""

    gateway_id: str
    version: int
    issued_at: datetime
    issued_by: str
    settings: dict[str, Any]
    result: str | None = Field(description="kept, rolled_back or refused; null until the gateway said so")
    reason: str
    result_at: datetime | None


class SettingsListOut(BaseModel):
    """All versions of a gateway, the newest first."""

    items: list[SettingsOut]
    as_of: datetime


@blueprint.post("/heartbeat")
@signed
@blueprint.output(OrdersOut)
@blueprint.doc(summary="Take a gateway's report of itself", responses=[409, 413, 503])
def heartbeat() -> OrdersOut:
    """Signed like a batch. A heartbeat that was heard before is refused with 409."""
    body, gateway, _ = _signed_body()
    outside = services()
    orders = operations.hear(outside.db, outside.clock(), gateway, body)
    return OrdersOut(
        server_time=orders.server_time,
        config_version=orders.config_version,
        block_list_version=orders.block_list_version,
        rotate_key=orders.rotate_key,
    )


@blueprint.post("/keys")
@signed
@blueprint.output(RotationOut)
@blueprint.doc(summary="Put a new key in the place of the one that signs this", responses=[409, 413, 503])
def rotate_key() -> RotationOut:
    """The same request again gives the same answer, also when the new key signs it."""
    body, gateway, key_id = _signed_body()
    try:
        asked = RotationIn.model_validate_json(body)
        public_key = base64.b64decode(asked.public_key, validate=True)
    except (ValidationError, binascii.Error) as error:
        raise InputError("this is no change of a key", where="/", remedy="see docs/wire/fleet.md") from error
    outside = services()
    ends_at = accounts.rotate_key(outside.db, outside.clock(), gateway, key_id, public_key, asked.proof)
    return RotationOut(key_id=name_of_key(public_key), old_key_ends_at=ends_at)


@blueprint.get("/settings")
@signed
@blueprint.doc(summary="The newest settings of the gateway that asks, signed", responses=_SETTINGS)
def own_settings() -> Response:
    """The gateway signs `GET /api/v1/gateways/settings <timestamp>`, without a body."""
    outside = services()
    payload = request_payload(request.method, request.path, request.headers.get(TIMESTAMP_HEADER, ""))
    gateway = _verified(payload)
    sealed = operations.sealed_settings(outside.db, gateway.gateway_id, list_signer(outside.settings))
    return Response(sealed, content_type=SETTINGS_TYPE)


@blueprint.get("")
@permission("gateways:manage")
@blueprint.input(PageIn, location="query")
@blueprint.output(GatewaysOut)
@blueprint.doc(summary="List the gateways with their health", responses=[503])
def list_gateways(query_data: PageIn) -> GatewaysOut:
    """By id."""
    outside = services()
    now = outside.clock()
    after = wire.read_cursor(query_data.cursor, outside.settings)
    found = operations.list_standings(outside.db, now, after, query_data.limit + 1)
    page = found[: query_data.limit]
    after = page[-1].gateway.gateway_id if page else after
    return GatewaysOut(
        items=[GatewayOut.model_validate(wire.standing_json(one)) for one in page],
        next_cursor=wire.write_cursor(after, outside.settings) if after else "",
        has_more=len(found) > len(page),
        as_of=now,
    )


@blueprint.get("/<gateway_id>/report")
@permission("gateways:manage")
@blueprint.output(GatewayOut)
@blueprint.doc(summary="One gateway with its health", responses=[404, 503])
def get_gateway(gateway_id: str) -> GatewayOut:
    """As in the list."""
    outside = services()
    return GatewayOut.model_validate(wire.standing_json(operations.standing(outside.db, outside.clock(), gateway_id)))


@blueprint.get("/<gateway_id>/settings")
@permission("gateways:manage")
@blueprint.output(SettingsListOut)
@blueprint.doc(summary="The settings versions of a gateway", responses=[503])
def list_settings(gateway_id: str) -> SettingsListOut:
    """The newest first."""
    outside = services()
    found = operations.list_settings(outside.db, gateway_id)
    items = [SettingsOut.model_validate(wire.settings_json(one)) for one in found]
    return SettingsListOut(items=items, as_of=outside.clock())


@blueprint.post("/<gateway_id>/settings")
@permission("gateways:manage")
@blueprint.input(SettingsIn)
@blueprint.output(SettingsOut, status_code=201)
@blueprint.doc(summary="Issue the next settings of a gateway", responses=[404, 409, 413, 415, 503])
def set_settings(gateway_id: str, json_data: SettingsIn) -> SettingsOut:
    """The gateway tries them, keeps them or rolls back by itself, and says which."""
    outside = services()
    actor = f"client:{current_client().client_id}"
    issued = operations.set_settings(outside.db, outside.clock(), actor, gateway_id, json_data.settings, json_data.base)
    return SettingsOut.model_validate(wire.settings_json(issued))


@blueprint.post("/<gateway_id>/revoke")
@permission("gateways:manage")
@blueprint.output(GatewayOut)
@blueprint.doc(summary="Shut a gateway out, at once and for good", responses=[404, 409, 503])
def revoke(gateway_id: str) -> GatewayOut:
    """`trace-server uplink-mqtt` drops its open connection at the broker within seconds."""
    outside = services()
    now = outside.clock()
    accounts.revoke_gateway(outside.db, now, f"client:{current_client().client_id}", gateway_id)
    return GatewayOut.model_validate(wire.standing_json(operations.standing(outside.db, now, gateway_id)))


def _signed_body() -> tuple[bytes, Gateway, str]:
    request.max_content_length = rules.MAX_HEARTBEAT_BYTES
    body = request.get_data(cache=False)
    if not body:
        raise NotAllowed("there is nothing that is signed", where="body")
    return body, _verified(body), request.headers.get(KEY_ID_HEADER, "")


def _verified(payload: bytes) -> Gateway:
    outside, headers = services(), request.headers
    key_id, signature = headers.get(KEY_ID_HEADER, ""), headers.get(SIGNATURE_HEADER, "")
    with outside.db.read() as conn:
        return accounts.verify_signed(conn, key_id, signature, payload, outside.clock())
