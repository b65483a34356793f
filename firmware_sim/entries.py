"""Values out of the tables of a TOML file: typed, within limits, and every refusal names its place in the file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from trace_core.errors import ConfigError

LATEST_S = 1e9
MAX_TEXT = 200
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Entries:
    """One table and where it stands. Every method raises `ConfigError`."""

    values: Mapping[str, object]
    where: str

    def only(self, *known: str) -> Entries:
        """Refuse settings that nobody reads: a typing mistake must not pass as a default."""
        unknown = sorted(set(self.values) - set(known))
        if unknown:
            remedy = f"known: {', '.join(sorted(known))}"
            raise ConfigError(f"unknown setting {unknown[0]!r}", where=self.where or "scenario", remedy=remedy)
        return self

    def at(self, name: str) -> str:
        return f"{self.where}.{name}" if self.where else name

    def get(self, name: str, kind: type[T] | tuple[type[T], ...], default: T) -> T:
        value = self.values.get(name, default)
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise ConfigError(f"{value!r} has the wrong type", where=self.at(name))
        return value

    def text(self, name: str, default: str = "") -> str:
        value = self.get(name, str, default)
        if len(value) > MAX_TEXT:
            raise ConfigError(f"{len(value)} characters", where=self.at(name), remedy=f"at most {MAX_TEXT}")
        return value

    def name(self, name: str = "id") -> str:
        """A name that must be there; it stands in file names and topics."""
        value = self.text(name)
        if not value or not all(c.isascii() and (c.isalnum() or c in "-_.") for c in value):
            raise ConfigError(f"{value!r} is no name", where=self.at(name), remedy="letters, digits and - _ .")
        return value

    def count(self, name: str, default: int, least: int, most: int) -> int:
        value = self.get(name, int, default)
        if not least <= value <= most:
            raise ConfigError(f"{value} is out of range", where=self.at(name), remedy=f"{least} to {most}")
        return value

    def number(self, name: str, default: float, least: float, most: float) -> float:
        value = float(self.get(name, (int, float), default))
        if not least <= value <= most:
            raise ConfigError(f"{value} is out of range", where=self.at(name), remedy=f"{least:g} to {most:g}")
        return value

    def seconds(self, name: str, default: float = 0.0) -> float:
        value = float(self.get(name, (int, float), default))
        if not 0 <= value < LATEST_S:
            raise ConfigError(f"{value} is no time", where=self.at(name), remedy="seconds, 0 or more")
        return value

    def octets(self, name: str) -> bytes:
        """Hexadecimal text."""
        value, parse = self.values.get(name), bytes.fromhex
        try:
            return parse(value) if isinstance(value, str) else parse("?")
        except ValueError as error:
            raise ConfigError("hexadecimal digits in pairs are expected", where=self.at(name)) from error

    def one_of(self, name: str, known: Mapping[str, T], default: str = "") -> T:
        value = self.get(name, str, default)
        if value not in known:
            wrong = f"unknown {name} {value!r}" if value else f"a {name} is missing"
            raise ConfigError(wrong, where=self.at(name), remedy=f"one of {', '.join(known) or 'none: add one'}")
        return known[value]

    def table(self, name: str) -> Entries:
        """A table that must be there."""
        return _table(self.values.get(name), self.at(name), f"write [{self.at(name)}]")

    def tables(self, name: str, most: int) -> list[Entries]:
        """A list of tables, each with its number in its place; empty when it is not there."""
        values = self.values.get(name, [])
        if not isinstance(values, list) or len(values) > most:
            raise ConfigError(f"a list of at most {most} tables is expected", where=self.at(name))
        return [_table(value, f"{self.at(name)}[{i}]", f"write [[{name}]]") for i, value in enumerate(values)]


def named(items: Iterable[T], name: Callable[[T], str], where: str) -> dict[str, T]:
    """By name. Raises `ConfigError` for a name that is there twice."""
    found: dict[str, T] = {}
    for item in items:
        if name(item) in found:
            raise ConfigError(f"{name(item)!r} is there twice", where=where, remedy="give each a name of its own")
        found[name(item)] = item
    return found


def _table(value: object, where: str, remedy: str) -> Entries:
    if not isinstance(value, dict):
        raise ConfigError("a table is expected", where=where, remedy=remedy)
    return Entries(value, where)
