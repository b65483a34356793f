"""Words of the administrator's desk, for the catalog; the pages translate them."""

from __future__ import annotations

from collections.abc import Mapping


def _(text: str) -> str:
    """Marks a text for the catalog."""
    return text


USER_STATES: Mapping[str, str] = {"invited": _("已邀请"), "active": _("使用中"), "disabled": _("已停用")}
JOB_STATES: Mapping[str, str] = {
    "queued": _("排队中"),
    "running": _("运行中"),
    "done": _("已完成"),
    "dead": _("已放弃"),
}
SENTENCES: Mapping[str, str] = {
    "wrong": _("这一项不对，请核对后再填。"),
    "choose a role": _("请选择角色。"),
    "a name to show is needed": _("请填写姓名。"),
    "a client needs a name": _("请填写名称。"),
    "only a producer's people act for a company": _("只有生产经营者和平台的账户才填写企业代码。"),
    "another administrator changes your own account": _("不能修改自己的账户，请由另一位管理员办理。"),
}
"""`TraceError.what` → sentence."""
