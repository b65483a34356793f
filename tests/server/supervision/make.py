"""Builders for inspection plans: graded subjects of two districts and people who may be drawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from tests.server.policies.make import stocked
from trace_server.credit.grade_upkeep import regrade_all
from trace_server.credit.steps import law_day
from trace_server.services import Services
from trace_server.supervision import operations
from trace_server.supervision.model import Finding, Inspector, Intensity, Plan, PlanFields, Result
from trace_server.supervision.operations import Official

BUREAU = "示例市市场监督管理局"
ONE, TWO = Official("user:one", BUREAU), Official("user:two", BUREAU)
PEOPLE = tuple(Inspector(f"user:p{number}", f"检查员{number}") for number in range(1, 5))
FIELDS = PlanFields(
    title="2026年下半年食品生产分类抽查",
    region="320900",
    content="进货查验记录、出厂检验、追溯标识",
    method="现场检查与抽样检验",
    legal_basis="《食品安全法》第一百零九条",
    period_from=date(2026, 6, 1),
    period_to=date(2026, 11, 30),
    intensity=Intensity.LEAST,
)


def graded(services: Services, count: int = 12) -> list[str]:
    codes = stocked(services, count)
    regrade_all(services)
    return codes


def planned(services: Services, **changes: object) -> Plan:
    return operations.make_plan(services, ONE, replace(FIELDS, **changes), PEOPLE)  # type: ignore[arg-type]


def drawn(services: Services, plan: Plan | None = None) -> Plan:
    made = plan or planned(services)
    bound = operations.commit(services, ONE, made.plan_id, made.version)
    return operations.draw(services, TWO, made.plan_id, bound.version, "双色球第2026061期 03 08 17")


def in_every_state(services: Services, inspector: str) -> list[str]:
    """Ids of a plan in draft, one with closed lists, one drawn, one published with a result; `inspector` is drawn."""
    regrade_all(services)
    day = law_day(services.clock())
    people = (Inspector(inspector, "检查员甲"), Inspector("user:p2", "检查员乙"))
    fields = replace(FIELDS, period_from=day, period_to=day + timedelta(days=365))
    draft, closed, done, public = (operations.make_plan(services, ONE, fields, people) for _ in range(4))
    operations.commit(services, ONE, closed.plan_id, closed.version)
    for plan in (done, public):
        made = drawn(services, plan)
    operations.enter(
        services, Official(inspector, BUREAU), public.plan_id, 1, 1, Result(day, Finding.RECTIFIED, "当场补齐标识")
    )
    operations.publish(services, ONE, public.plan_id, made.version)
    return [plan.plan_id for plan in (draft, closed, done, public)]
