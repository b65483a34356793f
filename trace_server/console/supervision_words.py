"""Words for the policy lab and for inspection plans on the console's pages."""

from __future__ import annotations

from collections.abc import Mapping


def _(text: str) -> str:
    """Marks a text for the catalog; the pages translate it."""
    return text


POLICY_STATES: Mapping[str, str] = {
    "draft": _("草案"),
    "simulated": _("已模拟，待风险评估"),
    "reviewed": _("已评估，待两人批准"),
    "approved": _("已批准，待生效"),
    "active": _("生效"),
    "superseded": _("已被取代"),
    "withdrawn": _("已撤销"),
}
POLICY_EVENTS: Mapping[str, str] = {
    "approve": _("批准"),
    "return": _("退回草案，须重新模拟、评估、批准"),
    "activate": _("定生效日期：自该日起，全部主体按这一版评级"),
    "withdraw": _("撤销这一版"),
}
POLICY_RULES: Mapping[str, str] = {
    "deduction.minor": _("轻微失信扣分"),
    "deduction.general": _("一般失信扣分"),
    "deduction.serious": _("严重失信扣分"),
    "category_factor": _("产品类别系数"),
    "repeat": _("重复失信加重"),
    "time_weight": _("时间衰减"),
    "commitment.partly": _("承诺部分未履行扣分"),
    "commitment.unfulfilled": _("承诺未履行扣分"),
    "bonus.red_list": _("红名单加分"),
    "bonus.chain_completeness_12m": _("追溯链完整加分"),
    "level": _("等级划分"),
    "level_cap.on_serious_list": _("严重违法失信名单封顶"),
    "level_cap.on_abnormal_list": _("经营异常名录封顶"),
    "level_cap.refused_ordered_recall": _("拒不召回封顶"),
    "level_cap.open_class1_recall_late": _("一级召回逾期封顶"),
    "level_cap.commitment_unfulfilled_open": _("承诺未履行封顶"),
    "not_rated": _("暂不评级"),
    "green_channel": _("绿色通道"),
}
PLAN_STATES: Mapping[str, str] = {
    "draft": _("拟订中"),
    "committed": _("名单已封存，待抽取"),
    "drawn": _("已抽取"),
    "published": _("已公开"),
    "withdrawn": _("已撤销"),
}
INTENSITIES: Mapping[str, str] = {"least": _("规定区间的下限"), "most": _("规定区间的上限")}
TASK_STATES: Mapping[str, str] = {"planned": _("待检查"), "done": _("已检查"), "cancelled": _("已取消")}
FINDINGS: Mapping[str, str] = {
    "none": _("未发现问题"),
    "rectified": _("发现问题，已责令改正"),
    "case_opened": _("发现问题，待后续处理"),
}
SENTENCES: Mapping[str, str] = {
    "1 to 2,000 characters are needed": _("请填写，且不要超过规定字数。"),
    "a seed is 1 to 64 letters, digits or signs": _("种子为 1 至 64 个字母、数字或符号。"),
    "a review lists its risks": _("至少列出一项风险及其处置。"),
    "set 1 to 12 days on which it is compared": _("请填写 1 至 12 个天数，用逗号分开，如 30, 90, 180。"),
    "the author does not approve": _("起草人不能批准，请由同事批准。"),
    "a second person approves": _("您已批准，须由另一人再批准。"),
    "a policy does not begin in the past": _("生效日期不能早于今天。"),
    "it counts already": _("这一版已经生效，不能撤销；可以恢复旧版为新草案。"),
    "its status is draft until two persons have approved it": _("正文中的 status 须为 draft。"),
    "its version is not its number here": _("正文中的 version 与本版编号不一致。"),
    "it is not the grading policy": _("这不是信用等级评定方案。"),
    "no grading policy is in force": _("当前没有生效的评级方案。"),
    "a region is six digits": _("地区代码为六位数字，如 320902。"),
    "a period is 1 to 366 days": _("计划期为 1 至 366 天。"),
    "no graded subject is registered in this region": _("该地区没有已评级的登记主体。"),
    "this is outside your regions": _("不在您负责的地区内。"),
    "two inspectors at least": _("至少需要两名检查人员。"),
    "a second person draws": _("封存名单的人不能抽取，请由同事抽取。"),
    "the word is one line": _("只填写一行。"),
    "0 to 52 inspections a year": _("每年检查次数为 0 至 52。"),
    "this subject is not on the plan's list": _("该主体不在本计划名单内。"),
    "the plan is another department's": _("这是其他部门的计划。"),
    "only an inspector who was drawn enters a result": _("只有被抽中的检查人员可以填写结果。"),
    "it was done between the draw and today": _("检查日期应在抽取之日与今天之间。"),
    "a case belongs to this finding and to no other": _("只有“待后续处理”填写案件编号，且必须填写。"),
    "there is no such case of this subject": _("没有该主体的这个案件，请先立案。"),
}
