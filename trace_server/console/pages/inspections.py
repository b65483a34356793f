"""Inspection plans (双随机): the plan and its lists, the draw by two persons, one's own visits, and their results."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from flask import Blueprint, Response, request

from trace_core.errors import InputError, TraceError
from trace_server.console.pages._answers import go, mistakes, place, version_of, words
from trace_server.console.supervision_words import FINDINGS, INTENSITIES, PLAN_STATES, TASK_STATES
from trace_server.credit.steps import law_day
from trace_server.faces.rendering import FieldError
from trace_server.services import services
from trace_server.supervision import operations, rules
from trace_server.supervision.model import Finding, Intensity, Plan, PlanEvent, PlanFields, Result
from trace_server.supervision.operations import Official
from trace_server.supervision.states import PLANS
from trace_server.users.access import console, current_person, page

blueprint = Blueprint("inspections", __name__)

PATH = "/console/inspections"
PAGE = 50
PLAN_FIELDS = frozenset(PlanFields.__dataclass_fields__)
STEP_FIELDS = frozenset({"word", "reason", "uscc", "yearly", "inspectors"})
RESULT_FIELDS = frozenset({"done_on", "finding", "note", "case_id", "reason"})


@blueprint.get("/console/inspections")
@console("inspections:read")
def list_inspections() -> Response:
    """One's own visits first, then the plans, the newest first."""
    return _list()


@blueprint.post("/console/inspections")
@console("inspections:plan")
def make_plan() -> Response:
    """A plan over the graded subjects of a region."""
    try:
        plan = operations.make_plan(services(), _by(), _fields(request.form))
    except TraceError as error:
        return _list(400, mistakes(error, "region", known=PLAN_FIELDS))
    return go(f"{PATH}/{plan.plan_id}")


@blueprint.get("/console/inspections/<plan_id>")
@console("inspections:read")
def plan_page(plan_id: str) -> Response:
    """One plan with its lists and visits."""
    return _one(plan_id)


@blueprint.post("/console/inspections/<plan_id>/steps")
@console("inspections:plan")
def take_step(plan_id: str) -> Response:
    """Change a list, close the lists, draw, publish, withdraw."""
    form, by, outside = request.form, _by(), services()
    event, reason = form.get("event", ""), form.get("reason", "")
    try:
        version = version_of(form)
        if event == "frequency":
            uscc, yearly = form.get("uscc", "").strip(), _whole(form.get("yearly", ""))
            operations.change(outside, by, plan_id, version, uscc, yearly, reason)
        elif event == "inspectors":
            operations.name_inspectors(outside, by, plan_id, version, form.getlist("inspectors"), reason)
        elif event == PlanEvent.COMMIT:
            operations.commit(outside, by, plan_id, version)
        elif event == PlanEvent.DRAW:
            operations.draw(outside, by, plan_id, version, form.get("word", ""))
        elif event == PlanEvent.PUBLISH:
            operations.publish(outside, by, plan_id, version)
        elif event == PlanEvent.WITHDRAW:
            operations.withdraw(outside, by, plan_id, version, reason)
        else:
            raise InputError("choose a step", where="event")
    except TraceError as error:
        return _one(plan_id, 400, mistakes(error, _field_of(event), known=STEP_FIELDS))
    return go(f"{PATH}/{plan_id}")


@blueprint.get("/console/inspections/<plan_id>/<int:number>")
@console("inspections:read")
def task_page(plan_id: str, number: int) -> Response:
    """One visit with its result."""
    return _task(plan_id, number)


@blueprint.post("/console/inspections/<plan_id>/<int:number>")
@console("inspections:do")
def enter_result(plan_id: str, number: int) -> Response:
    """Enter the result, or correct it."""
    form = request.form
    try:
        correct = form.get("event") == "correct"
        operations.enter(services(), _by(), plan_id, number, version_of(form), _result(form), correct=correct)
    except TraceError as error:
        return _task(plan_id, number, 400, mistakes(error, "finding", known=RESULT_FIELDS))
    return go(f"{PATH}/{plan_id}/{number}")


@blueprint.post("/console/inspections/<plan_id>/<int:number>/cancel")
@console("inspections:plan")
def cancel_visit(plan_id: str, number: int) -> Response:
    """A visit that cannot be made."""
    form = request.form
    try:
        operations.cancel(services(), _by(), plan_id, number, version_of(form), form.get("reason", ""))
    except TraceError as error:
        return _task(plan_id, number, 400, mistakes(error, "reason", known=RESULT_FIELDS))
    return go(f"{PATH}/{plan_id}/{number}")


def _by() -> Official:
    user = current_person().user
    return Official(user.actor, user.department, user.scope.regions, "inspections:plan" in user.permissions)


def _list(status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    outside, by = services(), _by()
    before = place(request.args.get("cursor", ""))
    found = operations.list_plans(outside, by, before=before[0] if before else None, limit=PAGE + 1)
    shown = found[:PAGE]
    return page(
        "inspections",
        status,
        errors=errors,
        own=operations.own_tasks(outside, by.actor),
        plans=shown,
        next_cursor=f"{shown[-1].created_at.isoformat()}~{shown[-1].plan_id}" if len(found) > PAGE else "",
        may_plan=by.may_plan,
        today=law_day(outside.clock()),
        states=words(PLAN_STATES),
        intensities=words(INTENSITIES),
        regions=by.regions,
        typed=request.form,
    )


def _one(plan_id: str, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    by = _by()
    opened = operations.open_plan(services(), by, plan_id)
    return page(
        "inspection",
        status,
        errors=errors,
        plan=opened.plan,
        opened=opened,
        names={one.actor: one.name for one in opened.inspectors},
        strata=rules.expected(opened.candidates, opened.plan.fields),
        steps=_steps(opened.plan, by),
        is_committer=opened.plan.draw.committed_by == by.actor,
        done=sum(1 for task in opened.tasks if task.finding),
        states=words(PLAN_STATES),
        task_states=words(TASK_STATES),
        findings=words(FINDINGS),
        intensities=words(INTENSITIES),
        today=law_day(services().clock()),
        typed=request.form,
    )


def _task(plan_id: str, number: int, status: int = 200, errors: tuple[FieldError, ...] = ()) -> Response:
    by = _by()
    opened = operations.open_plan(services(), by, plan_id)
    task = operations.require_task(opened, number)
    return page(
        "inspection_task",
        status,
        errors=errors,
        plan=opened.plan,
        task=task,
        names={one.actor: one.name for one in opened.inspectors},
        may_enter=by.actor in task.inspectors and "inspections:do" in current_person().user.permissions,
        may_cancel=by.may_plan and by.department == opened.plan.department,
        task_states=words(TASK_STATES),
        findings=words(FINDINGS),
        today=law_day(services().clock()),
        typed=request.form,
    )


def _steps(plan: Plan, by: Official) -> list[str]:
    if not by.may_plan or by.department != plan.department:
        return []
    return [event.value for event in PLANS[plan.state]]


def _field_of(event: str) -> str:
    """Where a mistake of a step stands that names no field of its own."""
    return {"draw": "word", "inspectors": "inspectors", "frequency": "uscc"}.get(event, "steps")


def _fields(form: Mapping[str, str]) -> PlanFields:
    def text(name: str) -> str:
        return form.get(name, "").strip()

    intensity = Intensity.MOST if text("intensity") == Intensity.MOST else Intensity.LEAST
    return PlanFields(
        title=text("title"),
        region=text("region"),
        content=text("content"),
        method=text("method"),
        legal_basis=text("legal_basis"),
        period_from=_day(text("period_from"), "period_from"),
        period_to=_day(text("period_to"), "period_to"),
        intensity=intensity,
    )


def _result(form: Mapping[str, str]) -> Result:
    finding = form.get("finding", "")
    if finding not in FINDINGS:
        raise InputError("choose a step", where="finding")
    done_on = _day(form.get("done_on", ""), "done_on")
    return Result(done_on, Finding(finding), form.get("note", "").strip(), form.get("case_id", "").strip())


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InputError("choose a day", where=where) from error


def _whole(text: str) -> int:
    if not (text.strip().isascii() and text.strip().isdigit() and len(text.strip()) < 4):
        raise InputError("0 to 52 inspections a year", where="yearly")
    return int(text)
