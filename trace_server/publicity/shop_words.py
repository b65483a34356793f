"""What the public page of an online seller's mark and its badge say, by what the mark is worth; templates translate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trace_server.shops.model import Standing


def _(text: str) -> str:
    """Marks a text for the catalog."""
    return text


@dataclass(frozen=True, slots=True)
class Said:
    """`verdict`: shape and colour of portal/style.css; `word`: the heading and the badge; `sentence`: what to do."""

    verdict: str
    word: str
    sentence: str
    colour: str
    """Of the badge; white on it has a contrast above 4.5 : 1."""


STANDING: Mapping[Standing, Said] = {
    Standing.VALID: Said(
        "normal", _("标识有效"), _("这家网店的经营者身份已经核验。请核对网店地址与下面的一致。"), "#14603f"
    ),
    Standing.PENDING: Said(
        "unavailable", _("标识待核验"), _("经营者身份还在核验，这个标识暂时不能证明任何事。"), "#2c4d6b"
    ),
    Standing.SUSPENDED: Said("notice", _("标识已暂停"), _("主管部门暂停了这个标识。交易前请先问清原因。"), "#744600"),
    Standing.REVOKED: Said("recall", _("标识已撤销"), _("这个标识已经撤销，不要凭它交易。"), "#9d1420"),
    Standing.NO_LICENCE: Said(
        "recall", _("许可证无效"), _("这家网店标明的许可证已经失效、被暂停或撤销，不要凭这个标识交易。"), "#9d1420"
    ),
    Standing.NO_BUSINESS: Said(
        "recall", _("经营主体已终止"), _("这家网店背后的经营主体已注销或吊销，不要凭这个标识交易。"), "#9d1420"
    ),
}
UNKNOWN = Said("suspect", _("没有这个标识"), _("本平台没有签发过这个标识。网店展示它，可能是冒用。"), "#77205a")
