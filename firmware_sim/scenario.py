"""A scenario file: one reader, the tags that pass it and when, and how bad its cable is."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

from firmware_sim.faults import CableFaults
from trace_core.errors import ConfigError, TraceError
from trace_core.readers import protocols
from trace_core.readers._base import FieldTag, ReaderProtocol

MAX_TAGS = 10_000
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Passage:
    """One tag in the field from `arrive_s` for `stay_s` seconds."""

    tag: FieldTag
    arrive_s: float
    stay_s: float

    def is_present(self, at_s: float, repeat_s: float) -> bool:
        """Whether the tag is in the field `at_s` seconds after the start; every `repeat_s` it all comes again."""
        moment = at_s % repeat_s if repeat_s else at_s
        return self.arrive_s <= moment < self.arrive_s + self.stay_s


@dataclass(frozen=True, slots=True)
class Scenario:
    """A checked scenario. Times are seconds; 0 means without end (`duration_s`) or once (`repeat_s`)."""

    title: str
    seed: int
    duration_s: float
    repeat_s: float
    protocol: ReaderProtocol
    endpoint: str
    options: Mapping[str, object]
    faults: CableFaults | None
    passages: tuple[Passage, ...]

    def field_at(self, at_s: float) -> tuple[FieldTag, ...]:
        """The tags in the field `at_s` seconds after the start."""
        return tuple(p.tag for p in self.passages if p.is_present(at_s, self.repeat_s))


def load(path: Path) -> Scenario:
    """Raises `ConfigError` with the place in the file."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError("the scenario cannot be read", where=str(path)) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"the scenario is not TOML: {error}", where=str(path)) from error
    try:
        return _scenario(document)
    except TraceError as error:
        raise ConfigError(error.what, where=f"{path}: {error.where}", remedy=error.remedy) from error


def _scenario(document: Mapping[str, object]) -> Scenario:
    _only(document, {"title", "seed", "duration_s", "repeat_s", "reader", "faults", "tag"}, "scenario")
    reader = _table(document, "reader")
    _only(reader, {"protocol", "endpoint", "options"}, "reader")
    known = protocols()
    name = reader.get("protocol")
    if not isinstance(name, str) or name not in known:
        raise ConfigError(f"unknown protocol {name!r}", where="reader.protocol", remedy=f"one of {', '.join(known)}")
    options = _table(reader, "options") if "options" in reader else {}
    _only(options, set(known[name].options), "reader.options")
    tags = document.get("tag", [])
    if not isinstance(tags, list) or len(tags) > MAX_TAGS:
        raise ConfigError(f"a list of at most {MAX_TAGS} tags is expected", where="tag")
    return Scenario(
        title=_value(document, "title", str, "scenario"),
        seed=_value(document, "seed", int, 0),
        duration_s=_seconds(document, "duration_s"),
        repeat_s=_seconds(document, "repeat_s"),
        protocol=known[name],
        endpoint=_value(reader, "endpoint", str, "pty"),
        options=options,
        faults=_faults(_table(document, "faults")) if "faults" in document else None,
        passages=tuple(_passage(tag, f"tag[{i}]") for i, tag in enumerate(tags)),
    )


def _passage(table: object, where: str) -> Passage:
    if not isinstance(table, dict):
        raise ConfigError("a table is expected", where=where)
    _only(table, {"epc", "tid", "arrive_s", "stay_s", "rssi_dbm", "antenna"}, where)
    epc = _bytes(table.get("epc"), f"{where}.epc")
    if len(epc) % 2 or not 0 < len(epc) <= 62:
        raise ConfigError(f"an EPC has 1 to 31 words of 16 bits, not {len(epc)} bytes", where=f"{where}.epc")
    tid = _bytes(table["tid"], f"{where}.tid") if "tid" in table else None
    rssi_dbm = float(_value(table, "rssi_dbm", (int, float), -55.0))
    tag = FieldTag(epc, tid, _value(table, "antenna", int, 1), rssi_dbm)
    return Passage(tag, _seconds(table, "arrive_s"), _seconds(table, "stay_s") or float("inf"))


def _faults(table: Mapping[str, object]) -> CableFaults:
    _only(table, {f.name for f in fields(CableFaults)}, "faults")
    chances = {name: _chance(table, name) for name in table if name != "dribble"}
    return CableFaults(**chances, dribble=_value(table, "dribble", bool, default=False))


def _chance(table: Mapping[str, object], name: str) -> float:
    value = float(_value(table, name, (int, float), 0.0))
    if not 0 <= value <= 1:
        raise ConfigError(f"{value} is no chance", where=f"faults.{name}", remedy="use 0 to 1")
    return value


def _seconds(table: Mapping[str, object], name: str) -> float:
    value = float(_value(table, name, (int, float), 0.0))
    if not 0 <= value < 1e9:
        raise ConfigError(f"{value} is no time", where=name, remedy="seconds, 0 or more")
    return value


def _table(table: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = table.get(name)
    if not isinstance(value, dict):
        raise ConfigError("a table is expected", where=name, remedy=f"write [{name}]")
    return value


def _value(table: Mapping[str, object], name: str, kind: type[T] | tuple[type[T], ...], default: T) -> T:
    value = table.get(name, default)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ConfigError(f"{value!r} has the wrong type", where=name)
    return value


def _bytes(value: object, where: str) -> bytes:
    parse: Callable[[str], bytes] = bytes.fromhex
    try:
        return parse(value) if isinstance(value, str) else parse("?")
    except ValueError as error:
        raise ConfigError("hexadecimal digits in pairs are expected", where=where) from error


def _only(table: Mapping[str, object], known: set[str], where: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise ConfigError(f"unknown setting {unknown[0]!r}", where=where, remedy=f"known: {', '.join(sorted(known))}")
