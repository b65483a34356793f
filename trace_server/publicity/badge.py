"""The badge of an online seller: a picture that is drawn at each request, and so shows the present state."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from markupsafe import escape

from trace_server.languages import translations
from trace_server.publicity.shop_words import Said

_SHANGHAI = ZoneInfo("Asia/Shanghai")
_FONT = "system-ui, 'PingFang SC', 'Noto Sans CJK SC', 'Microsoft YaHei', sans-serif"


def badge(said: Said, mark: str, as_of: datetime, language: str) -> str:
    """SVG, 220 × 48: the state, the mark, and the minute it was true. `mark` "": there is none."""
    word = escape(translations(language).gettext(said.word))
    below = escape(" ".join(part for part in (mark, f"{as_of.astimezone(_SHANGHAI):%Y-%m-%d %H:%M}") if part))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="220" height="48" viewBox="0 0 220 48" role="img" '
        f'aria-label="{word} {below}"><title>{word} {below}</title>'
        f'<rect width="220" height="48" rx="8" fill="{said.colour}"/>'
        f'<g fill="#fff" font-family="{_FONT}"><text x="14" y="22" font-size="16" font-weight="700">{word}</text>'
        f'<text x="14" y="39" font-size="12">{below}</text></g></svg>\n'
    )
