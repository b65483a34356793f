"""What the page and badge of a restriction check say."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.lists.model import Effect
from trace_server.publicity.shop_words import Said


def _(text: str) -> str:
    """Marks a text for the catalog."""
    return text


EFFECTS: Mapping[Effect, Said] = {
    Effect.ALLOW: Said(
        "normal", _("没有名单限制"), _("这个主体今天不因名单受到限制。是否办理，由经办单位依各自规定决定。"), "#14603f"
    ),
    Effect.RESTRICT: Said("notice", _("受到限制"), _("这个主体因下列名单受到限制，请按措施和依据办理。"), "#744600"),
    Effect.FORBID: Said("recall", _("禁止办理"), _("依下列措施，这个主体在此领域不得办理。"), "#9d1420"),
}
OVER = Said(
    "unavailable",
    _("核查页面已过期"),
    _("这个核查页面的链接不完整或已超过 8 小时，请从原来的系统重新打开。"),
    "#2c4d6b",
)
