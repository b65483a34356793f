"""The table of usual yields (`yields.toml`): dated data with its basis; another row is another entry in the file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from trace_core.errors import ConfigError
from trace_server.catalog.model import Product

TABLE = Path(__file__).with_name("yields.toml")


@dataclass(frozen=True, slots=True)
class Kind:
    """Products of one kind: by GTIN, by the beginning of the standard they state, by a word of their name."""

    gtins: frozenset[str]
    standards: tuple[str, ...]
    words: tuple[str, ...]

    def holds(self, product: Product) -> bool:
        stated = any(product.standard.startswith(standard) for standard in self.standards)
        return product.gtin in self.gtins or stated or any(word in product.name for word in self.words)


@dataclass(frozen=True, slots=True)
class Yield:
    """From `starts` on, `minimum` to `maximum` kilograms of `output` come of a kilogram of `input`."""

    name: str
    title: str
    title_en: str
    input: Kind
    output: Kind
    minimum: float
    maximum: float
    basis: str
    starts: date
    is_confirmed: bool


@cache
def load_yields(path: Path = TABLE) -> tuple[Yield, ...]:
    """The rows of the table in its order. Raises `ConfigError` with the row and member on the first fault."""
    try:
        return tuple(_yield(entry) for entry in tomllib.loads(path.read_text(encoding="utf-8"))["yield"])
    except (tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"the table of yields is faulty: {error}", where=path.name) from error


def _yield(entry: Mapping[str, Any]) -> Yield:
    minimum, maximum, starts = float(entry["min"]), float(entry["max"]), entry["effective_from"]
    if not 0 < minimum <= maximum:
        raise ValueError(f"{entry['name']}: min and max must be 0 < min ≤ max")
    if type(starts) is not date:
        raise TypeError(f"{entry['name']}: effective_from is no date")
    kinds = (_kind(entry["input"]), _kind(entry["output"]))
    words = (entry["name"], entry["title"], entry["title_en"])
    return Yield(*words, *kinds, minimum, maximum, entry["basis"], starts, bool(entry["confirmed"]))


def _kind(entry: Mapping[str, Any]) -> Kind:
    names = (frozenset(entry.get("gtins", ())), tuple(entry.get("standards", ())), tuple(entry.get("words", ())))
    if not any(names):
        raise ValueError("a side without gtins, standards and words")
    return Kind(*names)
