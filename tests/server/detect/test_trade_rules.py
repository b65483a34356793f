"""Listed parties, copied labels, waiting times, misplaced gateways and codes outside their range."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.server.accounts.test_gateways import Box
from tests.server.detect.make import (
    DAY,
    DETECTORS,
    FAR,
    HOUR,
    LOT,
    USCC,
    at,
    follow,
    open_alerts,
    position,
    post,
    read,
    world,
    wrong,
)
from tests.server.ingest.make import GTIN, NOW, READ_POINT, commissioned, epc, item_uri
from trace_core.ids.canonical import canonical_key
from trace_server.accounts import operations as accounts
from trace_server.catalog import operations as catalog
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.detect import run as detect
from trace_server.detect.detector import SubjectKind
from trace_server.lists import operations as list_operations
from trace_server.lists import store as lists
from trace_server.lists.model import ListState, Membership
from trace_server.portal.store import Counter
from trace_server.registers import store as registers
from trace_server.registers.model import RangeState, TagRange
from trace_server.registers.rules import span
from trace_server.services import Services

OTHER = "91110000600037341L"
LISTED: dict[str, Any] = {"state": ListState.LISTED, "listed_on": date(2026, 11, 20), "until": date(2027, 11, 19)}


def listed(db: Database, *, list_id: str = "industry_black", uscc: str = USCC, **changes: Any) -> Membership:
    proposal = list_operations.Proposal(list_id, uscc, "示例", "示例〔2026〕1号", "示例局")
    row = list_operations.propose(Services(db, Settings(), lambda: NOW), "one", proposal)
    moved = replace(row, **(LISTED | changes))
    with db.begin() as conn:
        assert lists.save(conn, moved, was=row.version)
    return moved


def sweep(db: Database, rule: str, now: datetime = NOW) -> None:
    report = detect.sweep(db, now, [DETECTORS[rule]])
    assert not report.failed, report.failed


@pytest.mark.parametrize(
    ("member", "event", "value"),
    [
        ({}, at(0, bizStep="shipping"), "dispatch: trade-industry-black (forbid)"),
        ({}, at(0, bizStep="retail_selling"), "sale: trade-industry-black (forbid)"),
        ({}, at(0, action="ADD", bizStep="commissioning"), "making: trade-industry-black (forbid)"),
        (
            {"uscc": OTHER},
            at(0, bizStep="receiving", sourceList=[{"type": "owning_party", "source": f"urn:x:uscc:{OTHER}"}]),
            "receipt: trade-industry-black (forbid)",
        ),
        ({"list_id": "serious"}, at(0, bizStep="shipping"), ""),
        ({}, at(-10 * DAY, bizStep="shipping"), ""),
        ({"until": date(2026, 11, 22)}, at(0, bizStep="shipping"), ""),
        ({"state": ListState.PROPOSED, "listed_on": None}, at(0, bizStep="shipping"), ""),
        ({}, at(0, bizStep="inspecting"), ""),
        ({}, at(0, bizStep="shipping", disposition="returned"), ""),
        ({"uscc": OTHER}, at(0, bizStep="shipping"), ""),
    ],
    ids=[
        "sends", "sells", "makes", "the seller is listed", "a measure for other acts", "before", "after its end",
        "only proposed", "no trade", "goes back", "somebody else",
    ],
)  # fmt: skip
def test_d15_finds_acts_that_a_measure_covers(
    database: Database, member: dict[str, Any], event: dict[str, Any], value: str
) -> None:
    world(database)
    position(database)
    row = listed(database, **member)
    post(database, event)
    follow(database, "D15")
    assert [(one.subject, one.evidence[0].value) for one in open_alerts(database)] == [(row.uscc, value)] * bool(value)


def test_d15_is_taken_back_by_a_declared_error_and_by_a_revoked_listing(database: Database) -> None:
    world(database)
    position(database)
    row = listed(database)
    sent = [at(0, 1, bizStep="shipping"), at(HOUR, 2, bizStep="shipping")]
    post(database, *sent)
    follow(database, "D15")
    post(database, wrong(sent[0]))
    follow(database, "D15")
    assert [one.count for one in open_alerts(database)] == [1]
    sweep(database, "D15")
    assert [one.count for one in open_alerts(database)] == [1]
    with database.begin() as conn:
        lists.save(conn, replace(row, state=ListState.REVOKED), was=row.version)
    sweep(database, "D15")
    assert open_alerts(database) == []


def test_d15_a_listing_entered_late_is_found_by_a_back_fill(database: Database) -> None:
    world(database)
    position(database)
    post(database, at(0, bizStep="shipping"))
    follow(database, "D15")
    assert open_alerts(database) == []
    listed(database)
    detect.back_fill(database, NOW, [DETECTORS["D15"]])
    assert [one.subject for one in open_alerts(database)] == [USCC]


def test_d05_finds_a_code_that_too_many_ask_for_in_a_day_and_the_alert_stays(database: Database) -> None:
    post(database, at(0))
    item = canonical_key(item_uri(1))
    counter = Counter(database)
    today = date(2026, 11, 24)
    try:
        for _ in range(20):
            counter.count(item, today, 9)
        counter.count(item, today, 9, callers=0)
        sweep(database, "D05")
        assert open_alerts(database) == [], "reloads by one phone are one caller"
        counter.count(item, today, 9)
        sweep(database, "D05")
        (alert,) = open_alerts(database)
        assert (alert.group_key, alert.values["asked"], alert.values["day"]) == (item_uri(1), "21", "2026-11-24")
        assert alert.first_seen == datetime(2026, 11, 23, 16, tzinfo=UTC)
        counter.count(item, date(2026, 11, 25), 9)
        for later in (NOW + timedelta(days=1), NOW + timedelta(days=9)):
            sweep(database, "D05", later)
            assert [one.values["asked"] for one in open_alerts(database)] == ["21"]
    finally:
        counter.dispose()


def used(seconds: float, **use: Any) -> dict[str, Any]:
    return at(seconds, bizStep="other", **{"suyuan:inputUse": [{"input": "恩诺沙星注射液", **use}]})


def slaughtered(seconds: float) -> dict[str, Any]:
    event = at(seconds, inputEPCList=[epc(1)], outputEPCList=[epc(30)], type="TransformationEvent", bizStep="other")
    return {name: value for name, value in event.items() if name not in ("epcList", "action")}


@pytest.mark.parametrize(
    ("events", "told"),
    [
        ([used(0, date="2026-11-20", target="pig"), slaughtered(0)], "not before 2026-11-30"),
        ([used(0, date="2026-11-20", target="sheep"), slaughtered(0)], "not before 2026-12-04"),
        ([used(0, date="2026-11-20", target="pig"), slaughtered(6 * DAY)], ""),
        ([used(0, date="2026-11-20", target="pig", periodDays=12), slaughtered(6 * DAY)], "not before 2026-12-02"),
        ([used(0, date="2026-11-20", input="示例药", periodDays=30), slaughtered(0)], "not before 2026-12-20"),
        ([used(0, date="2026-11-20", input="示例药"), slaughtered(0)], ""),
        ([used(0, date="2026-11-25", target="pig"), slaughtered(0)], ""),
        ([used(0, date="soon"), slaughtered(0)], ""),
        ([used(0, date="2026-11-20"), at(HOUR, bizStep="shipping")], ""),
        ([used(0, date="2026-11-20"), at(HOUR, bizStep="retail_selling")], "not before 2026-12-04"),
        ([used(0, date="2026-11-20"), slaughtered(0), wrong(used(0, date="2026-11-20"))], ""),
        ([slaughtered(0)], ""),
    ],
    ids=[
        "too soon", "the longest of others", "on the first free day", "the label says more", "by the label",
        "unknown input", "used after", "no date", "moved alive", "sold", "the use was an error", "no use",
    ],
)  # fmt: skip
def test_d32_finds_what_was_taken_too_soon(database: Database, events: list[dict[str, Any]], told: str) -> None:
    for event in reversed(events) if not any("errorDeclaration" in one for one in events) else events:
        post(database, event)
        follow(database, "D32")
    found = [one.evidence[0].value.partition(": ")[2] for one in open_alerts(database)]
    assert found == [told] * bool(told)


HERE = "geo:33.351,120.161;u=20"
THERE = "geo:34.6,119.2"


@pytest.mark.parametrize(
    ("told", "count"),
    [(THERE, 1), (HERE, 0), ("geo:95,200", 0), ("somewhere", 0), (None, 0)],
    ids=["far", "near", "no place on earth", "no position", "nothing told"],
)
def test_d93_finds_a_gateway_that_stands_elsewhere(database: Database, told: str | None, count: int) -> None:
    world(database)
    position(database)
    event = at(0, **({} if told is None else {"suyuan:position": told}))
    read(database, event)
    post(database, event | {"eventID": "urn:uuid:00000000-0000-4000-8000-000000000001"})
    follow(database, "D93")
    found = [(one.subject, one.subject_kind, one.count) for one in open_alerts(database)]
    assert found == [("gate-1", SubjectKind.DEVICE, 1)] * count
    post(database, wrong(event))
    follow(database, "D93")


def test_d93_finds_a_gateway_whose_read_points_are_registered_far_apart(database: Database) -> None:
    world(database)
    position(database)
    code = accounts.add_gateway(
        database, NOW, "test", gateway_id="gate-1", site="示例", read_points=(READ_POINT, FAR), auto_approve=True
    )
    sweep(database, "D93")
    assert open_alerts(database) == [], "it is not in use"
    box = Box()
    box.enrol(database, code)
    sweep(database, "D93")
    (alert,) = open_alerts(database)
    assert (alert.subject, alert.subject_kind, alert.values["apart_km"]) == ("gate-1", SubjectKind.DEVICE, "164.8")
    accounts.revoke_gateway(database, NOW, "test", "gate-1")
    sweep(database, "D93")
    assert open_alerts(database) == []


def granted(db: Database, first: str, last: str, uscc: str = USCC, **changes: Any) -> TagRange:
    row = TagRange(
        range_id=f"range-{first}", uscc=uscc, gtin=GTIN, span=span(first, last), quota=10, issued=0,
        state=RangeState.GRANTED, purpose="示例", requested_by="one", requested_at=NOW, decided_by="two",
        decided_at=NOW, reason="示例", valid_from=date(2026, 11, 1), valid_to=None, version=2,
    )  # fmt: skip
    with db.begin() as conn:
        registers.add(conn, replace(row, **changes))
    return row


@pytest.mark.parametrize(
    ("changes", "event", "is_found"),
    [
        ({}, commissioned(5, 11), True),
        ({}, commissioned(5, 6), False),
        ({}, commissioned(11, eventTime="2026-10-31T00:00:00Z"), False),
        ({"valid_to": date(2026, 11, 20)}, commissioned(5), True),
        ({"state": RangeState.REVOKED}, commissioned(5, eventTime="2026-11-20T00:00:00Z"), False),
        ({"state": RangeState.REVOKED}, commissioned(5, eventTime="2026-11-25T00:00:00Z"), True),
        ({"state": RangeState.REQUESTED, "valid_from": None}, commissioned(11), False),
    ],
    ids=["outside", "inside", "before ranges", "after its end", "before it was revoked", "after", "only asked for"],
)
def test_d06_finds_serials_that_no_range_held(
    database: Database, changes: dict[str, Any], event: dict[str, Any], is_found: bool
) -> None:
    world(database)
    granted(database, "1", "10", **changes)
    post(database, event)
    follow(database, "D06")
    assert [(one.group_key, one.subject) for one in open_alerts(database)] == [(f"{GTIN}/ranges", USCC)] * is_found
    post(database, wrong(event))
    follow(database, "D06")
    assert open_alerts(database) == []


def test_d01_finds_a_code_of_another_partys_range(database: Database) -> None:
    world(database)
    granted(database, "1", "10")
    point = {"uri": READ_POINT, "name": "示例", "city": "示例", "operator_uscc": OTHER}
    assert not catalog.import_document(database, {"places": [point]}, actor="test", now=NOW).errors
    post(database, commissioned(4, lot=LOT))
    read(database, commissioned(5, lot=LOT), commissioned(11, lot=LOT))
    follow(database, "D01")
    assert [(one.subject, one.count) for one in open_alerts(database, "D01")] == [(OTHER, 1)]
    read(database, wrong(commissioned(5, lot=LOT)))
    follow(database, "D01")
    assert open_alerts(database) == []


def test_the_order_of_arrival_and_a_back_fill_change_nothing(database: Database) -> None:
    world(database)
    position(database)
    listed(database)
    granted(database, "2", "10")
    rules = ("D06", "D15", "D32")
    sold = at(DAY, 2, bizStep="retail_selling")
    events = [used(0, date="2026-11-20"), slaughtered(0), commissioned(1, lot=LOT), commissioned(2, lot=LOT), sold]
    events += [at(2 * DAY, bizStep="retail_selling"), wrong(sold)]
    random.Random(7).shuffle(events)
    for event in events:
        post(database, event)
        follow(database, *rules)
    before = {(one.rule_id, one.group_key, one.count) for one in open_alerts(database)}
    assert {rule for rule, *_ in before} == set(rules)
    detect.back_fill(database, NOW, [DETECTORS[rule] for rule in rules])
    assert {(one.rule_id, one.group_key, one.count) for one in open_alerts(database)} == before
