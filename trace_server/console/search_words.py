"""Words for the search by any code."""

from __future__ import annotations

from collections.abc import Mapping


def _(text: str) -> str:
    """Marks a text for the catalog; the pages translate it."""
    return text


KINDS: Mapping[str, str] = {
    "chain": _("追溯链"),
    "batch": _("批次的追溯链"),
    "draft": _("起草这个批次的召回"),
    "subject": _("主体档案"),
    "licence": _("许可证持有人的档案"),
    "decision": _("处罚决定当事人的档案"),
    "case": _("案件"),
    "alert": _("预警"),
    "recall": _("召回"),
    "equipment": _("设备"),
    "holder": _("使用单位的档案"),
    "gateway": _("网关"),
    "report": _("信用报告"),
}
"""`operations.Hit.kind` → what the page is."""
