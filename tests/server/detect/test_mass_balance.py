"""D12: too much from too little is suspected once inputs had time to come; late inputs and corrections explain it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.server.detect import make
from tests.server.detect.make import at, follow, world, wrong
from tests.server.ingest.make import GTIN, NOW
from trace_core.ids import gs1
from trace_server.catalog import operations as catalog
from trace_server.db import Database
from trace_server.detect import operations
from trace_server.detect.detector import SubjectKind
from trace_server.detect.model import Alert, AlertState

MILK_GTIN = "1061414107347" + gs1.check_digit("1061414107347")
MILK = "urn:epc:class:lgtin:0614141.107347.M1"
POWDER = "urn:epc:class:lgtin:0614141.107346.P1"


def dairy(db: Database) -> None:
    """Milk and milk powder are known as such."""
    world(db)
    words = dict.fromkeys(("spec", "ingredients", "storage", "origin", "approval_no"), "示例")
    milk = {"gtin": MILK_GTIN, "name": "生牛乳", "standard": "GB 19301"}
    powder = {"gtin": GTIN, "name": "示例乳粉", "standard": "GB 19644"}
    rest = {"category": "food", "producer_uscc": make.USCC, **words, **make.SOURCE}
    result = catalog.import_document(db, {"products": [milk | rest, powder | rest]}, actor="test", now=NOW)
    assert not result.errors, result.errors


def dried(seconds: float, milk: float = 0, powder: float = 0, **members: Any) -> dict[str, Any]:
    lists = {}
    if milk:
        lists["inputQuantityList"] = [{"epcClass": MILK, "quantity": milk, "uom": "KGM"}]
    if powder:
        lists["outputQuantityList"] = [{"epcClass": POWDER, "quantity": powder, "uom": "KGM"}]
    event = at(seconds, type="TransformationEvent", **lists, **members)
    return {name: value for name, value in event.items() if name not in ("epcList", "action")}


def found(db: Database) -> list[Alert]:
    return [*operations.read_alerts(db, rule_id="D12", state=AlertState.OPEN), *waiting(db)]


def waiting(db: Database) -> list[Alert]:
    return operations.read_alerts(db, rule_id="D12", state=AlertState.WAITING)


def test_d12_finds_too_much_powder_and_waits_for_inputs(database: Database) -> None:
    dairy(database)
    make.post(database, dried(0, 1000, 140), dried(60, 1000, 150))
    follow(database, "D12")
    [alert] = found(database)
    assert (alert.subject_kind, alert.values["yield"], alert.values["made_kg"]) == (
        SubjectKind.DATA,
        "milk_powder",
        "150",
    )
    assert alert in waiting(database)


def test_d12_is_explained_by_inputs_that_another_event_tells_later(database: Database) -> None:
    dairy(database)
    told = {"transformationID": "urn:example:t1"}
    make.post(database, dried(0, 500, **told), dried(60, 0, 140, **told))
    follow(database, "D12")
    assert len(found(database)) == 1
    make.post(database, dried(30, 500, **told))
    follow(database, "D12")
    assert found(database) == []


def test_d12_is_taken_back_by_a_declared_error(database: Database) -> None:
    dairy(database)
    event = dried(0, 1000, 150)
    make.post(database, event)
    follow(database, "D12")
    assert len(found(database)) == 1
    make.post(database, wrong(event))
    follow(database, "D12")
    assert found(database) == []


def test_d12_says_nothing_where_inputs_or_masses_are_not_recorded(database: Database) -> None:
    dairy(database)
    make.post(database, dried(0, 0, 150, transformationID="urn:example:t2"))
    follow(database, "D12")
    assert found(database) == []


def test_d12_finds_more_used_than_was_made_of_a_lot(database: Database) -> None:
    dairy(database)
    element = {"epcClass": MILK, "quantity": 500, "uom": "KGM"}
    making = at(-60, action="ADD", bizStep="commissioning", quantityList=[element])
    make.post(database, {name: value for name, value in making.items() if name != "epcList"}, dried(0, 1000, 140))
    follow(database, "D12")
    [alert] = found(database)
    assert alert.group_key.startswith("stock/")
    make.post(
        database,
        {name: value for name, value in making.items() if name != "epcList"}
        | {"eventTime": (NOW - timedelta(seconds=90)).isoformat()},
    )
    follow(database, "D12")
    assert found(database) == []
