"""JSON routes of inspection plans: made and drawn by clients of an authority, read by the public once published."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from trace_core.errors import InputError
from trace_server.accounts.access import current_client, permission, public
from trace_server.services import services
from trace_server.supervision import operations, telling
from trace_server.supervision.model import Finding, Inspector, Intensity, PlanFields, Result
from trace_server.supervision.operations import Official
from trace_server.supervision.wire import opened_json, plan_json, task_json

blueprint = APIBlueprint("supervision", __name__, url_prefix="/api/v1/inspections", tag="Inspection plans")
_WRITE = [404, 409, 503]
_ID = r"^\S{1,128}$"


class InspectorIn(BaseModel):
    """Somebody who may be drawn."""

    model_config = ConfigDict(extra="forbid", strict=True)

    actor: str = Field(pattern=_ID, description="Name in the audit log, as user:…")
    name: str = Field(min_length=1, max_length=200)


class PlanIn(BaseModel):
    """What is inspected, where, when, how, and by which law."""

    model_config = ConfigDict(extra="forbid")

    title: str = Field(min_length=1, max_length=200)
    department: str = Field(min_length=1, max_length=200)
    region: str = Field(max_length=6, examples=["320900"], description="Ending in 00: all below it")
    content: str = Field(min_length=1, max_length=2000, description="抽查事项")
    method: str = Field(min_length=1, max_length=2000, description="检查方式")
    legal_basis: str = Field(min_length=1, max_length=2000)
    period_from: date
    period_to: date
    intensity: Literal["least", "most"] = Field(default="least", description="Which end of the policy's range")
    inspectors: list[InspectorIn] = Field(default_factory=list, max_length=500, description="Empty: the department's")


class VersionIn(BaseModel):
    """The version that was read."""

    model_config = ConfigDict(extra="forbid", strict=True)

    department: str = Field(min_length=1, max_length=200)
    version: int = Field(ge=1)


class ChangeIn(VersionIn):
    """Another frequency for one subject."""

    uscc: str = Field(max_length=18)
    inspections_a_year: int = Field(ge=0, le=52)
    reason: str = Field(min_length=1, max_length=2000)


class DrawIn(VersionIn):
    """What the second person adds: something nobody could know when the plan was committed."""

    word: str = Field(min_length=1, max_length=200, examples=["双色球2026061期 03 08 17 20 25 31 06"])


class WithdrawIn(VersionIn):
    """Why."""

    reason: str = Field(min_length=1, max_length=2000)


class PlanOut(BaseModel):
    """A plan as it stands."""

    plan_id: str
    title: str
    region: str
    department: str
    content: str
    method: str
    legal_basis: str
    period_from: str
    period_to: str
    intensity: str
    policy_version: str
    state: str
    commitment: str = Field(description="SHA-256 of the secret, public before the draw")
    subjects_digest: str
    inspectors_digest: str
    committed_by: str
    committed_at: str | None
    drawn_by: str
    drawn_at: str | None
    seed: str = Field(description="Empty before publication")
    published_at: str | None
    reason: str
    version: int


class OpenedOut(PlanOut):
    """With its lists and tasks."""

    strata: list[dict[str, Any]]
    candidates: list[dict[str, Any]]
    inspectors: list[dict[str, str]]
    tasks: list[dict[str, Any]]


class PlansIn(BaseModel):
    """Where to go on."""

    model_config = ConfigDict(extra="forbid")

    before: datetime | None = Field(default=None, description="`next_before` as it was given")
    limit: int = Field(default=50, ge=1, le=200)


class PlansOut(BaseModel):
    """The newest first."""

    items: list[PlanOut]
    next_before: str | None


class ProofOut(BaseModel):
    """All that repeating a draw takes, and what it gave (docs/how-to/inspection-plan.md)."""

    algorithm: str
    plan_id: str
    period_from: str
    period_to: str
    commitment: str
    secret: str
    word: str
    seed: str
    subjects: list[str]
    subjects_digest: str
    inspectors: list[str]
    inspectors_digest: str
    visits: list[list[Any]]


class ResultIn(BaseModel):
    """The result of a visit; a client enters what the named inspector found."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1)
    inspector: str = Field(pattern=_ID)
    done_on: date
    finding: Literal["none", "rectified", "case_opened"]
    note: str = Field(default="", max_length=2000)
    case_id: str = Field(default="", max_length=32)
    correct: bool = Field(default=False, description="In place of what was entered before")


class TaskOut(BaseModel):
    """A drawn visit."""

    plan_id: str
    number: int
    uscc: str
    name: str
    level: str
    sampling: str
    due_on: str
    inspectors: list[str]
    state: str
    done_on: str | None
    finding: str | None
    case_id: str
    note: str
    version: int


@blueprint.post("/plans")
@permission("inspections:plan")
@blueprint.input(PlanIn)
@blueprint.output(PlanOut, status_code=201)
@blueprint.doc(summary="Make a plan over the graded subjects of a region", responses=[409, 503])
def make_plan(json_data: PlanIn) -> dict[str, Any]:
    """Frequencies come from the grading policy in force."""
    given = json_data
    fields = PlanFields(
        given.title, given.region, given.content, given.method, given.legal_basis, given.period_from,
        given.period_to, Intensity(given.intensity),
    )  # fmt: skip
    people = [Inspector(one.actor, one.name) for one in given.inspectors] or None
    return plan_json(operations.make_plan(services(), _by(given.department), fields, people))


@blueprint.get("/plans")
@permission("inspections:read")
@blueprint.input(PlansIn, location="query")
@blueprint.output(PlansOut)
@blueprint.doc(summary="Plans", responses=[503])
def list_plans(query_data: PlansIn) -> dict[str, Any]:
    """The newest first."""
    before = query_data.before
    if before is not None and before.tzinfo is None:
        raise InputError("a time without its offset", where="before", remedy="use next_before as it was given")
    found = operations.list_plans(services(), _by(""), before=before, limit=query_data.limit + 1)
    page = found[: query_data.limit]
    more = page[-1].created_at.isoformat() if len(found) > len(page) else None
    return {"items": [plan_json(plan) for plan in page], "next_before": more}


@blueprint.get("/plans/<plan_id>")
@permission("inspections:read")
@blueprint.output(OpenedOut)
@blueprint.doc(summary="One plan with lists and tasks", responses=[404, 503])
def one(plan_id: str) -> dict[str, Any]:
    """Before the draw with what each level will give."""
    return opened_json(operations.open_plan(services(), _by(""), plan_id))


@blueprint.post("/plans/<plan_id>/changes")
@permission("inspections:plan")
@blueprint.input(ChangeIn)
@blueprint.output(PlanOut)
@blueprint.doc(summary="Another frequency for one subject, with a reason", responses=_WRITE)
def change(plan_id: str, json_data: ChangeIn) -> dict[str, Any]:
    """Until the lists are closed."""
    given = json_data
    by = _by(given.department)
    moved = operations.change(
        services(), by, plan_id, given.version, given.uscc, given.inspections_a_year, given.reason
    )
    return plan_json(moved)


@blueprint.post("/plans/<plan_id>/commitment")
@permission("inspections:plan")
@blueprint.input(VersionIn)
@blueprint.output(PlanOut)
@blueprint.doc(summary="Close the lists and bind chance: digests are public from now on", responses=_WRITE)
def commit(plan_id: str, json_data: VersionIn) -> dict[str, Any]:
    """Another person draws."""
    return plan_json(operations.commit(services(), _by(json_data.department), plan_id, json_data.version))


@blueprint.post("/plans/<plan_id>/draw")
@permission("inspections:plan")
@blueprint.input(DrawIn)
@blueprint.output(PlanOut)
@blueprint.doc(summary="Draw subjects and inspectors, once", responses=_WRITE)
def draw(plan_id: str, json_data: DrawIn) -> dict[str, Any]:
    """There is no second draw."""
    given = json_data
    return plan_json(operations.draw(services(), _by(given.department), plan_id, given.version, given.word))


@blueprint.post("/plans/<plan_id>/publication")
@permission("inspections:plan")
@blueprint.input(VersionIn)
@blueprint.output(PlanOut)
@blueprint.doc(summary="Open seed, lists, tasks and results to everybody", responses=_WRITE)
def publish(plan_id: str, json_data: VersionIn) -> dict[str, Any]:
    """From now on everybody can tell who is inspected."""
    return plan_json(operations.publish(services(), _by(json_data.department), plan_id, json_data.version))


@blueprint.post("/plans/<plan_id>/withdrawal")
@permission("inspections:plan")
@blueprint.input(WithdrawIn)
@blueprint.output(PlanOut)
@blueprint.doc(summary="Give a plan up before its draw", responses=_WRITE)
def withdraw(plan_id: str, json_data: WithdrawIn) -> dict[str, Any]:
    """A committed one stays visible with the reason."""
    given = json_data
    return plan_json(operations.withdraw(services(), _by(given.department), plan_id, given.version, given.reason))


@blueprint.post("/plans/<plan_id>/tasks/<int:number>/result")
@permission("inspections:do")
@blueprint.input(ResultIn)
@blueprint.output(TaskOut)
@blueprint.doc(summary="Enter the result of a visit", responses=_WRITE)
def enter(plan_id: str, number: int, json_data: ResultIn) -> dict[str, Any]:
    """Of an inspector who was drawn for it; the audit log names the client too."""
    given = json_data
    result = Result(given.done_on, Finding(given.finding), given.note, given.case_id)
    by = Official(given.inspector, "", via=f"client:{current_client().client_id}")
    outside = services()
    return task_json(operations.enter(outside, by, plan_id, number, given.version, result, correct=given.correct))


@blueprint.get("/plans/<plan_id>/proof")
@public
@blueprint.output(ProofOut)
@blueprint.doc(summary="The proof of a published draw", responses=[404, 503])
def proof(plan_id: str) -> dict[str, object]:
    """Anybody can repeat it: `trace-server inspections check-draw`."""
    return telling.proof(services(), plan_id)


def _by(department: str) -> Official:
    return Official(f"client:{current_client().client_id}", department)
