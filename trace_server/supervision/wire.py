"""Plans and tasks as JSON values; API and commands share it."""

from __future__ import annotations

from typing import Any

from trace_server.supervision import rules
from trace_server.supervision.model import Candidate, Plan, Task
from trace_server.supervision.operations import Opened


def plan_json(plan: Plan) -> dict[str, Any]:
    """A plan as it stands; secret and seed only once they are public."""
    fields, draw = plan.fields, plan.draw
    return {
        "plan_id": plan.plan_id,
        "title": fields.title,
        "region": fields.region,
        "department": plan.department,
        "content": fields.content,
        "method": fields.method,
        "legal_basis": fields.legal_basis,
        "period_from": fields.period_from.isoformat(),
        "period_to": fields.period_to.isoformat(),
        "intensity": fields.intensity.value,
        "policy_version": plan.policy_version,
        "state": plan.state.value,
        "commitment": draw.commitment,
        "subjects_digest": draw.subjects_digest,
        "inspectors_digest": draw.inspectors_digest,
        "committed_by": draw.committed_by,
        "committed_at": draw.committed_at.isoformat() if draw.committed_at else None,
        "drawn_by": draw.drawn_by,
        "drawn_at": draw.drawn_at.isoformat() if draw.drawn_at else None,
        "seed": draw.seed if plan.is_open else "",
        "published_at": plan.published_at.isoformat() if plan.published_at else None,
        "reason": plan.reason,
        "version": plan.version,
    }


def opened_json(opened: Opened) -> dict[str, Any]:
    """A plan with its lists, what a draw gives of each level, and its tasks."""
    return {
        **plan_json(opened.plan),
        "strata": [
            {"level": level, "subjects": subjects, "visits": visits}
            for level, (subjects, visits) in rules.expected(opened.candidates, opened.plan.fields).items()
        ],
        "candidates": [candidate_json(one) for one in opened.candidates],
        "inspectors": [{"actor": one.actor, "name": one.name} for one in opened.inspectors],
        "tasks": [task_json(task) for task in opened.tasks],
    }


def candidate_json(one: Candidate) -> dict[str, Any]:
    return {
        "uscc": one.uscc,
        "name": one.name,
        "level": one.level,
        "inspections_a_year": one.yearly,
        "sampling": one.sampling,
        "reason": one.reason,
        "changed_by": one.changed_by,
    }


def task_json(task: Task) -> dict[str, Any]:
    return {
        "plan_id": task.plan_id,
        "number": task.number,
        "uscc": task.uscc,
        "name": task.name,
        "level": task.level,
        "sampling": task.sampling,
        "due_on": task.due_on.isoformat(),
        "inspectors": list(task.inspectors),
        "state": task.state.value,
        "done_on": task.done_on.isoformat() if task.done_on else None,
        "finding": task.finding.value if task.finding else None,
        "case_id": task.case_id,
        "note": task.note,
        "version": task.version,
    }
