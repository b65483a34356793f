"""Words for stable names on the console's pages."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.credit.grading.model import Performance
from trace_server.credit.grading.policy import BonusWhen, CapWhen


def _(text: str) -> str:
    """Marks a text for the catalog; the pages translate it."""
    return text


CASE_STATES: Mapping[str, str] = {
    "clue": _("线索"),
    "filed": _("已立案"),
    "investigating": _("调查中"),
    "proposed": _("待复核"),
    "noticed": _("已告知"),
    "decided": _("已决定"),
    "executed": _("已执行"),
    "closed": _("已结案"),
    "dismissed": _("不予处罚"),
    "transferred": _("移送中"),
}
CASE_EVENTS: Mapping[str, str] = {
    "open": _("登记线索"),
    "file": _("立案"),
    "investigate": _("开始调查"),
    "propose": _("提出处理意见"),
    "notice": _("复核并告知"),
    "return": _("退回补充"),
    "decide": _("作出决定"),
    "execute": _("执行"),
    "close": _("结案"),
    "dismiss": _("不予处罚"),
    "transfer": _("移送"),
    "receive": _("接收"),
    "refuse": _("拒收"),
    "note": _("补充材料"),
    "assign": _("指派"),
    "joint": _("联合执法"),
}
ALERT_STATES: Mapping[str, str] = {"waiting": _("等待补报"), "open": _("待研判"), "cleared": _("已解释")}
SUBJECT_KINDS: Mapping[str, str] = {"enterprise": _("企业"), "device": _("设备"), "data": _("数据")}
VERDICTS: Mapping[str, str] = {"false_data": _("数据有误"), "benign": _("正常行为"), "suspected": _("涉嫌违法")}
DIRECTIONS: Mapping[str, str] = {"both": _("双向"), "upstream": _("来源（上游）"), "downstream": _("去向（下游）")}
VIEWS: Mapping[str, str] = {"table": _("表格"), "svg": _("关系图"), "timeline": _("时间线"), "map": _("地图")}
LICENCES: Mapping[str, str] = {"held": _("有效"), "not_held": _("无有效许可"), "unknown": _("未登记")}
CATEGORIES: Mapping[str, str] = {
    "food": _("食品"),
    "drug": _("药品"),
    "agricultural": _("农产品"),
    "consumer": _("日用消费品"),
    "special_equipment": _("特种设备"),
    "gi": _("地理标志产品"),
}
REPAIR_STATES: Mapping[str, str] = {
    "submitted": _("待受理"),
    "returned": _("已退回补正"),
    "accepted": _("已受理"),
    "granted": _("同意修复"),
    "refused": _("不同意修复"),
}
REPAIR_EVENTS: Mapping[str, str] = {
    "return": _("退回补正"),
    "accept": _("受理"),
    "grant": _("同意修复"),
    "refuse": _("不同意修复"),
}
GRADE_REASONS: Mapping[str, str] = {
    "deduction": _("扣分"),
    "category": _("类别系数"),
    "repeat": _("重复系数"),
    "time": _("时间系数"),
    "base": _("评级政策"),
    "minor": _("轻微失信"),
    "general": _("一般失信"),
    "serious": _("严重失信"),
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
GRADE_LINES: Mapping[str, str] = {
    "base": _("基础分"),
    "record": _("处罚记录"),
    "commitment": _("承诺履行"),
    "bonus": _("加分"),
    "limit": _("上下限"),
    "cap": _("等级上限"),
    "not_rated": _("不评级"),
}
SENTENCES: Mapping[str, str] = {
    "say what the report is for": _("请写明报告的用途，2 至 200 个字。"),
    "this report is about 1 to 1 subjects": _("这种报告只能填一个统一社会信用代码。"),
    "this report is about 1 to 200 subjects": _("信用审查可以填 1 至 200 个统一社会信用代码。"),
    "a company asks for reports on itself only": _("企业只能申请自己的报告。"),
    "name the goods, for a diligence pack alone": _("商品编码只在申请进货查验与来源证据时填写，且必须填写。"),
    "the subject does not meet the conditions of the green channel": _(
        "该主体现在不符合绿色通道的条件，原因见其信用公示页。"
    ),
    "this report needs a written authorisation": _("查阅全部记录须有书面授权，请填写文书文号。"),
    "the check character of the unified social credit code is wrong": _(
        "统一社会信用代码的校验位不对，请对照营业执照核对。"
    ),
    "the authorisation is somebody else's": _("这份报告是凭别人的授权出具的，请用自己的授权申请。"),
    "a second person decides": _("受理人不能自己决定，请由另一位同事操作。"),
    "a second person reviews a record before it is published": _("审查人不能自己公示，请由另一位同事操作。"),
    "nobody has checked this version for secrets": _("这一版本还没有人做保密审查。"),
    "say what was checked, in up to 4,096 characters": _("请写明审查了什么。"),
    "there is no such record": _("没有这条信用记录，请核对编号。"),
    "there is no such violation record": _("没有这条信用记录，请核对编号。"),
    "no event names this object": _("没有这个编码的事件。"),
    "say why": _("请写明理由，让没有参与的同事也能看懂。"),
    "this step rests on a numbered paper": _("这一步须填写文书文号。"),
    "a second person decides on a proposal": _("提出意见的人不能自己复核，请由另一位同事操作。"),
    "somebody else changed the case meanwhile": _("其他同事刚刚更新了此案，请核对最新内容后再操作。"),
    "an alert has its verdict already": _("所选预警中有已经研判过的，请刷新列表。"),
    "that department has a linked case already": _("该单位已有关联案件。"),
    "the case is another department's": _("此案现由其他部门办理。"),
    "a region has six digits (GB/T 2260)": _("行政区划为 6 位数字，例如 320900。"),
}
"""`TraceError.what` → sentence."""
