"""Take typed values out of one TOML table; everything wrong is a `ConfigError` with place and remedy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gateway_agent.settings import SECTIONS, Need, Setting
from trace_core.errors import ConfigError


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean …?` or nothing."""
    import difflib  # only for who mistyped

    close = difflib.get_close_matches(word, list(known), n=1)
    return f"did you mean {close[0]!r}?" if close else ""


class Fields:
    """A table of the file. `known` maps key → what is known of it; other keys are errors at once."""

    def __init__(self, data: Mapping[str, object], *, where: str, known: Mapping[str, object]) -> None:
        self._data = data
        self._where = where
        self._known = known
        for key in data:
            if key not in known:
                raise self.error(key, "unknown key", nearest(key, known) or f"known are: {', '.join(sorted(known))}")

    def error(self, key: str, what: str, remedy: str) -> ConfigError:
        return ConfigError(what, where=f"{self._where}: {key}", remedy=remedy)

    def text(self, key: str) -> str:
        value = self._value(key)
        if not isinstance(value, str):
            raise self.error(key, "must be text", 'write it in "quotes"')
        if not value and self._setting(key).default is Need.REQUIRED:
            raise self.error(key, "is empty", self._setting(key).help)
        return value

    def number(self, key: str) -> float:
        value = self.optional_number(key)
        if value is None:
            raise self.error(key, "is missing", self._setting(key).help)
        return value

    def integer(self, key: str) -> int:
        value = self.optional_integer(key)
        if value is None:
            raise self.error(key, "is missing", self._setting(key).help)
        return value

    def optional_number(self, key: str) -> float | None:
        value = self._value(key)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.error(key, "must be a number", "write it without quotes")
        return float(self._bounded(key, value))

    def optional_integer(self, key: str) -> int | None:
        value = self._value(key)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(key, "must be a whole number", "write it without quotes and decimals")
        return int(self._bounded(key, value))

    def integers(self, key: str) -> tuple[int, ...]:
        """A list of different whole numbers, empty when absent."""
        value = self._value(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(n, int) and not isinstance(n, bool) for n in value):
            raise self.error(key, "must be a list of whole numbers", "write [1, 2]")
        if len(set(value)) != len(value):
            raise self.error(key, "a number appears twice", "name each once")
        return tuple(int(self._bounded(key, number)) for number in value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty when absent."""
        value = self._value(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
            raise self.error(key, "must be a list of texts", 'write ["a", "b"]')
        return tuple(value)

    def choice(self, key: str, known: Iterable[str]) -> str:
        """A text that is one of `known`."""
        value, names = self.text(key), [str(name) for name in known]
        if value not in names:
            raise self.error(key, f"{value!r} is not known", nearest(value, names) or f"write {' or '.join(names)}")
        return value

    def with_defaults(self, defaults: Mapping[str, object]) -> Fields:
        """The same table, where absent keys have these values."""
        return Fields({**defaults, **self._data}, where=self._where, known=self._known)

    def mapping(self, key: str) -> Mapping[str, object]:
        value = self._data.get(key, {})
        if not isinstance(value, dict):
            raise self.error(key, "must be a table", f"write [{key}] or {key} = {{…}}")
        return value

    def table(self, key: str, *, required: bool = True) -> Fields:
        """A sub-table whose keys `SECTIONS[key]` lists."""
        if required and key not in self._data:
            raise self.error(key, "the section is missing", f"add [{key}]")
        return Fields(self.mapping(key), where=f"{self._where}: [{key}]", known=SECTIONS[key])

    def tables(self, key: str) -> list[Fields]:
        """The entries of an array of tables whose keys `SECTIONS[key]` lists."""
        value = self._data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self.error(key, "must be a list of tables", f"write [[{key}]] before each")
        return [
            Fields(entry, where=f"{self._where}: [[{key}]] {number}", known=SECTIONS[key])
            for number, entry in enumerate(value, 1)
        ]

    def _setting(self, key: str) -> Setting:
        setting = self._known[key]
        if not isinstance(setting, Setting):
            raise TypeError(f"{key} is no setting")
        return setting

    def _value(self, key: str) -> object:
        setting = self._setting(key)
        if key in self._data:
            return self._data[key]
        if setting.default is Need.REQUIRED:
            raise self.error(key, "is missing", setting.help)
        return None if setting.default is Need.ABSENT else setting.default

    def _bounded(self, key: str, value: int | float) -> int | float:
        setting = self._setting(key)
        low, high = setting.low, setting.high
        # `not (low <= value)` also refuses NaN, which compares false with everything.
        if (low is not None and not low <= value) or (high is not None and not value <= high):
            raise self.error(key, f"{value} is out of range", f"between {low:g} and {high:g} {setting.unit}".rstrip())
        return value
