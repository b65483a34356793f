"""What the public sees of inspection plans (监管公开, row 一(二)d), and the proof of a draw."""

from __future__ import annotations

from dataclasses import replace

from trace_core.errors import NotFound
from trace_server.services import Services
from trace_server.supervision import rules, store
from trace_server.supervision.model import Plan, PlanState
from trace_server.supervision.operations import Opened, opened

TOLD = (PlanState.COMMITTED, PlanState.DRAWN, PlanState.PUBLISHED, PlanState.WITHDRAWN)


def told_plans(services: Services, *, limit: int = 50) -> list[Plan]:
    """What the public sees: plans that were committed, the newest first."""
    with services.db.read() as conn:
        found = store.plans(conn, (), states=TOLD, before=None, limit=limit)
    return [plan for plan in found if plan.is_told]


def told_plan(services: Services, plan_id: str) -> Opened:
    """A plan as the public may see it: lists and tasks only once it is published. Raises `NotFound`."""
    with services.db.read() as conn:
        plan = store.plan(conn, plan_id)
        if plan is None or not plan.is_told:
            raise NotFound("there is no such plan", where="plan_id")
        found = opened(conn, plan)
    if plan.is_open:
        return found
    hidden = replace(plan, draw=replace(plan.draw, secret="", word="", seed=""))
    return Opened(hidden, (), (), (), {})


def proof(services: Services, plan_id: str) -> dict[str, object]:
    """What repeating a published draw takes. Raises `NotFound` before publication."""
    found = told_plan(services, plan_id)
    if not found.plan.is_open:
        raise NotFound("the draw is not published yet", where="plan_id")
    return proof_of(found)


def proof_of(drawn: Opened) -> dict[str, object]:
    """The proof of a drawn plan."""
    plan, people = drawn.plan, rules.names_of(drawn.inspectors)
    visits = rules.draw(drawn.candidates, people, plan.fields, plan.draw.seed)
    return rules.proof(plan.plan_id, plan.fields, plan.draw.secret, plan.draw.word, drawn.candidates, people, visits)
