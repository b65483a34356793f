"""Templates to bytes: language, dates, amounts, the inline style sheet and the policy header that allows it."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from babel.dates import format_date
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from trace_server.credit.grading.scoring import display
from trace_server.credit.model import ViolationRecord
from trace_server.credit.regimes import shipped_policy
from trace_server.credit.steps import law_day
from trace_server.languages import LANGUAGES, LOCALES, SOURCE, translations
from trace_server.publicity.rules import without_numbers
from trace_server.publicity.words import (
    CATEGORY,
    COMMITMENT,
    GRADE_LINE,
    GREEN,
    RECALL_LEVEL,
    SEVERITY,
    SUBJECT_STATUS,
)
from trace_server.reports import words as report_words

YUAN_PER_WAN = 10_000
_NOT_IN_TEL = re.compile(r"[^0-9+]")
MAX_HEADER = 256
"""Characters of Accept-Language that are read."""


@dataclass(frozen=True, slots=True)
class Page:
    """Where and in which language a page is shown."""

    language: str
    path: str
    query: dict[str, str]
    public_url: str

    def in_language(self, language: str) -> str:
        return f"{self.path}?{urlencode({**self.query, 'lang': language})}"


def choose_language(parameter: str, header: str) -> str:
    """`?lang=` when it names a language, else the first that Accept-Language names, else Chinese."""
    wanted = SOURCE if parameter == "zh" else parameter
    if wanted in LANGUAGES:
        return wanted
    for entry in header[:MAX_HEADER].split(","):
        name = entry.split(";")[0].strip().lower().split("-")[0]
        if name in ("zh", "en"):
            return SOURCE if name == "zh" else "en"
    return SOURCE


def render(page: Page, template: str, facts: dict[str, object]) -> tuple[str, str]:
    """HTML of a template, and the Content-Security-Policy under which its style sheet counts."""
    environment, css, policy = _environment(page.language)
    other = next(language for language in LANGUAGES if language != page.language)
    frame: dict[str, object] = {
        "lang": page.language,
        "lang_query": "" if page.language == SOURCE else f"?lang={page.language}",
        "other_lang": other,
        "other_name": "English" if other == "en" else "中文",
        "switch": page.in_language(other),
        "domain": urlsplit(page.public_url).netloc,
        "css": Markup(css),  # noqa: S704 – our own file, whose hash the policy names
    }
    return environment.get_template(template).render(**frame, **facts), policy


@lru_cache(maxsize=len(LANGUAGES))
def _environment(language: str) -> tuple[Environment, str, str]:
    folder = _templates()
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    locale = LOCALES[language]
    environment.filters["day"] = lambda day: _day(day, locale)
    environment.filters["yuan"] = lambda amount: _yuan(amount, locale)
    environment.filters["masked"] = without_numbers
    environment.filters["tel"] = lambda phone: _NOT_IN_TEL.sub("", phone)
    environment.filters["score"] = display
    environment.filters["points"] = _signed
    environment.filters["plain"] = lambda factor: format_decimal(factor, locale=locale)
    environment.globals.update(
        status_words=SUBJECT_STATUS,
        severity_words=SEVERITY,
        category_words=CATEGORY,
        level_words=RECALL_LEVEL,
        line_words=GRADE_LINE,
        green_words=GREEN,
        commitment_words=COMMITMENT,
        regime=_regime,
        report_kinds=report_words.KINDS,
        standings=report_words.STANDINGS,
        advice=report_words.ADVICE,
        whys=report_words.WHY,
    )
    css = _style(folder)
    digest = b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; object-src 'none'; base-uri 'none'; "
        "form-action 'self'; frame-ancestors 'none'"
    )
    return environment, css, policy


def _templates() -> Path:
    """In an installed package the templates are inside it, in a checkout beside it."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent / "templates"


def _style(folder: Path) -> str:
    sheets = (folder / "portal" / "style.css", folder / "publicity" / "style.css")
    return "".join(sheet.read_text(encoding="utf-8") for sheet in sheets)


def _day(day: date, locale: str) -> str:
    shown = law_day(day) if isinstance(day, datetime) else day
    return format_date(shown, "long", locale=locale)


def _yuan(amount: Decimal, locale: str) -> str:
    return format_decimal(amount * YUAN_PER_WAN, locale=locale)


def _signed(points: Decimal) -> str:
    """With its sign in front: a minus sign, not a hyphen, so that readers aloud say it."""
    return f"\N{MINUS SIGN}{display(-points)}" if points < 0 else f"+{display(points)}"


def _regime(record: ViolationRecord) -> object:
    return shipped_policy().regime(record.regime)
