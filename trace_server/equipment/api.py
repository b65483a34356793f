"""JSON routes of the equipment register."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from trace_server.accounts.access import current_client, permission
from trace_server.equipment import operations, rules
from trace_server.equipment.cursors import read_cursor, write_cursor
from trace_server.equipment.model import State
from trace_server.equipment.operations import Caller, Filter, Result
from trace_server.equipment.rules import Registration
from trace_server.equipment.states import state_on
from trace_server.equipment.wire import asset_json, kinds_json, record_json
from trace_server.services import services

blueprint = APIBlueprint("equipment", __name__, url_prefix="/api/v1", tag="Special equipment")
StateName = Literal["registered", "in_use", "due_soon", "overdue", "inspected", "out_of_service", "scrapped"]


class RegistrationIn(BaseModel):
    """One thing; `uri` (tag: EPC URN, or Digital Link with 8003 or 8004) or `device_code` or both."""

    model_config = ConfigDict(extra="forbid")

    uri: str = Field(default="", max_length=256, examples=["urn:epc:id:grai:6901234.00001.17"])
    device_code: str = Field(default="", max_length=40, examples=["232010890202200017"], description="设备代码")
    kind: str = Field(default="", max_length=32, description="Empty: by the device code")
    registration_no: str = Field(default="", max_length=64, description="使用登记证编号")
    registered_on: date | None = None
    owner: str = Field(max_length=18, description="USCC of the unit that uses it 使用单位")
    maintainer: str = Field(default="", max_length=18, description="USCC of the maintenance unit 维保单位")
    medium: str = Field(default="", max_length=32)
    tid: str = Field(default="", max_length=64)
    fill_limit_kg: float | None = None
    made_on: date | None = None
    in_use_on: date | None = None
    inspection_due: date | None = Field(default=None, description="Last day of use, as the certificate says")
    scrap_on: date | None = Field(default=None, description="First day on which it is scrap")
    source: str = Field(min_length=1, max_length=200, description="The paper or system that says so")


class UpdateIn(RegistrationIn):
    """All facts of a known thing; `version` is the one that was read."""

    version: int = Field(ge=1, le=2_000_000_000)


class ResultIn(BaseModel):
    """What an inspection found."""

    model_config = ConfigDict(extra="forbid")

    uri: str = Field(max_length=256)
    version: int = Field(ge=1, le=2_000_000_000)
    inspected_on: date
    certificate_no: str = Field(min_length=1, max_length=64)
    body: str = Field(min_length=1, max_length=200, description="Who inspected")
    passed: bool
    next_due: date | None = None


class StepIn(BaseModel):
    """A step in its life."""

    model_config = ConfigDict(extra="forbid")

    uri: str = Field(max_length=256)
    version: int = Field(ge=1, le=2_000_000_000)
    step: Literal["put_in_use", "take_out", "scrap"]
    reason: str = Field(default="", max_length=4096)


class ListIn(BaseModel):
    """Which things, where to go on, how many."""

    model_config = ConfigDict(extra="forbid")

    cursor: str = Field(default="", max_length=4096)
    limit: int = Field(default=50, ge=1, le=500)
    owner: str = Field(default="", max_length=18)
    kind: str = Field(default="", max_length=32)
    state: Literal["", StateName] = ""


class NameIn(BaseModel):
    """Which thing."""

    model_config = ConfigDict(extra="forbid")

    uri: str = Field(min_length=1, max_length=256, description="Tag in any spelling, or the device code")


class PrefillIn(BaseModel):
    """Of what kind, made when."""

    model_config = ConfigDict(extra="forbid")

    kind: str = Field(max_length=32)
    made_on: date


class EquipmentOut(BaseModel):
    """One row of the register."""

    uri: str
    device_code: str
    kind: str
    state: StateName
    registration_no: str
    registered_on: str | None
    owner: str
    maintainer: str
    medium: str
    tid: str
    fill_limit_kg: float | None
    made_on: str | None
    in_use_on: str | None
    inspection_due: str | None
    scrap_on: str | None
    source: str
    as_of: str
    version: int


class RecordOut(EquipmentOut):
    """With its inspections, newest first."""

    inspections: list[dict[str, Any]]


class EquipmentListOut(BaseModel):
    """By URI."""

    items: list[EquipmentOut]
    next_cursor: str
    has_more: bool


class KindsOut(BaseModel):
    """Kinds with the periods that pre-fill forms, each with its basis."""

    items: list[dict[str, Any]]


class PrefillOut(BaseModel):
    """Suggestions for a form; the certificate decides."""

    inspection_due: str | None
    scrap_on: str | None


@blueprint.get("/equipment")
@permission("equipment:read")
@blueprint.input(ListIn, location="query")
@blueprint.output(EquipmentListOut)
@blueprint.doc(summary="List equipment", responses=[503])
def list_equipment(query_data: ListIn) -> dict[str, Any]:
    """A company's client sees its own."""
    outside, given = services(), query_data
    place = read_cursor(given.cursor, outside.settings)
    wanted = Filter(current_client().subject or given.owner, given.kind, State(given.state) if given.state else None)
    now = outside.clock()
    found = operations.page(outside.db, now, wanted, after=place, limit=given.limit + 1)
    page, today = found[: given.limit], operations.local_day(now)
    return {
        "items": [asset_json(row, state_on(row, today)) for row in page],
        "next_cursor": write_cursor(page[-1].uri, outside.settings) if page else given.cursor,
        "has_more": len(found) > len(page),
    }


@blueprint.get("/equipment/one")
@permission("equipment:read")
@blueprint.input(NameIn, location="query")
@blueprint.output(RecordOut)
@blueprint.doc(summary="One thing with its inspections", responses=[404, 503])
def show(query_data: NameIn) -> dict[str, Any]:
    """By tag or device code."""
    outside = services()
    owner = current_client().subject or None
    return record_json(operations.show(outside.db, outside.clock(), query_data.uri, owner=owner))


@blueprint.get("/equipment/kinds")
@permission("equipment:read")
@blueprint.output(KindsOut)
@blueprint.doc(summary="Kinds of equipment and their default periods")
def list_kinds() -> dict[str, Any]:
    """Dated data; a default never replaces a certificate."""
    return {"items": kinds_json()}


@blueprint.get("/equipment/prefill")
@permission("equipment:read")
@blueprint.input(PrefillIn, location="query")
@blueprint.output(PrefillOut)
@blueprint.doc(summary="Dates that a form may suggest")
def prefill(query_data: PrefillIn) -> dict[str, str | None]:
    """From the default periods of the kind."""
    found = rules.prefilled(query_data.kind, query_data.made_on)
    return {name: found[name].isoformat() if name in found else None for name in ("inspection_due", "scrap_on")}


@blueprint.post("/equipment")
@permission("equipment:write")
@blueprint.input(RegistrationIn)
@blueprint.output(RecordOut, status_code=201)
@blueprint.doc(summary="Register a thing", responses=[409, 503])
def register(json_data: RegistrationIn) -> dict[str, Any]:
    """Gates know it with the next block list."""
    outside = services()
    return record_json(operations.register(outside.db, outside.clock(), _caller(), _registration(json_data)))


@blueprint.put("/equipment")
@permission("equipment:write")
@blueprint.input(UpdateIn)
@blueprint.output(RecordOut)
@blueprint.doc(summary="Change the facts of a thing", responses=[404, 409, 503])
def update(json_data: UpdateIn) -> dict[str, Any]:
    """Transfer, registration number, tag data."""
    outside, given = services(), _registration(json_data)
    return record_json(operations.update(outside.db, outside.clock(), _caller(), given, revision=json_data.version))


@blueprint.post("/equipment/inspections")
@permission("equipment:inspect")
@blueprint.input(ResultIn)
@blueprint.output(RecordOut, status_code=201)
@blueprint.doc(summary="Take the result of an inspection", responses=[404, 409, 503])
def inspect(json_data: ResultIn) -> dict[str, Any]:
    """A passed one moves the last day of use."""
    outside, given = services(), json_data
    result = Result(given.inspected_on, given.certificate_no, given.body, given.passed, given.next_due)
    return record_json(
        operations.inspect(outside.db, outside.clock(), _caller(), given.uri, result, revision=given.version)
    )


@blueprint.post("/equipment/steps")
@permission("equipment:write")
@blueprint.input(StepIn)
@blueprint.output(RecordOut)
@blueprint.doc(summary="Put in use, take out of service, scrap", responses=[404, 409, 503])
def take_step(json_data: StepIn) -> dict[str, Any]:
    """Scrap is final."""
    outside, given = services(), json_data
    db, now = outside.db, outside.clock()
    if given.step == "put_in_use":
        done = operations.put_in_use(db, now, _caller(), given.uri, revision=given.version)
    elif given.step == "take_out":
        done = operations.take_out(db, now, _caller(), given.uri, revision=given.version, reason=given.reason)
    else:
        done = operations.scrap(db, now, _caller(), given.uri, revision=given.version, reason=given.reason)
    return record_json(done)


def _registration(given: RegistrationIn) -> Registration:
    return Registration(**{field.name: getattr(given, field.name) for field in fields(Registration)})


def _caller() -> Caller:
    client = current_client()
    return Caller(f"client:{client.client_id}", client.subject or None)
