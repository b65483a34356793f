"""Recalls, open and closed, each in full and for good."""

from __future__ import annotations

from datetime import datetime

from flask import Response, request

from trace_server.accounts.access import public
from trace_server.credit.steps import law_day
from trace_server.publicity.pages.frame import answer, blueprint, next_link, refuse_doubles, this_page
from trace_server.publicity.published import PAGE
from trace_server.recall import announced
from trace_server.recall.cursors import read_cursor, write_cursor
from trace_server.services import services

_STATES = {"open": True, "closed": False}


@blueprint.get("/recalls")
@public
def recalls() -> Response:
    """Newest first; `?state=open` or `closed` narrows."""
    refuse_doubles()
    page, outside = this_page(), services()
    state = request.args.get("state", "")
    state = state if state in _STATES else ""
    of = f"recalls {state}"
    place = read_cursor(of, request.args.get("cursor", ""), outside.settings)
    after = (datetime.fromisoformat(place[0]), place[1]) if place else None
    found = announced.newest(outside.db, after=after, limit=PAGE + 1, is_open=_STATES.get(state))
    rows, cursor = found[:PAGE], ""
    if len(found) > PAGE and rows[-1].announced_at:
        cursor = write_cursor(of, (rows[-1].announced_at.isoformat(), rows[-1].recall_id), outside.settings)
    facts = {"rows": rows, "state": state, "is_closed": announced.is_closed, "as_of": law_day(outside.clock())}
    return answer(page, "publicity/recalls.html", 200, following=next_link(page, cursor), **facts)


@blueprint.get("/recalls/<recall_id>")
@public
def one_recall(recall_id: str) -> Response:
    """The whole notice with its batches."""
    page, outside = this_page(), services()
    found = announced.one(outside.db, recall_id)
    if found is None:
        return answer(page, "publicity/ended.html", 404, what="recall", back="/recalls")
    facts = {"shown": found, "row": found.recall, "said": found.recall.notice,
             "closed": announced.is_closed(found.recall), "as_of": law_day(outside.clock())}  # fmt: skip
    return answer(page, "publicity/recall.html", 200, **facts)
