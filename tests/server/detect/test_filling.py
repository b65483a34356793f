"""Filling of cylinders: forbidden, of the wrong medium, beyond the limit, without checks; late events mend."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, timedelta
from typing import Any

from tests.server.detect.make import (
    DAY,
    DETECTORS,
    GATE,
    HOUR,
    USCC,
    at,
    follow,
    open_alerts,
    position,
    post,
    world,
    wrong,
)
from tests.server.ingest.make import NOW, item_uri
from trace_core.ids.canonical import canonical_uri
from trace_server.db import Database
from trace_server.detect import operations
from trace_server.detect import run as detect
from trace_server.detect.model import AlertState
from trace_server.equipment import operations as register
from trace_server.equipment import store
from trace_server.equipment.model import Asset
from trace_server.equipment.operations import Caller, Result

URI = canonical_uri(item_uri(1))
OTHER = "91320900MA1T000130"
FILLED = {"suyuan:act": "filling", "suyuan:medium": "lpg", "suyuan:weightKg": 14.5}
PRE = {"bizStep": "inspecting", "suyuan:check": "passed", "suyuan:checkStage": "pre"}
NEITHER = "no check before, no check after"
POST = PRE | {"suyuan:checkStage": "post"}
CYLINDER = Asset(URI, "", "lpg", USCC, date(2027, 1, 1), date(2034, 1, 1), "示例", date(2026, 1, 1), fill_limit_kg=14.9)


def uri(item: int) -> str:
    return canonical_uri(item_uri(item))


def know(db: Database, item: int = 1, **changes: Any) -> None:
    with db.begin() as conn:
        store.add(conn, replace(CYLINDER, uri=uri(item), **changes))


def values(db: Database, rule: str) -> list[str]:
    return [one.value for alert in open_alerts(db, rule) for one in alert.evidence]


def of_items(db: Database, rule: str) -> dict[str, list[str]]:
    """Cylinder → what was found of it."""
    found = {alert.group_key.partition("@")[0]: alert for alert in open_alerts(db, rule)}
    return {name: [one.value for one in alert.evidence] for name, alert in found.items()}


def expected(examples: Sequence[tuple[Any, Any, list[str]]]) -> dict[str, list[str]]:
    return {uri(item): found for item, (_, _, found) in enumerate(examples, 1) if found}


def sweep(db: Database, rule: str, hours: float) -> None:
    now = NOW + timedelta(hours=hours)
    detect.follow(db, now, [])
    report = detect.sweep(db, now, [DETECTORS[rule]])
    assert not report.failed, report.failed


D51: Sequence[tuple[dict[str, Any], dict[str, Any], list[str]]] = (
    ({"inspection_due": date(2026, 11, 22)}, FILLED, ["2 d overdue"]),
    ({"inspection_due": date(2026, 11, 24)}, FILLED, []),
    ({"scrap_on": date(2026, 11, 24)}, FILLED, ["0 d after scrap"]),
    ({"scrap_on": date(2026, 11, 25)}, FILLED, []),
    ({"owner": OTHER}, FILLED, [f"owner {OTHER}, station {USCC}"]),
    ({"inspection_due": date(2026, 11, 22)}, PRE, []),
    ({"inspection_due": date(2026, 11, 22)}, {"bizStep": "storing"}, []),
    ({}, FILLED, []),
)
"""Facts of the register, what was done, what is found: each a cylinder of its own."""


def test_d51_finds_a_filling_that_the_register_forbids(database: Database) -> None:
    world(database)
    position(database)
    events = []
    for item, (facts, told, _) in enumerate(D51, 1):
        know(database, item, **facts)
        events.append(at(0, item, **told))
    post(database, *events)
    follow(database, "D51")
    assert of_items(database, "D51") == expected(D51)
    assert {one.subject for one in open_alerts(database, "D51")} == {GATE}
    detect.back_fill(database, NOW, [DETECTORS["D51"]])
    assert of_items(database, "D51") == expected(D51)
    post(database, *(wrong(event) for event in events))
    follow(database, "D51")
    assert of_items(database, "D51") == {}


def test_d51_suspects_an_unknown_cylinder_after_a_day_until_the_register_knows_it(database: Database) -> None:
    post(database, at(0, **FILLED))
    follow(database, "D51")
    assert values(database, "D51") == []
    sweep(database, "D51", 25)
    assert values(database, "D51") == ["unknown cylinder"]
    know(database)
    sweep(database, "D51", 26)
    assert values(database, "D51") == []


def test_d51_a_later_inspection_does_not_make_the_earlier_filling_right(database: Database) -> None:
    know(database, inspection_due=date(2026, 11, 1))
    result = Result(date(2026, 11, 25), "P-1", "示例检验所", passed=True, next_due=date(2030, 11, 25))
    register.inspect(database, NOW + timedelta(days=2), Caller("test"), URI, result, revision=1)
    post(database, at(0, **FILLED), at(2 * DAY, **FILLED))
    follow(database, "D51")
    assert values(database, "D51") == ["23 d overdue"]


D52: Sequence[tuple[dict[str, Any], dict[str, Any], list[str]]] = (
    ({}, FILLED | {"suyuan:medium": "acetylene"}, ["acetylene into lpg"]),
    ({}, FILLED | {"suyuan:weightKg": 15.2}, ["15.2 kg, limit 14.9 kg"]),
    ({}, POST | {"suyuan:weightKg": 15.2}, ["15.2 kg, limit 14.9 kg"]),
    ({}, FILLED | {"suyuan:weightKg": 15.0}, []),
    ({"fill_limit_kg": None, "medium": ""}, FILLED | {"suyuan:weightKg": 90}, []),
    ({}, FILLED, []),
)


def test_d52_finds_the_wrong_medium_and_too_much_of_it(database: Database) -> None:
    events = []
    for item, (facts, told, _) in enumerate(D52, 1):
        know(database, item, **facts)
        events.append(at(0, item, **told))
    post(database, *events)
    follow(database, "D52")
    assert of_items(database, "D52") == expected(D52)
    detect.back_fill(database, NOW, [DETECTORS["D52"]])
    assert of_items(database, "D52") == expected(D52)
    post(database, *(wrong(event) for event in events))
    follow(database, "D52")
    assert of_items(database, "D52") == {}


D53: Sequence[tuple[str, list[tuple[float, dict[str, Any]]], list[str]]] = (
    ("none", [(0, FILLED)], [NEITHER]),
    ("before", [(-600, PRE), (0, FILLED)], ["no check after"]),
    ("after", [(0, FILLED), (HOUR, POST)], ["no check before"]),
    ("too early", [(-2 * HOUR, PRE), (0, FILLED), (HOUR, POST)], ["no check before"]),
    ("failed", [(-600, PRE | {"suyuan:check": "failed"}), (0, FILLED), (HOUR, POST)], ["no check before"]),
    ("one for two", [(-600, PRE), (0, FILLED), (HOUR, POST), (2 * HOUR, FILLED)], [NEITHER]),
    ("reader and scale", [(-600, PRE), (0, FILLED), (60, FILLED), (HOUR, POST)], []),
    ("both", [(-600, PRE), (0, FILLED), (HOUR, POST)], []),
)


def test_d53_finds_a_filling_without_its_checks(database: Database) -> None:
    told = [(item, moment, said) for item, (_, acts, _) in enumerate(D53, 1) for moment, said in acts]
    post(database, *(at(moment, item, **said) for item, moment, said in told))
    follow(database, "D53")
    assert of_items(database, "D53") == {}
    sweep(database, "D51", 49)
    assert of_items(database, "D53") == expected(D53)
    detect.back_fill(database, NOW + timedelta(hours=49), [DETECTORS["D53"]])
    assert of_items(database, "D53") == expected(D53)


def test_d53_is_taken_back_by_checks_that_are_uploaded_late(database: Database) -> None:
    post(database, at(0, **FILLED))
    follow(database, "D53")
    sweep(database, "D51", 25)
    assert values(database, "D53") == [NEITHER]
    post(database, at(-600, **PRE), at(HOUR, **POST))
    follow(database, "D53")
    assert values(database, "D53") == []


D54: Sequence[tuple[dict[str, Any], bool]] = (
    ({"in_use_on": date(2026, 10, 24)}, True),
    ({"in_use_on": date(2026, 10, 25)}, False),
    ({"in_use_on": date(2026, 1, 1), "registration_no": "瓶10苏J00001(26)"}, False),
    ({"in_use_on": date(2026, 1, 1), "state": "out_of_service"}, False),
    ({"in_use_on": None}, False),
)


def test_d54_finds_use_without_registration_after_thirty_days(database: Database) -> None:
    for item, (facts, _) in enumerate(D54, 1):
        know(database, item, **facts)
    sweep(database, "D54", 0)
    found = {one.group_key: one.subject for one in open_alerts(database, "D54")}
    assert found == {uri(item): USCC for item, (_, is_found) in enumerate(D54, 1) if is_found}


def test_d54_is_taken_back_when_the_registration_comes_in(database: Database) -> None:
    know(database, in_use_on=date(2026, 1, 1))
    sweep(database, "D54", 0)
    assert len(open_alerts(database, "D54")) == 1
    with database.begin() as conn:
        row = replace(CYLINDER, in_use_on=date(2026, 1, 1), registration_no="瓶10苏J00001(26)", revision=2)
        assert store.save(conn, row, known=1)
    sweep(database, "D54", 1)
    assert open_alerts(database, "D54") == []


LIFT: dict[str, Any] = {"kind": "lift", "in_use_on": date(2026, 1, 1), "maintainer": OTHER}
VISIT = {"bizStep": "inspecting"}


D55: Sequence[tuple[dict[str, Any], int | None, bool]] = (
    (LIFT, 16, True),
    (LIFT, 15, False),
    (LIFT, None, True),
    (LIFT | {"in_use_on": None}, None, False),
    (LIFT | {"state": "out_of_service"}, 16, False),
    (LIFT | {"kind": "boiler"}, 16, False),
)
"""Facts, days since the last visit, is it found?"""


def test_d55_finds_a_lift_without_maintenance(database: Database) -> None:
    for item, (facts, _, _) in enumerate(D55, 1):
        know(database, item, **facts)
    visits = [(item, days) for item, (_, days, _) in enumerate(D55, 1) if days is not None]
    post(database, *(at(-days * DAY, item, **VISIT) for item, days in visits))
    sweep(database, "D55", 0)
    found = {one.group_key: one.subject for one in open_alerts(database, "D55")}
    assert found == {uri(item): OTHER for item, (_, _, is_found) in enumerate(D55, 1) if is_found}


def test_d55_is_taken_back_by_a_maintenance_that_is_uploaded_late(database: Database) -> None:
    know(database, **LIFT)
    sweep(database, "D55", 0)
    [alert] = open_alerts(database, "D55")
    assert alert.values["last_maintenance"] == "2026-01-01"
    assert alert.first_seen.astimezone(UTC).date() == date(2026, 1, 16)
    post(database, at(-3 * DAY, **{"suyuan:act": "maintenance"}))
    sweep(database, "D55", 1)
    assert operations.read_alerts(database, rule_id="D55", state=AlertState.OPEN) == []
