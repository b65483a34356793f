"""Options of a reader as they stand in the operator's file → checked values. All raise `ConfigError` with the name."""

from __future__ import annotations

from collections.abc import Mapping

from trace_core.errors import ConfigError


def number(options: Mapping[str, object], name: str, default: int, allowed: range) -> int:
    """A whole number."""
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value not in allowed:
        step = f" in steps of {allowed.step}" if allowed.step > 1 else ""
        raise ConfigError(f"{name} is {value!r}", where=name, remedy=f"use {allowed[0]} to {allowed[-1]}{step}")
    return value


def optional_number(options: Mapping[str, object], name: str, allowed: range) -> int | None:
    """A whole number, None when it is not set."""
    return number(options, name, allowed[0], allowed) if options.get(name) is not None else None


def power_cdbm(options: Mapping[str, object], name: str, most_dbm: int) -> int | None:
    """A power in dBm with decimals → hundredths of dBm, None when it is not set."""
    value = options.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most_dbm:
        raise ConfigError(f"power {value!r} is out of range", where=name, remedy=f"use 0 to {most_dbm} dBm")
    return round(value * 100)


def switch(options: Mapping[str, object], name: str, *, default: bool = False) -> bool:
    """true or false."""
    value = options.get(name, default)
    if not isinstance(value, bool):
        raise ConfigError(f"{name} is {value!r}", where=name, remedy="use true or false")
    return value


def choice(options: Mapping[str, object], name: str, default: str, allowed: Mapping[str, object]) -> str:
    """One of the words that `allowed` has."""
    value = options.get(name, default)
    if not isinstance(value, str) or value not in allowed:
        raise ConfigError(f"{name} is {value!r}", where=name, remedy=f"use one of {', '.join(allowed)}")
    return value


def optional_choice(options: Mapping[str, object], name: str, allowed: Mapping[str, int]) -> int | None:
    """The number behind one of the words that `allowed` has, None when it is not set."""
    return allowed[choice(options, name, "", allowed)] if options.get(name) is not None else None


def antennas(options: Mapping[str, object], name: str, ports: int) -> tuple[int, ...] | None:
    """A list of different ports from 1, None when it is not set."""
    value = options.get(name)
    if value is None:
        return None
    listed = list(value) if isinstance(value, list | tuple) else []
    good = [port for port in listed if type(port) is int and 1 <= port <= ports]
    if not listed or len(set(good)) != len(listed):
        raise ConfigError(f"{name} are {value!r}", where=name, remedy=f"list ports of 1 to {ports}, as [1, 2]")
    return tuple(good)
