"""Cylinders, lifts and tanks through the year. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from trace_server.sample import words
from trace_server.sample.city import PREFIX
from trace_server.sample.journeys import YEAR, morning
from trace_server.sample.model import LEGAL_TIME, PLATFORM, Checkpoint, City, Company, Told, Trade
from trace_server.sample.telling import at_gate, observed

FILL_LIMIT_KG = 14.9
FILLINGS = 8
"""Of one cylinder in the year."""
VISIT_DAYS = 14
"""Between two visits of a lift's maintenance; the law says at least every 15."""


@dataclass(frozen=True, slots=True)
class Thing:
    """A piece of equipment. `fault`: what is wrong with it, "" for nothing."""

    uri: str
    kind: str
    device_code: str
    owner: Company
    maintainer: Company | None
    made_on: date
    due: date
    scrap: date | None
    registered_on: date | None
    fault: str = ""


def things(city: City, seed: int) -> tuple[Thing, ...]:
    """Everything that the register holds, faulty ones among it."""
    dice = random.Random(f"things/{seed}")  # noqa: S311 – a made-up city, no secret
    today = city.as_of.astimezone(LEGAL_TIME).date()
    return (*_cylinders(city, dice, today), *_lifts(city, dice, today))


def _cylinders(city: City, dice: random.Random, today: date) -> Iterator[Thing]:
    stations = [gate.owner for gate in city.gates("filling")]
    for number in range(city.scale.cylinders):
        made_on = today - timedelta(days=dice.randrange(400, 2000))
        fault = {0: "overdue", 1: "scrapped", 2: "wrong", 3: "unchecked", 4: "handed"}.get(number, "")
        due = today + timedelta(days=dice.randrange(20, 900))
        if fault in ("overdue", "handed") or (number % 23 == 22):
            due = today - timedelta(days=dice.randrange(10, 90))
        yield Thing(
            uri=f"https://id.gs1.org/8004/{PREFIX}0001C{number:05}",
            kind="lpg_cylinder",
            device_code=f"232032{number % 1000:03}{made_on.year}{number:05}",
            owner=stations[number % len(stations)],
            maintainer=None,
            made_on=made_on,
            due=due,
            scrap=today - timedelta(days=30) if fault == "scrapped" else made_on + timedelta(days=8 * YEAR),
            registered_on=made_on + timedelta(days=20),
            fault=fault,
        )


def _lifts(city: City, dice: random.Random, today: date) -> Iterator[Thing]:
    owners, maintainers = city.of(Trade.ESTATE), city.of(Trade.MAINTAINER)
    for number in range(city.scale.lifts):
        made_on = today - timedelta(days=dice.randrange(700, 3600))
        fault = {0: "unmaintained", 1: "unregistered"}.get(number, "")
        overdue = number % 19 == 5
        yield Thing(
            uri=f"https://id.gs1.org/8004/{PREFIX}0002E{number:05}",
            kind="lift",
            device_code=f"311032{number % 1000:03}{made_on.year}{number:05}",
            owner=owners[number % len(owners)],
            maintainer=maintainers[number % len(maintainers)],
            made_on=made_on,
            due=today - timedelta(days=12) if overdue else today + timedelta(days=dice.randrange(5, 360)),
            scrap=None,
            registered_on=None if fault == "unregistered" else made_on + timedelta(days=15),
            fault=fault,
        )


def year(city: City, dice: random.Random, known: tuple[Thing, ...]) -> Iterator[Told]:
    """Fillings with their checks, visits to lifts, loads and cleanings of tanks."""
    for one in known:
        if one.kind == "lift":
            yield from _visits(city, dice, one)
        else:
            yield from _fillings(city, dice, one)
    yield from _tanks(city, dice)


def _fillings(city: City, dice: random.Random, one: Thing) -> Iterator[Told]:
    gate = next(gate for gate in city.gates("filling") if gate.owner == one.owner)
    today = city.as_of.astimezone(LEGAL_TIME).date()
    first = morning(today - timedelta(days=YEAR - 1), 8, dice)
    yield Told(first, PLATFORM, observed(first, "commissioning", one.owner.place, [one.uri], action="ADD"))
    for number in range(FILLINGS):
        day = today - timedelta(days=YEAR - 5 - number * 44 - dice.randrange(20))
        if not one.fault and day > one.due:
            continue
        yield from filling(morning(day, 9, dice), gate.gateway, gate.read_point, one.uri, checks=True)
    if one.fault in ("overdue", "scrapped", "wrong", "unchecked"):
        at = morning(today - timedelta(days=6), 10, dice)
        more: dict[str, Any] = {"suyuan:refusedAct": "overdue"} if one.fault == "overdue" else {}
        if one.fault == "wrong":
            more = {"suyuan:medium": "dimethyl_ether", "suyuan:weightKg": 17.2}
        yield from filling(at, gate.gateway, gate.read_point, one.uri, checks=one.fault != "unchecked", **more)
    if one.fault in ("handed", "scrapped"):
        at = morning(today - timedelta(days=4), 11, dice)
        yield Told(at, PLATFORM, observed(at, "retail_selling", one.owner.place, [one.uri], disposition="active"))


def filling(at: datetime, gateway: str, place: str, uri: str, *, checks: bool, **members: Any) -> Iterator[Told]:  # noqa: ANN401 – members of an event
    """One filling, with the check before it and the one after it."""
    told = {"suyuan:act": "filling", "suyuan:medium": "lpg", "suyuan:weightKg": 14.5, **members}
    stages = [("pre", -4), ("", 0), ("post", 3)] if checks else [("", 0)]
    for stage, minutes in stages:
        moment = at + timedelta(minutes=minutes)
        if stage:
            more = {"suyuan:check": "passed", "suyuan:checkStage": stage}
            yield Told(moment, gateway, observed(moment, "inspecting", place, [uri], **more))
        else:
            yield Told(moment, gateway, observed(moment, "other", place, [uri], **told))


def _visits(city: City, dice: random.Random, one: Thing) -> Iterator[Told]:
    today = city.as_of.astimezone(LEGAL_TIME).date()
    missed = 40 if one.fault == "unmaintained" else 1
    for back in range(YEAR - 5, missed, -VISIT_DAYS):
        at = morning(today - timedelta(days=back), 14, dice)
        yield Told(at, PLATFORM, observed(at, "repairing", one.owner.place, [one.uri], **{"suyuan:act": "maintenance"}))
    if not one.fault:
        at = morning(today - timedelta(days=2), 14, dice)
        yield Told(at, PLATFORM, observed(at, "repairing", one.owner.place, [one.uri], **{"suyuan:act": "maintenance"}))


def _tanks(city: City, dice: random.Random) -> Iterator[Told]:
    """Tank lorries of edible oil: cleaned before each load; one load after fuel, as somebody reported."""
    gates = city.gates("tank_depot")
    today = city.as_of.astimezone(LEGAL_TIME).date()
    for number, gate in enumerate(gates):
        tank = f"https://id.gs1.org/8004/{PREFIX}0003T{number:05}"
        yield _first_seen(tank, gate, morning(today - timedelta(days=YEAR - 1), 8, dice))
        for back in range(YEAR - 10, 3, -12):
            at = morning(today - timedelta(days=back), 7, dice)
            told = {"suyuan:cleaningCertificate": f"QX-{number}-{back}"}
            yield at_gate(at, "inspecting", gate, tank, **told)
            cargo = {"suyuan:cargo": "大豆油", "suyuan:cargoClass": "food", "suyuan:carrierPermit": f"ZY-{number:03}"}
            yield at_gate(at + timedelta(hours=1), "loading", gate, tank, **cargo)
    tank = f"https://id.gs1.org/8004/{PREFIX}0003T00099"
    yield _first_seen(tank, gates[0], morning(today - timedelta(days=YEAR - 1), 8, dice))
    for days, cargo_name, kind in ((20, "煤制油", "non-food"), (19, "大豆油", "food")):
        at = morning(today - timedelta(days=days), 8, dice)
        told = {"suyuan:cargo": cargo_name, "suyuan:cargoClass": kind}
        yield at_gate(at, "loading", gates[0], tank, **told)


def _first_seen(tank: str, gate: Checkpoint, at: datetime) -> Told:
    """A tank gets its number."""
    return Told(at, PLATFORM, observed(at, "commissioning", gate.owner.place, [tank], action="ADD"))


def registrations(known: tuple[Thing, ...], today: date) -> list[dict[str, Any]]:
    """Members of a registration, by thing."""
    return [
        {
            "uri": one.uri,
            "owner": one.owner.uscc,
            "source": words.REGISTER,
            "device_code": one.device_code,
            "kind": one.kind,
            "registration_no": f"{'梯11' if one.kind == 'lift' else '瓶16'}苏J{number:05}({one.made_on:%y})"
            if one.registered_on
            else "",
            "registered_on": one.registered_on,
            "maintainer": one.maintainer.uscc if one.maintainer else "",
            "medium": "" if one.kind == "lift" else "lpg",
            "fill_limit_kg": None if one.kind == "lift" else FILL_LIMIT_KG,
            "made_on": one.made_on,
            "in_use_on": min(one.made_on + timedelta(days=10), today),
            "inspection_due": one.due,
            "scrap_on": one.scrap,
        }
        for number, one in enumerate(known)
    ]
