"""What all pages of the public site share: the blueprint, the language of a request, and the answer.

Complete without JavaScript, nothing from another host, no cookie.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, Response, request

from trace_core.errors import InputError
from trace_server.languages import SOURCE
from trace_server.publicity.rendering import Page, choose_language, render
from trace_server.services import services

blueprint = Blueprint("publicity", __name__)

MAX_AGE_S = 60
"""How long a copy of a page may live: a withdrawn decision is gone everywhere within this time."""
KEPT = ("q", "region", "category", "from", "to", "state")
"""Parameters that the switch of languages and the next page keep."""


def this_page() -> Page:
    """Where the reader is, and in which language."""
    language = choose_language(request.args.get("lang", ""), request.headers.get("Accept-Language", ""))
    query = {name: value[:100] for name, value in request.args.items() if name in KEPT and value}
    return Page(language, request.path, query, services().settings.public_url)


def refuse_doubles() -> None:
    """A parameter given twice could be read as one by us and as the other by a proxy (ASVS 15.3.7)."""
    for name, values in request.args.lists():
        if len(values) > 1:
            raise InputError(f"the parameter {name!r:.40} is given twice", where=name[:40])


def next_link(page: Page, cursor: str) -> str:
    """Address of the rows behind these, "" when there are none."""
    if not cursor:
        return ""
    language = {} if page.language == SOURCE else {"lang": page.language}
    return f"{page.path}?{urlencode({**page.query, **language, 'cursor': cursor})}"


def answer(page: Page, template: str, status: int, /, **facts: object) -> Response:
    """A page; the fact `following`, address of the next one, is told in the header too (RFC 8288)."""
    html, policy = render(page, template, facts)
    response = Response(html, status, content_type="text/html; charset=utf-8")
    response.headers["Content-Language"] = page.language
    response.headers["Content-Security-Policy"] = policy
    response.headers["Cache-Control"] = f"public, max-age={MAX_AGE_S}" if status == 200 else "no-store"
    response.headers["Vary"] = "Accept-Language"
    if following := facts.get("following"):
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response
