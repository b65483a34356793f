"""Cases: the list, one case with its dossier, and its steps."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, request

from trace_core.errors import InputError, TraceError
from trace_server.cases import operations
from trace_server.cases.model import CaseEvent, CaseState
from trace_server.cases.operations import NewCase, Step
from trace_server.cases.rules import rule_of
from trace_server.cases.states import ENDED, WITH_DOCUMENT
from trace_server.cases.store import Wanted
from trace_server.console.pages._answers import go, mistakes, words
from trace_server.console.rules import actor_of, facets
from trace_server.console.words import CASE_EVENTS, CASE_STATES, CATEGORIES
from trace_server.faces.rendering import FieldError
from trace_server.services import services
from trace_server.users.access import chosen_language, console, current_person, page

blueprint = Blueprint("cases", __name__)

PATH = "/console/cases"
PAGE = 50
WITH_FORMS = frozenset({CaseEvent.TRANSFER, CaseEvent.DECIDE, CaseEvent.RECEIVE, CaseEvent.REFUSE})
"""Steps that have a form of their own."""


@blueprint.get("/console/cases")
@console("cases:read")
def list_cases() -> Response:
    """Oldest first; filters are in the address."""
    return _list()


@blueprint.post("/console/cases")
@console("cases:handle")
def open_case() -> Response:
    """A clue that came from elsewhere than an alert."""
    form = request.form
    new = NewCase(
        form.get("title", ""), form.get("category", ""), form.get("region", ""), form.get("subject", "").strip()
    )
    try:
        case = operations.open_case(services(), actor_of(current_person().user), new)
    except TraceError as error:
        return _list(400, mistakes(error, "title"))
    return go(f"{PATH}/{case.case_id}")


@blueprint.get("/console/cases/<case_id>")
@console("cases:read")
def case_page(case_id: str) -> Response:
    """The dossier."""
    return _one(case_id)


@blueprint.post("/console/cases/<case_id>/steps")
@console("cases:handle")
def take_step(case_id: str) -> Response:
    """One step, with its words and its paper."""
    form, actor = request.form, actor_of(current_person().user)
    try:
        event = form.get("event", "")
        version = _version(form.get("version", ""))
        text, document_no = form.get("text", ""), form.get("document_no", "")
        if event == "note":
            operations.add_note(services(), actor, case_id, text, document_no)
        elif event == CaseEvent.TRANSFER:
            operations.transfer(
                services(), actor, case_id, to_department=form.get("to_department", ""),
                is_outside="is_outside" in form, reason=text, version=version,
            )  # fmt: skip
        elif event == operations.JOINT:
            made = operations.open_joint(
                services(), actor, case_id, to_department=form.get("to_department", ""), reason=text
            )
            return go(f"{PATH}/{made.case_id}")
        elif event in (CaseEvent.RECEIVE, CaseEvent.REFUSE):
            accept = event == CaseEvent.RECEIVE
            operations.answer_transfer(services(), actor, case_id, accept=accept, answer=text, version=version)
        elif event in {step.value for step in CaseEvent} - {step.value for step in WITH_FORMS}:
            operations.take_step(services(), actor, case_id, Step(CaseEvent(event), version, text, document_no))
        else:
            raise InputError("choose a step", where="event")
    except TraceError as error:
        return _one(case_id, 400, mistakes(error, "text"))
    return go(f"{PATH}/{case_id}")


def _list(status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    outside, actor = services(), actor_of(current_person().user)
    state = request.args.get("state", "")
    wanted = Wanted((CaseState(state),) if state in CASE_STATES else ())
    found = operations.list_cases(outside, actor, wanted, after=_after(), limit=PAGE + 1)
    counts = {key.value: count for key, count in operations.count_cases(outside, actor, Wanted()).items()}
    shown = found[:PAGE]
    last = f"{shown[-1].opened_at.isoformat()}~{shown[-1].case_id}" if len(found) > PAGE else ""
    return page(
        "cases",
        status,
        errors=errors,
        cases=shown,
        states=words(CASE_STATES),
        categories=words(CATEGORIES),
        facets=facets(PATH, {"state": state}, "state", counts, words(CASE_STATES)),
        next_cursor=last,
        state=state,
        may_handle="cases:handle" in current_person().user.permissions,
        typed=request.form,
        now=outside.clock(),
    )


def _one(case_id: str, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    outside, user = services(), current_person().user
    actor = actor_of(user)
    dossier = operations.dossier(outside, actor, case_id)
    case, now = dossier.case, outside.clock()
    waiting = [one for one in dossier.transfers if not one.receipt]
    return page(
        "case",
        status,
        errors=errors,
        case=case,
        dossier=dossier,
        steps=[event for event in operations.possible_steps(case, actor) if event not in WITH_FORMS],
        all_steps=operations.possible_steps(case, actor),
        with_document=WITH_DOCUMENT,
        waiting=waiting[-1] if waiting else None,
        may_join=actor.department == case.department and case.state not in ENDED,
        may_answer=bool(waiting) and (waiting[-1].to_department == actor.department or waiting[-1].is_outside),
        rule=rule_of(case.state, now.date()),
        states=words(CASE_STATES),
        events=words(CASE_EVENTS),
        categories=words(CATEGORIES),
        language=chosen_language(),
        may_handle="cases:handle" in user.permissions,
        now=now,
        typed=request.form,
    )


def _after() -> tuple[datetime, str] | None:
    moment, _, case_id = request.args.get("cursor", "")[:128].partition("~")
    if not case_id:
        return None
    try:
        return datetime.fromisoformat(moment.replace(" ", "+")), case_id
    except ValueError as error:
        raise InputError("this is no cursor of this server", where="cursor") from error


def _version(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise InputError("somebody else changed the case meanwhile", where="version")
    return int(text)
