"""Indications: who may use the mark, where, when, how often; the same on the stream, in back-fill, in any order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.detect.make import (
    DAY,
    DETECTORS,
    HOUR,
    LOT,
    SOURCE,
    USCC,
    at,
    follow,
    open_alerts,
    position,
    post,
    world,
    wrong,
)
from tests.server.ingest.make import GTIN, NOW, commissioned
from trace_server.db import Database, metadata
from trace_server.detect import run as detect
from trace_server.detect.detector import SubjectKind
from trace_server.indications import operations as indications
from trace_server.ingest import operations as ingest

OTHER = "91320900MA1T00037K"
GI = "gi-rice"
RULES = ("D60", "D61", "D62", "D63")
INSIDE = [[120.0, 33.2], [120.4, 33.2], [120.4, 33.6], [120.0, 33.6]]
"""Around the gate of `make.position`."""
AWAY = [[119.0, 34.5], [119.4, 34.5], [119.4, 34.8], [119.0, 34.8]]
SOLD = {"bizStep": "retail_selling", "disposition": "retail_sold"}
MADE = commissioned(1, 2, 3, lot=LOT)


def register(db: Database, *, area: Any = (INSIDE,), user: dict[str, Any] | None = None, **changes: Any) -> None:
    """An indication that the product of `make.world` carries, and its producer's authorisation."""
    one = {"gi_id": GI, "name": "示例大米", "name_en": "Sample rice", "area": list(area), "gtins": [GTIN]}
    own = {"gi_id": GI, "uscc": USCC, "valid_from": "2020-01-01"} | SOURCE | (user or {})
    indications.import_register(db, NOW, "test", {"indications": [one | SOURCE | changes], "users": [own]})


def sweep(db: Database, *rules: str) -> None:
    report = detect.sweep(db, NOW, [DETECTORS[one] for one in rules or RULES])
    assert not report.failed, report.failed


def found(db: Database, rule: str) -> list[tuple[str, int, str]]:
    return [(one.group_key, one.count, one.evidence[-1].value) for one in open_alerts(db, rule)]


@pytest.mark.parametrize(
    ("user", "event", "count"),
    [
        ({"valid_to": "2025-12-31"}, MADE, 1),
        ({"valid_from": "2026-12-01"}, MADE, 1),
        ({"uscc": OTHER}, MADE, 1),
        ({"uscc": OTHER}, at(0, **SOLD), 2),
        ({"uscc": OTHER}, at(0, bizStep="shipping"), 1),
        ({"uscc": OTHER}, at(0, bizStep="retail_selling", disposition="returned"), 1),
        ({"valid_to": "2026-01-01"}, at(0, **SOLD), 0),
        ({}, MADE, False),
    ],
    ids=[
        "over",
        "not begun",
        "another's",
        "sold",
        "shipped",
        "comes back",
        "made in time",
        "authorised",
    ],
)
def test_d60_finds_goods_of_a_user_without_an_authorisation(
    database: Database, user: dict[str, Any], event: dict[str, Any], count: int
) -> None:
    world(database)
    register(database, user=user)
    made = commissioned(1, lot=LOT, eventTime="2026-01-01T04:00:00Z") if event is not MADE else MADE
    post(database, event)
    if event is not MADE:
        post(database, made)
    follow(database, "D60")
    alerts = open_alerts(database, "D60")
    assert [(one.group_key, one.subject, one.subject_kind, one.count) for one in alerts] == [
        (f"{GTIN}/{USCC}", USCC, SubjectKind.ENTERPRISE, count)
    ] * bool(count)


def test_d60_is_taken_back_by_an_authorisation_that_is_registered_later_and_by_a_declared_error(
    database: Database,
) -> None:
    world(database)
    register(database, user={"uscc": OTHER})
    post(database, MADE, at(HOUR, 1, **SOLD))
    follow(database, "D60")
    sweep(database)
    assert found(database, "D60") == [(f"{GTIN}/{USCC}", 2, "no authorisation on 2026-01-01")]
    post(database, wrong(at(HOUR, 1, **SOLD)))
    follow(database, "D60")
    assert [one.count for one in open_alerts(database, "D60")] == [1]
    register(database)
    sweep(database)
    assert open_alerts(database) == []


def test_without_a_register_nothing_is_judged(database: Database) -> None:
    world(database)
    post(database, MADE, at(HOUR, 1, **SOLD))
    follow(database, *RULES)
    sweep(database)
    assert open_alerts(database) == []


@pytest.mark.parametrize(
    ("area", "event", "is_found"),
    [
        ([AWAY], MADE, True),
        ([INSIDE], MADE, False),
        ([AWAY, INSIDE], MADE, False),
        ([], MADE, False),
        ([AWAY], at(0, **SOLD), False),
        ([AWAY], MADE | {"readPoint": {"id": "urn:epc:id:sgln:0614141.00999.0"}}, False),
        ([[[120.1611, 33.2], [120.4, 33.2], [120.4, 33.6], [120.1611, 33.6]]], MADE, False),
    ],
    ids=["outside", "inside", "one of two areas", "no border", "sold outside", "no position", "100 m off"],
)
def test_d61_finds_goods_that_get_their_mark_outside_the_area(
    database: Database, area: Any, event: dict[str, Any], is_found: bool
) -> None:
    world(database)
    position(database)
    register(database, area=area)
    post(database, event)
    follow(database, "D61")
    assert [one[0] for one in found(database, "D61")] == [f"{GTIN}/{USCC}"] * is_found
    if is_found:
        assert found(database, "D61")[0][2].endswith("km outside")
        register(database)
        sweep(database, "D61")
        assert open_alerts(database) == []


@pytest.mark.parametrize(
    ("batch", "seasons", "event", "value"),
    [
        ("2026-11-20", {"2026": ["2026-12-01", "2027-05-31"]}, MADE, "7 d before the season"),
        ("2026-11-20", {"2026": ["2026-12-01", "2027-05-31"]}, at(8 * DAY, **SOLD), ""),
        ("2026-12-02", {"2026": ["2026-12-01", "2027-05-31"]}, at(0, **SOLD), "7 d before the season"),
        ("2026-11-20", {"2026": ["2026-11-01", "2027-05-31"]}, MADE, ""),
        ("2026-03-01", {"2025": ["2025-09-01", "2025-12-31"], "2026": ["2026-12-01", "2027-05-31"]}, MADE, ""),
        ("2026-11-20", {"2025": ["2025-09-01", "2025-12-31"]}, MADE, ""),
        ("2026-11-20", {}, MADE, ""),
    ],
    ids=["early", "made early, sold later", "dated ahead", "in season", "last year's", "not announced", "no seasons"],
)
def test_d62_finds_goods_before_their_season(
    database: Database, batch: str, seasons: dict[str, list[str]], event: dict[str, Any], value: str
) -> None:
    world(database, production_date=batch)
    register(database, seasons=seasons)
    post(database, commissioned(1, lot=LOT) if event is MADE else event)
    if event is not MADE:
        post(database, commissioned(1, lot=LOT, eventTime="2027-01-15T00:00:00Z"))
    follow(database, "D62")
    assert [one[2] for one in found(database, "D62")] == [value] * bool(value)
    register(database, seasons={"2026": ["2026-11-01", "2027-05-31"]})
    sweep(database, "D62")
    assert open_alerts(database) == []


def test_d63_counts_the_marks_of_a_year_once_each_and_a_raised_quota_closes_it(database: Database) -> None:
    world(database)
    register(database, user={"quotas": {"2026": 2, "2025": 0}}, ceilings={"2026": 3})
    post(database, commissioned(1, 2, lot=LOT), commissioned(2, lot=LOT, eventTime="2026-11-23T00:00:00Z"))
    follow(database, "D63")
    assert open_alerts(database) == []
    more = commissioned(3, 4, lot=LOT)
    post(database, more)
    follow(database, "D63")
    alerts = {one.group_key: one for one in open_alerts(database, "D63")}
    assert {key: (one.subject_kind, one.evidence[0].value) for key, one in alerts.items()} == {
        f"{GI}/2026/{USCC}": (SubjectKind.ENTERPRISE, "4 of 2 marks"),
        f"{GI}/2026/all": (SubjectKind.DATA, "4 of 3 marks"),
    }
    register(database, user={"quotas": {"2026": 4}}, ceilings={"2026": 3})
    sweep(database, "D63")
    assert [one.group_key for one in open_alerts(database)] == [f"{GI}/2026/all"]
    post(database, wrong(more))
    follow(database, "D63")
    assert open_alerts(database) == []


EVENTS = (
    commissioned(1, 2, lot=LOT),
    commissioned(3, lot=LOT, eventTime="2026-11-20T00:00:00Z"),
    at(HOUR, 1, **SOLD),
    at(2 * HOUR, 2, **SOLD),
    wrong(at(2 * HOUR, 2, **SOLD)),
    commissioned(4, lot=LOT, eventTime="2026-11-21T00:00:00Z"),
    wrong(commissioned(4, lot=LOT, eventTime="2026-11-21T00:00:00Z")),
)


def test_the_stream_in_any_order_and_a_back_fill_suspect_the_same(database: Database) -> None:
    world(database, production_date="2026-11-20")
    position(database)
    early = {"2026": ["2026-12-01", "2027-05-31"]}
    register(database, area=[AWAY], user={"uscc": OTHER}, seasons=early, ceilings={"2026": 2})
    results = [_play(database, number) for number in range(4)]
    assert {rule for rule, *_ in results[0]} == set(RULES)
    assert all(result == results[0] for result in results)
    report = detect.back_fill(database, NOW, [DETECTORS[one] for one in RULES])
    assert not report.failed
    assert sorted(_told(database)) == results[0]


def _play(db: Database, number: int) -> list[tuple[Any, ...]]:
    with db.begin() as conn:
        for table in reversed(metadata.sorted_tables):
            if table.name.startswith(("event", "link", "object", "capture", "alert", "follower")):
                conn.execute(table.delete())
    rng = random.Random(number)
    for event in rng.sample(EVENTS, len(EVENTS)) if number else EVENTS:
        post(db, event)
        if rng.random() < 0.5:
            follow(db, *RULES)
    ingest.number_captures(db)
    follow(db, *RULES)
    return sorted(_told(db))


def _told(db: Database) -> Iterator[tuple[Any, ...]]:
    for one in open_alerts(db):
        yield one.rule_id, one.group_key, one.count, tuple((shown.event_key, shown.value) for shown in one.evidence)
