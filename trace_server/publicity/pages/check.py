"""The restriction check as a page and a badge to embed in bidding, procurement and licensing systems (二(三)).

Its link is signed: whoever asked for it may check, and said what for. It shows companies and measures, no person.
"""

from __future__ import annotations

from dataclasses import replace

from flask import Response, request

from trace_core.errors import IdentifierError
from trace_core.ids import uscc
from trace_server.accounts.access import public
from trace_server.catalog import store as catalog
from trace_server.lists import operations as lists
from trace_server.lists.model import PageLink, Restriction
from trace_server.publicity.badge import badge
from trace_server.publicity.check_words import EFFECTS, OVER
from trace_server.publicity.pages.frame import answer, blueprint, this_page
from trace_server.services import services

MAX_FIELD = 64
MAX_DIGITS = 12
LINK = ("field", "until", "s")
"""What the signed link holds; the switch of languages keeps it."""


@blueprint.get("/check/<code>")
@public
def check(code: str) -> Response:
    """What the subject may do in the field, as it is now."""
    outside, found = services(), _found(code)
    subject = None
    if found is not None:
        with outside.db.read() as conn:
            subject = catalog.subject(conn, found.uscc)
    facts = {
        "found": found,
        "subject": subject,
        "said": EFFECTS[found.effect] if found else OVER,
        "now": outside.clock(),
    }
    page = this_page()
    link = {name: request.args.get(name, "")[:MAX_FIELD] for name in LINK}
    response = answer(
        replace(page, query={**page.query, **link}), "publicity/check.html", 200 if found else 403, **facts
    )
    policy = response.headers["Content-Security-Policy"]
    response.headers["Content-Security-Policy"] = policy.replace("frame-ancestors 'none'", "frame-ancestors *")
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/check/<code>/badge.svg")
@public
def check_badge(code: str) -> Response:
    """The same as a picture, drawn at each request."""
    found = _found(code)
    said = EFFECTS[found.effect] if found else OVER
    page = this_page()
    svg = badge(said, found.uscc if found else "", services().clock(), page.language)
    response = Response(svg, 200 if found else 403, content_type="image/svg+xml; charset=utf-8")
    response.headers["Content-Language"] = page.language
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept-Language"
    return response


def _found(code: str) -> Restriction | None:
    """The check behind the link, None for one that is not ours or is over."""
    until = request.args.get("until", "")
    if not (until.isascii() and until.isdigit() and len(until) <= MAX_DIGITS):
        return None
    try:
        parsed = uscc.parse(code).code
    except IdentifierError:
        return None  # a link of ours holds a code that was checked
    field, signature = request.args.get("field", "")[:MAX_FIELD], request.args.get("s", "")[:64]
    return lists.read_page(services(), PageLink(parsed, field, int(until), signature))
