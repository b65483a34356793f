"""绿色通道证明: the conditions that a subject meets today and what it may use. It ends by itself: its verify page looks
at the grade of the moment, and a new record takes the ground away."""

from __future__ import annotations

from trace_core.errors import InputError
from trace_server.reports import parts
from trace_server.reports.model import Content, Kind, Part, Source

NOT_GREEN = "the subject does not meet the conditions of the green channel"
_CONDITIONS = {
    "years_clean": "连续规定年数内没有计入的不良信用记录",
    "not_on_serious": "不在严重违法失信名单",
    "not_on_abnormal": "不在经营异常名录",
    "not_on_industry_black": "不在行业黑名单",
    "no_commitment_breach": "没有违背信用承诺",
    "registered_months": "登记满规定月数，或在诚信典型红名单",
}


def _build(source: Source) -> Content:
    (facts,) = source.subjects
    green = facts.grade.assessment.green if facts.grade is not None else None
    if green is None or not green.eligible:
        raise InputError(NOT_GREEN, where="usccs", remedy=f"/credit/{facts.uscc} says which")
    met = tuple((_CONDITIONS.get(one.condition, one.condition), "符合") for one in green.reasons)
    note = "出现新的不良信用记录时，本证明自动失效；以核验页面当时显示为准。"
    made = (
        parts.basic(facts),
        Part("可以享受", ("便利措施",), tuple((benefit,) for benefit in green.benefits), note),
        Part("符合的条件", ("条件", "认定"), met),
        parts.honours(facts),
        parts.sources(facts),
    )
    return Content(made, parts.held(facts, "penalties", "lists", "commitments"), parts.policy_of(source.subjects))


KIND = Kind("green", "绿色通道证明", _build, needs_green=True)
