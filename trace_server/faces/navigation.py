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
    Item("/console/alerts", _("预警"), "cases:read"),
    Item("/console/chains", _("追溯链"), "events:read"),
    Item("/console/cases", _("案件"), "cases:read"),
    Item("/console/account", _("我的账户"), ""),
)


def menu(permissions: Collection[str]) -> list[Item]:
    """The lines that somebody with `permissions` sees."""
    return [item for item in ITEMS if not item.permission or item.permission in permissions]
