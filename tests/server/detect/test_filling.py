"""Filling of cylinders: forbidden, of the wrong medium, beyond the limit, without checks; late events mend."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, timedelta
from typing import Any

import pytest

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


def know(db: Database, **changes: Any) -> None:
    with db.begin() as conn:
        store.add(conn, replace(CYLINDER, **changes))


def values(db: Database, rule: str) -> list[str]:
    return [one.value for alert in open_alerts(db, rule) for one in alert.evidence]


def sweep(db: Database, rule: str, hours: float) -> None:
    now = NOW + timedelta(hours=hours)
    detect.follow(db, now, [])
    report = detect.sweep(db, now, [DETECTORS[rule]])
    assert not report.failed, report.failed


@pytest.mark.parametrize(
    ("facts", "event", "found"),
    [
        ({"inspection_due": date(2026, 11, 22)}, at(0, **FILLED), ["2 d overdue"]),
        ({"inspection_due": date(2026, 11, 24)}, at(0, **FILLED), []),
        ({"scrap_on": date(2026, 11, 24)}, at(0, **FILLED), ["0 d after scrap"]),
        ({"scrap_on": date(2026, 11, 25)}, at(0, **FILLED), []),
        ({"owner": OTHER}, at(0, **FILLED), [f"owner {OTHER}, station {USCC}"]),
        ({"inspection_due": date(2026, 11, 22)}, at(0, **PRE), []),
        ({"inspection_due": date(2026, 11, 22)}, at(0, bizStep="storing"), []),
        ({}, at(0, **FILLED), []),
    ],
    ids=["overdue", "on the due day", "scrapped", "before scrap", "foreign", "checked only", "stored", "lawful"],
)
def test_d51_finds_a_filling_that_the_register_forbids(
    database: Database, facts: dict[str, Any], event: dict[str, Any], found: list[str]
) -> None:
    world(database)
    position(database)
    know(database, **facts)
    post(database, event)
    follow(database, "D51")
    assert values(database, "D51") == found
    assert [(one.group_key, one.subject) for one in open_alerts(database, "D51")] == [(f"{URI}@{GATE}", GATE)] * len(
        found
    )
    detect.back_fill(database, NOW, [DETECTORS["D51"]])
    assert values(database, "D51") == found
    post(database, wrong(event))
    follow(database, "D51")
    assert values(database, "D51") == []


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


@pytest.mark.parametrize(
    ("facts", "event", "found"),
    [
        ({}, at(0, **FILLED | {"suyuan:medium": "acetylene"}), ["acetylene into lpg"]),
        ({}, at(0, **FILLED | {"suyuan:weightKg": 15.2}), ["15.2 kg, limit 14.9 kg"]),
        ({}, at(0, **POST | {"suyuan:weightKg": 15.2}), ["15.2 kg, limit 14.9 kg"]),
        ({}, at(0, **FILLED | {"suyuan:weightKg": 15.0}), []),
        ({"fill_limit_kg": None, "medium": ""}, at(0, **FILLED | {"suyuan:weightKg": 90}), []),
        ({}, at(0, **FILLED), []),
    ],
    ids=["medium", "overfilled", "weighed after", "within the scale's error", "nothing known", "right"],
)
def test_d52_finds_the_wrong_medium_and_too_much_of_it(
    database: Database, facts: dict[str, Any], event: dict[str, Any], found: list[str]
) -> None:
    know(database, **facts)
    post(database, event)
    follow(database, "D52")
    assert values(database, "D52") == found
    post(database, wrong(event))
    follow(database, "D52")
    assert values(database, "D52") == []


@pytest.mark.parametrize(
    ("events", "found"),
    [
        ([at(0, **FILLED)], [NEITHER]),
        ([at(-600, **PRE), at(0, **FILLED)], ["no check after"]),
        ([at(0, **FILLED), at(HOUR, **POST)], ["no check before"]),
        ([at(-2 * HOUR, **PRE), at(0, **FILLED), at(HOUR, **POST)], ["no check before"]),
        ([at(-600, **PRE | {"suyuan:check": "failed"}), at(0, **FILLED), at(HOUR, **POST)], ["no check before"]),
        (
            [at(-600, **PRE), at(0, **FILLED), at(HOUR, **POST), at(2 * HOUR, **FILLED)],
            ["no check before, no check after"],
        ),
        ([at(-600, **PRE), at(0, **FILLED), at(60, **FILLED), at(HOUR, **POST)], []),
        ([at(-600, **PRE), at(0, **FILLED), at(HOUR, **POST)], []),
    ],
    ids=["none", "before", "after", "too early", "failed", "one check for two", "reader and scale", "both"],
)
def test_d53_finds_a_filling_without_its_checks(
    database: Database, events: list[dict[str, Any]], found: list[str]
) -> None:
    post(database, *events)
    follow(database, "D53")
    assert values(database, "D53") == []
    sweep(database, "D51", 49)
    assert values(database, "D53") == found


def test_d53_is_taken_back_by_checks_that_are_uploaded_late(database: Database) -> None:
    post(database, at(0, **FILLED))
    follow(database, "D53")
    sweep(database, "D51", 25)
    assert values(database, "D53") == [NEITHER]
    post(database, at(-600, **PRE), at(HOUR, **POST))
    follow(database, "D53")
    assert values(database, "D53") == []


@pytest.mark.parametrize(
    ("facts", "is_found"),
    [
        ({"in_use_on": date(2026, 10, 24)}, True),
        ({"in_use_on": date(2026, 10, 25)}, False),
        ({"in_use_on": date(2026, 1, 1), "registration_no": "瓶10苏J00001(26)"}, False),
        ({"in_use_on": date(2026, 1, 1), "state": "out_of_service"}, False),
        ({"in_use_on": None}, False),
    ],
    ids=["31 days", "30 days", "registered", "out of service", "first day unknown"],
)
def test_d54_finds_use_without_registration_after_thirty_days(
    database: Database, facts: dict[str, Any], *, is_found: bool
) -> None:
    know(database, **facts)
    sweep(database, "D54", 0)
    assert [(one.group_key, one.subject) for one in open_alerts(database, "D54")] == [(URI, USCC)] * is_found


def test_d54_is_taken_back_when_the_registration_comes_in(database: Database) -> None:
    know(database, in_use_on=date(2026, 1, 1))
    sweep(database, "D54", 0)
    assert len(open_alerts(database, "D54")) == 1
    with database.begin() as conn:
        row = replace(CYLINDER, in_use_on=date(2026, 1, 1), registration_no="瓶10苏J00001(26)", revision=2)
        assert store.save(conn, row, known=1)
    sweep(database, "D54", 1)
    assert open_alerts(database, "D54") == []


LIFT = {"kind": "lift", "in_use_on": date(2026, 1, 1), "maintainer": OTHER}
VISIT = {"bizStep": "inspecting"}


@pytest.mark.parametrize(
    ("facts", "days_ago", "is_found"),
    [
        (LIFT, 16, True),
        (LIFT, 15, False),
        (LIFT, None, True),
        (LIFT | {"in_use_on": None}, None, False),
        (LIFT | {"state": "out_of_service"}, 16, False),
        (LIFT | {"kind": "boiler"}, 16, False),
    ],
    ids=["16 days", "15 days", "never", "nothing known", "out of service", "no lift"],
)
def test_d55_finds_a_lift_without_maintenance(
    database: Database, facts: dict[str, Any], days_ago: int | None, *, is_found: bool
) -> None:
    know(database, **facts)
    if days_ago is not None:
        post(database, at(-days_ago * DAY, **VISIT))
    sweep(database, "D55", 0)
    assert [(one.group_key, one.subject) for one in open_alerts(database, "D55")] == [(URI, OTHER)] * is_found


def test_d55_is_taken_back_by_a_maintenance_that_is_uploaded_late(database: Database) -> None:
    know(database, **LIFT)
    sweep(database, "D55", 0)
    [alert] = open_alerts(database, "D55")
    assert alert.values["last_maintenance"] == "2026-01-01"
    assert alert.first_seen.astimezone(UTC).date() == date(2026, 1, 16)
    post(database, at(-3 * DAY, **{"suyuan:act": "maintenance"}))
    sweep(database, "D55", 1)
    assert operations.read_alerts(database, rule_id="D55", state=AlertState.OPEN) == []
