"""Tanks of bulk liquid food: what they carried before, whether they were cleaned, whether the carrier has a permit."""

from __future__ import annotations

import itertools
import json
from typing import Any

from click.testing import CliRunner

from tests.server.detect.make import DAY, DETECTORS, GATE, HOUR, at, follow, open_alerts, post, wrong
from tests.server.ingest.make import NOW
from trace_core.ids.canonical import canonical_uri
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.detect import run as detect
from trace_server.detect.cli import alerts
from trace_server.services import Services

TANK = "urn:epc:id:grai:0614141.12345.400"
LATER = NOW.replace(day=30)


def load(seconds: float, cargo: str, *, food: bool = True, permit: str = "P1", **changes: Any) -> dict[str, Any]:
    """The tank is filled."""
    told = {
        "suyuan:cargo": cargo,
        "suyuan:cargoClass": "food" if food else "non-food",
        "suyuan:carrierPermit": permit or None,
    }
    return at(seconds, **({"epcList": [TANK], "bizStep": "loading"} | told | changes))


def cleaned(seconds: float, **changes: Any) -> dict[str, Any]:
    return at(seconds, epcList=[TANK], bizStep="inspecting", **({"suyuan:cleaningCertificate": "C1"} | changes))


def judged(db: Database) -> list[tuple[str, int, str]]:
    follow(db, "D70")
    detect.follow(db, LATER, [])
    return [(one.subject, one.count, one.evidence[-1].value) for one in open_alerts(db, "D70")]


OIL = load(0, "soybean oil")
CASES: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "after fuel": ([load(-DAY, "kerosene", food=False), OIL], ["previous cargo kerosene"]),
    "after fuel, cleaned": (
        [load(-DAY, "kerosene", food=False), cleaned(-HOUR), OIL],
        ["previous cargo kerosene"],
    ),
    "not cleaned": ([load(-DAY, "syrup"), OIL], ["not cleaned since syrup"]),
    "cleaned": ([load(-DAY, "syrup"), cleaned(-HOUR), OIL], []),
    "cleaned too early": ([cleaned(-2 * DAY), load(-DAY, "syrup"), OIL], ["not cleaned since syrup"]),
    "cleaned too late": ([load(-DAY, "syrup"), OIL, cleaned(HOUR)], ["not cleaned since syrup"]),
    "the same oil again": ([load(-DAY, "soybean oil"), OIL], []),
    "no permit": ([load(0, "soybean oil", permit="", eventTime="2026-01-01T00:00:00Z")], ["no carrier permit"]),
    "before permits": ([load(0, "soybean oil", permit="", eventTime="2025-11-01T00:00:00Z")], []),
    "fuel after oil": ([OIL, load(DAY, "kerosene", food=False, permit="")], []),
    "two faults": (
        [load(-DAY, "kerosene", food=False), load(0, "oil", permit="")],
        ["previous cargo kerosene; no carrier permit"],
    ),
    "no tank": ([at(0, 1, bizStep="loading"), at(HOUR, 1)], []),
    "only looked at": ([load(-DAY, "kerosene", food=False), load(0, "oil", bizStep="inspecting")], []),
}


def test_d70_finds_food_in_the_wrong_tank(database: Database) -> None:
    tanks = {name: f"{TANK}{number}" for number, name in enumerate(CASES)}
    for name, (events, _) in CASES.items():
        own = [event | ({"epcList": [tanks[name]]} if event["epcList"] == [TANK] else {}) for event in events]
        post(database, *own)
    assert {(subject, count) for subject, count, _ in judged(database)} == {(GATE, 1)}
    found = {one.group_key: [one.evidence[0].value] for one in open_alerts(database, "D70")}
    assert {name: found.get(canonical_uri(tank), []) for name, tank in tanks.items()} == {
        name: values for name, (_, values) in CASES.items()
    }


def test_d70_waits_for_a_certificate_and_a_late_one_closes_it(database: Database) -> None:
    post(database, load(-DAY, "syrup"), OIL)
    follow(database, "D70")
    assert open_alerts(database) == []
    assert judged(database) == [(GATE, 1, "not cleaned since syrup")]
    post(database, cleaned(-HOUR))
    assert judged(database) == []


def test_d70_a_declared_error_takes_the_cargo_back(database: Database) -> None:
    fuel = load(-DAY, "kerosene", food=False)
    post(database, fuel, OIL)
    assert len(judged(database)) == 1
    post(database, wrong(fuel))
    assert judged(database) == []


def test_d70_reads_an_aggregation_and_the_ilmd(database: Database) -> None:
    packed = load(-DAY, "kerosene", food=False, type="AggregationEvent", action="ADD", parentID=TANK, epcList=None)
    lot = {"epcClass": "urn:epc:class:lgtin:0614141.107346.FARM1", "quantity": 20, "uom": "KGM"}
    packed["childQuantityList"] = [lot]
    ilmd = {"suyuan:cargo": "oil", "suyuan:cargoClass": "food", "suyuan:carrierPermit": "P2"}
    named = at(0, epcList=[TANK], action="ADD", bizStep="loading", ilmd=ilmd)
    post(database, packed, named)
    assert judged(database) == [(GATE, 1, "previous cargo kerosene")]
    (alert,) = open_alerts(database)
    assert alert.values["last_cargoes"] == "oil ← kerosene"


def test_d70_any_order_of_arrival_and_a_back_fill_say_the_same(database: Database) -> None:
    events = [load(-DAY, "syrup"), OIL, cleaned(-HOUR)]
    for number, order in enumerate(itertools.permutations(events)):
        tank = f"{TANK}{number}"
        for event in order:
            post(database, event | {"epcList": [tank]})
            follow(database, "D70")
        post(database, load(DAY, "oil", epcList=[tank]))
    told = judged(database)
    assert [value for _, _, value in told] == ["not cleaned since soybean oil"] * 6
    assert not detect.back_fill(database, LATER, [DETECTORS["D70"]]).failed
    assert judged(database) == told


def test_the_command_line_tells_the_history_of_a_tank(database: Database) -> None:
    post(database, load(-DAY, "syrup"), cleaned(-HOUR), OIL)
    outside = Services(database, Settings(), lambda: NOW)
    told = json.loads(CliRunner().invoke(alerts, ["tank", TANK, "--json"], obj=outside).output)
    assert [(act["act"], act.get("cargo"), act.get("certificate")) for act in told["acts"]] == [
        ("load", "syrup", None),
        ("cleaning", None, "C1"),
        ("load", "soybean oil", None),
    ]
    assert "cleaning" in CliRunner().invoke(alerts, ["tank", TANK], obj=outside).output
