"""Words for recalls on the console's pages."""

from __future__ import annotations

from collections.abc import Mapping


def _(text: str) -> str:
    """Marks a text for the catalog; the pages translate it."""
    return text


STATES: Mapping[str, str] = {
    "draft": _("草稿，等待第二人宣布"),
    "announced": _("已宣布，等待通知"),
    "ordered": _("已责令召回，等待通知"),
    "notifying": _("已通知，等待答复"),
    "recovering": _("正在收回"),
    "reconciled": _("账目已核对"),
    "disposed": _("已处置"),
    "closed": _("已结束"),
}
STEPS: Mapping[str, str] = {
    "announce": _("宣布召回"),
    "order": _("责令召回"),
    "notify": _("通知持有单位"),
    "reconcile": _("核对账目"),
    "dispose": _("登记处置"),
    "close": _("结束召回"),
}
"""Steps that a person takes; the first answer and late events move a recall by themselves."""
STATUSES: Mapping[str, str] = {
    "in_stock": _("在库"),
    "sold": _("已售出"),
    "returned": _("已收回"),
    "destroyed": _("已销毁"),
    "used": _("已用于生产"),
    "unknown": _("去向不明"),
}
RELATIONS: Mapping[str, str] = {
    "self": _("召回起点"),
    "container": _("所在包装"),
    "content": _("包装内物品"),
    "input": _("所用原料"),
    "output": _("用它制成"),
    "lot": _("所属批次"),
    "member": _("批次中的单品"),
}
MILESTONES: Mapping[str, str] = {"start": _("宣布并通知持有单位"), "finish": _("收回并核对账目")}
REASONS: Mapping[str, str] = {
    "no_link": _("没有任何记录把这个批次与召回范围联系起来。"),
    "no_events": _("这个批次没有任何流通记录，无从与召回范围联系。"),
    "shared_container": _("只是曾与受影响物品同装一箱，本身不在范围内。"),
}
SENTENCES: Mapping[str, str] = {
    "nothing is named": _("请至少填写批次、单品或地点与时间中的一项。"),
    "a site needs a time from which until which it counts": _("按地点召回时须填写起止时间，且起始早于截止。"),
    "a batch is a GTIN and a lot on one line": _("每行一个批次：商品条码、空格、批号。"),
    "a time is written 2026-11-24 08:00": _("请按 2026-11-24 08:00 的样式填写时间。"),
    "a second person announces a recall": _("起草人不能自己宣布，请由另一位同事操作。"),
    "a reason is needed": _("请写明依据什么作出这一步。"),
    "choose a class": _("请选择召回级别。"),
    "notice_no is missing": _("请填写公告文号。"),
    "authority is missing": _("请填写发出单位。"),
    "reason is missing": _("请填写召回原因。"),
    "action is missing": _("请写明消费者应当怎么做。"),
    "return_to is missing": _("请填写退回地点。"),
    "phone is missing": _("请填写咨询电话。"),
    "whole numbers from 0 are needed": _("请填写 0 以上的整数。"),
    "say how the holder told it": _("请写明单位是怎样答复的，例如电话、书面或现场核查。"),
    "this holder got no notice of that recall": _("请选择一家已通知的单位。"),
    "choose a step": _("请选择一项操作。"),
    "somebody else changed it meanwhile": _("其他同事刚刚更新过，请核对最新内容后再操作。"),
}
"""`TraceError.what` → sentence; others are told by `sentence_of`."""
UNBALANCED = _("账目尚未结平：去向不明或未答复的数量须在说明中写明原因。")
WRONG_CODE = _("这不是有效的编码，请核对后再填写。")


def sentence_of(what: str) -> str:
    """The sentence for a mistake, "" for one that has none."""
    if what.startswith("the sums do not close"):
        return UNBALANCED
    return SENTENCES.get(what) or (WRONG_CODE if what.endswith("is no identifier") else "")
