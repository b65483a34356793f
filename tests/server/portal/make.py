"""A small trade in milk: one producer, one haulier, one market, and the way of one carton. All parties are invented."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from trace_core.ids import gs1
from trace_server.catalog import operations as catalog
from trace_server.catalog.model import ImportResult
from trace_server.db import Database
from trace_server.ingest.operations import capture_document
from trace_server.portal.model import Code
from trace_server.portal.signature import CodeKeys

PRODUCER = "913209009000000142"
HAULIER = "91320900900000022W"
MARKET = "91320900900000030P"
GTIN = "06901234567892"
RAW_GTIN = "0690123400001" + gs1.check_digit("0690123400001")
LOT = "L2611"
SERIAL = "000123"
RAW_LOT = "R1120"
SECRET = "a secret of the tests, 32 characters or more"
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
CODE = Code(GTIN, LOT, SERIAL)
ITEM = f"https://id.gs1.org/01/{GTIN}/21/{SERIAL}"
LOT_URI = f"https://id.gs1.org/01/{GTIN}/10/{LOT}"
RAW_URI = f"https://id.gs1.org/01/{RAW_GTIN}/10/{RAW_LOT}"


def case(number: int) -> str:
    """SSCC of a case, by number."""
    body = f"06901234{number:09d}"
    return f"https://id.gs1.org/00/{body}{gs1.check_digit(body)}"


CASE = case(1)


def gln(number: int) -> str:
    """Read point of the trade, by number."""
    body = f"69012340{number:04d}"
    return f"https://id.gs1.org/414/{body}{gs1.check_digit(body)}"


DAIRY, DOCK, GATE, SHELF = (gln(number) for number in (1, 2, 3, 4))


def signed_path(code: Code = CODE, *, language: str = "") -> str:
    """Path and query of a code page, signed with the tests' secret."""
    path = f"{code.path}?s={CodeKeys.parse(SECRET).sign(code.uri)}"
    return f"{path}&lang={language}" if language else path


def subject(
    uscc: str = PRODUCER, name: str = "示例乳业有限公司", name_en: str = "Example Dairy Co., Ltd."
) -> dict[str, Any]:
    return {
        "uscc": uscc,
        "name": name,
        "name_en": name_en,
        "kind": "legal_person",
        "region": "320900",
        "status": "active",
        "source": "市场监督管理部门登记信息",
        "as_of": "2026-11-20",
    }


def licence(**changes: Any) -> dict[str, Any]:
    return {
        "uscc": PRODUCER,
        "number": "SC10532090000001",
        "title": "食品生产许可证",
        "title_en": "Food production licence",
        "authority": "示例市市场监督管理局",
        "valid_from": "2024-03-01",
        "valid_to": "2029-02-28",
        "state": "valid",
        "source": "示例市市场监督管理局",
        "as_of": "2026-11-20",
    } | changes


def product(**changes: Any) -> dict[str, Any]:
    return {
        "gtin": GTIN,
        "name": "示例牌巴氏杀菌鲜牛奶",
        "name_en": "Example brand pasteurised fresh milk",
        "category": "food",
        "spec": "950 mL / 盒",
        "spec_en": "950 mL carton",
        "producer_uscc": PRODUCER,
        "ingredients": "生牛乳",
        "ingredients_en": "Raw cow's milk",
        "standard": "GB 19645",
        "storage": "2–6 ℃ 冷藏",
        "storage_en": "Keep at 2–6 °C",
        "origin": "江苏盐城",
        "origin_en": "Yancheng, Jiangsu",
        "source": "示例乳业有限公司",
        "as_of": "2026-11-20",
    } | changes


def batch(**changes: Any) -> dict[str, Any]:
    return {
        "gtin": GTIN,
        "lot": LOT,
        "producer_uscc": PRODUCER,
        "production_date": "2026-11-20",
        "expiry_date": "2026-12-04",
        "quantity": "4800",
        "uom": "EA",
        "certificates": [
            {
                "kind": "food.factory_inspection",
                "number": "CJ-20261120-07",
                "issuer": "示例乳业有限公司",
                "issued_on": "2026-11-20",
            }
        ],
        "inspection": {
            "passed": True,
            "report_no": "JY-2026-11-0031",
            "body": "示例市食品药品检验所",
            "inspected_on": "2026-11-21",
            "origin": "official",
        },
        "source": "示例乳业有限公司",
        "as_of": "2026-11-21",
    } | changes


def recall() -> dict[str, Any]:
    return {
        "level": 2,
        "notice_no": "示市监召〔2026〕3号",
        "authority": "示例市市场监督管理局",
        "announced_on": "2026-11-23",
        "reason": "抽检发现菌落总数超过标准限量。",
        "reason_en": "A sample exceeded the limit for total bacterial count.",
        "action": "停止饮用，不要丢弃；凭包装退货退款，无需小票。",
        "action_en": "Do not drink it and do not throw it away; return the pack for a refund, no receipt needed.",
        "return_to": "任意销售门店服务台",
        "return_to_en": "Service desk of any shop that sells it",
        "phone": "400-000-0000",
    }


def document(**changes: Any) -> dict[str, Any]:
    """A complete import document; a list given by name replaces that list."""
    return {
        "subjects": [
            subject(),
            subject(HAULIER, "示例冷链物流有限公司", "Example Cold Chain Logistics Co., Ltd."),
            subject(MARKET, "示例农产品批发市场有限公司", "Example Wholesale Market Co., Ltd."),
        ],
        "licences": [licence()],
        "products": [product()],
        "batches": [batch()],
        "places": [
            place(DAIRY, "一号车间", "Workshop 1", "盐城", "Yancheng", PRODUCER),
            place(DOCK, "发货月台", "Loading dock", "盐城", "Yancheng", PRODUCER),
            place(GATE, "市场南门", "South gate", "南京", "Nanjing", MARKET),
            place(SHELF, "鲜奶柜台", "Fresh milk counter", "南京", "Nanjing", MARKET),
        ],
    } | changes


def place(uri: str, *words: str) -> dict[str, Any]:
    return dict(zip(("uri", "name", "name_en", "city", "city_en", "operator_uscc"), (uri, *words), strict=True))


def load(database: Database, **changes: Any) -> ImportResult:
    """Import the master data; the result must be clean."""
    result = catalog.import_document(database, document(**changes), actor="tester", now=NOW)
    assert result.errors == ()
    return result


def event(kind: str, when: str, step: str, read_point: str, **fields: Any) -> dict[str, Any]:
    """One EPCIS event; `when` is ISO without offset, Shanghai time."""
    found = {
        "type": kind,
        "eventID": f"urn:uuid:{uuid.uuid4()}",
        "eventTime": f"{when}+08:00",
        "eventTimeZoneOffset": "+08:00",
        "readPoint": {"id": read_point},
    } | fields
    return found | ({"bizStep": step} if step else {})


def made() -> dict[str, Any]:
    return event(
        "TransformationEvent",
        "2026-11-20T05:10:00",
        "creating_class_instance",
        DAIRY,
        inputQuantityList=[{"epcClass": RAW_URI, "quantity": 5200, "uom": "LTR"}],
        outputQuantityList=[{"epcClass": LOT_URI, "quantity": 4800}],
    )


def farmed() -> dict[str, Any]:
    return event(
        "ObjectEvent",
        "2026-11-20T02:00:00",
        "receiving",
        DAIRY,
        action="OBSERVE",
        quantityList=[{"epcClass": RAW_URI, "quantity": 5200, "uom": "LTR"}],
    )


def commissioned() -> dict[str, Any]:
    return event(
        "ObjectEvent",
        "2026-11-20T06:00:00",
        "commissioning",
        DAIRY,
        action="ADD",
        epcList=[ITEM],
        ilmd={"cbvmda:lotNumber": LOT},
    )


def packed(when: str = "2026-11-20T07:00:00", parent: str = CASE) -> dict[str, Any]:
    return event("AggregationEvent", when, "packing", DAIRY, action="ADD", parentID=parent, childEPCs=[ITEM])


def shipped(when: str = "2026-11-21T20:00:00", what: str = CASE) -> dict[str, Any]:
    return event("ObjectEvent", when, "shipping", DOCK, action="OBSERVE", epcList=[what])


def received(when: str = "2026-11-22T04:30:00", what: str = CASE) -> dict[str, Any]:
    return event("ObjectEvent", when, "receiving", GATE, action="OBSERVE", epcList=[what])


def unpacked(when: str = "2026-11-22T09:00:00", **fields: Any) -> dict[str, Any]:
    children = {"childEPCs": [ITEM]} | fields
    return event("AggregationEvent", when, "unpacking", GATE, action="DELETE", parentID=CASE, **children)


def stocked(when: str = "2026-11-22T10:00:00") -> dict[str, Any]:
    return event("ObjectEvent", when, "stocking", SHELF, action="OBSERVE", epcList=[ITEM])


def whole_way() -> list[dict[str, Any]]:
    return [farmed(), made(), commissioned(), packed(), shipped(), received(), unpacked(), stocked()]


def capture(database: Database, *events: dict[str, Any], client: str = "tester") -> None:
    """Capture the events as one document of an API client; all must be taken."""
    body = {
        "@context": [
            "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
            {"cbvmda": "urn:epcglobal:cbv:mda:"},
        ],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-11-24T00:00:00Z",
        "epcisBody": {"eventList": list(events)},
    }
    job = capture_document(database, NOW, client, json.dumps(body).encode())
    assert job.quarantined == 0, job.errors
