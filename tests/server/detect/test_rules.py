"""Each rule finds what it is for, lets pass what looks alike, and takes back what is explained later."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.server.detect.make import (
    DAY,
    FAR,
    GATE,
    HOUR,
    LICENCE,
    LOT,
    RECALL,
    SOURCE,
    USCC,
    at,
    follow,
    lot_event,
    open_alerts,
    position,
    post,
    read,
    world,
    wrong,
)
from tests.server.ingest.make import GTIN, NOW, READ_POINT, commissioned, epc, item_uri
from trace_server.db import Database
from trace_server.detect import operations
from trace_server.detect import run as detect
from trace_server.detect.detector import SubjectKind
from trace_server.detect.model import AlertState

SOLD = at(0, bizStep="retail_selling", disposition="retail_sold")


def groups(db: Database, rule: str) -> list[tuple[str, int]]:
    return [(alert.group_key, alert.count) for alert in open_alerts(db, rule)]


@pytest.mark.parametrize(
    ("later", "count"),
    [
        ([at(HOUR, bizStep="retail_selling", disposition="retail_sold")], 1),
        ([at(HOUR), at(2 * HOUR, bizStep="shipping")], 2),
        ([at(HOUR, bizStep="inspecting")], 0),
        ([at(60, bizStep="retail_selling", disposition="retail_sold")], 0),
        ([at(HOUR, bizStep="destroying", disposition="destroyed")], 0),
        ([at(HOUR, disposition="returned"), at(DAY, bizStep="retail_selling")], 0),
        ([at(-HOUR)], 0),
    ],
    ids=["sold twice", "back in trade", "looked at", "told twice", "destroyed", "returned and sold again", "before"],
)
def test_d04_finds_what_happens_after_the_end(database: Database, later: list[dict[str, Any]], count: int) -> None:
    post(database, SOLD, *later)
    follow(database, "D04")
    assert groups(database, "D04") == [(item_uri(1), count)] * bool(count)


def test_d04_is_taken_back_by_a_late_return_and_by_a_declared_error(database: Database) -> None:
    post(database, SOLD, at(HOUR), at(0, 2, action="DELETE", bizStep="destroying"), at(HOUR, 2))
    follow(database, "D04")
    assert len(open_alerts(database)) == 2
    post(database, at(HOUR / 2, disposition="returned"), wrong(at(HOUR, 2)))
    follow(database, "D04")
    assert open_alerts(database) == []


@pytest.mark.parametrize(
    ("event", "is_found"),
    [
        (at(0, bizStep="retail_selling"), True),
        (at(0, bizStep="shipping"), True),
        (at(0, bizStep="shipping", disposition="returned"), False),
        (at(0, bizStep="shipping", disposition="recalled"), False),
        (at(0, bizStep="receiving"), False),
        (at(-3 * DAY - 14.5 * HOUR, bizStep="shipping"), False),
    ],
    ids=["sold", "sent out", "sent back", "sent away as recalled", "taken in", "within two hours of the notice"],
)
def test_d40_finds_recalled_goods_that_move_on(database: Database, event: dict[str, Any], is_found: bool) -> None:
    world(database, recall=RECALL)
    post(database, commissioned(1, lot=LOT, eventTime="2026-10-01T00:00:00Z"))
    read(database, event)
    follow(database, "D40")
    assert groups(database, "D40") == [(f"{GTIN}/{LOT}@{GATE}", 1)] * is_found


def test_d40_counts_one_event_of_many_items_once_and_takes_it_back_when_it_was_wrong(database: Database) -> None:
    world(database, recall=RECALL)
    shipped = at(0, 1, 2, bizStep="shipping")
    post(database, commissioned(1, lot=LOT), shipped, at(HOUR, 1, bizStep="retail_selling"))
    follow(database, "D40")
    post(database, commissioned(2, lot=LOT))
    follow(database, "D40")
    assert groups(database, "D40") == [(f"{GTIN}/{LOT}@{GATE}", 2)]
    post(database, wrong(shipped))
    follow(database, "D40")
    assert groups(database, "D40") == [(f"{GTIN}/{LOT}@{GATE}", 1)]


TID = "E2801160600002054CC1BB6F"
OTHER = "E2801160600002054CC1BB70"


@pytest.mark.parametrize(
    ("events", "count"),
    [
        ([at(0, **{"suyuan:tid": TID}), at(HOUR, **{"suyuan:tid": OTHER}), at(DAY, **{"suyuan:tid": OTHER})], 2),
        ([at(0, **{"suyuan:tid": TID}), at(HOUR, **{"suyuan:tid": TID.lower()}), at(DAY)], 0),
        ([at(0, **{"suyuan:tid": TID}), at(HOUR, **{"suyuan:tid": TID[:16]})], 0),
        (
            [
                at(0, **{"suyuan:tid": TID}),
                at(60, bizStep="encoding", **{"suyuan:tid": OTHER}),
                at(HOUR, **{"suyuan:tid": OTHER}),
            ],
            0,
        ),
    ],
    ids=["another chip", "the same chip", "the start of the same TID", "tagged anew"],
)
def test_d03_finds_one_code_on_two_chips(database: Database, events: list[dict[str, Any]], count: int) -> None:
    for event in reversed(events):
        read(database, event)
        follow(database, "D03")
    assert groups(database, "D03") == [(item_uri(1), count)] * bool(count)


def mixed(seconds: float, taken: int, made: object, **changes: Any) -> dict[str, Any]:
    """One item made into another."""
    when = at(seconds)["eventTime"]
    event = {"type": "TransformationEvent", "eventTime": when, "eventTimeZoneOffset": "+08:00"}
    parts = {"inputEPCList": [epc(taken)], "outputEPCList": [epc(made)], "readPoint": {"id": READ_POINT}}
    return event | parts | {"transformationID": f"urn:uuid:{taken}-{made}"} | changes


@pytest.mark.parametrize(
    ("batch", "seconds", "is_found"),
    [
        ({"recall": RECALL}, 0, True),
        ({"recall": RECALL}, -4 * DAY, False),
        ({"expiry_date": "2026-11-23"}, 0, True),
        ({"expiry_date": "2026-11-24"}, 0, False),
        ({}, 0, False),
    ],
    ids=["recalled", "on the day of the notice", "expired", "on its last day", "sound"],
)
def test_d13_finds_bad_goods_used_in_production(
    database: Database, batch: dict[str, Any], seconds: float, is_found: bool
) -> None:
    world(database, **batch)
    post(database, mixed(seconds, 1, 9))
    follow(database, "D13")
    assert open_alerts(database) == []
    post(database, commissioned(1, lot=LOT, eventTime="2026-10-01T00:00:00Z"))
    follow(database, "D13")
    assert groups(database, "D13") == [(f"{GTIN}/{LOT}@{GATE}", 1)] * is_found
    post(database, wrong(mixed(seconds, 1, 9)))
    follow(database, "D13")
    assert open_alerts(database) == []


@pytest.mark.parametrize(
    ("sent", "later", "state"),
    [
        (-4 * DAY, [], AlertState.OPEN),
        (-DAY, [], AlertState.WAITING),
        (-4 * DAY, [at(-2 * DAY, 1), at(-2 * DAY, 2)], None),
        (-4 * DAY, [at(-2 * DAY, 1)], AlertState.OPEN),
        (-4 * DAY, [at(-3 * DAY, 1, 2, bizStep="void_shipping")], None),
    ],
    ids=["nobody received it", "still on its way", "received", "half received", "dispatch called off"],
)
def test_d11_finds_what_was_sent_and_never_received(
    database: Database, sent: float, later: list[dict[str, Any]], state: AlertState | None
) -> None:
    post(database, at(sent, 1, 2, bizStep="shipping"))
    follow(database, "D11")
    post(database, *later)
    follow(database, "D11")
    late = NOW + timedelta(hours=80)
    assert len(operations.read_alerts(database, state=AlertState.WAITING)) == (state is not None)
    detect.follow(database, late, [])
    assert len(open_alerts(database, "D11")) == (state is not None)


def test_d11_a_receiver_who_opens_the_case_has_received_it(database: Database) -> None:
    case = "urn:epc:id:sscc:0614141.1234567890"
    packed = at(-5 * DAY, bizStep="packing", action="ADD", parentID=case, childEPCs=[epc(1)], type="AggregationEvent")
    packed.pop("epcList")
    post(database, packed, at(-4 * DAY, bizStep="shipping", epcList=[case]))
    follow(database, "D11")
    detect.follow(database, NOW + timedelta(hours=80), [])
    assert len(open_alerts(database)) == 1
    read(database, at(-2 * DAY, 1))
    follow(database, "D11")
    assert open_alerts(database) == []


def dated(day: str, *serials: object, seconds: float = 0, lot: str = LOT) -> dict[str, Any]:
    """A commissioning that gives a last day."""
    ilmd = {"cbvmda:lotNumber": lot, "cbvmda:itemExpirationDate": day}
    return at(seconds, *serials, action="ADD", bizStep="commissioning", ilmd=ilmd)


def test_d31_finds_a_last_day_that_is_not_the_registers(database: Database) -> None:
    world(database, expiry_date="2027-01-01")
    post(database, dated("2027-01-01", 1), dated("2027-06-01", 2, 3), dated("2027-06-01", 4, lot="OTHER"))
    follow(database, "D31")
    assert groups(database, "D31") == [(f"{GTIN}/{LOT}", 1)]
    post(database, wrong(dated("2027-06-01", 2, 3)))
    follow(database, "D31")
    assert open_alerts(database) == []


def test_d31_the_first_making_of_an_item_wins_also_when_it_comes_late(database: Database) -> None:
    post(database, dated("2027-06-01", 1, seconds=HOUR))
    follow(database, "D31")
    assert open_alerts(database) == []
    post(database, dated("2027-01-01", 1), dated("2027-01-01", 1, seconds=DAY))
    follow(database, "D31")
    (alert,) = open_alerts(database)
    assert (alert.group_key, [one.value for one in alert.evidence]) == (item_uri(1), ["2027-06-01"])


def test_d06_finds_more_items_than_the_batch_has(database: Database) -> None:
    world(database, quantity="3")
    post(database, commissioned(1, 2, lot=LOT), commissioned(2, 3, lot=LOT))
    follow(database, "D06")
    assert open_alerts(database) == []
    post(database, commissioned(4, lot=LOT))
    follow(database, "D06")
    (alert,) = open_alerts(database)
    assert (alert.group_key, alert.evidence[0].value) == (f"{GTIN}/{LOT}", "4 of 3 H87")
    post(database, wrong(commissioned(4, lot=LOT)))
    follow(database, "D06")
    assert open_alerts(database) == []


def test_d06_counts_no_batch_that_is_weighed(database: Database) -> None:
    world(database, quantity="1.5", uom="KGM")
    post(database, commissioned(1, 2, 3, lot=LOT))
    follow(database, "D06")
    assert open_alerts(database) == []


@pytest.mark.parametrize(
    ("licence", "kind"),
    [
        ({"valid_to": "2026-11-23", "state": "valid"}, SubjectKind.ENTERPRISE),
        ({"valid_to": "2026-11-24", "state": "valid"}, None),
        ({"valid_to": "2030-01-01", "state": "revoked"}, SubjectKind.ENTERPRISE),
        ({"valid_to": "2030-01-01", "state": "revoked", "as_of": "2026-12-01"}, None),
        (None, SubjectKind.DATA),
    ],
    ids=["lapsed", "last day", "revoked before", "revoked after", "none known"],
)
def test_d14_finds_goods_made_without_a_licence_in_force(
    database: Database, licence: dict[str, Any] | None, kind: SubjectKind | None
) -> None:
    world(database, licences=[] if licence is None else [LICENCE | SOURCE | licence])
    post(database, commissioned(1, 2, lot=LOT), at(HOUR))
    follow(database, "D14")
    assert [(one.subject, one.subject_kind, one.count) for one in open_alerts(database)] == [(USCC, kind, 1)] * bool(
        kind
    )


@pytest.mark.parametrize(
    ("event", "later", "is_found"),
    [
        (lot_event(0), [], True),
        (lot_event(0), [lot_event(-HOUR, bizStep="shipping")], False),
        (lot_event(0), [lot_event(HOUR, bizStep="shipping")], True),
        (lot_event(0), [commissioned(1, lot="FARM1")], False),
        (lot_event(0, bizTransactionList=[{"type": "desadv", "bizTransaction": "urn:x:1"}]), [], False),
        (lot_event(0, lot=LOT), [], False),
        (lot_event(0, disposition="returned"), [], False),
        (lot_event(0), [wrong(lot_event(0))], False),
    ],
    ids=["unknown", "sent before", "sent after", "made", "documented", "registered", "comes back", "an error"],
)
def test_d10_finds_lots_that_nobody_sent(
    database: Database, event: dict[str, Any], later: list[dict[str, Any]], is_found: bool
) -> None:
    world(database)
    post(database, event)
    follow(database, "D10")
    assert open_alerts(database) == []
    for one in later:
        post(database, one)
        follow(database, "D10")
    detect.follow(database, NOW + timedelta(hours=25), [])
    assert [one.rule_id for one in open_alerts(database)] == ["D10"] * is_found


AWAY = {"readPoint": {"id": FAR}}


@pytest.mark.parametrize(
    ("events", "is_found"),
    [
        ([at(0), at(600, **AWAY)], True),
        ([at(0), at(5 * HOUR, **AWAY)], False),
        ([at(0), at(600)], False),
        ([at(0), at(600, **AWAY, **{"suyuan:clockState": "unsure"})], False),
        ([at(0), at(600, **AWAY, **{"suyuan:clockState": "synchronised"})], True),
        ([at(0), at(600, readPoint={"id": "urn:epc:id:sgln:0614141.00999.0"})], False),
    ],
    ids=["too fast", "by lorry", "stays", "a clock that is unsure", "a clock that is sure", "no position known"],
)
def test_d02_finds_a_code_at_two_places_at_once(
    database: Database, events: list[dict[str, Any]], is_found: bool
) -> None:
    world(database)
    position(database)
    for event in reversed(events):
        read(database, event)
        follow(database, "D02")
    found = [(one.group_key, one.evidence[0].value) for one in open_alerts(database)]
    assert found == [(item_uri(1), "165 km in 600 s")] * is_found
