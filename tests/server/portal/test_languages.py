"""Two languages, both complete: a message without its English, or a fuzzy one, fails the build."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from trace_server import languages

ROOT = Path(__file__).parents[3]
CATALOG = languages.TRANSLATIONS / "en" / "LC_MESSAGES" / "messages.po"
_PARAMETER = re.compile(r"%\((\w+)\)s")
_CHINESE = re.compile("[\u4e00-\u9fff]")


def used() -> dict[str, str]:
    """Message → a file that uses it."""
    with (ROOT / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)
    found = extract_from_dir(ROOT, methods, options, keywords={"_": None}, directory_filter=_is_ours)
    return {message: str(file) for file, _, message, _, _ in found if isinstance(message, str)}


def _is_ours(folder: str) -> bool:
    relative = Path(folder).relative_to(ROOT)
    return not relative.parts or relative.parts[0] in ("trace_server", "templates")


def test_every_message_has_its_english_and_no_english_is_left_over() -> None:
    with CATALOG.open("rb") as source:
        catalog = read_po(source, locale="en")
    translated = {message.id: message for message in catalog if message.id}
    messages = used()
    assert {text: file for text, file in messages.items() if text not in translated} == {}
    assert sorted(set(translated) - set(messages)) == []
    for text, message in translated.items():
        assert message.string, text
        assert not message.fuzzy, text
        assert set(_PARAMETER.findall(text)) == set(_PARAMETER.findall(message.string)), text
        assert not _CHINESE.search(message.string), text


def test_no_chinese_stands_in_a_template_outside_a_message() -> None:
    for path in sorted((ROOT / "templates" / "portal").glob("*.html")):
        bare = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
        assert not _CHINESE.search(bare), path.name


@given(st.text(max_size=300))
def test_no_header_breaks_the_choice_of_language(header: str) -> None:
    assert languages.preferred(header) in languages.LANGUAGES


@pytest.mark.parametrize(
    ("value", "language"), [("zh", "zh-CN"), ("zh-CN", "zh-CN"), ("en", "en"), ("fr", None), ("", None)]
)
def test_the_link_names_a_language(value: str, language: str | None) -> None:
    assert languages.from_parameter(value) == language


def test_dates_are_written_as_people_of_each_language_do() -> None:
    assert languages.long_date(date(2026, 11, 4), "zh-CN") == "2026年11月4日"
    assert languages.long_date(date(2026, 11, 4), "en") == "4 November 2026"
