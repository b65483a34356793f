"""One plan of inspections that was drawn and carried out, and one that is being prepared."""

from __future__ import annotations

from datetime import timedelta

from trace_server.credit.grade_upkeep import regrade_all
from trace_server.credit.steps import law_day
from trace_server.sample import words
from trace_server.sample.agenda import Story
from trace_server.sample.enforcement import Enforcement
from trace_server.supervision import operations
from trace_server.supervision.model import Finding, Inspector, Intensity, PlanFields, Result
from trace_server.supervision.operations import Official

PLANNER = Official("sample:planner-1", words.CITY_DEPARTMENT)
SECOND = Official("sample:planner-2", words.CITY_DEPARTMENT)
INSPECTORS = tuple(Inspector(f"sample:inspector-{number}", f"示例检查员{number}") for number in range(1, 7))
VISITED = 12
"""Visits whose result is entered; the others are to be made."""


def begin(enforcement: Enforcement) -> None:
    """Add both stories."""
    enforcement.agenda.add(_carried_out(enforcement))
    enforcement.agenda.add(_prepared(enforcement))


def _fields(enforcement: Enforcement, title: str, days: int) -> PlanFields:
    today = law_day(enforcement.services.clock())
    return PlanFields(
        title=title,
        region="320900",
        content="进货查验记录、出厂检验、追溯标识",
        method="现场检查与抽样检验",
        legal_basis="《食品安全法》第一百零九条",
        period_from=today,
        period_to=today + timedelta(days=days),
        intensity=Intensity.LEAST,
    )


def _carried_out(enforcement: Enforcement) -> Story:
    services = enforcement.services
    yield enforcement.city.as_of - timedelta(days=75)
    regrade_all(services)
    fields = _fields(enforcement, "食品生产企业信用分类抽查(示例)", 120)
    plan = operations.make_plan(services, PLANNER, fields, INSPECTORS)
    yield services.clock() + timedelta(days=2)
    plan = operations.commit(services, PLANNER, plan.plan_id, plan.version)
    yield services.clock() + timedelta(days=3)
    plan = operations.draw(services, SECOND, plan.plan_id, plan.version, "示例摇号 03 08 17 21")
    plan = operations.publish(services, SECOND, plan.plan_id, plan.version)
    opened = operations.open_plan(services, PLANNER, plan.plan_id)
    for place, task in enumerate(opened.tasks[:VISITED]):
        yield services.clock() + timedelta(days=3)
        found = Finding.RECTIFIED if place % 4 == 3 else Finding.NONE
        by = Official(task.inspectors[0], words.CITY_DEPARTMENT)
        result = Result(law_day(services.clock()), found, "已当场改正(示例)" if found is Finding.RECTIFIED else "")
        operations.enter(services, by, plan.plan_id, task.number, task.version, result)


def _prepared(enforcement: Enforcement) -> Story:
    yield enforcement.city.as_of - timedelta(days=3)
    fields = _fields(enforcement, "特种设备使用单位抽查(示例)", 90)
    operations.make_plan(enforcement.services, PLANNER, fields, INSPECTORS)
