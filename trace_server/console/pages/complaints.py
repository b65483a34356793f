"""Reports and complaints: the list, one of them with its steps, the reporter's sealed identity, the reward."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime

from flask import Blueprint, Response, request

from trace_core.errors import InputError, NotAllowed, NotFound, TraceError
from trace_server.cases.model import Actor
from trace_server.complaints import operations, paying, rewarding, rules
from trace_server.complaints.model import Complaint, Deed, Event
from trace_server.complaints.states import TRANSITIONS
from trace_server.complaints.words import EVENTS, EXCLUSIONS, KINDS, REWARD_STATES, SENTENCES, STATES
from trace_server.console.pages._answers import go, words
from trace_server.console.rules import actor_of, facets
from trace_server.console.words import CATEGORIES
from trace_server.faces.rendering import FieldError, translate
from trace_server.sealed import operations as sealed
from trace_server.sealed.model import Purpose
from trace_server.services import services
from trace_server.users.access import chosen_language, console, current_person, finish, page

blueprint = Blueprint("complaints", __name__)

PATH = "/console/complaints"
PAGE = 50


@blueprint.get("/console/complaints")
@console("complaints:read")
def list_complaints() -> Response:
    """In the order they came; filters are in the address."""
    outside, actor = services(), _actor()
    chosen = {"kind": _one_of(KINDS, "kind"), "state": _one_of(STATES, "state")}
    found = operations.list_complaints(outside, operations.wanted_of(actor, **chosen), after=_after(), limit=PAGE + 1)
    counts = operations.count_complaints(outside, operations.wanted_of(actor))
    kinds, states = words(KINDS), words(STATES)
    by_kind: Counter[str] = Counter()
    by_state: Counter[str] = Counter()
    for (kind, state), count in counts.items():
        by_kind[kind] += count
        by_state[state] += count
    shown = found[:PAGE]
    return page(
        "complaints",
        complaints=shown,
        kinds=kinds,
        states=states,
        categories=words(CATEGORIES),
        facets=[
            facets(PATH, chosen, "kind", dict(by_kind), kinds),
            facets(PATH, chosen, "state", dict(by_state), states),
        ],
        chosen=chosen,
        next_cursor=f"{shown[-1].received_hour.isoformat()}~{shown[-1].complaint_id}" if len(found) > PAGE else "",
        last_day=rules.last_day,
        now=outside.clock(),
    )


@blueprint.get("/console/complaints/<complaint_id>")
@console("complaints:read")
def complaint_page(complaint_id: str) -> Response:
    """What was reported and done; never who reported."""
    return _one(complaint_id)


@blueprint.get("/console/complaints/<complaint_id>/photo")
@console("complaints:read")
def photo(complaint_id: str) -> Response:
    """The photo, drawn anew when it came."""
    data = operations.read_photo(services(), _actor(), complaint_id)
    response = finish(Response(data, mimetype="image/jpeg"))
    response.headers["Content-Disposition"] = 'attachment; filename="photo.jpg"'
    return response


@blueprint.post("/console/complaints/<complaint_id>/steps")
@console("complaints:handle")
def take_step(complaint_id: str) -> Response:
    """One step, an answer, a note, an extension, or on to another department."""
    form, actor, outside = request.form, _actor(), services()
    event, text = form.get("event", ""), form.get("text", "")

    def act() -> None:
        version = _version(form.get("version", ""))
        if event in ("answer", "note"):
            is_public = event == "answer"
            operations.answer(outside, actor, complaint_id, text=text, is_public=is_public, version=version)
        elif event == "extend":
            operations.extend(outside, actor, complaint_id, text=text, version=version)
        elif event == "assign":
            operations.assign(
                outside, actor, complaint_id, department=form.get("department", ""), region=form.get("region", ""),
                text=text, version=version,
            )  # fmt: skip
        elif event == "case":
            operations.open_case(outside, actor, complaint_id, title=text, version=version)
        elif event in {step.value for step in Event}:
            operations.take_step(outside, actor, complaint_id, Event(event), text=text, version=version)
        else:
            raise InputError("choose a step", where="event")

    return _after_trying(complaint_id, act)


@blueprint.post("/console/complaints/<complaint_id>/identity")
@console("reporters:open")
def identity(complaint_id: str) -> Response:
    """Ask for the sealed identity, decide on a colleague's request, or look: two persons, each with a reason."""
    form, actor, outside = request.form, _actor(), services()
    complaint = operations.read_file(outside, actor, complaint_id).complaint
    deed, opening_id, reason = form.get("deed", ""), form.get("opening", "")[:64], form.get("reason", "")
    known = {one.opening_id for one in sealed.openings(outside, complaint.sealed_id)} if complaint.sealed_id else set()
    if opening_id and opening_id not in known:  # of another complaint, which may be beyond the caller's scope
        raise NotFound("this complaint has no such request", where="opening")
    if deed == "look":
        try:
            opened = sealed.look(outside, actor.name, opening_id, Purpose.REPORTER)
        except TraceError as error:
            return _one(complaint_id, 400, _mistakes(error, "identity"))
        return page("reporter", complaint=complaint, opened=opened)

    def act() -> None:
        if deed == "ask":
            sealed.request_opening(outside, actor.name, complaint.sealed_id, Purpose.REPORTER, reason)
        elif deed in ("approve", "refuse"):
            approve = deed == "approve"
            sealed.decide_opening(outside, actor.name, opening_id, Purpose.REPORTER, approve=approve, reason=reason)
        else:
            raise InputError("choose a step", where="identity")

    return _after_trying(complaint_id, act, "identity")


@blueprint.post("/console/complaints/<complaint_id>/reward")
@console("rewards:decide")
def reward(complaint_id: str) -> Response:
    """Assess, decide as the second person, or pay to the holder of the token."""
    form, actor, outside = request.form, _actor(), services()
    deed = form.get("deed", "")

    def act() -> None:
        if deed == "assess":
            facts = Deed(
                category=form.get("category", ""),
                reward_class=_yuan(form.get("reward_class", ""), "reward_class"),
                fine_yuan=_yuan(form.get("fine_yuan", ""), "fine_yuan"),
                confiscated_yuan=_yuan(form.get("confiscated_yuan", ""), "confiscated_yuan"),
                is_insider="is_insider" in form,
                raised_to_yuan=_yuan(form.get("raised_to_yuan", ""), "raised_to_yuan"),
                exclusion=form.get("exclusion", ""),
            )
            paying.assess(outside, actor, complaint_id, facts)
        elif deed in ("approve", "refuse"):
            paying.decide(
                outside, actor, complaint_id, approve=deed == "approve", text=form.get("text", ""),
                finance_no=form.get("finance_no", ""),
            )  # fmt: skip
        elif deed == "claim":
            paying.claim(outside, actor, complaint_id, form.get("token", "")[:200])
        else:
            raise InputError("choose a step", where="reward")

    return _after_trying(complaint_id, act, "reward")


def _after_trying(complaint_id: str, act: Callable[[], None], field: str = "text") -> Response:
    try:
        act()
    except TraceError as error:
        return _one(complaint_id, 403 if isinstance(error, NotAllowed) else 400, _mistakes(error, field))
    return go(f"{PATH}/{complaint_id}")


def _one(complaint_id: str, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    outside, actor, user = services(), _actor(), current_person().user
    file = operations.read_file(outside, actor, complaint_id)
    complaint, now = file.complaint, outside.clock()
    may_open = "reporters:open" in user.permissions
    policy = rewarding.policy_on(rules.law_day(now))
    return page(
        "complaint",
        status,
        errors=errors,
        complaint=complaint,
        file=file,
        steps=_possible(complaint),
        clock=rules.clock_of(complaint.kind, complaint.state, rules.law_day(now)),
        may_handle="complaints:handle" in user.permissions and complaint.department == actor.department,
        may_open=may_open and bool(complaint.sealed_id),
        may_reward="rewards:decide" in user.permissions,
        openings=sealed.openings(outside, complaint.sealed_id) if may_open and complaint.sealed_id else [],
        me=actor.name,
        regions=rules.regions(),
        policy=policy,
        kinds=words(KINDS),
        states=words(STATES),
        events=words(EVENTS),
        exclusions=words(EXCLUSIONS),
        reward_states=words(REWARD_STATES),
        categories=words(CATEGORIES),
        last_day=rules.last_day,
        law_day=rules.law_day,
        language=chosen_language(),
        now=now,
        typed=request.form,
    )


def _possible(complaint: Complaint) -> list[str]:
    steps = [event.value for event in TRANSITIONS[complaint.kind].get(complaint.state, {})]
    if complaint.due_at and not complaint.is_extended:
        steps.append("extend")
    if not complaint.case_id:
        steps.append("case")
    return [*steps, "answer", "note", "assign"]


def _mistakes(error: TraceError, field: str) -> tuple[FieldError, ...]:
    sentence = SENTENCES.get(error.what)
    return (FieldError(error.where or field, translate(sentence, chosen_language()) if sentence else error.what),)


def _actor() -> Actor:
    return actor_of(current_person().user)


def _one_of(table: Mapping[str, str], name: str) -> str:
    chosen = request.args.get(name, "")
    return chosen if chosen in table else ""


def _after() -> tuple[datetime, str] | None:
    moment, _, complaint_id = request.args.get("cursor", "")[:128].partition("~")
    if not complaint_id:
        return None
    try:
        return datetime.fromisoformat(moment.replace(" ", "+")), complaint_id
    except ValueError as error:
        raise InputError("this is no cursor of this server", where="cursor") from error


def _version(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise InputError("somebody else changed it meanwhile", where="version")
    return int(text)


def _yuan(text: str, where: str) -> int:
    digits = text.replace(",", "").strip() or "0"
    if not (digits.isascii() and digits.isdigit() and len(digits) < 14):
        raise InputError("the amount is not between 0 and 10^12 yuan", where=where)
    return int(digits)
