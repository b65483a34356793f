"""Where the console's menu leads. A page shows in it to those who hold its permission."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the menu. `permission` "" is for everybody who is logged in."""

    path: str
    title: str
    permission: str


def _(text: str) -> str:
    """Marks a text for the catalog; the frame translates it."""
    return text


ITEMS: tuple[Item, ...] = (
    Item("/desk", _("企业工作台"), "desk:use"),
    Item("/desk/batches", _("批次管理"), "desk:use"),
    Item("/desk/labels", _("标签"), "desk:use"),
    Item("/desk/ranges", _("号段"), "desk:use"),
    Item("/desk/recalls", _("召回通知"), "desk:use"),
    Item("/desk/archive", _("信用档案"), "desk:use"),
    Item("/desk/clients", _("接口账号"), "desk:use"),
    Item("/console/search", _("查找"), "credit:read"),
    Item("/console/alerts", _("预警"), "cases:read"),
    Item("/console/chains", _("追溯链"), "events:read"),
    Item("/console/recalls", _("召回"), "recalls:read"),
    Item("/console/cases", _("案件"), "cases:read"),
    Item("/console/commitments", _("信用承诺"), "commitments:read"),
    Item("/console/objections", _("异议"), "objections:read"),
    Item("/console/lists", _("名单"), "lists:manage"),
    Item("/console/complaints", _("举报投诉"), "complaints:read"),
    Item("/console/inspections", _("双随机抽查"), "inspections:read"),
    Item("/console/policies", _("评级方案"), "policies:read"),
    Item("/console/reports", _("信用报告"), "reports:read"),
    Item("/console/publications", _("待公示处罚"), "credit:record"),
    Item("/console/repairs", _("信用修复"), "repairs:decide"),
    Item("/console/imports", _("数据导入"), "imports:read"),
    Item("/console/exchange", _("信用数据交换"), "repairs:decide"),
    Item("/console/fleet", _("网关"), "gateways:read"),
    Item("/console/users", _("用户"), "users:manage"),
    Item("/console/clients", _("接口账号"), "clients:manage"),
    Item("/console/running", _("运行状况"), "users:manage"),
    Item("/console/audit", _("审计日志"), "audit:read"),
    Item("/console/account", _("我的账户"), ""),
)


def menu(permissions: Collection[str]) -> list[Item]:
    """The lines that somebody with `permissions` sees."""
    return [item for item in ITEMS if not item.permission or item.permission in permissions]
