"""Templates of tables: columns with their official codes, and what `templates.toml` says each version calls them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from trace_core.errors import InputError
from trace_server.imports.model import Column, ImportKind, Template
from trace_server.imports.reading import heading

OWN = "1"
"""Version of a table that has no official versions."""
CATEGORY = "产品类别"
"""A column of ours beside the official ones: the category of products that a row is about."""
ERRORS = "错误说明"
"""The column that a corrected file has beside its own; when it comes back it says nothing."""


def official(kind: str, columns: Sequence[Column]) -> dict[str, Template]:
    """The versions of a 双公示 table: the same columns, under the names of each version."""
    return {version: Template(version, _named(row, columns)) for version, row in _file()[kind].items()}


def own(columns: Sequence[Column]) -> dict[str, Template]:
    """A table with one version."""
    return {OWN: Template(OWN, tuple(columns))}


def column(code: str, *more: str, required: bool = True) -> Column:
    """A column by its code, which is a heading too, and further headings."""
    return Column(code, tuple(heading(text) for text in (code, *more)), required)


def chosen(kind: ImportKind, version: str) -> Template:
    """The template that a file follows. Raises `InputError` when it has to be said and is not, or is unknown."""
    if not version and len(kind.templates) == 1:
        return next(iter(kind.templates.values()))
    if version not in kind.templates:
        what = "the version of the template has to be said" if not version else "there is no such version"
        raise InputError(what, where="template", remedy=f"one of {', '.join(sorted(kind.templates))}")
    return kind.templates[version]


def matched(template: Template, headings: Sequence[str]) -> tuple[str, ...]:
    """Official code of each column of a file, "" for the one with our own remarks on errors.

    Raises `InputError` naming headings that the template does not have, and those that a file must have.
    """
    found = [template.column(text) for text in headings]
    unknown = [text for text, one in zip(headings, found, strict=True) if one is None and text != ERRORS]
    if unknown:
        raise InputError("the template has no such headings", where="headings", remedy="、".join(unknown)[:600])
    codes = [one.code for one in found if one is not None]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise InputError("columns are there twice", where="headings", remedy="、".join(twice))
    missing = [one for one in template.columns if one.is_required and one.code not in codes]
    if missing:
        names = "、".join(one.headings[-1] if len(one.headings) < 3 else one.headings[1] for one in missing)
        raise InputError("columns of the template are missing", where="headings", remedy=names[:600])
    return tuple(one.code if one is not None else "" for one in found)


def title_of(template: Template, code: str) -> str:
    """What people call a column."""
    one = next((one for one in template.columns if one.code == code), None)
    if one is None:
        return code
    return one.headings[1] if len(one.headings) > 1 else one.headings[0]


@lru_cache(maxsize=1)
def _file() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = tomllib.loads(
        (Path(__file__).parent / "templates.toml").read_text(encoding="utf-8")
    )
    return found


def _named(row: dict[str, Any], columns: Sequence[Column]) -> tuple[Column, ...]:
    aliases: dict[str, list[str]] = {}
    for text, code in row["aliases"].items():
        aliases.setdefault(code, []).append(heading(text))
    taken = set(row["aliases"])
    optional = set(row.get("optional", ()))
    return tuple(
        Column(
            one.code,
            (*(text for text in one.headings if text not in taken), *aliases.get(one.code, ())),
            one.is_required and one.code not in optional,
        )
        for one in columns
    )
