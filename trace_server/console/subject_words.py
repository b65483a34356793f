"""Words for the archive of a subject on the console's pages."""

from __future__ import annotations

from collections.abc import Mapping


def _(text: str) -> str:
    """Marks a text for the catalog; the pages translate it."""
    return text


PHASES: Mapping[str, str] = {"before": _("事前"), "during": _("事中"), "after": _("事后")}
KINDS: Mapping[str, str] = {
    "licence": _("行政许可"),
    "commitment": _("信用承诺"),
    "report": _("信用报告"),
    "grade": _("信用等级"),
    "recall": _("召回的批次"),
    "case": _("案件"),
    "objection": _("异议"),
    "record": _("行政处罚"),
    "list": _("名单"),
    "measure": _("限制措施"),
    "repair": _("信用修复"),
}
STATUSES: Mapping[str, str] = {
    "active": _("存续"),
    "abnormal": _("经营异常"),
    "revoked": _("已吊销"),
    "closed": _("已注销"),
}
SEVERITIES: Mapping[str, str] = {"minor": _("轻微"), "general": _("一般"), "serious": _("严重")}
RECORD_STATES: Mapping[str, str] = {
    "drafted": _("草稿"),
    "noticed": _("已告知"),
    "dismissed": _("不予处罚"),
    "confirmed": _("已作出决定，尚未公示"),
    "published": _("公示中"),
    "unpublished": _("不予公示"),
    "suspended": _("暂停公示"),
    "repaired": _("已修复"),
    "expired": _("公示期满"),
    "withdrawn": _("已撤销"),
}
LIST_STATES: Mapping[str, str] = {
    "proposed": _("待告知"),
    "noticed": _("已告知"),
    "listed": _("在列"),
    "dropped": _("不予列入"),
    "removed_early": _("提前移出"),
    "removed_expired": _("期满移出"),
    "cured": _("已移出"),
    "revoked": _("列入有误，已撤销"),
}
LICENCE_STATES: Mapping[str, str] = {
    "valid": _("有效许可"),
    "suspended": _("暂停"),
    "revoked": _("吊销"),
    "cancelled": _("注销"),
}
REPORT_STATES: Mapping[str, str] = {"requested": _("制作中"), "issued": _("已出具"), "withdrawn": _("已撤回")}
EFFECTS: Mapping[str, str] = {"allow": _("允许"), "restrict": _("限制"), "forbid": _("禁止")}
