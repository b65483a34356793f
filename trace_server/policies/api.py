"""JSON routes of the policy lab."""

from __future__ import annotations

from datetime import date
from typing import Any

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from trace_server.accounts.access import current_client, permission
from trace_server.policies import operations
from trace_server.policies.model import PolicyVersion, Risk
from trace_server.policies.operations import MAX_AT_ONCE, Opened
from trace_server.policies.wire import comparison_json, simulation_json, version_json
from trace_server.services import services

blueprint = APIBlueprint("policies", __name__, url_prefix="/api/v1/credit/policies", tag="Policy lab")
_WRITE = [404, 409, 503]


class DraftIn(BaseModel):
    """A draft; `rollback_of` in place of a text brings an earlier version back as a new one."""

    model_config = ConfigDict(extra="forbid", strict=True)

    text: str = Field(default="", max_length=100_000, description="TOML, as GET …/start gives it")
    rollback_of: int = Field(default=0, ge=0, le=1_000_000, description="Number of a version; 1: the shipped default")
    reason: str = Field(min_length=1, max_length=4000)


class EditIn(BaseModel):
    """The draft's new text; `version` is the one that was read."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: int = Field(ge=1)
    text: str = Field(min_length=1, max_length=100_000)


class SimulateIn(BaseModel):
    """A run on a day; the same inputs and seed give the same digest."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1)
    seed: str = Field(min_length=1, max_length=64)
    as_of: date | None = Field(default=None, description="Empty: today")
    sample: int = Field(default=MAX_AT_ONCE, ge=1, le=MAX_AT_ONCE, description="At most so many subjects, by the seed")


class RiskIn(BaseModel):
    """A risk, and what is done when it comes true."""

    model_config = ConfigDict(extra="forbid", strict=True)

    risk: str = Field(min_length=1, max_length=4000)
    response: str = Field(min_length=1, max_length=4000)


class ReviewIn(BaseModel):
    """风险处置预案, and the days after the first on which prediction and observation are compared."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: int = Field(ge=1)
    risks: list[RiskIn] = Field(min_length=1, max_length=50)
    check_after_days: list[int] = Field(min_length=1, max_length=12, examples=[[30, 90, 180]])


class WordsIn(BaseModel):
    """A step with its words."""

    model_config = ConfigDict(extra="forbid", strict=True)

    version: int = Field(ge=1)
    reason: str = Field(min_length=1, max_length=4000)


class ActivateIn(BaseModel):
    """From which day it counts: today or later."""

    model_config = ConfigDict(extra="forbid")

    version: int = Field(ge=1)
    from_day: date


class VersionOut(BaseModel):
    """A version as it stands."""

    policy_id: str
    number: int
    state: str
    rollback_of: int | None
    created_by: str
    created_at: str
    simulation: int | None = Field(description="Number of the run that counts")
    review: dict[str, Any] | None
    approvals: list[dict[str, Any]]
    effective_from: str | None
    reason: str
    version: int


class OpenedOut(VersionOut):
    """With its text, its simulation, its comparisons, and the rules that no law stands behind."""

    text: str
    outcome: dict[str, Any] | None
    comparisons: list[dict[str, Any]]
    without_basis: list[str]


class VersionsOut(BaseModel):
    """The newest first, at most 200."""

    items: list[VersionOut]


class StartOut(BaseModel):
    """Where a draft begins."""

    text: str


@blueprint.get("")
@permission("policies:read")
@blueprint.output(VersionsOut)
@blueprint.doc(summary="Versions of the grading policy", responses=[503])
def list_versions() -> dict[str, Any]:
    """The shipped default has no row: it is number 1."""
    return {"items": [version_json(row, with_text=False) for row in operations.list_versions(services())]}


@blueprint.get("/start")
@permission("policies:read")
@blueprint.output(StartOut)
@blueprint.doc(summary="The policy in force as the text of a new draft", responses=[503])
def start() -> dict[str, Any]:
    """With the next number, and a place for each legal basis that lacks."""
    return {"text": operations.starting_text(services())}


@blueprint.post("")
@permission("policies:draft")
@blueprint.input(DraftIn)
@blueprint.output(VersionOut, status_code=201)
@blueprint.doc(summary="Register a draft, or roll back as a new draft", responses=_WRITE)
def add_draft(json_data: DraftIn) -> dict[str, Any]:
    """The text is checked whole; a mistake is named with its place."""
    outside, given = services(), json_data
    if given.rollback_of and not given.text:
        policy_id = operations.POLICY_ID
        return _json(operations.roll_back(outside, _actor(), policy_id, given.rollback_of, given.reason))
    return _json(operations.draft(outside, _actor(), given.text, given.reason, rollback_of=given.rollback_of))


@blueprint.get("/<policy_id>/<int:number>")
@permission("policies:read")
@blueprint.output(OpenedOut)
@blueprint.doc(summary="One version with simulation and comparisons", responses=[404, 503])
def one(policy_id: str, number: int) -> dict[str, Any]:
    """Everything that belongs to it."""
    return _opened(operations.open_version(services(), policy_id, number))


@blueprint.put("/<policy_id>/<int:number>")
@permission("policies:draft")
@blueprint.input(EditIn)
@blueprint.output(VersionOut)
@blueprint.doc(summary="Change the text of a draft", responses=_WRITE)
def edit(policy_id: str, number: int, json_data: EditIn) -> dict[str, Any]:
    """Only while it is a draft."""
    return _json(operations.edit(services(), _actor(), policy_id, number, json_data.version, json_data.text))


@blueprint.post("/<policy_id>/<int:number>/simulations")
@permission("policies:draft")
@blueprint.input(SimulateIn)
@blueprint.output(VersionOut)
@blueprint.doc(summary="Simulate it on the subjects as they stand", responses=_WRITE)
def simulate(policy_id: str, number: int, json_data: SimulateIn) -> dict[str, Any]:
    """Migration of levels, regions, inspection load, and who changes: read them at the version."""
    given = json_data
    row, _ = operations.run_simulation(
        services(), _actor(), policy_id, number, given.version, seed=given.seed, as_of=given.as_of, most=given.sample
    )
    return _json(row)


@blueprint.post("/<policy_id>/<int:number>/review")
@permission("policies:draft")
@blueprint.input(ReviewIn)
@blueprint.output(VersionOut)
@blueprint.doc(summary="Risk list and response plan", responses=_WRITE)
def review(policy_id: str, number: int, json_data: ReviewIn) -> dict[str, Any]:
    """Without it nobody can approve."""
    risks = [Risk(one.risk, one.response) for one in json_data.risks]
    days = json_data.check_after_days
    return _json(operations.review(services(), _actor(), policy_id, number, json_data.version, risks, days))


@blueprint.post("/<policy_id>/<int:number>/approvals")
@permission("policies:approve")
@blueprint.input(WordsIn)
@blueprint.output(VersionOut)
@blueprint.doc(summary="Approve it: two persons, neither the author", responses=_WRITE)
def approve(policy_id: str, number: int, json_data: WordsIn) -> dict[str, Any]:
    """The second approval completes it."""
    return _json(operations.approve(services(), _actor(), policy_id, number, json_data.version, json_data.reason))


@blueprint.post("/<policy_id>/<int:number>/return")
@permission("policies:approve")
@blueprint.input(WordsIn)
@blueprint.output(VersionOut)
@blueprint.doc(summary="Back to draft", responses=_WRITE)
def send_back(policy_id: str, number: int, json_data: WordsIn) -> dict[str, Any]:
    """Simulation, review and approvals have to be made again."""
    return _json(operations.send_back(services(), _actor(), policy_id, number, json_data.version, json_data.reason))


@blueprint.post("/<policy_id>/<int:number>/activation")
@permission("policies:approve")
@blueprint.input(ActivateIn)
@blueprint.output(VersionOut)
@blueprint.doc(summary="Let it count from a day on", responses=_WRITE)
def activate(policy_id: str, number: int, json_data: ActivateIn) -> dict[str, Any]:
    """Refused while a rule has no legal basis on that day."""
    given = json_data
    return _json(operations.activate(services(), _actor(), policy_id, number, given.version, given.from_day))


@blueprint.post("/<policy_id>/<int:number>/withdrawal")
@permission("policies:approve")
@blueprint.input(WordsIn)
@blueprint.output(VersionOut)
@blueprint.doc(summary="Give it up before its first day", responses=_WRITE)
def withdraw(policy_id: str, number: int, json_data: WordsIn) -> dict[str, Any]:
    """One that counts already is followed by another."""
    return _json(operations.withdraw(services(), _actor(), policy_id, number, json_data.version, json_data.reason))


def _actor() -> str:
    return f"client:{current_client().client_id}"


def _json(row: PolicyVersion) -> dict[str, Any]:
    return version_json(row, with_text=False)


def _opened(opened: Opened) -> dict[str, Any]:
    simulation = opened.simulation
    return {
        **version_json(opened.row, with_text=True),
        "outcome": None if simulation is None else simulation_json(simulation),
        "comparisons": [comparison_json(one) for one in opened.comparisons],
        "without_basis": list(opened.without_basis),
    }
