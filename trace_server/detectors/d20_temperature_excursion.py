"""D20 temperature excursion 冷链断链: goods were outside their range of temperature for longer than is allowed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from math import exp, log

from trace_server.db import Connection
from trace_server.detect.cold_chain import Chilled, Limits, chilled
from trace_server.detect.detector import (
    Detector,
    Evidence,
    Finding,
    History,
    Outcome,
    Param,
    Seen,
    Severity,
    SubjectKind,
    Window,
    Withdrawn,
)
from trace_server.detect.history import declared_wrong, histories, histories_of, whole_events
from trace_server.detect.sensors import FIELD, Door, Reading, Sensed, read, sensed
from trace_server.detect.steps import LEGAL_TIME
from trace_server.ingest.store.parts import Part

KINETIC_K = 10_000.0
"""Activation energy over the gas constant in kelvin: 83.144 kJ/mol over 8.3144 J/(mol K) (USP <1079.2>)."""
ZERO_K = 273.15
MEDICINE = "drug"


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge the series of every cooled object that the window names, and the window's values by what is possible."""
    known = histories(conn, window)
    yield from _impossible(window, known, params)
    cooled = chilled(conn, window, known)
    parts = [part for key in cooled for part in (*known[key].parts, *known[key].wrong)]
    told = sensed(conn, window.dialect, parts) if parts else {}
    if not told:
        return
    wrong = {part.event_key for key in cooled for part in known[key].wrong}
    suspects = {key for key in told.keys() - wrong if _is_suspect(key, told[key], cooled, known)}
    # Whether an event shows an excursion may hang on another of its objects than the window names.
    events = whole_events(conn, window, suspects)
    around = histories_of(conn, window, {ref.key: ref.uri for one in events for ref in one.objects})
    limits = chilled(conn, window, around)
    series = sensed(conn, window.dialect, [part for key in limits for part in around[key].parts])
    shown: dict[bytes, str] = {}
    for key, one in sorted(limits.items()):
        shown |= _judge(around[key].parts, one, series, params)
    places = {part.event_key: _place(part) for part in parts}
    yield from _outcomes(told, places, shown, params)


def _is_suspect(key: bytes, told: Sensed, cooled: Mapping[bytes, Chilled], known: Mapping[bytes, History]) -> bool:
    """Some value of the event is outside the range of something in it: others are no evidence, whatever else came."""
    owners = [one for item, one in cooled.items() if any(part.event_key == key for part in known[item].parts)]
    return any(
        (limits := one.at(reading.at)) is not None and not limits.admits(reading.celsius)
        for one in owners
        for reading in told.readings
    )


@dataclass(slots=True)
class _Run:
    """Values out of range, one after the other."""

    limits: Limits
    readings: list[Reading] = field(default_factory=list)

    def minutes(self, doors: Sequence[tuple[datetime, datetime]], door_max_min: float) -> float:
        """How long it lasted for certain, less the time that a door stood open."""
        first, last = self.readings[0].at, self.readings[-1].at
        opened = sum(
            (max(timedelta(), min(end, last) - max(begin, first)) for begin, end in doors), timedelta()
        )  # fmt: skip
        spared = min(opened.total_seconds() / 60, door_max_min)
        return (last - first).total_seconds() / 60 - spared


def _judge(
    parts: Sequence[Part], goods: Chilled, series: Mapping[bytes, Sensed], params: Mapping[str, float]
) -> dict[bytes, str]:
    """Event → what was computed, of the events that show an excursion of one object."""
    own = [series[key] for key in dict.fromkeys(part.event_key for part in parts) if key in series]
    readings = sorted(
        (reading for one in own for reading in one.readings if _is_possible(reading.celsius, params)),
        key=lambda one: (one.at, one.celsius, one.event_key),
    )
    doors = _open_times(sorted((door for one in own for door in one.doors), key=lambda door: (door.at, door.is_open)))
    shown: dict[bytes, str] = {}
    for run in _runs(readings, goods):
        allowed = params["medicine_min"] if MEDICINE in run.limits.categories else params["food_min"]
        minutes = run.minutes(doors, params["door_max_min"])
        if minutes > allowed:
            worst = max(run.readings, key=lambda one: max(one.celsius - run.limits.high, run.limits.low - one.celsius))
            value = f"{worst.celsius:.1f} °C, out of {run.limits.low:g}…{run.limits.high:g} for {minutes:.0f} min"
            shown |= dict.fromkeys((one.event_key for one in run.readings), value)
    return shown | _too_warm_on_the_whole(readings, goods, params)


def _runs(readings: Sequence[Reading], goods: Chilled) -> Iterator[_Run]:
    run: _Run | None = None
    for reading in readings:
        limits = goods.at(reading.at)
        is_out = limits is not None and not limits.admits(reading.celsius)
        if run is not None and (not is_out or limits != run.limits):
            yield run
            run = None
        if is_out and limits is not None:
            run = run or _Run(limits)
            run.readings.append(reading)
    if run is not None:
        yield run


def _too_warm_on_the_whole(
    readings: Sequence[Reading], goods: Chilled, params: Mapping[str, float]
) -> dict[bytes, str]:
    """Of medicine whose mean kinetic temperature is above the upper limit: the events above it."""
    held = [(reading, limits) for reading in readings if (limits := goods.at(reading.at)) is not None]
    if len(held) < params["kinetic_readings"] or not any(MEDICINE in limits.categories for _, limits in held):
        return {}
    high = min(limits.high for _, limits in held)
    mean = _mean_kinetic([reading.celsius for reading, _ in held])
    if mean <= high:
        return {}
    value = f"mean kinetic temperature {mean:.1f} °C above {high:g}"
    return {reading.event_key: value for reading, _ in held if reading.celsius > high}


def _mean_kinetic(celsius: Sequence[float]) -> float:
    """Degrees Celsius (Haynes; USP <1079.2>), each reading with the same weight."""
    mean = sum(exp(-KINETIC_K / (value + ZERO_K)) for value in celsius) / len(celsius)
    return KINETIC_K / -log(mean) - ZERO_K


def _open_times(doors: Sequence[Door]) -> list[tuple[datetime, datetime]]:
    """From each opening to the next closing; one that was never closed spares nothing."""
    found, begin = [], None
    for door in doors:
        if door.is_open:
            begin = begin or door.at
        elif begin is not None:
            found.append((begin, door.at))
            begin = None
    return found


def _outcomes(
    told: Mapping[bytes, Sensed],
    places: Mapping[bytes, str],
    shown: Mapping[bytes, str],
    params: Mapping[str, float],
) -> Iterator[Outcome]:
    """By place, sensor and day, so that a lorry's night is one alert and not one for each box."""
    found: dict[str, list[Evidence]] = defaultdict(list)
    none: dict[str, set[bytes]] = defaultdict(set)
    for key, one in sorted(told.items()):
        for reading in one.readings[:1]:
            group = f"{places[key]}/{reading.device}/{_day(reading.at)}"
            if key in shown:
                found[group].append(Evidence(key, reading.at, shown[key]))
            else:
                none[group].add(key)
    for group, evidence in sorted(found.items()):
        values = {name: f"{value:g}" for name, value in params.items()}
        subject = places[evidence[0].event_key]
        yield Finding(group, subject, SubjectKind.ENTERPRISE, tuple(evidence), values)
    for group, event_keys in sorted(none.items()):
        yield Withdrawn(group, frozenset(event_keys), "back in range in time, a door stood open, or declared wrong")


def _impossible(window: Window, known: Mapping[bytes, History], params: Mapping[str, float]) -> Iterator[Outcome]:
    """A value that no store or lorry has is the sensor's fault; it never counts against anybody."""
    for one in window.events:
        if FIELD not in one.event.body:
            continue
        wrong = declared_wrong(known, one)
        for device, value in _faults(one, params).items():
            if wrong:
                yield Withdrawn(f"sensor/{device}", wrong, "the events were declared wrong")
            if not one.event.is_correction and one.event.event_key not in wrong:
                evidence = Evidence(one.event.event_key, one.event.event_time, f"{value:g} °C")
                values = {name: f"{params[name]:g}" for name in ("coldest_c", "warmest_c")}
                yield Finding(f"sensor/{device}", device, SubjectKind.DEVICE, (evidence,), values)


def _faults(one: Seen, params: Mapping[str, float]) -> dict[str, float]:
    event = one.event
    readings = read(event.body, event.event_key, event.event_time).readings
    where = event.read_point or event.source
    return {
        reading.device or where: reading.celsius for reading in readings if not _is_possible(reading.celsius, params)
    }  # fmt: skip


def _is_possible(celsius: float, params: Mapping[str, float]) -> bool:
    return params["coldest_c"] <= celsius <= params["warmest_c"]


def _place(part: Part) -> str:
    return part.biz_location or part.read_point or part.source


def _day(moment: datetime) -> date:
    return moment.astimezone(LEGAL_TIME).date()


DETECTOR = Detector(
    id="D20",
    version=1,
    title_zh="冷链断链",
    title_en="Temperature excursion",
    subject_kind=SubjectKind.ENTERPRISE,
    severity=Severity.HIGH,
    also_kinds=(SubjectKind.DEVICE,),
    guard="only goods whose product says its range; only the time between the first and the last value out of range "
    "counts, less that of an open door (a report suyuan:door) up to door_max_min; a value that is physically "
    "impossible counts as the sensor's fault",
    guard_zh="只判断产品资料载明温度范围的货物；只计首个与末个超限值之间的时间，"
    "并扣除开门（suyuan:door 报告）时间，最多扣 door_max_min；物理上不可能的数值算传感器故障",
    basis="食品安全法 art. 54; 药品经营质量管理规范 附录 冷藏、冷冻药品的储存与运输管理; 疫苗管理法 art. 37",
    params=(
        Param("medicine_min", 15, "min", "default, the office may change it: drug and vaccine"),
        Param("food_min", 30, "min", "default, the office may change it: food and all other goods"),
        Param("door_max_min", 20, "min", "operations: loading with an open door; the office may set less"),
        Param("kinetic_readings", 6, "readings", "USP <1079.2>: a mean of fewer says nothing"),
        Param("coldest_c", -100, "°C", "operations: colder than dry ice and any freezer of the trade"),
        Param("warmest_c", 85, "°C", "operations: end of the range of common sensors, shown when they fail"),
    ),
    find=find,
)
