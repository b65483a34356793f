"""Detectors suspect the same things whatever order events come in, once a cause, and never stop each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from tests.server.detect.make import register
from tests.server.ingest.make import (
    GTIN,
    NOW,
    READ_POINT,
    batch,
    body,
    commissioned,
    document,
    epc,
    item_uri,
    run,
    seen,
)
from trace_core.ids.canonical import canonical_uri
from trace_server.catalog import operations as catalog
from trace_server.db import Connection, Database
from trace_server.detect import operations
from trace_server.detect import run as detect
from trace_server.detect.detector import Outcome, SubjectKind, Window
from trace_server.detect.model import Alert, AlertState
from trace_server.ingest import operations as ingest

DETECTORS = detect.registry()
FINDERS = [detector.id for detector in DETECTORS.values() if detector.find is not None]
LOT = "L2026"
USCC = "91320900MA1T000210"
GATE = canonical_uri(READ_POINT)


def read(db: Database, *events: dict[str, Any], gateway: str = "gate-1", **changes: Any) -> None:
    """A gateway's batch, in an epoch of its own."""
    bodies = [body(event) for event in events]
    epoch = f"{hash(tuple(bodies)) & (2**64 - 1):016x}"
    ingest.accept_batch(db, NOW, gateway, batch(*bodies, epoch=epoch, **changes))


def post(db: Database, *events: dict[str, Any]) -> None:
    ingest.capture_document(db, NOW, "erp", document(*events))


def follow(db: Database, *ids: str) -> detect.Report:
    ingest.number_captures(db)
    return detect.follow(db, NOW, [DETECTORS[one] for one in ids or DETECTORS])


def open_alerts(db: Database) -> list[Alert]:
    return operations.read_alerts(db, state=AlertState.OPEN)


def expiring(db: Database, expiry: date) -> None:
    """A batch of known goods whose last day is `expiry`."""
    source = {"source": "register", "as_of": "2026-01-01"}
    words = dict.fromkeys(("spec", "ingredients", "standard", "storage", "origin", "approval_no"), "示例")
    subject = {"uscc": USCC, "name": "示例食品有限公司", "kind": "legal_person", "region": "320900", "status": "active"}
    product = {"gtin": GTIN, "name": "示例", "category": "food", "producer_uscc": USCC, **words}
    lot = {
        "gtin": GTIN,
        "lot": LOT,
        "producer_uscc": USCC,
        "production_date": "2026-01-01",
        "expiry_date": expiry.isoformat(),
        "quantity": "10",
        "uom": "H87",
    }
    goods = {"subjects": [subject | source], "products": [product | source], "batches": [lot | source]}
    result = catalog.import_document(db, goods, actor="test", now=NOW)
    assert not result.errors


def test_a_tag_that_nobody_commissioned_is_one_alert_however_often_it_is_seen(database: Database) -> None:
    read(database, *(seen(n, epcList=[epc(7)]) for n in range(1, 4)))
    read(database, seen(9, epcList=[epc(7)]), gateway="gate-2")
    follow(database, "D01")
    (alert,) = open_alerts(database)
    assert (alert.rule_id, alert.subject, alert.count) == ("D01", item_uri(7), 4)
    assert (alert.first_seen, alert.last_seen) == (NOW + timedelta(seconds=1), NOW + timedelta(seconds=9))


def test_an_unknown_tag_counts_as_a_data_fault_until_the_grace_is_over(database: Database) -> None:
    read(database, seen(1))
    follow(database, "D01")
    (alert,) = open_alerts(database)
    assert alert.kind_at(NOW + timedelta(hours=23)) is SubjectKind.DATA
    assert alert.kind_at(NOW + timedelta(hours=25)) is SubjectKind.ENTERPRISE


def test_a_late_commissioning_clears_the_alert(database: Database) -> None:
    read(database, seen(1))
    follow(database, "D01")
    post(database, commissioned(1))
    follow(database, "D01")
    (alert,) = operations.read_alerts(database)
    assert (alert.state, alert.count) == (AlertState.CLEARED, 1)


def test_a_commissioned_tag_and_a_clients_own_report_are_no_alert(database: Database) -> None:
    post(database, commissioned(1), seen(5, epcList=[epc(2)]))
    read(database, seen(1))
    follow(database, "D01")
    assert operations.read_alerts(database) == []


def test_a_cylinder_that_the_register_knows_was_never_commissioned_by_an_event_and_is_not_unknown(
    database: Database,
) -> None:
    register(database, 1, due=date(2030, 1, 1))
    read(database, seen(1))
    follow(database, "D01")
    assert operations.read_alerts(database) == []


def test_a_read_that_is_declared_an_error_is_no_evidence(database: Database) -> None:
    read(database, seen(1))
    follow(database, "D01")
    wrong = {"errorDeclaration": {"declarationTime": NOW.isoformat(), "reason": "incorrect_data"}}
    read(database, seen(1, **wrong))
    follow(database, "D01")
    assert open_alerts(database) == []


def test_a_declaration_by_someone_else_takes_no_evidence_away(database: Database) -> None:
    wrong = {"errorDeclaration": {"declarationTime": NOW.isoformat(), "reason": "incorrect_data"}}
    read(database, seen(1))
    post(database, seen(1, **wrong))
    follow(database, "D01")
    assert len(open_alerts(database)) == 1


def test_goods_seen_after_their_last_day_are_an_alert_of_batch_and_place(database: Database) -> None:
    expiring(database, date(2026, 11, 23))
    post(database, commissioned(1, 2, lot=LOT))
    read(database, seen(1), seen(2))
    follow(database, "D30")
    (alert,) = open_alerts(database)
    assert (alert.group_key, alert.subject, alert.count) == (f"{GTIN}/{LOT}@{GATE}", GATE, 2)
    assert {one.value for one in alert.evidence} == {"1 d"}


@pytest.mark.parametrize(
    ("expiry", "step"),
    [(date(2026, 11, 24), "receiving"), (date(2026, 11, 23), "destroying")],
    ids=["on its last day", "on its way to destruction"],
)
def test_goods_that_may_be_seen_are_no_alert(database: Database, expiry: date, step: str) -> None:
    expiring(database, expiry)
    post(database, commissioned(1, lot=LOT))
    read(database, seen(1, bizStep=step))
    follow(database, "D30")
    assert open_alerts(database) == []


def test_a_lot_that_becomes_known_late_is_judged_then(database: Database) -> None:
    expiring(database, date(2026, 11, 23))
    read(database, seen(1))
    follow(database, "D30")
    assert open_alerts(database) == []
    post(database, commissioned(1, lot=LOT))
    follow(database, "D30")
    assert len(open_alerts(database)) == 1


@pytest.mark.parametrize(("skew_s", "is_alert"), [(61, True), (59, False), (-100, False), (-181, True)])
def test_a_clock_that_is_wrong_concerns_the_device(database: Database, skew_s: int, is_alert: bool) -> None:
    read(database, seen(1), wall=NOW + timedelta(seconds=skew_s))
    follow(database, "D90")
    found = open_alerts(database)
    assert [(one.subject, one.subject_kind) for one in found] == [("gate-1", SubjectKind.DEVICE)] * is_alert


def test_stream_and_back_fill_find_the_same(database: Database) -> None:
    """Step by step with late events, or all at once at the end: the same open alerts with the same evidence."""
    expiring(database, date(2026, 11, 23))
    steps = [
        lambda: read(database, seen(1), seen(2), seen(3, epcList=[epc(1), epc(4)]), wall=NOW + timedelta(minutes=5)),
        lambda: post(database, commissioned(1, lot=LOT)),
        lambda: read(database, seen(5, epcList=[epc(2)]), gateway="gate-2"),
        lambda: post(database, commissioned(4, lot=LOT)),
        lambda: read(database, seen(6, epcList=[epc(1), epc(2)])),
    ]
    for step in steps:
        step()
        follow(database)
    streamed = {(a.rule_id, a.group_key): a for a in open_alerts(database)}
    assert {rule for rule, _ in streamed} == {"D01", "D14", "D30", "D90"}
    fresh = [replace(detector, version=99) for detector in DETECTORS.values()]
    report = detect.back_fill(database, NOW, fresh)
    assert report.judged == dict.fromkeys(FINDERS, 7)
    filled = {(a.rule_id, a.group_key): a for a in open_alerts(database) if a.rule_version == 99}
    assert {key: replace(a, alert_key=b"", rule_version=0) for key, a in filled.items()} == {
        key: replace(a, alert_key=b"", rule_version=0) for key, a in streamed.items()
    }


def test_judging_again_changes_nothing(database: Database) -> None:
    read(database, seen(1), wall=NOW + timedelta(minutes=5))
    follow(database)
    before = operations.read_alerts(database)
    detect.back_fill(database, NOW + timedelta(days=1), DETECTORS.values())
    assert operations.read_alerts(database) == before


def test_a_failing_detector_is_reported_keeps_its_place_and_stops_no_other(database: Database) -> None:
    def broken(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
        raise ZeroDivisionError("boom")

    bad = replace(DETECTORS["D90"], id="D00", find=broken)
    read(database, seen(1))
    ingest.number_captures(database)
    report = detect.follow(database, NOW, [bad, *DETECTORS.values()])
    assert report.failed == {"D00": "ZeroDivisionError('boom')"}
    assert [alert.rule_id for alert in open_alerts(database)] == ["D01"]
    mended = replace(bad, find=DETECTORS["D90"].find)
    assert detect.follow(database, NOW, [mended]).judged == {"D00": 1}


def test_every_detector_declares_guard_basis_and_the_ground_of_each_threshold() -> None:
    for detector in DETECTORS.values():
        assert detector.guard
        assert detector.basis
        assert detector.title_zh
        assert detector.title_en
        assert all(param.basis and param.unit for param in detector.params)


def test_an_event_is_judged_once_by_each_detector(database: Database) -> None:
    ingest.accept_batch(database, NOW, "gate-1", run(1, 5))
    assert follow(database).judged == dict.fromkeys(FINDERS, 5)
    assert follow(database).judged == dict.fromkeys(FINDERS, 0)


def statements_for(db: Database, items: int) -> int:
    """Statements that judging so many reads of untraced items takes."""
    base = 1000 * items
    read(db, *[seen(base + number) for number in range(items)])
    ingest.number_captures(db)
    asked: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        asked.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    detect.follow(db, NOW, [DETECTORS["D30"]])
    event.remove(db.engine, "before_cursor_execute", note)
    return len(asked)


def test_more_items_take_no_more_questions_for_their_last_day(database: Database) -> None:
    statements_for(database, 1)
    assert statements_for(database, 2) == statements_for(database, 30)
