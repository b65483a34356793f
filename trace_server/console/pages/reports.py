"""Credit reports: ask for one, or for a review of many; the list; one report with its file."""

from __future__ import annotations

from flask import Blueprint, Response, request

from trace_core.errors import TraceError
from trace_server.accounts.model import Permission
from trace_server.console.pages._answers import go, mistakes, place, words
from trace_server.faces.rendering import FieldError
from trace_server.reports import operations
from trace_server.reports.model import Asker, Wish
from trace_server.reports.words import KINDS, STANDINGS, STATES, WHY
from trace_server.services import services
from trace_server.users.access import console, current_person, finish, page

blueprint = Blueprint("reports", __name__)

PATH = "/console/reports"
PAGE = 50
MAX_TYPED = 8000


@blueprint.get("/console/reports")
@console("reports:read")
def list_reports() -> Response:
    """The newest first, and the form."""
    return _list()


@blueprint.post("/console/reports")
@console("reports:request")
def request_report() -> Response:
    """One code or many, one a line."""
    form = request.form
    usccs = tuple(form.get("usccs", "")[:MAX_TYPED].replace(",", " ").replace("，", " ").split())
    wish = Wish(
        form.get("kind", ""), usccs, form.get("purpose", ""), form.get("uri", ""), form.get("authorisation", "")
    )
    try:
        row = operations.request(services(), _asker(), wish)
    except TraceError as error:
        return _list(400, mistakes(error, "usccs"))
    return go(f"{PATH}/{row.report_no}")


@blueprint.get("/console/reports/<report_no>")
@console("reports:read")
def report_page(report_no: str) -> Response:
    """How it stands."""
    return _one(report_no)


@blueprint.post("/console/reports/<report_no>/file")
@console("reports:request")
def file(report_no: str) -> Response:
    """The PDF; a POST, because each download is written down."""
    try:
        row, data = operations.download(services(), _asker(), report_no)
    except TraceError as error:
        return _one(report_no, 409, mistakes(error, "file"))
    answer = finish(Response(data, content_type="application/pdf"))
    answer.headers["Content-Disposition"] = f'attachment; filename="{row.report_no}.pdf"'
    return answer


@blueprint.post("/console/reports/<report_no>/withdrawal")
@console("reports:withdraw")
def withdraw(report_no: str) -> Response:
    """With a reason, which the verify page says."""
    try:
        operations.withdraw(services(), _asker(), report_no, request.form.get("reason", ""))
    except TraceError as error:
        return _one(report_no, 400, mistakes(error, "reason"))
    return go(f"{PATH}/{report_no}")


def _asker() -> Asker:
    user = current_person().user
    return Asker(user.actor, user.scope.subject, user.display_name)


def _list(status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    found = operations.list_reports(services(), _asker(), after=place(request.args.get("cursor", "")), limit=PAGE + 1)
    shown = found[:PAGE]
    last = f"{shown[-1].requested_at.isoformat()}~{shown[-1].report_no}" if len(found) > PAGE else ""
    return page(
        "reports",
        status,
        errors=errors,
        reports=shown,
        next_cursor=last,
        kinds=words(KINDS),
        states=words(STATES),
        typed=request.form,
        may_request=Permission.REPORTS_REQUEST in current_person().user.permissions,
    )


def _one(report_no: str, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    row = operations.open_report(services(), _asker(), report_no)
    permissions = current_person().user.permissions
    return page(
        "report",
        status,
        errors=errors,
        report=row,
        found=operations.verify(services(), row.report_no),
        verify_url=f"{services().settings.public_url}/verify/{row.report_no}",
        kinds=words(KINDS),
        states=words(STATES),
        standings=words(STANDINGS),
        whys=words(WHY),
        typed=request.form,
        may_request=Permission.REPORTS_REQUEST in permissions,
        may_withdraw=Permission.REPORTS_WITHDRAW in permissions,
    )
