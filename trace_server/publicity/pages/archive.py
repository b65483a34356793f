"""HTML routes of the public credit archive, of online sellers' marks, and of the check of a report."""

from __future__ import annotations

from urllib.parse import quote

from flask import Response, request

from trace_core.errors import IdentifierError
from trace_core.uplink import key_id
from trace_server.accounts.access import public
from trace_server.publicity import operations
from trace_server.publicity.badge import badge
from trace_server.publicity.pages.frame import MAX_AGE_S, answer, blueprint, this_page
from trace_server.publicity.shop_words import STANDING, UNKNOWN
from trace_server.reports import operations as reports
from trace_server.reports.model import Standing
from trace_server.reports.signing import public_key
from trace_server.services import services
from trace_server.shops import operations as shops


@blueprint.get("/credit")
@public
def search() -> Response:
    """Search by code or name; a code leads straight to its archive."""
    page = this_page()
    found = operations.search(services(), request.args.get("q", ""))
    if found.code is not None:
        chosen = f"?lang={page.language}" if "lang" in request.args else ""
        return Response(status=303, headers={"Location": f"/credit/{found.code}{chosen}"})
    return answer(page, "publicity/search.html", 200, found=found, wrong_code="")


@blueprint.get("/credit/<code>")
@public
def archive(code: str) -> Response:
    """The archive of one subject; always an answer that helps, also for a code that is wrong or unknown."""
    page = this_page()
    try:
        shown = operations.open_archive(services(), code)
    except IdentifierError:
        empty = operations.search(services(), "")
        return answer(page, "publicity/search.html", 400, found=empty, wrong_code=code[:64])
    if not shown.is_known:
        return answer(page, "publicity/unknown.html", 404, code=shown.archive.uscc, as_of=shown.archive.as_of)
    facts = {"shown": shown, "archive": shown.archive, "subject": shown.subject, "graded": shown.grade}
    return answer(page, "publicity/archive.html", 200, **facts)


@blueprint.get("/shop/<mark>")
@public
def shop(mark: str) -> Response:
    """What an online seller's mark is worth now, and whose it is; also for a mark that nobody gave out."""
    page = this_page()
    shown = shops.shown(services(), mark)
    said = STANDING[shown.standing] if shown is not None else UNKNOWN
    facts = {"shown": shown, "said": said, "typed": mark[:64]}
    return answer(page, "publicity/shop.html", 404 if shown is None else 200, **facts)


@blueprint.get("/shop/<mark>/badge.svg")
@public
def shop_badge(mark: str) -> Response:
    """The badge for the seller's own page: a picture of the present state, which other hosts may show."""
    page, outside = this_page(), services()
    shown = shops.shown(outside, mark)
    said = STANDING[shown.standing] if shown is not None else UNKNOWN
    svg = badge(said, shown.shop.mark if shown is not None else "", outside.clock(), page.language)
    response = Response(svg, 404 if shown is None else 200, content_type="image/svg+xml; charset=utf-8")
    response.headers["Content-Language"] = page.language
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE_S}"
    response.headers["Vary"] = "Accept-Language"
    return response


@blueprint.get("/verify")
@public
def verify_form() -> Response:
    """Type the number of a report; it leads to its page."""
    page = this_page()
    number = request.args.get("no", "").strip()[:64]
    if not number:
        return answer(page, "publicity/verify_form.html", 200, number="")
    chosen = f"?lang={page.language}" if "lang" in request.args else ""
    return Response(status=303, headers={"Location": f"/verify/{quote(number, safe='')}{chosen}"})


@blueprint.get("/verify/<number>")
@public
def verify(number: str) -> Response:
    """Whether a report may be relied on; a number that was never issued is an answer too."""
    found = reports.verify(services(), number)
    is_known = found.standing is not Standing.UNKNOWN
    key = key_id(public_key(services().settings)) if is_known else ""
    facts = {"found": found, "report": found.report, "number": found.report_no, "key": key}
    made = answer(this_page(), "publicity/verify.html", 200 if is_known else 404, **facts)
    # A withdrawal counts at once.
    made.headers["Cache-Control"] = "no-store"
    return made
