"""The repair desk: applications with their clocks, and the authority's steps by two persons."""

from __future__ import annotations

from flask import Blueprint, Response, request

from trace_core.errors import InputError, NotFound, TraceError
from trace_server.console.pages._answers import go, mistakes, words
from trace_server.console.words import REPAIR_EVENTS, REPAIR_STATES
from trace_server.credit import publication
from trace_server.faces.rendering import FieldError
from trace_server.repairs import operations
from trace_server.repairs.model import Application, RepairEvent, RepairState
from trace_server.repairs.states import TRANSITIONS
from trace_server.services import services
from trace_server.users.access import console, current_person, page

blueprint = Blueprint("repairs", __name__)

PATH = "/console/repairs"
MOST = 500


@blueprint.get("/console/repairs")
@console("repairs:decide")
def list_repairs() -> Response:
    """In the order they came; `state` narrows."""
    return _list()


@blueprint.post("/console/repairs")
@console("repairs:decide")
def apply() -> Response:
    """Take down an application that came on paper; it is free of charge."""
    form = request.form
    papers = tuple(line.strip() for line in form.get("papers", "").splitlines() if line.strip())
    try:
        row = operations.apply(
            services(), current_person().user.actor, form.get("record_id", "").strip(), owner=None,
            correction=form.get("correction", ""), promise=form.get("promise", ""), papers=papers,
        )  # fmt: skip
    except (TraceError, ValueError) as error:
        told = error if isinstance(error, TraceError) else InputError("there is no such record", where="record_id")
        return _list(400, mistakes(told, "record_id"))
    return go(f"{PATH}/{row.application_id}")


@blueprint.get("/console/repairs/<application_id>")
@console("repairs:decide")
def one(application_id: str) -> Response:
    """One application beside its record."""
    return _one(application_id)


@blueprint.post("/console/repairs/<application_id>/steps")
@console("repairs:decide")
def step(application_id: str) -> Response:
    """Return, accept, grant or refuse."""
    form = request.form
    try:
        event = form.get("event", "")
        version = form.get("version", "")
        if event not in REPAIR_EVENTS or not version.isdecimal():
            raise InputError("choose a step", where="event")
        operations.decide(
            services(), current_person().user.actor, application_id, RepairEvent(event),
            reason=form.get("reason", ""), document_no=form.get("document_no", ""), version=int(version[:9]),
        )  # fmt: skip
    except TraceError as error:
        return _one(application_id, 400, mistakes(error, "reason"))
    return go(f"{PATH}/{application_id}?done=1")


def _list(status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    chosen = request.args.get("state", "")
    state = RepairState(chosen) if chosen in REPAIR_STATES else None
    found = operations.list_applications(services(), "", state, after=None, limit=MOST)
    return page(
        "repairs",
        status,
        errors=errors,
        applications=found,
        states=words(REPAIR_STATES),
        state=chosen,
        now=services().clock(),
        typed=request.form,
    )


def _one(application_id: str, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    row = _find(application_id)
    record, _ = publication.read(services(), row.record_id)
    steps = [event.value for event in TRANSITIONS.get(row.state, {}) if event is not RepairEvent.SUBMIT]
    return page(
        "repair",
        status,
        errors=errors,
        row=row,
        record=record,
        states=words(REPAIR_STATES),
        events=words(REPAIR_EVENTS),
        steps=steps,
        now=services().clock(),
        done=request.args.get("done", ""),
        typed=request.form,
    )


def _find(application_id: str) -> Application:
    row = operations.find(services(), application_id)
    if row is None:
        raise NotFound("there is no such application", where="application_id")
    return row
