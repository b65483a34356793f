"""One field for every code: the page it leads to, or a short list."""

from __future__ import annotations

from flask import Blueprint, Response, request

from trace_server.console.operations import MAX_QUERY, find
from trace_server.console.pages._answers import go, words
from trace_server.console.search_words import KINDS
from trace_server.services import services
from trace_server.users.access import console, current_person, page

blueprint = Blueprint("search", __name__)


@blueprint.get("/console/search")
@console("credit:read")
def search() -> Response:
    """One hit leads straight to its page; several, or none, are told."""
    text = request.args.get("q", "")[:MAX_QUERY].strip()
    found = find(services(), current_person().user, text)
    if len(found) == 1 and found[0].path.startswith("/console/"):
        return go(found[0].path)
    return page("search", found=found, typed=text, kinds=words(KINDS))
