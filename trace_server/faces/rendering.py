"""Templates of `templates/console/` to HTML. Complete without JavaScript; the style sheet is a file with its hash in
the name, because browsers inside other apps keep old ones.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache, partial
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.numbers import format_decimal
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from trace_server import languages
from trace_server.faces.navigation import Item
from trace_server.faces.words import ROLES

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_SHANGHAI = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class FieldError:
    """One mistake in a form: the id of its field, and what happened and how to mend it."""

    field: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What every page shows around its own content."""

    language: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    person: str = ""
    """Name of who is logged in, "" for nobody."""
    csrf: str = ""
    menu: tuple[Item, ...] = ()
    errors: tuple[FieldError, ...] = field(default=())

    @property
    def switch(self) -> str:
        """Address of this page in the other language."""
        other = next(name for name in languages.LANGUAGES if name != self.language)
        return f"{self.path}?{urlencode([*self.query, ('lang', other)])}"


def render(template: str, frame: Frame, **facts: object) -> str:
    """HTML of `templates/console/<template>.html`."""
    environment = _environment(frame.language)
    return environment.get_template(f"console/{template}.html").render(frame=frame, **facts)


def translate(text: str, language: str) -> str:
    """`text` in `language`."""
    return languages.translations(language).gettext(text)


@lru_cache(maxsize=1)
def style() -> tuple[str, bytes]:
    """File name with hash, and content, of the console's style sheet."""
    content = (_folder() / "console" / "style.css").read_bytes()
    return f"console-{hashlib.sha256(content).hexdigest()[:12]}.css", content


@lru_cache(maxsize=len(languages.LANGUAGES))
def _environment(language: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_folder()),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    catalog = languages.translations(language)
    environment.install_gettext_translations(catalog, newstyle=True)  # type: ignore[attr-defined]
    locale = languages.LOCALES[language]
    environment.filters["day"] = partial(_day, language=language)
    environment.filters["moment"] = partial(_moment, locale=locale)
    environment.filters["number"] = lambda value: format_decimal(value, locale=locale)
    environment.filters["say"] = catalog.gettext
    environment.filters["role"] = lambda role: catalog.gettext(ROLES[role])
    other = next(name for name in languages.LANGUAGES if name != language)
    environment.globals.update(
        lang=language, other_lang=other, other_name="English" if other == "en" else "中文", style_name=style()[0]
    )
    return environment


def _day(value: date | datetime, language: str) -> str:
    day = value.astimezone(_SHANGHAI).date() if isinstance(value, datetime) else value
    return languages.long_date(day, language)


def _moment(value: datetime, locale: str) -> str:
    """Date and minute in Shanghai."""
    pattern = "y年M月d日 HH:mm" if locale.startswith("zh") else "d MMM y, HH:mm"
    return format_datetime(value.astimezone(_SHANGHAI), pattern, locale=locale)


def _folder() -> Path:
    """In an installed package the templates are inside it, in a checkout beside it."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "templates"
    return installed if installed.is_dir() else package.parent / "templates"
