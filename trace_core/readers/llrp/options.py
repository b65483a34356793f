"""Options of the host's end, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trace_core.errors import ConfigError
from trace_core.readers.llrp.specs import ALL_ANTENNAS, StartTrigger

KEEPALIVE_S = 2.0
"""Three missed ones are silence: a dead reader is noticed after 6 s, at the price of 20 bytes in 2 s."""
STARTS = {"command": StartTrigger.NONE, "immediate": StartTrigger.IMMEDIATE}
"""A command's answer says that the inventory runs, so it is the first choice."""
VERSIONS = ("1.0.1", "auto")


@dataclass(frozen=True, slots=True)
class LlrpOptions:
    """Absent power or session leaves the reader's own setting."""

    antennas: tuple[int, ...] = (ALL_ANTENNAS,)
    power_index: int | None = None
    session: int | None = None
    keepalive_s: float = KEEPALIVE_S
    start: StartTrigger = StartTrigger.NONE
    negotiate: bool = False
    check_tag_crc: bool = True

    @classmethod
    def parse(cls, options: Mapping[str, object]) -> LlrpOptions:
        """Raises `ConfigError`."""
        return cls(
            antennas=_antennas(options.get("antennas")),
            power_index=_integer(options, "power_index", 0, 0xFFFF),
            session=_integer(options, "session", 0, 3),
            keepalive_s=_seconds(options.get("keepalive_s", KEEPALIVE_S)),
            start=STARTS[_choice(options, "start", tuple(STARTS))],
            negotiate=_choice(options, "version", VERSIONS) == "auto",
            check_tag_crc=_flag(options, "check_tag_crc"),
        )


def _antennas(value: object) -> tuple[int, ...]:
    if value is None:
        return (ALL_ANTENNAS,)
    numbers = value if isinstance(value, list | tuple) else ()
    if not numbers or len(set(numbers)) < len(numbers) or not all(_is_integer(n, 1, 255) for n in numbers):
        raise ConfigError(
            f"{value!r} is no list of antennas", where="antennas", remedy="write [1, 2]; leave out for all"
        )
    return tuple(numbers)


def _integer(options: Mapping[str, object], name: str, low: int, high: int) -> int | None:
    value = options.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or not _is_integer(value, low, high):
        raise ConfigError(f"{value!r} is out of range", where=name, remedy=f"use {low} to {high}")
    return value


def _is_integer(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.5 <= value <= 60:
        raise ConfigError(f"keepalives every {value!r} s", where="keepalive_s", remedy="use 0.5 to 60")
    return float(value)


def _choice(options: Mapping[str, object], name: str, choices: tuple[str, ...]) -> str:
    value = options.get(name, choices[0])
    if not isinstance(value, str) or value not in choices:
        raise ConfigError(f"{value!r} is not known", where=name, remedy=f"use one of {', '.join(choices)}")
    return value


def _flag(options: Mapping[str, object], name: str) -> bool:
    value = options.get(name, True)
    if not isinstance(value, bool):
        raise ConfigError(f"{value!r} is neither true nor false", where=name, remedy="use true or false")
    return value
