"""JSON routes of accounts: a gateway enrols, the fleet has its own."""

from __future__ import annotations

import base64
from datetime import datetime

from apiflask import APIBlueprint
from flask import request
from pydantic import BaseModel, ConfigDict, Field

from trace_core.errors import InputError
from trace_server.accounts import operations
from trace_server.accounts.access import public
from trace_server.services import services

blueprint = APIBlueprint("accounts", __name__, url_prefix="/api/v1/gateways", tag="Gateways")


class EnrolIn(BaseModel):
    """What a gateway shows to get its identity."""

    model_config = ConfigDict(extra="forbid", strict=True)

    code: str = Field(min_length=16, max_length=64, description="One-time code from `trace-server gateway add`")
    public_key: str = Field(min_length=43, max_length=44, description="Base64 of the raw 32-byte Ed25519 key")
    software: str = Field(default="", max_length=128, description="Name and version of the gateway program")
    hostname: str = Field(default="", max_length=253)


class EnrolOut(BaseModel):
    """The identity; a pending gateway's batches are refused until a person approves it."""

    gateway_id: str
    key_id: str
    state: str
    server_time: datetime


@blueprint.post("/enrol")
@public
@blueprint.input(EnrolIn)
@blueprint.output(EnrolOut, status_code=201)
@blueprint.doc(summary="Exchange a one-time code for a gateway's identity", responses=[403, 409, 413, 415, 429, 503])
def enrol(json_data: EnrolIn) -> EnrolOut:
    """The same code with the same key gives the same answer, so a lost answer can be asked for again."""
    outside = services()
    now = outside.clock()
    enrolment = operations.enrol(
        outside.db,
        now,
        code=json_data.code,
        public_key=_key_bytes(json_data.public_key),
        software=json_data.software,
        hostname=json_data.hostname,
        address=request.remote_addr or "",
    )
    return EnrolOut(
        gateway_id=enrolment.gateway_id, key_id=enrolment.key_id, state=enrolment.state.value, server_time=now
    )


def _key_bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError as error:  # binascii's own, or a character outside ASCII
        raise InputError("the public key is not base64", where="/public_key") from error
