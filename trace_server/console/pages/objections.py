"""Objections: the list, one objection with what it is about, raising one, and the authority's steps."""

from __future__ import annotations

from flask import Blueprint, Response, request

from trace_core.errors import InputError, TraceError
from trace_server.console.credit_words import OBJECTION_EVENTS, OBJECTION_STATES, REMEDIES, TARGETS
from trace_server.console.pages._answers import go, mistakes, own_user, place, version_of, words
from trace_server.console.rules import facets
from trace_server.faces.rendering import FieldError
from trace_server.objections import operations, rules
from trace_server.objections.model import Objection, ObjectionEvent, ObjectionState, Remedy, TargetKind
from trace_server.objections.operations import Claim, Step
from trace_server.objections.states import DECIDES, TRANSITIONS
from trace_server.services import services
from trace_server.users.access import console, current_person, page

blueprint = Blueprint("objections", __name__)

PATH = "/console/objections"
PAGE = 50
RAISE_FIELDS = frozenset({"kind", "target", "claim", "papers", "representative"})
STEP_FIELDS = frozenset({"event", "reason", "document_no", "remedy", "changes"})


@blueprint.get("/console/objections")
@console("objections:read")
def list_objections() -> Response:
    """Oldest first; filters are in the address. `kind` and `target` in it fill the form."""
    return _list()


@blueprint.post("/console/objections")
@console("objections:raise")
def raise_objection() -> Response:
    """Raise one: a company about itself, an authority one that came on paper."""
    user, form = own_user(), request.form
    try:
        if form.get("kind", "") not in TARGETS:
            raise InputError("choose a step", where="kind")
        claim = Claim(
            TargetKind(form["kind"]), form.get("target", "").strip(), form.get("claim", ""),
            tuple(form.get("papers", "").splitlines()), form.get("representative", ""),
        )  # fmt: skip
        row = operations.raise_objection(services(), user.actor, claim, owner=user.scope.subject or None)
    except TraceError as error:
        return _list(400, mistakes(error, "target", known=RAISE_FIELDS))
    return go(f"{PATH}/{row.objection_id}")


@blueprint.get("/console/objections/<objection_id>")
@console("objections:read")
def objection_page(objection_id: str) -> Response:
    """One objection with its steps."""
    return _one(objection_id)


@blueprint.post("/console/objections/<objection_id>/steps")
@console("objections:decide")
def take_step(objection_id: str) -> Response:
    """One step, with its words and its paper."""
    form = request.form
    try:
        event, remedy = form.get("event", ""), form.get("remedy", "")
        if event not in OBJECTION_EVENTS:
            raise InputError("choose a step", where="event")
        is_proposal = event == ObjectionEvent.PROPOSE
        step = Step(
            ObjectionEvent(event), version_of(form), form.get("reason", ""), form.get("document_no", ""),
            Remedy(remedy) if is_proposal and remedy in REMEDIES else Remedy.NONE,
            rules.read_changes(form.get("changes", "")) if is_proposal else {},
        )  # fmt: skip
        operations.take_step(services(), current_person().user.actor, objection_id, step)
    except TraceError as error:
        return _one(objection_id, 400, mistakes(error, "event", known=STEP_FIELDS))
    return go(f"{PATH}/{objection_id}")


def _list(status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    outside, user = services(), own_user()
    # As with commitments: a company is not told what waits for a second person.
    state = "" if user.scope.subject else request.args.get("state", "")
    counts = operations.count_objections(outside, user.scope.subject)
    found = operations.list_objections(
        outside, user.scope.subject, ObjectionState(state) if state in OBJECTION_STATES else None,
        after=place(request.args.get("cursor", "")), limit=PAGE + 1,
    )  # fmt: skip
    shown = found[:PAGE]
    return page(
        "objections",
        status,
        errors=errors,
        rows=[(row, _state(row, user.scope.subject)) for row in shown],
        states=words(OBJECTION_STATES),
        targets=words(TARGETS),
        facets=[] if user.scope.subject else facets(PATH, {"state": state}, "state", counts, words(OBJECTION_STATES)),
        next_cursor=f"{shown[-1].raised_at.isoformat()}~{shown[-1].objection_id}" if len(found) > PAGE else "",
        state=state,
        may_raise="objections:raise" in user.permissions,
        own=user.scope.subject,
        now=outside.clock(),
        typed=request.form or request.args,
    )


def _one(objection_id: str, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    outside, user = services(), own_user()
    row = operations.open_objection(outside, objection_id, owner=user.scope.subject)
    state = _state(row, user.scope.subject)
    steps = list(TRANSITIONS[row.state]) if "objections:decide" in user.permissions else []
    return page(
        "objection",
        status,
        errors=errors,
        row=row,
        state=state,
        is_told=state == row.state,
        steps=steps,
        decides=DECIDES,
        remedies=[name for name in REMEDIES if not (row.kind is TargetKind.LIST and name == Remedy.CORRECT)],
        target_path=_target_path(row),
        states=words(OBJECTION_STATES),
        events=words(OBJECTION_EVENTS),
        targets=words(TARGETS),
        remedy_words=words(REMEDIES),
        now=outside.clock(),
        typed=request.form,
    )


def _state(row: Objection, own: str) -> str:
    is_pending = bool(own) and row.state is ObjectionState.PROPOSED
    return (ObjectionState.RAISED if is_pending else row.state).value


def _target_path(row: Objection) -> str:
    """Where one looks at what it is about, "" when no page shows it."""
    if row.kind is TargetKind.COMMITMENT:
        return f"/console/commitments/{row.target}"
    return f"/credit/{row.uscc}" if row.uscc else ""
