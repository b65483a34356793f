"""The people and goods of a scenario: who carries what along which route, and when each thing is at which site.

Values in, values out: the same seed gives the same journeys. Times are seconds of the scenario's own clock.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from trace_core.errors import ConfigError
from trace_core.ids.epc import encode, encode_sgtin96
from trace_core.readers._base import FieldTag, Identity

PREFIX_DIGITS = 7
TAG_GAP_S = 0.2
"""Things of one trip come into the field one after the other."""
RSSI_DBM = (-72.0, -45.0)
SGTIN_SERIALS = (10**9, 2**38 - 1)
"""Drawn, never counted: 38 bits in SGTIN-96."""


@dataclass(frozen=True, slots=True)
class Site:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Stop:
    """`travel_s` after leaving the stop before, for `stay_s` in the field of one reader of each kind there."""

    site: str
    travel_s: float
    stay_s: float


@dataclass(frozen=True, slots=True)
class Route:
    """`spread` is the part by which each travel time is longer or shorter, at most."""

    id: str
    stops: tuple[Stop, ...]
    spread: float


@dataclass(frozen=True, slots=True)
class Person:
    """At work from `from_s` to `until_s`; `pace` 2 walks and stays half as long. `badge` is read with the goods."""

    id: str
    role: str
    pace: float
    from_s: float
    until_s: float
    badge: bytes = b""


@dataclass(frozen=True, slots=True)
class Goods:
    """`count` things, `lot` of them a trip, the first trip at `first_s`, one every `every_s`.

    `kind` is sgtin, sscc, giai or uid; `key` a GTIN-14 (sgtin), a company prefix of 7 digits (sscc, giai), or empty.
    """

    id: str
    kind: str
    key: str
    count: int
    lot: int
    first_s: float
    every_s: float
    route: Route
    person: Person | None
    label: bool
    where: str
    """Place in the scenario file."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One thing at one site."""

    site: str
    tag: FieldTag
    identity: Identity
    arrive_s: float
    stay_s: float
    trip: int
    """Things of one trip go through the same lane."""


def journeys(goods: Iterable[Goods], seed: int) -> Iterator[Visit]:
    """Every visit of every thing, trip by trip. Raises `ConfigError` for a trip after the end of a shift."""
    trip = 0
    for kind in goods:
        drawn = random.Random(f"{seed} {kind.id}")  # noqa: S311 - a repeatable world
        used: set[int] = set()
        for first in range(0, kind.count, kind.lot):
            things = [_thing(kind, drawn, used) for _ in range(min(kind.lot, kind.count - first))]
            yield from _trip(kind, things, first // kind.lot, drawn, trip)
            trip += 1


def _trip(kind: Goods, things: list[FieldTag], number: int, drawn: random.Random, trip: int) -> Iterator[Visit]:
    person = kind.person
    at_s = kind.first_s + number * kind.every_s
    pace = 1.0
    carried = [(thing, Identity.UID if kind.kind == "uid" else Identity.EPC) for thing in things]
    if person is not None:
        at_s, pace = max(at_s, person.from_s), person.pace
        if at_s > person.until_s:
            what = f"trip {number + 1} leaves at {at_s:g} s, after the shift of {person.id} ({person.until_s:g} s)"
            raise ConfigError(what, where=f"{kind.where}.person", remedy="fewer trips, sooner, or a longer shift")
        if person.badge:
            carried.append((FieldTag(person.badge), Identity.EPC))
    for stop in kind.route.stops:
        at_s += stop.travel_s / pace * (1 + drawn.uniform(-kind.route.spread, kind.route.spread))
        for place, (thing, identity) in enumerate(carried):
            seen = replace(thing, rssi_dbm=round(drawn.uniform(*RSSI_DBM), 1))
            yield Visit(stop.site, seen, identity, at_s + place * TAG_GAP_S, stop.stay_s / pace, trip)
        at_s += stop.stay_s / pace + TAG_GAP_S * len(carried)


def _thing(kind: Goods, drawn: random.Random, used: set[int]) -> FieldTag:
    if kind.kind == "uid":
        return FieldTag(b"\xe0\x04\x01" + _serial(drawn, used, (0, 2**40 - 1)).to_bytes(5, "big"))
    if kind.kind == "sgtin":
        serial = _serial(drawn, used, SGTIN_SERIALS)
        code = f"]d201{kind.key}21{serial}" if kind.label else ""
        return FieldTag(encode_sgtin96(kind.key, serial, prefix_length=PREFIX_DIGITS), code=code)
    if kind.kind == "sscc":
        reference = _serial(drawn, used, (0, 10 ** (17 - PREFIX_DIGITS) - 1))
        return FieldTag(encode(f"urn:epc:tag:sscc-96:2.{kind.key}.{reference:0{17 - PREFIX_DIGITS}d}"))
    return FieldTag(encode(f"urn:epc:tag:giai-96:0.{kind.key}.{_serial(drawn, used, (10**8, 10**12 - 1))}"))


def _serial(drawn: random.Random, used: set[int], limits: tuple[int, int]) -> int:
    while True:
        serial = drawn.randint(*limits)
        if serial not in used:
            used.add(serial)
            return serial
