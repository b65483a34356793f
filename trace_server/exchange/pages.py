"""The credit office's exchange desk: the feed and everybody's lag, receipts, the daily comparison."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from flask import Blueprint, Response, request

from trace_core.errors import InputError, TraceError
from trace_server.exchange import hooks, pulling
from trace_server.exchange.model import CheckState, NoSuchHook
from trace_server.faces.rendering import FieldError
from trace_server.services import services
from trace_server.users.access import console, current_person, finish, page

blueprint = Blueprint("exchange_desk", __name__)

PATH = "/console/exchange"
MOST = 50


@blueprint.get("/console/exchange")
@console("repairs:decide")
def feed_monitor() -> Response:
    """Highest number, gaps, lag and what is not confirmed; the newest stops with their proofs."""
    db = services().db
    return page("exchange", monitor=pulling.monitor(db), stops=pulling.stops(db, MOST), now=services().clock())


@blueprint.get("/console/exchange/changes/<int:seq>")
@console("repairs:decide")
def proofs(seq: int) -> Response:
    """Who had the record, and who has confirmed that it is no longer shared."""
    change, found = pulling.proofs(services().db, min(seq, 2**62))
    return page("exchange_proofs", change=change, proofs=found)


@blueprint.post("/console/exchange/hooks/<hook_id>/replay")
@console("repairs:decide")
def replay(hook_id: str) -> Response:
    """Try again everything that was given up."""
    outside = services()
    try:
        key = UUID(hook_id).bytes
    except ValueError as error:
        raise NoSuchHook("there is no such webhook", where="hook_id") from error
    hooks.replay(outside.db, outside.clock(), current_person().user.actor, "", key)
    return _go(PATH)


@blueprint.get("/console/exchange/comparisons")
@console("repairs:decide")
def comparisons() -> Response:
    """Both sides' counts and digests by day."""
    return _comparisons()


@blueprint.post("/console/exchange/comparisons")
@console("repairs:decide")
def settle() -> Response:
    """Say why both sides differed and what was done."""
    form, outside = request.form, services()
    try:
        try:
            day = date.fromisoformat(form.get("day", ""))
        except ValueError as error:
            raise InputError("the form is incomplete", where="note", remedy="reload the page") from error
        actor = current_person().user.actor
        pulling.settle_check(outside.db, outside.clock(), actor, form.get("client_id", ""), day, form.get("note", ""))
    except TraceError as error:
        return _comparisons(400, (FieldError("note", error.what),))
    return _go(f"{PATH}/comparisons")


def _comparisons(status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    found, names = pulling.checks(services().db)
    open_ones = [one for one in found if one.state is CheckState.OPEN]
    return page(
        "exchange_checks", status, errors=errors, checks=found, open_checks=open_ones, names=names, typed=request.form
    )


def _go(path: str) -> Response:
    return finish(Response(status=303, headers={"Location": path}))
