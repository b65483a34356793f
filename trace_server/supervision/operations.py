"""Use cases of inspection plans: make, change, commit, draw, publish, enter results. One transaction each, audited.

Chance belongs to nobody: whoever commits a plan fixes the lists and a secret whose digest is public at once, and a
second person adds a word at the draw. Neither knows the seed before both have acted.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_server import audit
from trace_server.accounts.model import Permission
from trace_server.audit.lifecycle import advance
from trace_server.cases import store as cases
from trace_server.credit.grade_choice import policy_in_force
from trace_server.credit.grading.policy import SCHEME
from trace_server.credit.steps import law_day
from trace_server.credit.store import grades
from trace_server.db import Connection
from trace_server.services import Services
from trace_server.supervision import rules, store
from trace_server.supervision.model import (
    Candidate,
    Draw,
    Finding,
    Inspector,
    Plan,
    PlanEvent,
    PlanFields,
    PlanState,
    Result,
    Task,
    TaskEvent,
    TaskState,
)
from trace_server.supervision.states import PLANS, TASKS
from trace_server.users.model import UserState
from trace_server.users.store import users

STALE = "somebody else changed it meanwhile"
MAX_TASKS = 20_000
MAX_OWN = 200


@dataclass(frozen=True, slots=True)
class Official:
    """Who acts: name in the audit log, department, own regions (none: the whole city), and whether he may plan.

    `via`: the API client that handed it in for him, "" for himself.
    """

    actor: str
    department: str
    regions: tuple[str, ...] = ()
    may_plan: bool = True
    via: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A plan with its lists; tasks once it is drawn."""

    plan: Plan
    candidates: tuple[Candidate, ...]
    inspectors: tuple[Inspector, ...]
    tasks: tuple[Task, ...]
    counts: dict[tuple[str, str], int]


def make_plan(
    services: Services, by: Official, fields: PlanFields, inspectors: Sequence[Inspector] | None = None
) -> Plan:
    """A plan over the graded subjects of a region. `inspectors`: default, everybody of the department who may inspect.

    Raises `InputError` with the field, `NotAllowed` for a region of others, `Conflict` without a policy.
    """
    now = services.clock()
    fields = rules.checked(fields)
    rules.require_region(fields.region, by.regions)
    with services.db.begin() as conn:
        policy = policy_in_force(conn, law_day(now))
        if policy is None:
            raise Conflict("no grading policy is in force", where="policy")
        found = rules.candidates(grades.levels(conn, SCHEME), policy, fields)
        if not found:
            raise InputError("no graded subject is registered in this region", where="region")
        people = list(inspectors) if inspectors is not None else colleagues(conn, by.department, fields.region)
        made = Plan(
            plan_id=f"plan-{secrets.token_hex(6)}",
            fields=fields,
            department=by.department,
            state=PlanState.DRAFT,
            policy_version=f"{policy.id} {policy.version}",
            draw=Draw(),
            created_by=by.actor,
            created_at=now,
            published_by="",
            published_at=None,
            reason="",
            version=1,
        )
        store.add_plan(conn, made, found, people)
        detail = {"region": fields.region, "subjects": len(found), "inspectors": len(people), "policy": policy.version}
        audit.record(conn, now, by.actor, "inspection.plan", made.plan_id, detail)
    return made


def colleagues(conn: Connection, department: str, region: str) -> list[Inspector]:
    """Active accounts of a department that may inspect and work on a region."""
    return [
        Inspector(one.actor, one.display_name)
        for one in users(conn)
        if one.department == department
        and one.state is UserState.ACTIVE
        and Permission.INSPECTIONS_DO in one.permissions
        and (not one.scope.regions or region in one.scope.regions)
    ]


def change(services: Services, by: Official, plan_id: str, version: int, uscc: str, yearly: int, reason: str) -> Plan:
    """Another frequency for one subject, with a reason. Raises `InputError`, `Conflict` once lists are closed."""
    now = services.clock()
    with services.db.begin() as conn:
        plan = _held(conn, by, plan_id, version)
        known = {one.uscc: one for one in store.candidates(conn, plan_id)}
        if uscc not in known:
            raise InputError("this subject is not on the plan's list", where="uscc")
        made = rules.changed(known[uscc], yearly, reason, by.actor)
        detail = {"uscc": uscc, "was": known[uscc].yearly, "yearly": yearly, "reason": made.reason}
        moved = _step(conn, now, by, plan, plan, PlanEvent.CHANGE, detail)
        store.save_candidate(conn, plan_id, made)
    return moved


def name_inspectors(
    services: Services, by: Official, plan_id: str, version: int, chosen: Collection[str], reason: str
) -> Plan:
    """Keep only these of the plan's inspectors, for instance after a recusal (回避), with a reason."""
    now = services.clock()
    words = rules.require_words(reason, "reason")
    with services.db.begin() as conn:
        plan = _held(conn, by, plan_id, version)
        kept = [one for one in store.inspectors(conn, plan_id) if one.actor in chosen]
        _require_pair(kept)
        detail = {"inspectors": [one.actor for one in kept], "reason": words}
        moved = _step(conn, now, by, plan, plan, PlanEvent.CHANGE, detail)
        store.replace_inspectors(conn, plan_id, kept)
    return moved


def commit(services: Services, by: Official, plan_id: str, version: int) -> Plan:
    """Close the lists and bind chance: digests are public from now on. Raises `InputError` with fewer than two
    inspectors, `Conflict`."""
    now = services.clock()
    secret = secrets.token_hex(32)
    with services.db.begin() as conn:
        plan = _held(conn, by, plan_id, version)
        found, people = store.candidates(conn, plan_id), store.inspectors(conn, plan_id)
        _require_pair(people)
        bound = Draw(
            commitment=rules.commitment_of(secret),
            secret=secret,
            subjects_digest=rules.subjects_digest(found),
            inspectors_digest=rules.inspectors_digest(rules.names_of(people)),
            committed_by=by.actor,
            committed_at=now,
        )
        detail = {
            "commitment": bound.commitment,
            "subjects": bound.subjects_digest,
            "inspectors": bound.inspectors_digest,
        }
        return _step(conn, now, by, plan, replace(plan, draw=bound), PlanEvent.COMMIT, detail)


def draw(services: Services, by: Official, plan_id: str, version: int, word: str) -> Plan:
    """Draw subjects and inspectors, once. Raises `NotAllowed` for who committed it, `Conflict`, `InputError`."""
    now = services.clock()
    with services.db.begin() as conn:
        plan = _held(conn, by, plan_id, version)
        if by.actor == plan.draw.committed_by:
            raise NotAllowed("a second person draws", where="actor", remedy="ask a colleague")
        if plan.state is PlanState.DRAFT:
            raise Conflict("the lists are not closed yet", where="state", remedy="commit it first")
        seed = rules.seed_of(plan_id, plan.draw.secret, word)
        found, people = store.candidates(conn, plan_id), store.inspectors(conn, plan_id)
        if (rules.subjects_digest(found), rules.inspectors_digest(rules.names_of(people))) != (
            plan.draw.subjects_digest,
            plan.draw.inspectors_digest,
        ):
            raise Conflict("the lists are not those that were committed", where="plan_id")
        visits = rules.draw(found, rules.names_of(people), plan.fields, seed)
        drawn = replace(plan.draw, word=word.strip(), seed=seed, drawn_by=by.actor, drawn_at=now)
        detail = {"seed": seed, "word": drawn.word, "visits": len(visits)}
        moved = _step(conn, now, by, plan, replace(plan, draw=drawn), PlanEvent.DRAW, detail)
        known = {one.uscc: one for one in found}
        store.add_tasks(
            conn,
            [
                Task(
                    plan_id, one.number, one.uscc, known[one.uscc].name, known[one.uscc].level,
                    known[one.uscc].sampling, one.due_on, one.inspectors, TaskState.PLANNED, None, None, "", "", "",
                    None, 1,
                )
                for one in visits
            ],
        )  # fmt: skip
    return moved


def publish(services: Services, by: Official, plan_id: str, version: int) -> Plan:
    """Open seed, lists, tasks and results to everybody. Raises `Conflict` before the draw."""
    now = services.clock()
    with services.db.begin() as conn:
        plan = _held(conn, by, plan_id, version)
        opened = replace(plan, published_by=by.actor, published_at=now)
        return _step(conn, now, by, plan, opened, PlanEvent.PUBLISH, {})


def withdraw(services: Services, by: Official, plan_id: str, version: int, reason: str) -> Plan:
    """Give a plan up before its draw; when it was committed, the public sees that and why."""
    now = services.clock()
    words = rules.require_words(reason, "reason")
    with services.db.begin() as conn:
        plan = _held(conn, by, plan_id, version)
        return _step(conn, now, by, plan, replace(plan, reason=words), PlanEvent.WITHDRAW, {"reason": words})


def enter(
    services: Services, by: Official, plan_id: str, number: int, version: int, result: Result, *, correct: bool = False
) -> Task:
    """The result of a visit, by one who was drawn for it; `correct`: in place of what was entered before.

    Raises `NotAllowed` for others, `InputError` with the field, `NotFound` for a case that is not there, `Conflict`.
    """
    now = services.clock()
    with services.db.begin() as conn:
        plan, task = _task(conn, by, plan_id, number, version)
        if by.actor not in task.inspectors:
            raise NotAllowed("only an inspector who was drawn enters a result", where="actor")
        drawn_at = plan.draw.drawn_at or plan.created_at
        done = rules.checked_result(result, today=law_day(now), drawn_on=law_day(drawn_at))
        if done.finding is Finding.CASE_OPENED:
            _require_case(conn, done.case_id, task.uscc)
        event = TaskEvent.CORRECT if correct else TaskEvent.FINISH
        moved = replace(
            task, done_on=done.done_on, finding=done.finding, case_id=done.case_id, note=done.note,
            recorded_by=by.actor, recorded_at=now,
        )  # fmt: skip
        detail = {"uscc": task.uscc, "finding": done.finding.value, "case": done.case_id, "done": str(done.done_on)}
        if by.via:
            detail["via"] = by.via
        return _task_step(conn, now, by, task, moved, event, detail)


def cancel(services: Services, by: Official, plan_id: str, number: int, version: int, reason: str) -> Task:
    """A visit that cannot be made, for instance because the subject is gone. Raises `NotAllowed`, `InputError`."""
    now = services.clock()
    words = rules.require_words(reason, "reason")
    if not by.may_plan:
        raise NotAllowed("only who makes plans cancels a visit", where="actor")
    with services.db.begin() as conn:
        _, task = _task(conn, by, plan_id, number, version)
        moved = replace(task, note=words, recorded_by=by.actor, recorded_at=now)
        return _task_step(conn, now, by, task, moved, TaskEvent.CANCEL, {"uscc": task.uscc, "reason": words})


def open_plan(services: Services, by: Official, plan_id: str) -> Opened:
    """One plan with its lists and tasks. Raises `NotFound`, also for one of other regions."""
    with services.db.read() as conn:
        return opened(conn, _require(conn, by, plan_id))


def require_task(opened: Opened, number: int) -> Task:
    """Raises `NotFound`."""
    found = next((task for task in opened.tasks if task.number == number), None)
    if found is None:
        raise NotFound("there is no such task", where="number")
    return found


def list_plans(services: Services, by: Official, *, before: datetime | None = None, limit: int = 50) -> list[Plan]:
    """The newest first, of one's regions."""
    with services.db.read() as conn:
        return store.plans(conn, by.regions, before=before, limit=limit)


def own_tasks(services: Services, actor: str) -> list[Task]:
    """Planned visits of an inspector, the most urgent first, at most `MAX_OWN`."""
    with services.db.read() as conn:
        return store.tasks_of(conn, actor, limit=MAX_OWN)


def opened(conn: Connection, plan: Plan) -> Opened:
    """A plan with all that belongs to it."""
    return Opened(
        plan,
        tuple(store.candidates(conn, plan.plan_id)),
        tuple(store.inspectors(conn, plan.plan_id)),
        tuple(store.tasks(conn, plan.plan_id, limit=MAX_TASKS)),
        store.counts(conn, plan.plan_id),
    )


def _require_pair(people: Sequence[Inspector]) -> None:
    if len(people) < rules.PAIR:
        raise InputError("two inspectors at least", where="inspectors", remedy="行政处罚法 art. 42")


def _require_case(conn: Connection, case_id: str, uscc: str) -> None:
    case = cases.case_by_id(conn, case_id)
    if case is None or case.subject not in ("", uscc):
        raise InputError("there is no such case of this subject", where="case_id", remedy="open it first")


def _require(conn: Connection, by: Official, plan_id: str) -> Plan:
    plan = store.plan(conn, plan_id, by.regions)
    if plan is None:
        raise NotFound("there is no such plan", where="plan_id")
    return plan


def _held(conn: Connection, by: Official, plan_id: str, version: int) -> Plan:
    plan = _require(conn, by, plan_id)
    if plan.department != by.department:
        raise NotAllowed("the plan is another department's", where="plan_id")
    if plan.version != version:
        raise Conflict(STALE, where="version", remedy="reload it")
    return plan


def _task(conn: Connection, by: Official, plan_id: str, number: int, version: int) -> tuple[Plan, Task]:
    plan = _require(conn, by, plan_id)
    task = store.task(conn, plan_id, number)
    if task is None:
        raise NotFound("there is no such task", where="number")
    if task.version != version:
        raise Conflict(STALE, where="version", remedy="reload it")
    return plan, task


def _step(
    conn: Connection, now: datetime, by: Official, was: Plan, new: Plan, event: PlanEvent, detail: Mapping[str, object]
) -> Plan:
    state = advance(
        conn, now, table=PLANS, state=was.state, event=event, actor=by.actor, object=was.plan_id,
        action=f"inspection.{event}", detail=detail,
    )  # fmt: skip
    moved = replace(new, state=state, version=was.version + 1)
    if not store.save_plan(conn, moved, was=was.version):
        raise Conflict(STALE, where="version", remedy="reload it")
    return moved


def _task_step(
    conn: Connection, now: datetime, by: Official, was: Task, new: Task, event: TaskEvent, detail: Mapping[str, object]
) -> Task:
    state = advance(
        conn, now, table=TASKS, state=was.state, event=event, actor=by.actor, object=f"{was.plan_id}/{was.number}",
        action=f"inspection.task.{event}", detail=detail,
    )  # fmt: skip
    moved = replace(new, state=state, version=was.version + 1)
    if not store.save_task(conn, moved, was=was.version):
        raise Conflict(STALE, where="version", remedy="reload it")
    return moved
