"""Tables of a policy file, read with the place in the file that is at fault."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import cast

from trace_core.errors import ConfigError

_NUMBER = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


def parse_toml(name: str, text: bytes) -> PolicyTable:
    """The root table of a file. Raises `ConfigError` when it is no TOML."""
    try:
        return PolicyTable(name, tomllib.loads(text.decode()))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise ConfigError(f"not readable as TOML: {err}", where=name) from err


@dataclass(frozen=True, slots=True)
class PolicyTable:
    """A TOML table that says where it stands when a member is missing or of the wrong type: `ConfigError`."""

    where: str
    members: Mapping[str, object]

    def text(self, name: str) -> str:
        return cast(str, self._typed(name, str))

    def whole(self, name: str) -> int:
        return cast(int, self._typed(name, int))

    def flag(self, name: str, default: bool | None = None) -> bool:
        if default is not None and name not in self.members:
            return default
        return cast(bool, self._typed(name, bool))

    def day(self, name: str) -> date:
        return cast(date, self._typed(name, date))

    def day_or_none(self, name: str) -> date | None:
        return self.day(name) if name in self.members else None

    def names(self, name: str, allowed: tuple[str, ...]) -> tuple[str, ...]:
        found = self.texts(name)
        unknown = [item for item in found if item not in allowed]
        if unknown:
            raise ConfigError(f"{name} does not know {unknown}", where=self.where, remedy=f"one of {allowed}")
        return found

    def texts(self, name: str) -> tuple[str, ...]:
        found = cast("list[object]", self._typed(name, list)) if name in self.members else []
        if not all(isinstance(item, str) for item in found):
            raise ConfigError(f"{name} is a list of texts", where=self.where)
        return tuple(str(item) for item in found)

    def yuan(self, name: str) -> Decimal | None:
        if name not in self.members:
            return None
        try:
            return Decimal(self.text(name))
        except InvalidOperation as err:
            raise ConfigError(f"{name} is not an amount", where=self.where) from err

    def number(self, name: str) -> Decimal:
        """A decimal, written as text so that no binary fraction comes in: at most six digits on either side."""
        text = self.text(name)
        if not _NUMBER.fullmatch(text):
            raise ConfigError(f'{name} is not a number like "1.25"', where=self.where, remedy="mend the policy file")
        return Decimal(text)

    def numbers(self, name: str, keys: tuple[str, ...]) -> dict[str, Decimal]:
        """A table with a number for exactly these keys."""
        table = self.table(name)
        if sorted(table.members) != sorted(keys):
            raise ConfigError(f"{name} needs exactly {keys}", where=self.where, remedy="mend the policy file")
        return {key: table.number(key) for key in keys}

    def table(self, name: str) -> PolicyTable:
        return PolicyTable(f"{self.where}#{name}", cast("Mapping[str, object]", self._typed(name, dict)))

    def only(self, *names: str) -> None:
        """Refuse members with other names: a misspelt one would be a rule that nobody applies."""
        unknown = sorted(set(self.members) - set(names))
        if unknown:
            raise ConfigError(f"unknown members {unknown}", where=self.where, remedy=f"known: {sorted(names)}")

    def tables(self, name: str) -> tuple[PolicyTable, ...]:
        found = cast("list[object]", self._typed(name, list)) if name in self.members else []
        rows = [(f"{self.where}#{name}[{i}]", item) for i, item in enumerate(found)]
        if not all(isinstance(item, dict) for _, item in rows):
            raise ConfigError(f"{name} is a list of tables", where=self.where)
        return tuple(PolicyTable(where, cast("Mapping[str, object]", item)) for where, item in rows)

    def _typed(self, name: str, kind: type) -> object:
        value = self.members.get(name)
        if not isinstance(value, kind):
            raise ConfigError(f"{name} must be a {kind.__name__}", where=self.where, remedy="mend the policy file")
        return value
