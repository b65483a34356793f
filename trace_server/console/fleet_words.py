"""Words for gateways on the console's pages."""

from __future__ import annotations

from collections.abc import Mapping


def _(text: str) -> str:
    """Marks a text for the catalog; the pages translate it."""
    return text


HEALTH: Mapping[str, str] = {
    "silent": _("失联"),
    "attention": _("需要处理"),
    "never": _("从未上报"),
    "waiting": _("待核准接入"),
    "well": _("正常"),
    "revoked": _("已吊销"),
}
ACTIONS: Mapping[str, str] = {
    "gateway.add": _("登记网关"),
    "gateway.invite": _("发放新的登记码"),
    "gateway.enrol": _("设备完成登记"),
    "gateway.enrol-approved": _("设备完成登记并核准"),
    "gateway.approve": _("核准"),
    "gateway.revoke": _("吊销"),
    "gateway.settings": _("下发设置"),
    "gateway.settings-tried": _("试用设置"),
    "gateway.rotate-key": _("更换密钥"),
}
WORST_FIRST = tuple(HEALTH)
SENTENCES: Mapping[str, str] = {
    "say why": _("请写明吊销的理由，至少 4 个字。"),
    "choose a step": _("请选择一项操作。"),
    "not possible": _("网关现在的状态不能这样操作，请刷新后再看。"),
}
