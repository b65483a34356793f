"""The policy lab: versions of the grading policy, their simulation, risks, approvals, and what came of them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date

from flask import Blueprint, Response, request

from trace_core.errors import InputError, TraceError
from trace_server.console.pages._answers import go, mistakes, version_of, words
from trace_server.console.supervision_words import POLICY_EVENTS, POLICY_RULES, POLICY_STATES
from trace_server.credit.steps import law_day
from trace_server.faces.rendering import FieldError
from trace_server.policies import operations, rules
from trace_server.policies.model import Move, PolicyEvent, PolicyVersion, Risk
from trace_server.policies.operations import POLICY_ID
from trace_server.services import services
from trace_server.users.access import console, current_person, page
from trace_server.users.model import User

blueprint = Blueprint("policies", __name__)

PATH = "/console/policies"
RISK_ROWS = 4
BY_APPROVER = (PolicyEvent.APPROVE, PolicyEvent.RETURN, PolicyEvent.ACTIVATE, PolicyEvent.WITHDRAW)
FIELDS = frozenset({"text", "reason", "seed", "risks", "check_after_days", "event", "from_day"})


@blueprint.get("/console/policies")
@console("policies:read")
def list_policies() -> Response:
    """All versions, the newest first."""
    return page(
        "policies",
        rows=operations.list_versions(services()),
        states=words(POLICY_STATES),
        may_draft="policies:draft" in _user().permissions,
    )


@blueprint.get("/console/policies/new")
@console("policies:draft")
def new_draft() -> Response:
    """A draft that begins as the policy in force does."""
    return _new()


@blueprint.post("/console/policies/new")
@console("policies:draft")
def add_draft() -> Response:
    """Register it; the text is checked whole."""
    form = request.form
    try:
        row = operations.draft(services(), _user().actor, _text(form), form.get("reason", ""))
    except TraceError as error:
        return _new(400, mistakes(error, "text", known=FIELDS))
    return go(f"{PATH}/{row.number}")


@blueprint.post("/console/policies/roll-back")
@console("policies:draft")
def roll_back() -> Response:
    """A new draft with the content of an earlier version."""
    form = request.form
    number = form.get("number", "")
    if not (number.isascii() and number.isdigit()):
        raise InputError("there is no such version", where="number")
    try:
        row = operations.roll_back(services(), _user().actor, POLICY_ID, int(number), form.get("reason", ""))
    except TraceError as error:
        return _one(int(number), 400, mistakes(error, "back_reason", known={"back_reason"}))
    return go(f"{PATH}/{row.number}")


@blueprint.get("/console/policies/<int:number>")
@console("policies:read")
def policy_page(number: int) -> Response:
    """One version."""
    return _one(number)


@blueprint.post("/console/policies/<int:number>/drafting")
@console("policies:draft")
def take_drafting_step(number: int) -> Response:
    """Change the text, simulate, or write down the risks."""
    form, actor, outside = request.form, _user().actor, services()
    try:
        version, event = version_of(form), form.get("event", "")
        if event == PolicyEvent.EDIT:
            operations.edit(outside, actor, POLICY_ID, number, version, _text(form))
        elif event == PolicyEvent.SIMULATE:
            operations.run_simulation(outside, actor, POLICY_ID, number, version, seed=form.get("seed", "").strip())
        elif event == PolicyEvent.REVIEW:
            operations.review(outside, actor, POLICY_ID, number, version, _risks(form), _days(form))
        else:
            raise InputError("choose a step", where="event")
    except TraceError as error:
        return _one(number, 400, mistakes(error, "event", known=FIELDS))
    return go(f"{PATH}/{number}")


@blueprint.post("/console/policies/<int:number>/deciding")
@console("policies:approve")
def take_deciding_step(number: int) -> Response:
    """Approve, send back, let it begin, withdraw."""
    form, actor, outside = request.form, _user().actor, services()
    try:
        version, event, reason = version_of(form), form.get("event", ""), form.get("reason", "")
        if event == PolicyEvent.APPROVE:
            operations.approve(outside, actor, POLICY_ID, number, version, reason)
        elif event == PolicyEvent.RETURN:
            operations.send_back(outside, actor, POLICY_ID, number, version, reason)
        elif event == PolicyEvent.ACTIVATE:
            operations.activate(outside, actor, POLICY_ID, number, version, _day(form.get("from_day", "")))
        elif event == PolicyEvent.WITHDRAW:
            operations.withdraw(outside, actor, POLICY_ID, number, version, reason)
        else:
            raise InputError("choose a step", where="event")
    except TraceError as error:
        return _one(number, 400, mistakes(error, "event", known=FIELDS))
    return go(f"{PATH}/{number}")


def _user() -> User:
    return current_person().user


def _new(status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    text = request.form.get("text") or operations.starting_text(services())
    return page("policy_new", status, errors=errors, text=text, typed=request.form)


def _one(number: int, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    opened = operations.open_version(services(), POLICY_ID, number)
    row, simulation = opened.row, opened.simulation
    permissions = _user().permissions
    possible = rules.possible(row, law_day(services().clock()))
    return page(
        "policy",
        status,
        errors=errors,
        row=row,
        simulation=simulation,
        matrix=_matrix(simulation.moves) if simulation else None,
        comparisons=opened.comparisons,
        without_basis=[_rule(rule) for rule in opened.without_basis],
        bases=rules.parsed(row.text, row.number).bases,
        rule_word=_rule,
        states=words(POLICY_STATES),
        events=words(POLICY_EVENTS),
        drafting=[event.value for event in possible] if "policies:draft" in permissions else [],
        deciding=_deciding(row, possible) if "policies:approve" in permissions else [],
        may_draft="policies:draft" in permissions,
        new_seed=secrets.token_hex(8),
        risk_rows=range(RISK_ROWS),
        due_days=[(after, rules.due_day(row, after)) for after in row.review.check_after_days] if row.review else [],
        typed=request.form,
    )


def _deciding(row: PolicyVersion, possible: list[PolicyEvent]) -> list[str]:
    """What this person may decide now: the author approves nothing, nobody approves twice."""
    actor = _user().actor
    barred = actor == row.created_by or any(approval.actor == actor for approval in row.approvals)
    return [event.value for event in BY_APPROVER if event in possible and not (barred and event is PolicyEvent.APPROVE)]


def _matrix(moves: tuple[Move, ...]) -> tuple[list[str], list[tuple[str, list[int]]]]:
    """Levels, and for each level before the counts of each level after."""
    levels = sorted({level for move in moves for level in (move.before, move.after)}, key=lambda one: (len(one), one))
    counted = {(move.before, move.after): move.count for move in moves}
    return levels, [(before, [counted.get((before, after), 0) for after in levels]) for before in levels]


def _rule(name: str) -> str:
    """A rule in the reader's words; supervision of a level carries the level."""
    known = words(POLICY_RULES)
    return known.get(name, name)


def _text(form: Mapping[str, str]) -> str:
    """Browsers send CRLF; a policy's version counts its bytes."""
    return form.get("text", "").replace("\r\n", "\n")


def _risks(form: Mapping[str, str]) -> list[Risk]:
    rows = [(form.get(f"risk{row}", "").strip(), form.get(f"response{row}", "").strip()) for row in range(RISK_ROWS)]
    return [Risk(risk, response) for risk, response in rows if risk or response]


def _days(form: Mapping[str, str]) -> list[int]:
    texts = form.get("check_after_days", "").replace("，", ",").split(",")
    days = [text.strip() for text in texts if text.strip()]
    if not all(day.isascii() and day.isdigit() and len(day) < 6 for day in days):
        raise InputError("set 1 to 12 days on which it is compared", where="check_after_days")
    return [int(day) for day in days]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError("choose a day", where="from_day") from error
