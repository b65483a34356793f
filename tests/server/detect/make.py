"""Builders for the rules: a world of one producer, what gates and systems send, and what is suspected then."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from tests.server.ingest.make import GTIN, NOW, READ_POINT, batch, body, document, epc, item_uri, seen
from trace_core.ids.canonical import canonical_uri
from trace_server.catalog import operations as catalog
from trace_server.db import Database
from trace_server.detect import operations
from trace_server.detect import run as detect
from trace_server.detect.model import Alert, AlertState
from trace_server.equipment import store as equipment
from trace_server.equipment.model import Asset
from trace_server.ingest import operations as ingest

DETECTORS = detect.registry()
LOT = "L2026"
USCC = "91320900MA1T000210"
GATE = canonical_uri(READ_POINT)
FAR = "urn:epc:id:sgln:0614141.00888.0"
HOUR = 3600
DAY = 24 * HOUR
SOURCE = {"source": "register", "as_of": "2026-01-01"}
RECALL = {
    "level": 1,
    "notice_no": "示例召〔2026〕1号",
    "authority": "示例局",
    "announced_on": "2026-11-20",
    "reason": "示例",
    "action": "示例",
    "return_to": "示例",
    "phone": "000",
}
LICENCE = {"uscc": USCC, "number": "SC1", "title": "示例", "authority": "示例局", "valid_from": "2020-01-01"}


def world(db: Database, *, licences: list[dict[str, Any]] | None = None, **changes: Any) -> None:
    """A producer, its product and one batch; `changes` are of the batch."""
    words = dict.fromkeys(("spec", "ingredients", "standard", "storage", "origin", "approval_no"), "示例")
    subject = {"uscc": USCC, "name": "示例食品有限公司", "kind": "legal_person", "region": "320900", "status": "active"}
    product = {"gtin": GTIN, "name": "示例", "category": "food", "producer_uscc": USCC, **words}
    lot = {"gtin": GTIN, "lot": LOT, "producer_uscc": USCC, "production_date": "2026-01-01", "quantity": "1000"}
    held = [LICENCE | {"valid_to": "2030-12-31", "state": "valid"}] if licences is None else licences
    goods = {
        "subjects": [subject | SOURCE],
        "products": [product | SOURCE],
        "licences": [SOURCE | licence for licence in held],
        "batches": [lot | {"expiry_date": "2027-01-01", "uom": "H87"} | SOURCE | changes],
    }
    result = catalog.import_document(db, goods, actor="test", now=NOW)
    assert not result.errors, result.errors


def position(db: Database) -> None:
    """The gate and another one 165 km away are registered with their positions."""
    put = {"name": "示例", "city": "示例", "operator_uscc": USCC}
    here = put | {"uri": READ_POINT, "latitude": 33.35, "longitude": 120.16}
    away = put | {"uri": FAR, "latitude": 34.6, "longitude": 119.2}
    assert not catalog.import_document(db, {"places": [here, away]}, actor="test", now=NOW).errors


def register(db: Database, item: int, *, due: date | None = None, scrap: date | None = None) -> None:
    """The item is a cylinder with these days."""
    asset = Asset(canonical_uri(item_uri(item)), "", "LPG", USCC, due, scrap, "示例", date(2026, 1, 1))
    with db.begin() as conn:
        equipment.put_assets(db.dialect, conn, [asset])


def lot_event(seconds: float, lot: str = "FARM1", **changes: Any) -> dict[str, Any]:
    """Ten kilos of a lot."""
    element = {"epcClass": f"urn:epc:class:lgtin:0614141.107346.{lot}", "quantity": 10, "uom": "KGM"}
    event = at(seconds, **{"quantityList": [element], **changes})
    return {name: value for name, value in event.items() if name != "epcList"}


def at(seconds: float, *serials: object, **changes: Any) -> dict[str, Any]:
    """Items seen `seconds` after `NOW`."""
    when = (NOW + timedelta(seconds=seconds)).isoformat()
    return seen(1, **({"eventTime": when, "epcList": [epc(one) for one in serials or (1,)]} | changes))


def wrong(event: dict[str, Any]) -> dict[str, Any]:
    """The declaration that it was wrong."""
    return event | {"errorDeclaration": {"declarationTime": NOW.isoformat(), "reason": "incorrect_data"}}


def read(db: Database, *events: dict[str, Any], gateway: str = "gate-1", **changes: Any) -> None:
    """A gateway's batch, in an epoch of its own."""
    bodies = [body(event) for event in events]
    epoch = f"{hash(tuple(bodies)) & (2**64 - 1):016x}"
    ingest.accept_batch(db, NOW, gateway, batch(*bodies, epoch=epoch, **changes))


def post(db: Database, *events: dict[str, Any]) -> None:
    """A client's document."""
    result = ingest.capture_document(db, NOW, "erp", document(*events))
    assert result.quarantined == 0, result.errors


def follow(db: Database, *ids: str) -> detect.Report:
    """Number what came and let these detectors, or all, judge it."""
    ingest.number_captures(db)
    report = detect.follow(db, NOW, [DETECTORS[one] for one in ids or DETECTORS])
    assert not report.failed, report.failed
    return report


def open_alerts(db: Database, rule: str = "") -> list[Alert]:
    return operations.read_alerts(db, rule_id=rule, state=AlertState.OPEN)
