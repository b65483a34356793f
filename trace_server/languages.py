"""Languages of the public pages: zh-CN is the source text, English is complete (a test holds it to that).

Catalogs are compiled in memory at start from the .po files, so that no compiled file can be stale or missing.
"""

from __future__ import annotations

import gettext
import io
from datetime import date
from functools import lru_cache
from pathlib import Path

from babel.dates import format_date
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

TRANSLATIONS = Path(__file__).resolve().parent / "translations"
SOURCE = "zh-CN"
LANGUAGES = (SOURCE, "en")
MAX_HEADER = 256
"""Characters of Accept-Language that are read; browsers send fewer than 100."""
LOCALES = {"zh-CN": "zh_Hans_CN", "en": "en_GB"}


@lru_cache(maxsize=len(LANGUAGES))
def translations(language: str) -> gettext.NullTranslations:
    """The messages of one of `LANGUAGES`; the source language gives every text back as it is."""
    if language == SOURCE:
        return gettext.NullTranslations()
    path = TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"
    compiled = io.BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


@lru_cache(maxsize=512)
def preferred(header: str) -> str:
    """The language for an Accept-Language header (RFC 9110 §12.5.4); the source language when in doubt."""
    best, best_weight = SOURCE, 0.0
    for entry in header[:MAX_HEADER].split(","):
        name, _, parameter = entry.strip().partition(";")
        weight = _weight(parameter)
        for language in LANGUAGES:
            if name.lower().split("-")[0] == language.split("-")[0] and weight > best_weight:
                best, best_weight = language, weight
    return best


def from_parameter(value: str) -> str | None:
    """`?lang=en`, `?lang=zh-CN` or `?lang=zh`; None for anything else."""
    if value == "zh":
        return SOURCE
    return value if value in LANGUAGES else None


def long_date(day: date, language: str) -> str:
    """2026年11月24日 · 24 November 2026."""
    return format_date(day, "long", locale=LOCALES[language])


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
