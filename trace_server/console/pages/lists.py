"""The desk of lists: who is on which list and until when; propose, notify, list by a second person, remove."""

from __future__ import annotations

from flask import Blueprint, Response, request

from trace_core.errors import InputError, TraceError
from trace_server.console.credit_words import LIST_EVENTS, LIST_STATES
from trace_server.console.pages._answers import go, mistakes, version_of, words
from trace_server.credit.steps import law_day
from trace_server.faces.rendering import FieldError
from trace_server.lists import operations, rules
from trace_server.lists.model import ListEvent, ListState
from trace_server.lists.operations import Proposal
from trace_server.services import services
from trace_server.users.access import chosen_language, console, current_person, page

blueprint = Blueprint("list_desk", __name__)

PATH = "/console/lists"
PAGE = 100
MAX_ID = 32
FIELDS = ("list", "uscc", "reason", "document_no", "issuer")


@blueprint.get("/console/lists")
@console("lists:manage")
def list_memberships() -> Response:
    """By membership; `list` and `state` narrow."""
    return _list()


@blueprint.post("/console/lists")
@console("lists:manage")
def propose() -> Response:
    """Propose a subject; somebody else lists it."""
    form = request.form
    try:
        row = operations.propose(
            services(), current_person().user.actor, Proposal(*(form.get(name, "").strip() for name in FIELDS))
        )
    except TraceError as error:
        return _list(400, mistakes(error, "uscc", known=FIELDS))
    return go(f"{PATH}/{row.membership_id}?done=1")


@blueprint.get("/console/lists/<membership_id>")
@console("lists:manage")
def one(membership_id: str) -> Response:
    """One membership with its days, and what follows from it in which field."""
    return _one(membership_id)


@blueprint.post("/console/lists/<membership_id>/steps")
@console("lists:manage")
def step(membership_id: str) -> Response:
    """Notify, list, drop, remove, revoke."""
    form = request.form
    try:
        event = form.get("event", "")
        if event not in LIST_EVENTS:
            raise InputError("choose a step", where="event")
        operations.take_step(
            services(), current_person().user.actor, membership_id, ListEvent(event), version=version_of(form),
            reason=form.get("reason", ""),
        )  # fmt: skip
    except TraceError as error:
        return _one(membership_id, 400, mistakes(error, "event", known=("event", "version", "reason")))
    return go(f"{PATH}/{membership_id}?done=1")


def _list(status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    chosen, state = request.args.get("list", ""), request.args.get("state", "")
    chosen = chosen if chosen in rules.kinds() else ""
    states = (ListState(state),) if state in LIST_STATES else ()
    after = request.args.get("after", "")[:MAX_ID]
    found = operations.memberships(services(), chosen, states, after=after, limit=PAGE + 1)
    return page(
        "lists",
        status,
        errors=errors,
        rows=found[:PAGE],
        more=found[PAGE - 1].membership_id if len(found) > PAGE else "",
        names=_names(),
        states=words(LIST_STATES),
        chosen=chosen,
        state=state if states else "",
        bureau=current_person().user.department,
        typed=request.form,
    )


def _one(membership_id: str, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    outside = services()
    row = operations.open_membership(outside, membership_id[:MAX_ID])
    today = law_day(outside.clock())
    return page(
        "list_entry",
        status,
        errors=errors,
        row=row,
        name=_names()[row.list_id],
        kind=rules.kind(row.list_id),
        measures=[measure for measure in rules.measures() if measure.list == row.list_id],
        early=rules.early_from(row),
        states=words(LIST_STATES),
        events=words(LIST_EVENTS),
        steps=[event.value for event in operations.possible_steps(row, today)],
        is_own=row.proposed_by == current_person().user.actor,
        now=outside.clock(),
        done=request.args.get("done", ""),
        typed=request.form,
    )


def _names() -> dict[str, str]:
    """List → its name in the reader's language."""
    is_english = chosen_language() == "en"
    return {kind.id: kind.title_en if is_english else kind.title for kind in rules.kinds().values()}
