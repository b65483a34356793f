"""Words for commitments and objections on the console's pages."""

from __future__ import annotations

from collections.abc import Mapping


def _(text: str) -> str:
    """Marks a text for the catalog; the pages translate it."""
    return text


COMMITMENT_STATES: Mapping[str, str] = {
    "signed": _("已签署"),
    "public": _("已公开，尚未生效"),
    "in_force": _("履行中"),
    "fulfilled": _("全部履行"),
    "partly": _("部分履行，待复核"),
    "unfulfilled": _("未履行，待复核"),
    "breach": _("违背承诺"),
    "remedied": _("曾违背承诺，已纠正"),
    "withdrawn": _("已撤销"),
}
COMMITMENT_EVENTS: Mapping[str, str] = {
    "publish": _("向社会公开"),
    "enter": _("生效"),
    "fulfil": _("认定全部履行"),
    "find_partly": _("认定部分履行，交同事复核"),
    "find_unfulfilled": _("认定全部未履行，交同事复核"),
    "return": _("不同意，退回"),
    "record_breach": _("复核通过，记入信用档案"),
    "remedy": _("已经纠正"),
}
PUBLICITIES: Mapping[str, str] = {
    "可向社会公开": _("可向社会公开"),
    "特定范围内公开": _("特定范围内公开"),
    "不可公开": _("不可公开"),
}
OBJECTION_STATES: Mapping[str, str] = {
    "raised": _("核查中"),
    "proposed": _("待第二人决定"),
    "upheld": _("异议成立"),
    "rejected": _("异议不成立"),
}
OBJECTION_EVENTS: Mapping[str, str] = {
    "propose": _("认为成立，交同事决定"),
    "reject": _("不成立"),
    "uphold": _("同意，立即更正或撤销"),
    "return": _("不同意，退回重新核查"),
}
TARGETS: Mapping[str, str] = {
    "record": _("行政处罚记录"),
    "list": _("名单记录"),
    "commitment": _("信用承诺"),
}
REMEDIES: Mapping[str, str] = {"withdraw": _("撤销"), "correct": _("更正")}
LIST_STATES: Mapping[str, str] = {
    "proposed": _("拟列入"),
    "noticed": _("已告知，异议期内"),
    "listed": _("在名单中"),
    "dropped": _("不予列入"),
    "removed_early": _("提前移出"),
    "removed_expired": _("期满移出"),
    "cured": _("已改正移出"),
    "revoked": _("撤销列入"),
}
LIST_EVENTS: Mapping[str, str] = {
    "notice": _("告知当事人"),
    "list": _("决定列入"),
    "drop": _("不予列入"),
    "remove_early": _("提前移出"),
    "cure": _("已改正，移出"),
    "revoke": _("列入有误，撤销"),
}
_TEXT = _("请填写，且不要超过规定字数。")
SENTENCES: Mapping[str, str] = {
    **{f"1 to {most:,} characters are needed": _TEXT for most in (18, 128, 200, 512, 4000, 4096)},
    "this is no unified social credit code": _("不是有效的统一社会信用代码。"),
    "it is signed in the future": _("承诺日期不能晚于今天。"),
    "it ends before it begins": _("有效期不能早于承诺日期。"),
    "there is no such type of commitment": _("请选择承诺类型。"),
    "there is no such kind of party": _("请选择承诺人类别。"),
    "a commitment is signed for oneself": _("只能为本企业签署承诺。"),
    "a commitment for credit repair names its application": _("信用修复型承诺须填写修复申请编号，其他类型不填。"),
    "the subject has no such application for repair": _("该主体没有这份修复申请。"),
    "a second person publishes": _("登记人不能自己公开，请由另一位同事操作。"),
    "a second person records a breach": _("认定人不能自己复核，请由另一位同事操作。"),
    "a second person decides": _("提出意见的人不能自己决定，请由另一位同事操作。"),
    "who raised an objection does not decide on it": _("登记异议的人不能认定异议成立，请由另一位同事操作。"),
    "somebody else changed it meanwhile": _("其他同事刚刚更新过，请核对最新内容后再操作。"),
    "this commitment is not for the public": _("这份承诺不向社会公开。"),
    "it has to be published first": _("请先向社会公开。"),
    "say whether to correct or to withdraw": _("请选择更正还是撤销。"),
    "a list entry is withdrawn, not corrected": _("名单记录只能撤销。"),
    "only a corrected record has corrected fields": _("更正处罚记录须逐项写明，其他情况不填。"),
    "one field a line, like CF_NR_FK=1": _("每行一项，例如 CF_NR_FK=1。"),
    "this is about another subject": _("这条信息属于其他主体。"),
    "this is no record id": _("没有这个编号。"),
    "there is no such violation record": _("没有这个编号。"),
    "there is no such membership": _("没有这个编号。"),
    "there is no such commitment": _("没有这个编号。"),
    "an objection about this record is under way": _("这条信息已有异议正在处理。"),
    "an objection about this list entry is under way": _("这条信息已有异议正在处理。"),
    "an objection about this commitment is under way": _("这条信息已有异议正在处理。"),
    "say why, in up to 4,096 characters": _TEXT,
    "there is no such list": _("请选择名单。"),
    "the subject is on this list or proposed for it already": _("该主体已在这个名单中，或已拟列入。"),
    "a second person decides on a listing": _("提出的人不能自己决定列入，请由另一位同事操作。"),
    "the subject has to be notified first": _("须先告知当事人。"),
    "the period for objections is not over": _("异议期还没有结束。"),
    "choose a step": _("请选择一项操作。"),
    "choose a day": _("请按 2026-06-01 的样式填写日期。"),
}
"""`TraceError.what` → sentence."""
