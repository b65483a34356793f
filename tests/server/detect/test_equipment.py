"""Dates of special equipment, and papers of goods: what the registers say decides, and mends too."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from tests.server.detect.make import (
    DAY,
    DETECTORS,
    GATE,
    HOUR,
    LOT,
    USCC,
    at,
    follow,
    open_alerts,
    post,
    register,
    world,
    wrong,
)
from tests.server.ingest.make import GTIN, NOW, commissioned, item_uri
from trace_server.db import Database
from trace_server.detect import operations
from trace_server.detect import run as detect
from trace_server.detect.detector import SubjectKind
from trace_server.detect.model import AlertState

CERTIFICATE = {"kind": "food.factory_inspection", "number": "1", "issuer": "示例", "issued_on": "2026-01-01"}
HANDED = {"bizStep": "retail_selling", "disposition": "retail_sold"}


@pytest.mark.parametrize(
    ("due", "event", "is_found"),
    [
        (date(2026, 11, 23), at(0, **HANDED), True),
        (date(2026, 11, 24), at(0, **HANDED), False),
        (date(2026, 11, 23), at(0, bizStep="shipping"), False),
        (date(2026, 11, 23), at(0, bizStep="storing"), False),
        (date(2026, 11, 23), at(0, 2, **HANDED), False),
        (None, at(0, **HANDED), False),
    ],
    ids=["overdue", "on the due day", "sent to inspection", "stored", "no equipment", "no due date"],
)
def test_d50_finds_equipment_handed_out_when_its_inspection_is_overdue(
    database: Database, due: date | None, event: dict[str, Any], is_found: bool
) -> None:
    register(database, 1, due=due)
    post(database, event)
    follow(database, "D50")
    found = [(one.group_key, one.subject, one.count, one.evidence[0].value) for one in open_alerts(database, "D50")]
    assert found == [(f"{item_uri(1)}@{GATE}", GATE, 1, "1 d overdue")] * is_found


def test_d50_counts_one_cause_once_and_takes_back_what_was_declared_wrong(database: Database) -> None:
    register(database, 1, due=date(2026, 11, 20))
    post(database, at(0, **HANDED))
    follow(database, "D50")
    post(database, at(DAY, **HANDED))
    follow(database, "D50")
    assert [one.count for one in open_alerts(database, "D50")] == [2]
    post(database, wrong(at(DAY, **HANDED)))
    follow(database, "D50")
    assert [one.count for one in open_alerts(database, "D50")] == [1]
    post(database, wrong(at(0, **HANDED)))
    follow(database, "D50")
    assert open_alerts(database, "D50") == []


def test_d50_a_later_inspection_does_not_make_the_earlier_act_right(database: Database) -> None:
    register(database, 1, due=date(2026, 11, 20))
    post(database, at(0, **HANDED))
    follow(database, "D50")
    register(database, 1, due=date(2030, 11, 20))
    post(database, at(DAY, **HANDED))
    follow(database, "D50")
    assert [one.count for one in open_alerts(database, "D50")] == [1]


@pytest.mark.parametrize(
    ("scrap", "event", "is_found"),
    [
        (date(2026, 11, 24), at(0, **HANDED), True),
        (date(2026, 11, 24), at(0, action="ADD", bizStep="commissioning"), True),
        (date(2026, 11, 25), at(0, **HANDED), False),
        (date(2026, 11, 24), at(0, bizStep="shipping"), False),
        (date(2026, 11, 24), at(0, bizStep="destroying", disposition="destroyed"), False),
        (date(2026, 11, 24), at(0, bizStep="retail_selling", disposition="disposed"), False),
        (None, at(0, **HANDED), False),
    ],
    ids=["handed out", "made anew", "before", "carried away", "destroyed", "sold as scrap", "no scrap day"],
)
def test_d56_finds_scrapped_equipment_in_use(
    database: Database, scrap: date | None, event: dict[str, Any], is_found: bool
) -> None:
    register(database, 1, scrap=scrap)
    post(database, event)
    follow(database, "D56")
    assert [one.group_key for one in open_alerts(database, "D56")] == [f"{item_uri(1)}@{GATE}"] * is_found
    post(database, wrong(event))
    follow(database, "D56")
    assert open_alerts(database, "D56") == []


def later(db: Database, hours: float) -> None:
    """What the worker does so much after `NOW`."""
    now = NOW + timedelta(hours=hours)
    detect.follow(db, now, [])
    report = detect.sweep(db, now, [DETECTORS["D16"]])
    assert not report.failed, report.failed


@pytest.mark.parametrize(
    ("batch", "event", "is_found"),
    [
        ({}, at(0, bizStep="shipping"), True),
        ({}, at(0, **HANDED), True),
        ({"certificates": [CERTIFICATE]}, at(0, bizStep="shipping"), False),
        ({"certificates": [CERTIFICATE | {"kind": "food.type_inspection"}]}, at(0, bizStep="shipping"), True),
        ({"production_date": "2015-09-30"}, at(0, bizStep="shipping"), False),
        ({}, at(0, bizStep="storing"), False),
        ({}, at(0, bizStep="shipping", disposition="returned"), False),
    ],
    ids=["sent", "sold", "with it", "with another", "before it was required", "stored", "sent back"],
)
def test_d16_finds_goods_that_go_out_without_a_required_document(
    database: Database, batch: dict[str, Any], event: dict[str, Any], is_found: bool
) -> None:
    world(database, **batch)
    post(database, commissioned(1, lot=LOT, eventTime="2026-10-01T00:00:00Z"), event)
    follow(database, "D16")
    assert open_alerts(database, "D16") == []
    later(database, 25)
    found = [(one.group_key, one.subject, one.subject_kind, one.values["missing"]) for one in open_alerts(database)]
    assert found == [(f"{GTIN}/{LOT}", USCC, SubjectKind.ENTERPRISE, "food.factory_inspection")] * is_found


@pytest.mark.parametrize("hours", [12, 48], ids=["while it waits", "when it is open"])
def test_d16_is_taken_back_when_the_document_is_registered(database: Database, hours: float) -> None:
    world(database)
    post(database, commissioned(1, lot=LOT, eventTime="2026-10-01T00:00:00Z"), at(0, bizStep="shipping"))
    follow(database, "D16")
    later(database, hours)
    assert len(open_alerts(database, "D16")) == (hours > 24)
    world(database, certificates=[CERTIFICATE])
    later(database, hours)
    later(database, 100)
    assert open_alerts(database, "D16") == []
    assert operations.read_alerts(database, state=AlertState.WAITING) == []


def test_d16_judges_a_lot_that_becomes_known_late(database: Database) -> None:
    world(database)
    post(database, at(0, bizStep="shipping"), at(HOUR, bizStep="receiving"))
    follow(database, "D16")
    later(database, 25)
    assert open_alerts(database, "D16") == []
    post(database, commissioned(1, lot=LOT, eventTime="2026-10-01T00:00:00Z"))
    follow(database, "D16")
    later(database, 25)
    assert [one.count for one in open_alerts(database, "D16")] == [1]
