"""Goods that got too warm are found, and so is a record with holes; doors, failed sensors and late uploads are not."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.server.detect.make import (
    DAY,
    DETECTORS,
    GATE,
    HOUR,
    LOT,
    SOURCE,
    USCC,
    at,
    follow,
    open_alerts,
    post,
    world,
    wrong,
)
from tests.server.ingest.make import GTIN, NOW, epc
from trace_server.catalog import operations as catalog
from trace_server.db import Database, metadata
from trace_server.detect import operations
from trace_server.detect import run as detect
from trace_server.detect import tables as alert_tables
from trace_server.detect.detector import SubjectKind
from trace_server.detect.model import AlertState
from trace_server.detect.sensors import read
from trace_server.ingest import tables as events_tables

CASE = "urn:epc:id:sscc:0614141.1234567890"
DEVICE = "urn:epc:id:giai:9521321.logger1"
LATE = NOW + timedelta(days=3)
STATED = "2026-11-24"


def cooled(db: Database, category: str = "drug") -> None:
    """The product is kept at 2 to 8 °C."""
    world(db)
    words = dict.fromkeys(("spec", "ingredients", "standard", "storage", "origin", "approval_no"), "示例")
    product = {"gtin": GTIN, "name": "示例", "category": category, "producer_uscc": USCC, **words, **SOURCE}
    limits = {"storage_min_c": 2, "storage_max_c": 8.0}
    assert not catalog.import_document(db, {"products": [product | limits]}, actor="test", now=NOW).errors


def warm(minutes: float, celsius: float, *serials: object, **changes: Any) -> dict[str, Any]:
    """A logger's value, of items that it lies with."""
    report = {"type": "Temperature", "value": celsius, "uom": "CEL", "deviceID": DEVICE}
    return at(
        minutes * 60,
        *serials,
        **({"bizStep": "sensor_reporting", "sensorElementList": [{"sensorReport": [report]}]} | changes),
    )


def door(minutes: float, *, is_open: bool) -> dict[str, Any]:
    report = {"type": "suyuan:door", "booleanValue": is_open}
    return at(minutes * 60, bizStep="sensor_reporting", sensorElementList=[{"sensorReport": [report]}])


def in_case(minutes: float, serial: object = 1, action: str = "ADD") -> dict[str, Any]:
    packed = at(minutes * 60, bizStep="packing", action=action, parentID=CASE, childEPCs=[epc(serial)])
    return {name: value for name, value in packed.items() if name != "epcList"} | {"type": "AggregationEvent"}


RUN = [warm(0, 5), warm(5, 9), warm(15, 12), warm(25, 10), warm(30, 6)]
LONG = [warm(0, 5), warm(5, 9), warm(25, 12), warm(45, 10), warm(50, 6)]


@pytest.mark.parametrize(
    ("category", "events", "count"),
    [
        ("drug", RUN, 3),
        ("drug", [warm(0, 5), warm(5, 9), warm(15, 9), warm(30, 6)], 0),
        ("drug", [warm(0, 9), warm(10, 5), warm(20, 9), warm(30, 9)], 0),
        ("food", RUN, 0),
        ("food", LONG, 3),
        ("drug", [*RUN, door(4, is_open=True), door(16, is_open=False)], 0),
        ("drug", [*RUN, door(4, is_open=True)], 3),
        ("drug", [*LONG, door(4, is_open=True), door(46, is_open=False)], 3),
        ("drug", [warm(0, -40), warm(20, -40), warm(40, 5)], 2),
        ("drug", [warm(5 * n, 7.9) for n in range(5)] + [warm(25, 30)], 1),
        ("drug", [warm(0, 5), warm(5, 9), warm(15, 12, **{"epcList": [CASE]}), warm(25, 10)], 2),
    ],
    ids=[
        "a run", "ten minutes", "back in between", "food has longer", "a long run", "an open door", "a door left open",
        "a door is no excuse for ever", "frozen", "kinetic mean", "the case apart",
    ],
)  # fmt: skip
def test_d20_finds_goods_out_of_range_for_too_long(
    database: Database, category: str, events: list[dict[str, Any]], count: int
) -> None:
    cooled(database, category)
    for event in events:
        post(database, event)
        follow(database, "D20")
    found = open_alerts(database, "D20")
    assert [(one.group_key, one.count, one.subject_kind) for one in found] == [
        (f"{GATE}/{DEVICE}/{STATED}", count, SubjectKind.ENTERPRISE)
    ] * bool(count)


def test_d20_judges_a_container_by_what_is_in_it_at_that_time(database: Database) -> None:
    cooled(database)
    events = [warm(5 * n, 20, epcList=[CASE]) for n in range(13)]
    post(database, *events)
    follow(database, "D20")
    assert open_alerts(database) == [], "nobody knows of anything cold in it"
    post(database, in_case(20), in_case(45, action="DELETE"))
    follow(database, "D20")
    (alert,) = open_alerts(database)
    assert alert.count == 5
    assert {one.value for one in alert.evidence} == {"20.0 °C, out of 2…8 for 20 min"}


def test_d20_goods_without_a_range_and_errors_show_nothing(database: Database) -> None:
    world(database)
    post(database, *RUN)
    follow(database, "D20")
    assert open_alerts(database) == []
    cooled(database)
    detect.back_fill(database, NOW, [DETECTORS["D20"]])
    assert [one.count for one in open_alerts(database)] == [3]
    post(database, wrong(RUN[3]))
    follow(database, "D20")
    assert open_alerts(database) == []


def test_d20_an_impossible_value_is_the_sensors_fault(database: Database) -> None:
    cooled(database)
    broken = [warm(0, 5), warm(5, 850), warm(25, 850), warm(45, 5)]
    post(database, *broken)
    follow(database, "D20")
    (alert,) = open_alerts(database)
    assert (alert.subject, alert.subject_kind, alert.count) == (DEVICE, SubjectKind.DEVICE, 2)
    post(database, wrong(broken[1]), wrong(broken[2]))
    follow(database, "D20")
    assert open_alerts(database) == []


def test_temperatures_are_read_in_every_unit_and_spelling() -> None:
    body = (
        '{"sensorElementList": [{"sensorMetadata": {"time": "2026-11-24T00:00:00Z", "deviceID": "urn:x:1"},'
        '"sensorReport": [{"type": "gs1:Temperature", "value": 41, "uom": "FAH"},'
        '{"type": "https://gs1.org/voc/Temperature", "value": 278.15, "uom": "KEL"},'
        '{"type": "Temperature", "meanValue": 5, "uom": "CEL"}, {"type": "Humidity", "value": 5},'
        '{"type": "gs1:MT-Temperature", "value": 5, "uom": "P1"}]}]}'
    )
    told = read(body, b"", NOW)
    assert [round(one.celsius, 6) for one in told.readings] == [5, 5, 5]
    assert {one.device for one in told.readings} == {"urn:x:1"}


SENT, TAKEN = at(0, 1, 2, bizStep="shipping"), at(HOUR, 1, 2, bizStep="receiving")
LOGGED = [warm(5 * n, 5, 1, 2) for n in range(13)]


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([SENT, TAKEN], AlertState.WAITING),
        ([SENT, TAKEN, *LOGGED], None),
        ([SENT, TAKEN, *LOGGED[:5], *LOGGED[7:]], AlertState.WAITING),
        ([SENT, TAKEN, *LOGGED[:5], *LOGGED[6:]], None),
        ([SENT, TAKEN, in_case(-60, 1), in_case(-60, 2), *(one | {"epcList": [CASE]} for one in LOGGED)], None),
        ([SENT, TAKEN, in_case(-60, 1), *(one | {"epcList": [CASE]} for one in LOGGED)], AlertState.WAITING),
        ([SENT], None),
        ([SENT, TAKEN, wrong(SENT)], None),
        ([at(0, bizStep="retail_selling"), at(HOUR, bizStep="receiving")], None),
        ([at(0, bizStep="stocking"), at(HOUR, bizStep="shipping")], None),
        ([at(0, bizStep="stocking"), at(HOUR + 1, bizStep="shipping")], AlertState.WAITING),
    ],
    ids=[
        "no record", "whole record", "fifteen minutes missing", "ten minutes missing", "the logger in the case",
        "one outside the case", "still on its way", "an error", "sold", "an hour in store", "more than an hour",
    ],
)  # fmt: skip
def test_d21_finds_holes_in_a_medicines_record(
    database: Database, events: list[dict[str, Any]], state: AlertState | None
) -> None:
    cooled(database)
    for event in events:
        post(database, event)
        follow(database, "D21")
    assert len(operations.read_alerts(database, state=AlertState.WAITING)) == (state is not None)
    detect.follow(database, LATE, [])
    assert len(open_alerts(database, "D21")) == (state is not None)


def test_d21_a_late_upload_clears_it_and_food_needs_no_record(database: Database) -> None:
    cooled(database)
    post(database, SENT, TAKEN)
    follow(database, "D21")
    detect.follow(database, LATE, [])
    assert [one.evidence[0].value for one in open_alerts(database)] == ["2 of 2 up to 60 min without a reading"]
    post(database, *LOGGED)
    follow(database, "D21")
    assert open_alerts(database) == []


def test_food_needs_no_whole_record(database: Database) -> None:
    cooled(database, "food")
    post(database, SENT, TAKEN)
    follow(database, "D21")
    detect.follow(database, LATE, [])
    assert open_alerts(database) == []


TRIP: Sequence[dict[str, Any]] = (
    in_case(-60, 1),
    in_case(-60, 2),
    at(0, bizStep="shipping", epcList=[CASE]),
    *(one | {"epcList": [CASE]} for one in LONG),
    in_case(90, 1, action="DELETE"),
    at(HOUR * 2, bizStep="receiving", epcList=[CASE]),
    warm(30, 9, 1, 2),
    warm(70, 9, 2),
    wrong(warm(70, 9, 2)),
    at(DAY, 1, 2, bizStep="receiving"),
    warm(60, 500, 2),
    {**at(-DAY, 1, 2, action="ADD", bizStep="commissioning"), "ilmd": {"cbvmda:lotNumber": LOT}},
)


def clear(db: Database) -> None:
    """Forget events and alerts, keep master data."""
    forgotten = [*vars(events_tables).values(), *vars(alert_tables).values()]
    with db.begin() as conn:
        for table in reversed(metadata.sorted_tables):
            if any(table is one for one in forgotten):
                conn.execute(table.delete())


def seen_by(db: Database) -> dict[Any, Any]:
    found = open_alerts(db)
    return {(one.rule_id, one.group_key): replace(one, alert_key=b"", opened_at=NOW) for one in found}


def test_any_order_gives_the_same_as_a_back_fill(database: Database) -> None:
    db = database
    cooled(db)
    rules = [DETECTORS[one] for one in ("D20", "D21")]
    results = []
    for number in range(5):
        rng = random.Random(number)
        clear(db)
        for event in rng.sample(TRIP, len(TRIP)) if number else TRIP:
            post(db, event)
            if rng.random() < 0.6:
                follow(db, "D20", "D21")
        follow(db, "D20", "D21")
        detect.follow(db, LATE, [])
        results.append(seen_by(db))
        detect.back_fill(db, LATE, rules)
        assert seen_by(db) == results[-1], f"back-fill of order {number}"
    assert {rule for rule, *_ in results[0]} == {"D20", "D21"}
    for number, result in enumerate(results):
        assert result == results[0], f"order {number}"


def test_the_examples_of_the_how_to_are_taken_and_read(database: Database) -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "tell-temperatures-and-inputs.md"
    examples = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", page.read_text(), re.DOTALL)]
    post(database, *examples)
    told = [read(json.dumps(one), b"", NOW) for one in examples]
    assert [(len(one.readings), len(one.doors)) for one in told] == [(1, 0), (0, 1), (0, 0)]
    assert told[0].readings[0].celsius == 5.4
    assert told[0].readings[0].device == DEVICE
