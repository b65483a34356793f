"""Inspections before the public (监管公开, row 一(二)d): content, procedure, method, result, proof of the draw."""

from __future__ import annotations

from flask import Response

from trace_core.errors import NotFound
from trace_server.accounts.access import public
from trace_server.publicity.pages.frame import answer, blueprint, this_page
from trace_server.publicity.supervision_words import FINDINGS, PLAN_STATES, TASK_STATES
from trace_server.services import services
from trace_server.supervision import rules, telling

_WORDS = {"states": PLAN_STATES, "findings": FINDINGS, "task_states": TASK_STATES}
MAX_PLANS = 100


@blueprint.get("/supervision")
@public
def supervision() -> Response:
    """How inspections are chosen, and every plan whose lists were closed, the newest first."""
    plans = telling.told_plans(services(), limit=MAX_PLANS)
    return answer(this_page(), "publicity/supervision.html", 200, plans=plans, **_WORDS)


@blueprint.get("/supervision/<plan_id>")
@public
def supervision_plan(plan_id: str) -> Response:
    """One plan: before publication what was bound, after it the draw and the results."""
    page = this_page()
    try:
        shown = telling.told_plan(services(), plan_id)
    except NotFound:
        plans = telling.told_plans(services(), limit=MAX_PLANS)
        return answer(page, "publicity/supervision.html", 404, plans=plans, **_WORDS)
    strata = rules.expected(shown.candidates, shown.plan.fields)
    counted = {"done": 0, "all": len(shown.tasks)}
    found = dict.fromkeys(FINDINGS, 0)
    for task in shown.tasks:
        if task.finding is not None:
            counted["done"] += 1
            found[task.finding.value] += 1
    facts = {"plan": shown.plan, "tasks": shown.tasks, "strata": strata, "counted": counted, "found": found}
    return answer(page, "publicity/supervision_plan.html", 200, **facts, **_WORDS)
