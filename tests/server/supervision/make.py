"""Builders for inspection plans: graded subjects of two districts and people who may be drawn."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tests.server.policies.make import stocked
from trace_server.credit.grade_upkeep import regrade_all
from trace_server.services import Services
from trace_server.supervision import operations
from trace_server.supervision.model import Inspector, Intensity, Plan, PlanFields
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
