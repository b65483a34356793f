"""Whatever order events arrive in, and in whatever pieces, the same things are suspected at the end."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from tests.server.detect.make import (
    DAY,
    DETECTORS,
    FAR,
    HOUR,
    LOT,
    RECALL,
    at,
    lot_event,
    open_alerts,
    position,
    post,
    read,
    register,
    world,
    wrong,
)
from tests.server.ingest.make import NOW, READ_POINT, commissioned, epc
from trace_server.db import Database, metadata
from trace_server.detect import run as detect
from trace_server.detect.model import Alert
from trace_server.ingest import operations as ingest

ORDERS = 6
LATE = NOW + timedelta(days=10)
KEPT = {"subject", "licence", "product", "batch", "place", "catalog_revision", "equipment"}
SOLD = {"bizStep": "retail_selling", "disposition": "retail_sold"}
DATED = {"cbvmda:lotNumber": LOT, "cbvmda:itemExpirationDate": "2027-06-01"}
CASE = "urn:epc:id:sscc:0614141.1234567890"
TIDS = ("E2801160600002054CC1BB6F", "E2801160600002054CC1BB70")
SHIPPED = at(-4 * DAY, 1, 2, bizStep="shipping")
USED = {
    "type": "TransformationEvent",
    "eventTime": at(0)["eventTime"],
    "eventTimeZoneOffset": "+08:00",
    "inputEPCList": [epc(3)],
    "outputEPCList": [epc(30)],
    "readPoint": {"id": READ_POINT},
}
PACKED = {name: value for name, value in at(-6 * DAY, bizStep="packing").items() if name != "epcList"} | {
    "type": "AggregationEvent",
    "action": "ADD",
    "parentID": CASE,
    "childEPCs": [epc(5)],
}
EVENTS: Sequence[tuple[bool, dict[str, Any]]] = (
    (False, commissioned(1, 2, 3, lot=LOT)),
    (False, commissioned(5, lot=LOT)),
    (False, at(HOUR, 6, action="ADD", bizStep="commissioning", ilmd=DATED)),
    (False, SHIPPED),
    (False, at(-3 * DAY, 2)),
    (False, PACKED),
    (False, at(-5 * DAY, bizStep="shipping", epcList=[CASE])),
    (True, at(-4 * DAY, 5)),
    (False, at(0, 1, **SOLD)),
    (False, at(DAY, 1, 2, **SOLD)),
    (False, wrong(at(DAY, 1, 2, **SOLD))),
    (False, at(2 * DAY, 1, bizStep="shipping")),
    (False, USED),
    (True, at(HOUR, 2, **{"suyuan:tid": TIDS[0]})),
    (True, at(2 * HOUR, 2, **{"suyuan:tid": TIDS[1]})),
    (True, at(2 * HOUR, 99)),
    (True, at(40 * DAY, 5)),
    (True, at(2 * HOUR + 60, 2, readPoint={"id": FAR})),
    (False, lot_event(0)),
    (False, lot_event(HOUR)),
    (False, wrong(lot_event(HOUR))),
)


def test_any_order_of_arrival_gives_the_same_open_alerts(database: Database) -> None:
    world(database, recall=RECALL, quantity="4", licences=[])
    position(database)
    register(database, 1, due=date(2026, 11, 20))
    register(database, 6, scrap=date(2026, 11, 20))
    results = []
    for number in range(ORDERS):
        rng = random.Random(number)
        steps = rng.sample(EVENTS, len(EVENTS)) if number else list(EVENTS)
        results.append(_play(database, steps, rng))
    rules = {rule for rule, _ in results[0]}
    found = {"D01", "D02", "D03", "D04", "D06", "D10", "D11", "D13", "D14", "D16", "D30", "D31", "D40", "D50", "D56"}
    assert rules == found
    for number, result in enumerate(results):
        assert result == results[0], f"order {number}"


def _play(db: Database, steps: Sequence[tuple[bool, dict[str, Any]]], rng: random.Random) -> dict[Any, Alert]:
    """Let the events arrive one by one, judged now and then; what is suspected ten days later."""
    with db.begin() as conn:
        for table in reversed(metadata.sorted_tables):
            if table.name not in KEPT:
                conn.execute(table.delete())
    for is_read, event in steps:
        (read if is_read else post)(db, event)
        if rng.random() < 0.5:
            _follow(db)
    _follow(db)
    found = open_alerts(db)
    return {(one.rule_id, one.group_key): replace(one, alert_key=b"", opened_at=NOW) for one in found}


def _follow(db: Database) -> None:
    ingest.number_captures(db)
    report = detect.follow(db, LATE, DETECTORS.values())
    assert not report.failed
