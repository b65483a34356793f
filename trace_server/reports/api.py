"""JSON routes of reports, the files, and the public check of a number."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import BaseModel, ConfigDict, Field

from trace_core.errors import InputError
from trace_server.accounts.access import current_client, permission, public
from trace_server.db.types import EPOCH, to_microseconds
from trace_server.reports import accepting, operations
from trace_server.reports.kinds import registry
from trace_server.reports.model import Asker, Claims, Report, ThirdPartyReport, Wish
from trace_server.reports.wire import report_json, third_party_json, verification_json
from trace_server.services import services

blueprint = APIBlueprint("reports", __name__, url_prefix="/api/v1/reports", tag="Credit reports")
PDF = "application/pdf"
_CURSOR = re.compile(r"(\d{1,17})\.(R\d{8}-[0-9A-Z]{12})\Z")
_KINDS = tuple(registry())


class WishIn(BaseModel):
    """A report on one company, or a review of many."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal[_KINDS]  # type: ignore[valid-type]
    usccs: list[str] = Field(min_length=1, max_length=200, description="统一社会信用代码")
    purpose: str = Field(min_length=2, max_length=200, description="What the report is for; it is printed on it")
    uri: str = Field(default="", max_length=512, description="Of a diligence pack: the goods")
    authorisation: str = Field(default="", max_length=128, description="Of a full archive: number of the paper")


class ClaimsIn(BaseModel):
    """What the report says that this server knows too; leave out what it says nothing of."""

    model_config = ConfigDict(extra="forbid")

    penalties: int | None = Field(default=None, ge=0, le=100_000)
    lists: list[str] | None = Field(default=None, max_length=20)
    grade: str | None = Field(default=None, max_length=16)


class ThirdPartyIn(BaseModel):
    """A report of a credit service agency (第三方信用报告)."""

    model_config = ConfigDict(extra="forbid")

    agency: str = Field(max_length=18, description="USCC of the agency")
    agency_name: str = Field(min_length=1, max_length=200)
    number: str = Field(min_length=1, max_length=64)
    uscc: str = Field(max_length=18, description="Whom it is about")
    issued_on: date
    valid_to: date
    file_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    purpose: str = Field(min_length=1, max_length=200)
    claims: ClaimsIn = Field(default_factory=ClaimsIn)


class ThirdPartyOut(BaseModel):
    """As it was taken in, with what this server knows otherwise."""

    agency: str
    number: str
    uscc: str
    agency_name: str
    issued_on: str
    valid_to: str
    file_sha256: str
    purpose: str
    claims: dict[str, Any]
    differences: list[dict[str, str]]
    taken_at: str | None


class ThirdPartiesOut(BaseModel):
    """The newest first, at most 500."""

    items: list[ThirdPartyOut]


class ListIn(BaseModel):
    """Which reports."""

    model_config = ConfigDict(extra="forbid")

    cursor: str = Field(default="", max_length=64)
    limit: int = Field(default=50, ge=1, le=500)


class WithdrawIn(BaseModel):
    """Why it should not have been issued; the verify page says it."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(min_length=2, max_length=500)


class ReportOut(BaseModel):
    """A report as its owner sees it; `job` under /api/v1/jobs tells how far it is."""

    report_no: str
    kind: str
    title: str
    usccs: list[str]
    subject_name: str
    purpose: str
    uri: str
    authorisation: str
    requested_by: str
    state: str
    requested_at: datetime
    generated_at: datetime | None
    valid_to: date | None
    content_sha256: str
    file_sha256: str
    policy_version: str
    job: str


class ReportsOut(BaseModel):
    """Reports, the newest first."""

    items: list[ReportOut]
    next_cursor: str
    has_more: bool


class IssuedOut(BaseModel):
    """What anybody may know of an issued report."""

    kind: str
    title: str
    subject_name: str
    subjects: int
    uscc: str
    generated_at: datetime
    valid_to: date
    content_sha256: str = Field(description="Printed in the report")
    file_sha256: str = Field(description="Of the file as it was issued")
    signed: str = Field(description="What the signature is over, byte for byte")
    signature: str = Field(description="ed25519;<key id>;<base64url>")
    public_key: str


class VerificationOut(BaseModel):
    """Whether a report may be relied on."""

    report_no: str
    standing: Literal["valid", "superseded", "withdrawn", "expired", "unknown"]
    since: date | None = Field(description="From this day it should not be relied on")
    why: str
    report: IssuedOut | None


_FILE_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {PDF: {"schema": {"type": "string", "format": "binary"}}}},
    **{status: {"description": "Problem details (RFC 9457)"} for status in (404, 409, 503)},
}


@blueprint.post("")
@permission("reports:request")
@blueprint.input(WishIn)
@blueprint.output(ReportOut, status_code=202)
@blueprint.doc(summary="Ask for a report; a worker makes it", responses=[503])
def request_report(json_data: WishIn) -> tuple[dict[str, Any], int, dict[str, str]]:
    """A company's client asks for reports on itself only."""
    given = json_data
    wish = Wish(given.kind, tuple(given.usccs), given.purpose, given.uri, given.authorisation)
    row = operations.request(services(), _asker(), wish)
    return report_json(row), 202, {"Location": f"/api/v1/reports/{row.report_no}"}


@blueprint.get("")
@permission("reports:read")
@blueprint.input(ListIn, location="query")
@blueprint.output(ReportsOut)
@blueprint.doc(summary="Reports: one's own, or all of them for an authority", responses=[503])
def list_reports(query_data: ListIn) -> dict[str, Any]:
    """The newest first."""
    found = operations.list_reports(services(), _asker(), after=_place(query_data.cursor), limit=query_data.limit + 1)
    page = found[: query_data.limit]
    has_more = len(found) > len(page)
    last = _cursor(page[-1]) if page and has_more else ""
    return {"items": [report_json(row) for row in page], "next_cursor": last, "has_more": has_more}


@blueprint.post("/third-party")
@permission("reports:request")
@blueprint.input(ThirdPartyIn)
@blueprint.output(ThirdPartyOut, status_code=201)
@blueprint.doc(summary="Take in a report of a credit service agency and compare it", responses=[409, 503])
def take_third_party(json_data: ThirdPartyIn) -> dict[str, Any]:
    """With identity of the agency, validity and digest of the file; the same one again changes nothing."""
    fields = json_data.model_dump(exclude={"claims"})
    said = json_data.claims
    claims = Claims(said.penalties, None if said.lists is None else tuple(said.lists), said.grade)
    return third_party_json(accepting.take(services(), _asker(), ThirdPartyReport(**fields, claims=claims)))


@blueprint.get("/third-party/<uscc>")
@permission("credit:read")
@blueprint.output(ThirdPartiesOut)
@blueprint.doc(summary="Reports of agencies about one subject", responses=[503])
def third_party_of(uscc: str) -> dict[str, Any]:
    """Each with the differences of the day it was taken in."""
    return {"items": [third_party_json(row) for row in accepting.of_subject(services(), uscc)]}


@blueprint.get("/<report_no>")
@permission("reports:read")
@blueprint.output(ReportOut)
@blueprint.doc(summary="One report", responses=[404, 503])
def one(report_no: str) -> dict[str, Any]:
    """`requested` until the worker has made it."""
    return report_json(operations.open_report(services(), _asker(), report_no))


@blueprint.get("/<report_no>/file")
@permission("reports:request")
@blueprint.doc(summary="The report as PDF", responses=_FILE_ANSWERS)
def file(report_no: str) -> Response:
    """Each download is in the audit log."""
    row, data = operations.download(services(), _asker(), report_no)
    answer = Response(data, content_type=PDF)
    answer.headers["Content-Disposition"] = f'attachment; filename="{row.report_no}.pdf"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/<report_no>/withdrawal")
@permission("reports:withdraw")
@blueprint.input(WithdrawIn)
@blueprint.output(ReportOut)
@blueprint.doc(summary="Withdraw a report that should not have been issued", responses=[404, 409, 503])
def withdraw(report_no: str, json_data: WithdrawIn) -> dict[str, Any]:
    """Its verify page says so at once."""
    return report_json(operations.withdraw(services(), _asker(), report_no, json_data.reason))


@blueprint.get("/<report_no>/verification")
@public
@blueprint.output(VerificationOut)
@blueprint.doc(summary="Whether a report is valid, superseded, withdrawn, expired or unknown", responses=[503])
def verification(report_no: str) -> dict[str, Any]:
    """No log-in: whoever holds a report may ask. A number that was never issued is `unknown`, status 200."""
    return verification_json(operations.verify(services(), report_no), services().settings)


def _asker() -> Asker:
    client = current_client()
    return Asker(f"client:{client.client_id}", client.subject, client.name)


def _cursor(row: Report) -> str:
    return f"{to_microseconds(row.requested_at)}.{row.report_no}"


def _place(cursor: str) -> tuple[datetime, str] | None:
    if not cursor:
        return None
    found = _CURSOR.match(cursor)
    if found is None:
        raise InputError("this is no cursor of this server", where="cursor", remedy="use next_cursor as it was given")
    return EPOCH + timedelta(microseconds=int(found[1])), found[2]
