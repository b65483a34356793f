"""Words for stable names, marked for translation; the pages translate them."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.catalog.model import SubjectStatus
from trace_server.commitments.model import CommitmentState
from trace_server.credit.grading.model import Performance
from trace_server.credit.grading.policy import BonusWhen, CapWhen
from trace_server.credit.model import Severity


def _(text: str) -> str:
    """Marks a text for the catalog."""
    return text


SUBJECT_STATUS: Mapping[str, str] = {
    SubjectStatus.ACTIVE: _("存续"),
    SubjectStatus.ABNORMAL: _("经营异常"),
    SubjectStatus.REVOKED: _("已吊销"),
    SubjectStatus.CLOSED: _("已注销"),
}
SEVERITY: Mapping[str, str] = {
    Severity.MINOR: _("轻微"),
    Severity.GENERAL: _("一般"),
    Severity.SERIOUS: _("严重"),
}
CATEGORY: Mapping[str, str] = {
    "food": _("食品"),
    "drug": _("药品"),
    "special_equipment": _("特种设备"),
    "agricultural": _("农产品"),
    "consumer": _("日用消费品"),
    "gi": _("地理标志产品"),
    "geographical_indication": _("地理标志产品"),
}
RECALL_LEVEL: Mapping[int, str] = {1: _("一级召回（最重）"), 2: _("二级召回"), 3: _("三级召回")}
GRADE_LINE: Mapping[str, str] = {
    "base": _("基础分"),
    Performance.PARTLY: _("信用承诺只履行了一部分"),
    Performance.UNFULFILLED: _("信用承诺没有履行"),
    BonusWhen.RED_LIST: _("列入守信红名单"),
    BonusWhen.COMPLETENESS: _("十二个月流通记录完整，有证明文书"),
    "floor": _("低于最低分，按最低分计"),
    "cap": _("超过最高分，按最高分计"),
    CapWhen.SERIOUS_LIST: _("列入严重违法失信名单，不论分数"),
    CapWhen.RECALL_REFUSED: _("拒不执行责令召回，不论分数"),
    CapWhen.RECALL_LATE: _("一级召回逾期未完成，不论分数"),
    CapWhen.ABNORMAL_LIST: _("列入经营异常名录，不论分数"),
    CapWhen.COMMITMENT: _("有未履行的信用承诺，不论分数"),
}
"""What a line was counted for, by its `basis`."""
COMMITMENT: Mapping[str, str] = {
    CommitmentState.PUBLIC: _("已公开，尚未生效"),
    CommitmentState.IN_FORCE: _("履行中"),
    CommitmentState.FULFILLED: _("全部履行"),
    CommitmentState.BREACH: _("违背承诺"),
    CommitmentState.REMEDIED: _("曾违背承诺，已纠正"),
}
"""A public commitment's state, as others hear of it."""
GREEN: Mapping[str, str] = {
    "years_clean": _("规定年限内有一般或严重的处罚决定"),
    "not_on_serious": _("在严重违法失信名单上"),
    "not_on_abnormal": _("在经营异常名录上"),
    "not_on_industry_black": _("在行业黑名单上"),
    "registered_months": _("登记时间不足，或本平台没有登记日期"),
    "no_commitment_breach": _("有违背信用承诺的记录"),
    "unshown": _("有不对公众展示的条件未满足；主体本人可向主管部门查询"),
}
"""What stands against the green channel, by the condition that is not met."""
