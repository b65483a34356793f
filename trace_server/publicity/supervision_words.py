"""Words of the public pages on inspections, marked for translation."""

from __future__ import annotations

from collections.abc import Mapping


def _(text: str) -> str:
    """Marks a text for the catalog."""
    return text


PLAN_STATES: Mapping[str, str] = {
    "committed": _("名单已封存，等待抽取"),
    "drawn": _("已抽取，检查进行中，完成后公开"),
    "published": _("已公开抽取过程与结果"),
    "withdrawn": _("已撤销"),
}
FINDINGS: Mapping[str, str] = {
    "none": _("未发现问题"),
    "rectified": _("发现问题，已责令改正"),
    "case_opened": _("发现问题，待后续处理"),
}
TASK_STATES: Mapping[str, str] = {"planned": _("待检查"), "done": _("已检查"), "cancelled": _("已取消")}
