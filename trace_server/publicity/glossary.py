"""Words of the law, as `glossary.toml` has them."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Term:
    """A word, what it means in plain words, and where the law has it. `link` leads to who keeps that text."""

    id: str
    word: str
    word_en: str
    meaning: str
    meaning_en: str
    basis: str
    basis_en: str
    link: str


@cache
def terms() -> tuple[Term, ...]:
    """All of them, in the order of the file."""
    text = (Path(__file__).parent / "glossary.toml").read_text(encoding="utf-8")
    return tuple(Term(**row) for row in tomllib.loads(text)["term"])
