"""JSON routes of the register. Reading is public: a buyer may look up who may use a name."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint
from flask import request
from pydantic import BaseModel, ConfigDict, Field

from trace_core.errors import InputError
from trace_server.accounts.access import current_client, permission, public
from trace_server.catalog.operations import SHANGHAI
from trace_server.indications import operations
from trace_server.indications.wire import public_json, users_json
from trace_server.services import services

blueprint = APIBlueprint("indications", __name__, url_prefix="/api/v1/indications", tag="Geographical indications")


class RegisterIn(BaseModel):
    """Rows of the register as in docs/how-to/geographical-indications.md."""

    model_config = ConfigDict(extra="forbid")

    indications: list[dict[str, Any]] = Field(default=[], max_length=10_000)
    users: list[dict[str, Any]] = Field(default=[], max_length=10_000)


class TakenOut(BaseModel):
    """Rows that were taken."""

    indications: int
    users: int


class PageIn(BaseModel):
    """Where to go on."""

    model_config = ConfigDict(extra="forbid")

    after: str = Field(default="", max_length=32, description="`gi_id` of the last one seen")
    limit: int = Field(default=50, ge=1, le=500)


class SeasonOut(BaseModel):
    """When goods of a year may come to market."""

    year: int
    opens: str
    closes: str


class IndicationOut(BaseModel):
    """A protected name. `area`: polygons of [longitude, latitude]."""

    gi_id: str
    name: str
    name_en: str
    area: list[list[list[float]]]
    counties: list[str]
    seasons: list[SeasonOut]
    gtins: list[str]
    source: str
    as_of: str


class UserOut(BaseModel):
    """Who may use the mark."""

    uscc: str
    valid_from: str
    valid_to: str | None
    is_in_force: bool
    source: str
    as_of: str


class OneOut(IndicationOut):
    """A protected name and its users."""

    users: list[UserOut]


class IndicationsOut(BaseModel):
    """Indications by id, and whether there are more."""

    items: list[IndicationOut]
    has_more: bool


@blueprint.post("")
@permission("indications:manage")
@blueprint.input(RegisterIn)
@blueprint.output(TakenOut, status_code=201)
@blueprint.doc(summary="Take rows of the register, all or none", responses=[404, 503])
def take(json_data: RegisterIn) -> dict[str, int]:
    """What is known already is replaced."""
    outside = services()
    actor = f"client:{current_client().client_id}"
    document = request.get_json()
    if not (json_data.indications or json_data.users):
        raise InputError("the document has no rows", where="/", remedy="send indications or users")
    taken = operations.import_register(outside.db, outside.clock(), actor, document)
    return {"indications": taken.indications, "users": taken.users}


@blueprint.get("")
@public
@blueprint.input(PageIn, location="query")
@blueprint.output(IndicationsOut)
@blueprint.doc(summary="Protected names", responses=[503])
def list_indications(query_data: PageIn) -> dict[str, Any]:
    """By id."""
    known = operations.read_register(services().db).indications
    found = [one for one in known if one.gi_id > query_data.after]
    return {
        "items": [public_json(one) for one in found[: query_data.limit]],
        "has_more": len(found) > query_data.limit,
    }


@blueprint.get("/<gi_id>")
@public
@blueprint.output(OneOut)
@blueprint.doc(summary="A protected name and who may use it", responses=[404, 503])
def read_indication(gi_id: str) -> dict[str, Any]:
    """Without quantities."""
    outside = services()
    found, users = operations.read_indication(outside.db, gi_id)
    today = outside.clock().astimezone(SHANGHAI).date()
    return public_json(found) | {"users": users_json(users, today)}
