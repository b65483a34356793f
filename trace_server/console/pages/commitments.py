"""Commitments: the list, one commitment, signing and the authority's steps. A company's people see their own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import Blueprint, Response, request

from trace_core.errors import InputError, TraceError
from trace_server.commitments import operations, rules
from trace_server.commitments.model import Commitment, CommitmentEvent, CommitmentState, Finding, Promise, Publicity
from trace_server.commitments.operations import UNHEARD, Step
from trace_server.commitments.states import BY_OBJECTION
from trace_server.console.credit_words import COMMITMENT_EVENTS, COMMITMENT_STATES, PUBLICITIES
from trace_server.console.pages._answers import go, mistakes, own_user, place, version_of, words
from trace_server.console.rules import facets
from trace_server.credit.fields import PERSON, SUBJECT_KINDS
from trace_server.faces.rendering import FieldError
from trace_server.services import services
from trace_server.users.access import console, current_person, page

blueprint = Blueprint("commitments", __name__)

PATH = "/console/commitments"
PAGE = 50
STEP_FIELDS = frozenset({"event", "reason", "document_no", "unfulfilled", "pursued"})


@blueprint.get("/console/commitments")
@console("commitments:read")
def list_commitments() -> Response:
    """Oldest first; filters are in the address."""
    return _list()


@blueprint.post("/console/commitments")
@console("commitments:sign")
def sign() -> Response:
    """Register a commitment: a company its own, an authority one that came on paper."""
    user, form = own_user(), request.form
    try:
        row = operations.sign(services(), user.actor, _promise(form), owner=user.scope.subject or None)
    except TraceError as error:
        return _list(400, mistakes(error, "subject_name", known=frozenset(Promise.__dataclass_fields__)))
    return go(f"{PATH}/{row.code}")


@blueprint.get("/console/commitments/<code>")
@console("commitments:read")
def commitment_page(code: str) -> Response:
    """One commitment with its steps."""
    return _one(code)


@blueprint.post("/console/commitments/<code>/steps")
@console("commitments:decide")
def take_step(code: str) -> Response:
    """One step, with its words and its paper."""
    form = request.form
    try:
        event = form.get("event", "")
        if event not in COMMITMENT_EVENTS:
            raise InputError("choose a step", where="event")
        finding = Finding(unfulfilled=form.get("unfulfilled", "").strip(), pursued=form.get("pursued", "").strip())
        step = Step(
            CommitmentEvent(event), version_of(form), form.get("reason", ""), form.get("document_no", ""), finding
        )
        operations.take_step(services(), current_person().user.actor, code, step)
    except TraceError as error:
        return _one(code, 400, mistakes(error, "event", known=STEP_FIELDS))
    return go(f"{PATH}/{code}")


def _list(status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    outside, user = services(), own_user()
    # A company has no filter: with one it could tell a finding that no second person has confirmed.
    state = "" if user.scope.subject else request.args.get("state", "")
    counts = operations.count_commitments(outside, user.scope.subject)
    found = operations.list_commitments(
        outside, user.scope.subject, CommitmentState(state) if state in COMMITMENT_STATES else None,
        after=place(request.args.get("cursor", "")), limit=PAGE + 1,
    )  # fmt: skip
    shown = found[:PAGE]
    return page(
        "commitments",
        status,
        errors=errors,
        rows=[(row, rules.shared_name(row), _state(row, user.scope.subject)) for row in shown],
        states=words(COMMITMENT_STATES),
        facets=[] if user.scope.subject else facets(PATH, {"state": state}, "state", counts, words(COMMITMENT_STATES)),
        next_cursor=f"{shown[-1].signed_at.isoformat()}~{shown[-1].code}" if len(found) > PAGE else "",
        state=state,
        may_sign="commitments:sign" in user.permissions,
        own=user.scope.subject,
        types=list(rules.types().values()),
        kinds=[kind for kind in SUBJECT_KINDS if not (user.scope.subject and kind == PERSON)],
        publicities=words(PUBLICITIES),
        department=user.department,
        today=outside.clock(),
        typed=request.form,
    )


def _one(code: str, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    user = own_user()
    row = operations.open_commitment(services(), code, owner=user.scope.subject)
    may_decide = "commitments:decide" in user.permissions
    is_told = not user.scope.subject
    return page(
        "commitment",
        status,
        errors=errors,
        row=row,
        name=rules.shared_name(row),
        fields=rules.shared_fields(row),
        state=_state(row, user.scope.subject),
        proposed=row.finding if is_told and row.told_finding is not row.finding else None,
        reason=row.reason if is_told or row.told_state is row.state else "",
        steps=[event for event in rules.possible(row) if event not in BY_OBJECTION] if may_decide else [],
        may_object="objections:raise" in user.permissions and not row.objection and row.state not in UNHEARD,
        states=words(COMMITMENT_STATES),
        events=words(COMMITMENT_EVENTS),
        typed=request.form,
    )


def _state(row: Commitment, own: str) -> str:
    """As the reader may know it: a company is not told of a finding that no second person has confirmed."""
    return (row.told_state if own else row.state).value


def _promise(form: Mapping[str, str]) -> Promise:
    def text(name: str) -> str:
        return form.get(name, "").strip()

    until = text("valid_until")
    try:
        publicity = Publicity(text("publicity"))
    except ValueError as error:
        raise InputError("choose a step", where="publicity") from error
    return Promise(
        subject_name=text("subject_name"),
        subject_kind=text("subject_kind"),
        subject_code=text("subject_code"),
        type=text("type"),
        cause=text("cause"),
        content=text("content"),
        liability=text("liability"),
        made_on=_day(text("made_on"), "made_on"),
        valid_until=_day(until, "valid_until") if until else None,
        acceptor_name=text("acceptor_name"),
        acceptor_code=text("acceptor_code"),
        publicity=publicity,
        remarks=text("remarks"),
        repair_id=text("repair_id"),
    )


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError("choose a day", where=where) from error
