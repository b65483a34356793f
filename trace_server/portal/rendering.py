"""Templates → bytes. A page is kept as two halves around the query count, compressed once, joined per request."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, partial
from gettext import NullTranslations
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from trace_server import languages
from trace_server.portal import rules, words
from trace_server.portal.model import Code, Queries, Reason, ShownHop, Verdict
from trace_server.portal.operations import Gathered

COUNT_MARK = "<!--count-->"
_TOTAL = "\u2400"
"""Stands for the number until it is known; no text of ours holds this sign."""
_NOT_IN_TEL = re.compile(r"[^0-9+]")
_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff"
_STORED_MAX = 65_535
_OTHER = {"zh-CN": ("en", "English"), "en": ("zh-CN", "中文")}


@dataclass(frozen=True, slots=True)
class Halves:
    """A page around its count: plain and as raw deflate, each part ending on a byte."""

    head: bytes
    tail: bytes
    packed_head: bytes = field(repr=False)
    packed_tail: bytes = field(repr=False)
    head_crc: int

    @classmethod
    def of(cls, page: str) -> Halves:
        head, _, tail = page.partition(COUNT_MARK)
        first, last = head.encode(), tail.encode()
        return cls(first, last, _deflate(first, zlib.Z_FULL_FLUSH), _deflate(last, zlib.Z_FINISH), zlib.crc32(first))

    def plain(self, count: bytes) -> bytes:
        return self.head + count + self.tail

    def gzipped(self, count: bytes) -> bytes:
        """One gzip member (RFC 1952): the halves as they are, the count as a stored block (RFC 1951 §3.2.4)."""
        size = len(count)
        if size > _STORED_MAX:
            raise ValueError(f"a count of {size} bytes")
        block = b"\x00" + size.to_bytes(2, "little") + (size ^ 0xFFFF).to_bytes(2, "little") + count
        crc = zlib.crc32(self.tail, zlib.crc32(count, self.head_crc))
        length = len(self.head) + size + len(self.tail)
        trailer = crc.to_bytes(4, "little") + length.to_bytes(4, "little")
        return b"".join((_GZIP_HEAD, self.packed_head, block, self.packed_tail, trailer))


class Renderer:
    """The public pages in every language. `domain` is the official host that people compare with."""

    def __init__(self, templates: Path, domain: str) -> None:
        css = (templates / "portal" / "style.css").read_text(encoding="utf-8").strip()
        self.style_hash = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
        # All codes first seen in one hour share the section, but for the number.
        self._count_section = lru_cache(maxsize=4096)(self._render_count)
        self._translations = {language: languages.translations(language) for language in languages.LANGUAGES}
        self._environments = {
            language: _environment(templates, language, catalog, css=css, domain=domain)
            for language, catalog in self._translations.items()
        }

    def page(self, name: str, language: str, *, switch: str, **values: Any) -> str:  # noqa: ANN401 – template values
        """One template of `templates/portal/`. `switch` is the address of this page in the other language."""
        template = self._environments[language].get_template(f"portal/{name}.html")
        return template.render(switch=switch, **values)

    def translate(self, text: str, language: str) -> str:
        return self._translations[language].gettext(text)

    def code_page(
        self, gathered: Gathered, verdict: Verdict, reason: Reason, language: str, *, switch: str, light: bool = False
    ) -> str:
        """The page of one code with `COUNT_MARK` in place of the count; `light` stops after the product."""
        facts = gathered.facts
        say = partial(self.translate, language=language)
        titles = {rule.kind: rule.title_en if language == "en" else rule.title for rule in facts.profile.certificates}
        return self.page(
            "code",
            language,
            switch=switch,
            facts=facts,
            hops=[_line(hop, say) for hop in gathered.hops],
            more=gathered.more_hops,
            verdict=verdict.value,
            reason=reason.value,
            word=say(words.VERDICTS[verdict]),
            near=rules.is_near_expiry(facts),
            missing=rules.missing_certificates(facts),
            certificate_name=lambda kind: titles.get(kind, kind),
            count_mark=Markup(COUNT_MARK),  # noqa: S704 – our own constant
            light=light,
        )

    def count(self, queries: Queries, language: str, *, many: bool) -> bytes:
        """The section on how often the code was asked for."""
        days = (queries.first_day, queries.first_hour, queries.previous_day)
        return self._count_section(language, many, *days).replace(_TOTAL, str(queries.total)).encode()

    def _render_count(self, language: str, many: bool, first_day: date, first_hour: int, last: date | None) -> str:
        template = self._environments[language].get_template("portal/count.html")
        return template.render(n=_TOTAL, first_day=first_day, first_hour=first_hour, previous_day=last, many=many)

    def verdict_message(
        self,
        verdict: Verdict,
        explain: str,
        language: str,
        *,
        switch: str,
        code: Code | None = None,
        typed: tuple[str, str] = ("", ""),
    ) -> str:
        """A page without goods: unknown, malformed, unavailable or busy (`explain`)."""
        word = words.MALFORMED_TITLE if explain == "malformed" else words.VERDICTS[verdict]
        return self.page(
            "message",
            language,
            switch=switch,
            verdict=verdict.value,
            word=self.translate(word, language),
            sentence=self.translate(words.MESSAGES[explain], language),
            explain=explain,
            code=code.readable if code else "",
            proven=explain == "unavailable" and code is not None,
            typed_code=typed[0],
            typed_signature=typed[1],
            field_error="",
        )


def _environment(templates: Path, language: str, catalog: NullTranslations, *, css: str, domain: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(  # type: ignore[attr-defined]
        catalog, newstyle=True
    )
    environment.filters["day"] = partial(languages.long_date, language=language)
    environment.filters["tel"] = lambda number: _NOT_IN_TEL.sub("", number)
    other, other_name = _OTHER[language]
    translate = catalog.gettext
    environment.globals.update(
        lang=language,
        other_lang=other,
        other_name=other_name,
        lang_query="" if language == languages.SOURCE else f"?lang={language}",
        domain=domain,
        # Our own style sheet: escaping it would change what the policy header's hash allows.
        css=Markup(css),  # noqa: S704
        status_words=_translated(words.SUBJECT_STATUS, translate),
        licence_words=_translated(words.LICENCE_STATE, translate),
        field_words=_translated(words.PRODUCT_FIELDS, translate),
        recall_words=_translated(words.RECALL_LEVELS, translate),
        verdict_words=_translated(words.VERDICTS, translate),
        equipment_words=_translated(words.EQUIPMENT, translate),
    )
    return environment


def _translated(table: Mapping[Any, str], translate: Callable[[str], str]) -> dict[Any, str]:
    return {key: translate(text) for key, text in table.items()}


def _line(hop: ShownHop, say: partial[str]) -> dict[str, Any]:
    step = words.STEPS.get(hop.step) or (words.MADE if hop.event_type == "TransformationEvent" else words.OTHER_STEP)
    return {
        "step": say(step),
        "city": hop.city,
        "city_en": hop.city_en,
        "day": hop.day,
        "recorder": hop.recorder,
        "recorder_en": hop.recorder_en,
        "by_device": hop.by_device,
        "relation": hop.relation.value,
        "is_input": hop.is_input,
        "gap_before": hop.gap_before,
    }


def _deflate(data: bytes, flush: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush(flush)
