"""What sensors told in events: temperatures and doors (EPCIS 2.0 sensorElementList), read from stored bodies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trace_server.db import Connection, Dialect
from trace_server.ingest.store.parts import Part, bodies_with

FIELD = '"sensorElementList"'
DOOR = "door"
"""Last word of the type of a report (`suyuan:door`) whose `booleanValue` says whether a door is open."""
_TEMPERATURE = "Temperature"
_TO_CELSIUS = {
    "CEL": lambda value: value,
    "KEL": lambda value: value - 273.15,
    "FAH": lambda value: (value - 32) / 1.8,
}
"""UN/CEFACT Rec 20 units of temperature."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One temperature, degrees Celsius. `device`: as the report names it, "" when it does not."""

    at: datetime
    celsius: float
    device: str
    event_key: bytes


@dataclass(frozen=True, slots=True)
class Door:
    """A door was opened or closed."""

    at: datetime
    is_open: bool


@dataclass(frozen=True, slots=True)
class Sensed:
    """All that one event tells of temperatures and doors."""

    readings: tuple[Reading, ...]
    doors: tuple[Door, ...]


def sensed(conn: Connection, dialect: Dialect, parts: Iterable[Part]) -> Mapping[bytes, Sensed]:
    """Event → what its sensors told, for those of these events whose sensors told a temperature or a door."""
    times = {part.event_key: part.event_time for part in parts}
    bodies = bodies_with(conn, dialect, sorted(times), FIELD)
    told = {key: read(body, key, times[key]) for key, body in bodies.items()}
    return {key: one for key, one in told.items() if one.readings or one.doors}


def read(body: str, event_key: bytes, event_time: datetime) -> Sensed:
    """What the sensors of one stored body told. A report without a number or a known unit says nothing."""
    readings: list[Reading] = []
    doors: list[Door] = []
    for metadata, report in _reports(json.loads(body)):
        at = _time(report.get("time") or metadata.get("time") or metadata.get("endTime"), event_time)
        kind = _last_word(report.get("type"))
        if kind.lower() == DOOR and isinstance(report.get("booleanValue"), bool):
            doors.append(Door(at, report["booleanValue"]))
        value = report.get("value", report.get("meanValue"))
        convert = _TO_CELSIUS.get(str(report.get("uom", "CEL")))
        if kind == _TEMPERATURE and convert is not None and isinstance(value, int | float):
            device = str(report.get("deviceID") or metadata.get("deviceID") or "")
            readings.append(Reading(at, convert(float(value)), device, event_key))
    return Sensed(tuple(readings), tuple(doors))


def _reports(body: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    for element in body.get("sensorElementList", ()):
        metadata = element.get("sensorMetadata", {})
        for report in element.get("sensorReport", ()):
            yield metadata, report


def _last_word(name: object) -> str:
    return str(name).replace("/", ":").replace("#", ":").rpartition(":")[2].rpartition("-")[2]


def _time(value: object, otherwise: datetime) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else otherwise
