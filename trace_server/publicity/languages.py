"""Languages of the public credit pages: Chinese is the source text, English comes from the catalog."""

from __future__ import annotations

import gettext
import io
from functools import lru_cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

CATALOG = Path(__file__).resolve().parent.parent / "translations" / "en" / "LC_MESSAGES" / "messages.po"
SOURCE = "zh-CN"
LANGUAGES = (SOURCE, "en")
LOCALES = {SOURCE: "zh_Hans_CN", "en": "en_GB"}


@lru_cache(maxsize=len(LANGUAGES))
def translations(language: str) -> gettext.NullTranslations:
    """The messages of one of `LANGUAGES`; the source language gives every text back as it is."""
    if language == SOURCE:
        return gettext.NullTranslations()
    compiled = io.BytesIO()
    with CATALOG.open("rb") as source:
        write_mo(compiled, read_po(source, locale=language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
