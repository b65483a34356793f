"""JSON routes of lists, measures and the restriction check (一处违法、处处受限)."""

from __future__ import annotations

from typing import Any, Literal

from apiflask import APIBlueprint
from pydantic import BaseModel, ConfigDict, Field

from trace_server.accounts.access import current_client, permission
from trace_server.lists import operations, rules
from trace_server.lists.model import ListEvent
from trace_server.lists.operations import Proposal
from trace_server.lists.wire import application_json, measure_json, membership_json, page_json, restriction_json
from trace_server.services import services

blueprint = APIBlueprint("lists", __name__, url_prefix="/api/v1", tag="Lists and measures")


class ProposalIn(BaseModel):
    """Whom to put on which list."""

    model_config = ConfigDict(extra="forbid", strict=True)

    list: str = Field(max_length=32)
    uscc: str = Field(max_length=18)
    reason: str = Field(min_length=1, max_length=4096)
    document_no: str = Field(min_length=1, max_length=128)
    issuer: str = Field(min_length=1, max_length=200)


class StepIn(BaseModel):
    """A step of a membership; `version` is the one that was read."""

    model_config = ConfigDict(extra="forbid", strict=True)

    event: Literal["notice", "list", "drop", "remove_early", "cure", "revoke"]
    version: int = Field(ge=1)
    reason: str = Field(min_length=1, max_length=4096)


class OnListIn(BaseModel):
    """Where to go on."""

    model_config = ConfigDict(extra="forbid")

    after: str = Field(default="", max_length=32, description="`membership_id` of the last one seen")
    limit: int = Field(default=50, ge=1, le=500)


class CheckIn(BaseModel):
    """In which field, and what for: every check is on record."""

    model_config = ConfigDict(extra="forbid")

    field: str = Field(default="", max_length=64, examples=["政府采购"], description="Empty: all fields")
    purpose: str = Field(min_length=1, max_length=200)


class PageIn(BaseModel):
    """For which field, and what for."""

    model_config = ConfigDict(extra="forbid", strict=True)

    field: str = Field(default="", max_length=64, examples=["政府采购"], description="Empty: all fields")
    purpose: str = Field(min_length=1, max_length=200)


class PageOut(BaseModel):
    """Where the live page and its badge are; both show companies and measures, no person."""

    page: str
    badge: str
    valid_until: str


class ApplicationIn(BaseModel):
    """What came of a measure."""

    model_config = ConfigDict(extra="forbid", strict=True)

    measure_id: str = Field(max_length=64)
    department: str = Field(min_length=1, max_length=200)
    result: str = Field(min_length=1, max_length=4096)


class MembershipOut(BaseModel):
    """A membership as it stands."""

    membership_id: str
    list: str
    uscc: str
    reason: str
    legal_basis: str
    document_no: str
    issuer: str
    state: str
    objections_until: str | None
    listed_on: str | None
    until: str | None
    ended_on: str | None
    end_reason: str
    objection: bool = Field(description="异议处理中")
    version: int


class MembershipsOut(BaseModel):
    """Memberships, and whether there are more behind the last."""

    items: list[MembershipOut]
    has_more: bool


class SubjectCheckOut(BaseModel):
    """All memberships of a subject, and what was applied because of them."""

    memberships: list[MembershipOut]
    applications: list[dict[str, Any]]


class RestrictionOut(BaseModel):
    """The heaviest effect, and every measure behind it with its basis."""

    uscc: str
    field: str
    effect: Literal["allow", "restrict", "forbid"]
    until: str | None
    measures: list[dict[str, Any]]


class MeasuresOut(BaseModel):
    """The catalogue."""

    items: list[dict[str, Any]]


class ApplicationOut(BaseModel):
    """Feedback, kept."""

    application_id: str
    uscc: str
    measure_id: str
    department: str
    result: str
    reported_at: str


@blueprint.get("/measures")
@permission("restrictions:check")
@blueprint.output(MeasuresOut)
@blueprint.doc(summary="The measure catalogue")
def list_measures() -> dict[str, Any]:
    """By list and field, with the legal basis of each."""
    return {"items": [measure_json(measure) for measure in rules.measures()]}


@blueprint.get("/restrictions/<uscc>")
@permission("restrictions:check")
@blueprint.input(CheckIn, location="query")
@blueprint.output(RestrictionOut)
@blueprint.doc(summary="May this subject? allow, restrict or forbid", responses=[503])
def check(uscc: str, query_data: CheckIn) -> dict[str, Any]:
    """With measures, basis and the last day."""
    return restriction_json(operations.check(services(), uscc, query_data.field, _actor(), query_data.purpose))


@blueprint.post("/restrictions/<uscc>/page")
@permission("restrictions:check")
@blueprint.input(PageIn)
@blueprint.output(PageOut, status_code=201)
@blueprint.doc(summary="A page of the check to embed in a bidding, procurement or licensing system", responses=[503])
def open_page(uscc: str, json_data: PageIn) -> dict[str, Any]:
    """It shows the state of the moment, for eight hours."""
    outside = services()
    link = operations.open_page(outside, uscc, json_data.field, _actor(), json_data.purpose)
    return page_json(link, outside.settings.public_url)


@blueprint.post("/restrictions/<uscc>/applications")
@permission("restrictions:check")
@blueprint.input(ApplicationIn)
@blueprint.output(ApplicationOut, status_code=201)
@blueprint.doc(summary="Report that a measure was applied", responses=[503])
def report_application(uscc: str, json_data: ApplicationIn) -> dict[str, Any]:
    """谁用了、结果如何."""
    given = json_data
    row = operations.report_application(services(), _actor(), uscc, given.measure_id, given.department, given.result)
    return application_json(row)


@blueprint.post("/lists/memberships")
@permission("lists:manage")
@blueprint.input(ProposalIn)
@blueprint.output(MembershipOut, status_code=201)
@blueprint.doc(summary="Propose a subject for a list", responses=[409, 503])
def propose(json_data: ProposalIn) -> dict[str, Any]:
    """A second person lists it."""
    given = json_data
    proposal = Proposal(given.list, given.uscc, given.reason, given.document_no, given.issuer)
    return membership_json(operations.propose(services(), _actor(), proposal))


@blueprint.post("/lists/memberships/<membership_id>/steps")
@permission("lists:manage")
@blueprint.input(StepIn)
@blueprint.output(MembershipOut)
@blueprint.doc(summary="Notify, list, drop, remove, cure or revoke", responses=[404, 409, 503])
def take_step(membership_id: str, json_data: StepIn) -> dict[str, Any]:
    """The grade follows in the same transaction."""
    given = json_data
    event = ListEvent(given.event)
    row = operations.take_step(services(), _actor(), membership_id, event, version=given.version, reason=given.reason)
    return membership_json(row)


@blueprint.get("/lists/<list_id>")
@permission("credit:read")
@blueprint.input(OnListIn, location="query")
@blueprint.output(MembershipsOut)
@blueprint.doc(summary="Who is on a list now", responses=[503])
def on_list(list_id: str, query_data: OnListIn) -> dict[str, Any]:
    """By membership."""
    found = operations.on_list(services(), list_id, after=query_data.after, limit=query_data.limit + 1)
    page = found[: query_data.limit]
    return {"items": [membership_json(row) for row in page], "has_more": len(found) > len(page)}


@blueprint.get("/lists/subjects/<uscc>")
@permission("credit:read")
@blueprint.output(SubjectCheckOut)
@blueprint.doc(summary="All lists of one subject", responses=[503])
def of_subject(uscc: str) -> dict[str, Any]:
    """Also those it left."""
    memberships, applications = operations.of_subject(services(), uscc)
    return {
        "memberships": [membership_json(row) for row in memberships],
        "applications": [application_json(row) for row in applications],
    }


def _actor() -> str:
    return f"client:{current_client().client_id}"
