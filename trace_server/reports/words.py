"""Words for stable names, marked for translation; the pages translate them."""

from __future__ import annotations

from collections.abc import Mapping


def _(text: str) -> str:
    """Marks a text for the catalog."""
    return text


KINDS: Mapping[str, str] = {
    "credit": _("公共信用报告"),
    "special": _("专用信用报告（无违法违规证明）"),
    "review": _("信用审查报告"),
    "diligence": _("进货查验与来源证据（尽职免责）"),
    "archive": _("信用档案（全部记录）"),
    "green": _("绿色通道证明"),
}
"""Every kind of the registry; a test holds it complete."""
STANDINGS: Mapping[str, str] = {
    "valid": _("报告有效"),
    "superseded": _("已被取代"),
    "withdrawn": _("已撤回"),
    "expired": _("已过有效期"),
    "unknown": _("没有这个编号的报告"),
}
ADVICE: Mapping[str, str] = {
    "valid": _("本平台出具过这份报告，所载记录至今没有变化。请核对下面的内容摘要与手中的报告是否一致。"),
    "superseded": _("本平台出具过这份报告，但所载记录后来有变化。请索取新的报告。"),
    "withdrawn": _("这份报告已由出具单位撤回，不应再使用。"),
    "expired": _("这份报告的有效期已过。请索取新的报告。"),
    "unknown": _("请核对编号后重新输入。如果编号无误，这份报告不是本平台出具的。"),
}
WHY: Mapping[str, str] = {
    "repair": _("有记录完成信用修复"),
    "correct": _("有记录更正"),
    "withdraw": _("有记录撤回"),
    "expire": _("有记录期满"),
    "suspend": _("有记录暂停公示"),
    "resume": _("有记录恢复公示"),
    "objection": _("有记录正在异议处理中"),
    "change": _("有记录变动"),
    "green": _("不再符合绿色通道的条件"),
}
STATES: Mapping[str, str] = {"requested": _("制作中"), "issued": _("已出具"), "withdrawn": _("已撤回")}
