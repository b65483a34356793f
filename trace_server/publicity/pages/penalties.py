"""Published decisions, the notices of withdrawn ones, and how punctual the authorities are."""

from __future__ import annotations

from uuid import UUID

from flask import Response, request

from trace_core.errors import InputError
from trace_server.accounts.access import public
from trace_server.credit.model import CATEGORIES, Asked
from trace_server.publicity import published
from trace_server.publicity.model import Withdrawal
from trace_server.publicity.pages.frame import answer, blueprint, next_link, refuse_doubles, this_page
from trace_server.recall.cursors import read_cursor, write_cursor
from trace_server.services import services

_OF = "penalties"
_OF_WITHDRAWN = "penalties withdrawn"


@blueprint.get("/penalties")
@public
def penalties() -> Response:
    """Decisions in their window, newest first; a mistake in the form is said beside its field."""
    refuse_doubles()
    page, outside = this_page(), services()
    typed = {name: request.args.get(name, "")[:100] for name in ("q", "region", "category", "from", "to")}
    wrong = ""
    try:
        wanted = published.asked(typed)
    except InputError as error:
        wanted, wrong = Asked(), error.where or "q"
    cursor = read_cursor(_OF, request.args.get("cursor", ""), outside.settings) if not wrong else None
    found = published.decisions(outside, wanted, cursor)
    following = next_link(page, write_cursor(_OF, found.last, outside.settings) if found.last else "")
    facts = {"found": found, "typed": typed, "wrong": wrong, "figures": published.figures(outside),
             "categories": CATEGORIES, "is_first": cursor is None, "is_asked": any(typed.values())}  # fmt: skip
    return answer(page, "publicity/penalties.html", 400 if wrong else 200, following=following, **facts)


@blueprint.get("/penalties/withdrawn")
@public
def withdrawn_penalties() -> Response:
    """Only number, authority and reason of decisions that were public and are withdrawn."""
    refuse_doubles()
    page, outside = this_page(), services()
    cursor = read_cursor(_OF_WITHDRAWN, request.args.get("cursor", ""), outside.settings)
    found = published.withdrawals(outside, cursor)
    following = next_link(page, write_cursor(_OF_WITHDRAWN, found.last, outside.settings) if found.last else "")
    return answer(page, "publicity/penalties_withdrawn.html", 200, following=following, found=found)


@blueprint.get("/penalties/timeliness")
@public
def timeliness() -> Response:
    """Published on time of all that had to be, authority by authority."""
    return answer(this_page(), "publicity/timeliness.html", 200, figures=published.figures(services()))


@blueprint.get("/penalties/<record_id>")
@public
def penalty(record_id: str) -> Response:
    """One decision in full, or what is left of it."""
    page, found = this_page(), None
    try:
        found = published.decision(services(), str(UUID(record_id)))
    except ValueError:
        # Not an id: nothing is there either.
        found = None
    if found is None:
        return answer(page, "publicity/ended.html", 404, what="penalty", back="/penalties")
    if isinstance(found, Withdrawal):
        return answer(page, "publicity/withdrawal.html", 200, gone=found)
    return answer(page, "publicity/penalty.html", 200, made=found, record=found.record)
