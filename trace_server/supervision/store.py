"""SQL of inspection plans."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, Select, delete, func, insert, select, update

from trace_server.db import Connection
from trace_server.supervision.model import (
    Candidate,
    Draw,
    Finding,
    Inspector,
    Intensity,
    Plan,
    PlanFields,
    PlanState,
    Task,
    TaskState,
)
from trace_server.supervision.tables import (
    inspection_candidate,
    inspection_duty,
    inspection_inspector,
    inspection_plan,
    inspection_task,
)


def add_plan(conn: Connection, plan: Plan, candidates: Sequence[Candidate], inspectors: Sequence[Inspector]) -> None:
    """A new plan with its two lists."""
    conn.execute(insert(inspection_plan).values(**_plan_row(plan)))
    _many(conn, inspection_candidate, [{"plan_id": plan.plan_id, **asdict(one)} for one in candidates])
    _many(conn, inspection_inspector, [{"plan_id": plan.plan_id, **asdict(one)} for one in inspectors])


def save_plan(conn: Connection, plan: Plan, *, was: int) -> bool:
    """Write over version `was`; False when somebody else wrote first."""
    table = inspection_plan.c
    query = update(inspection_plan).where(table.plan_id == plan.plan_id, table.version == was)
    return conn.execute(query.values(**_plan_row(plan))).rowcount == 1


def plan(conn: Connection, plan_id: str, regions: Collection[str] = ()) -> Plan | None:
    """One plan, unless it is outside `regions` (empty: everywhere)."""
    query = _within(select(inspection_plan).where(inspection_plan.c.plan_id == plan_id), regions)
    row = conn.execute(query).one_or_none()
    return None if row is None else _plan(row)


def plans(
    conn: Connection, regions: Collection[str], *, states: Collection[PlanState] = (), before: datetime | None,
    limit: int,
) -> list[Plan]:  # fmt: skip
    """The newest first; `before`: older than this moment."""
    table = inspection_plan.c
    query = _within(select(inspection_plan), regions).order_by(table.created_at.desc(), table.plan_id).limit(limit)
    if states:
        query = query.where(table.state.in_([state.value for state in states]))
    if before is not None:
        query = query.where(table.created_at < before)
    return [_plan(row) for row in conn.execute(query)]


def candidates(conn: Connection, plan_id: str) -> list[Candidate]:
    """By code."""
    table = inspection_candidate.c
    query = select(inspection_candidate).where(table.plan_id == plan_id).order_by(table.uscc)
    return [
        Candidate(row.uscc, row.name, row.region, row.level, row.yearly, row.sampling, row.reason, row.changed_by)
        for row in conn.execute(query)
    ]


def save_candidate(conn: Connection, plan_id: str, one: Candidate) -> None:
    """Another frequency of a subject."""
    table = inspection_candidate.c
    mine = (table.plan_id == plan_id, table.uscc == one.uscc)
    values = {"yearly": one.yearly, "reason": one.reason, "changed_by": one.changed_by}
    conn.execute(update(inspection_candidate).where(*mine).values(**values))


def inspectors(conn: Connection, plan_id: str) -> list[Inspector]:
    """By name in the audit log."""
    table = inspection_inspector.c
    query = select(inspection_inspector).where(table.plan_id == plan_id).order_by(table.actor)
    return [Inspector(row.actor, row.name) for row in conn.execute(query)]


def replace_inspectors(conn: Connection, plan_id: str, found: Sequence[Inspector]) -> None:
    """The list as it is from now on."""
    conn.execute(delete(inspection_inspector).where(inspection_inspector.c.plan_id == plan_id))
    _many(conn, inspection_inspector, [{"plan_id": plan_id, **asdict(one)} for one in found])


def add_tasks(conn: Connection, tasks: Sequence[Task]) -> None:
    """The drawn tasks, and who has to do them."""
    _many(conn, inspection_task, [_task_row(task) for task in tasks])
    duties = [
        {"plan_id": task.plan_id, "number": task.number, "actor": actor} for task in tasks for actor in task.inspectors
    ]
    _many(conn, inspection_duty, duties)


def save_task(conn: Connection, task: Task, *, was: int) -> bool:
    """Write over version `was`; False when somebody else wrote first."""
    table = inspection_task.c
    mine = (table.plan_id == task.plan_id, table.number == task.number, table.version == was)
    return conn.execute(update(inspection_task).where(*mine).values(**_task_row(task))).rowcount == 1


def task(conn: Connection, plan_id: str, number: int) -> Task | None:
    """One task."""
    table = inspection_task.c
    query = select(inspection_task).where(table.plan_id == plan_id, table.number == number)
    row = conn.execute(query).one_or_none()
    return None if row is None else _task(row)


def tasks(conn: Connection, plan_id: str, *, after: int = 0, limit: int) -> list[Task]:
    """By number, behind `after`."""
    table = inspection_task.c
    query = select(inspection_task).where(table.plan_id == plan_id, table.number > after)
    return [_task(row) for row in conn.execute(query.order_by(table.number).limit(limit))]


def tasks_of(conn: Connection, actor: str, *, limit: int) -> list[Task]:
    """Planned tasks of an inspector, the most urgent first."""
    duty, row = inspection_duty.c, inspection_task.c
    query = (
        select(inspection_task)
        .join(inspection_duty, (duty.plan_id == row.plan_id) & (duty.number == row.number))
        .where(duty.actor == actor, row.state == TaskState.PLANNED.value)
        .order_by(row.due_on, row.plan_id, row.number)
        .limit(limit)
    )
    return [_task(found) for found in conn.execute(query)]


def counts(conn: Connection, plan_id: str) -> dict[tuple[str, str], int]:
    """How many tasks stand at each (state, finding)."""
    table = inspection_task.c
    query = select(table.state, table.finding, func.count()).where(table.plan_id == plan_id)
    found = conn.execute(query.group_by(table.state, table.finding))
    return {(str(state), str(finding)): int(count) for state, finding, count in found}


def _within(query: Select[Any], regions: Collection[str]) -> Select[Any]:
    return query.where(inspection_plan.c.region.in_(list(regions))) if regions else query


def _many(conn: Connection, table: Any, rows: list[dict[str, Any]]) -> None:  # noqa: ANN401 – any of the tables
    if rows:
        conn.execute(insert(table), rows)


def _plan_row(row: Plan) -> dict[str, Any]:
    fields, draw = asdict(row.fields), asdict(row.draw)
    for name in ("period_from", "period_to"):
        fields[name] = fields[name].isoformat()
    for name in ("committed_at", "drawn_at"):
        draw[name] = draw[name].isoformat() if draw[name] else None
    return {
        "plan_id": row.plan_id,
        "title": row.fields.title,
        "region": row.fields.region,
        "department": row.department,
        "state": row.state.value,
        "policy_version": row.policy_version,
        "fields": fields,
        "draw": draw,
        "created_by": row.created_by,
        "created_at": row.created_at,
        "published_by": row.published_by,
        "published_at": row.published_at,
        "reason": row.reason,
        "version": row.version,
    }


def _plan(row: Row[Any]) -> Plan:
    fields, draw = dict(row.fields), dict(row.draw)
    for name in ("period_from", "period_to"):
        fields[name] = date.fromisoformat(fields[name])
    fields["intensity"] = Intensity(fields["intensity"])
    for name in ("committed_at", "drawn_at"):
        draw[name] = datetime.fromisoformat(draw[name]) if draw[name] else None
    return Plan(
        plan_id=row.plan_id,
        fields=PlanFields(**fields),
        department=row.department,
        state=PlanState(row.state),
        policy_version=row.policy_version,
        draw=Draw(**draw),
        created_by=row.created_by,
        created_at=row.created_at,
        published_by=row.published_by,
        published_at=row.published_at,
        reason=row.reason,
        version=row.version,
    )


def _task_row(row: Task) -> dict[str, Any]:
    return {
        **asdict(row),
        "inspectors": list(row.inspectors),
        "state": row.state.value,
        "finding": row.finding.value if row.finding else "",
    }


def _task(row: Row[Any]) -> Task:
    plain = {name: getattr(row, name) for name in inspection_task.c.keys()}  # noqa: SIM118 – keys of columns
    return Task(
        **{
            **plain,
            "inspectors": tuple(row.inspectors),
            "state": TaskState(row.state),
            "finding": Finding(row.finding) if row.finding else None,
        }
    )
