"""Words that several pages of the console share."""

from __future__ import annotations

from collections.abc import Mapping


def _(text: str) -> str:
    """Marks a text for the catalog; the frame translates it."""
    return text


ROLES: Mapping[str, str] = {
    "producer": _("生产经营者"),
    "regulator": _("监管人员"),
    "credit_office": _("信用办"),
    "auditor": _("监察人员"),
    "administrator": _("系统管理员"),
    "monitor": _("运行监控"),
    "platform": _("网络交易平台"),
    "report_desk": _("举报办"),
}
"""`accounts.model.Role` → name; a test holds it complete."""
