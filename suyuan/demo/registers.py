"""The world's master data as the document that `trace-server catalog import` takes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from firmware_sim.world import Batch, Place, Producer, Product, World

REGISTER = "盐城市示例登记机关(演示数据)"
MARKET_OFFICE = "盐城市示例市场监督管理局(演示)"
AUTHORITY_CODE = "11320900MAYX00092X"
LABORATORY = "盐城市示例检验检测中心(演示)"
LICENCES = {
    "agricultural": ("农产品生产主体备案", "Farm producer filing"),
    "food": ("食品生产许可证", "Food production licence"),
    "drug": ("药品生产许可证", "Drug manufacturing licence"),
}
COPIED = (
    *("gtin", "name", "name_en", "category", "spec", "spec_en", "producer_uscc", "ingredients", "ingredients_en"),
    *("standard", "storage", "storage_en", "origin", "origin_en", "approval_no"),
)
"""Members that a product of the world and a product of the catalog share."""
CERTIFICATES = {
    "agricultural": "agricultural.commitment",
    "food": "food.factory_inspection",
    "drug": "drug.factory_inspection",
}


def catalog_document(world: World, today: date) -> dict[str, Any]:
    """Subjects, licences, products, batches and places."""
    makers = {product.producer_uscc: product.category for product in world.products}
    return {
        "subjects": [_subject(p, today) for p in (*world.producers, *world.dealers)],
        "licences": [_licence(p, makers.get(p.uscc, "food"), today) for p in (*world.producers, *world.dealers)],
        "products": [_product(p, today) for p in world.products],
        "batches": [_batch(b, world, today) for b in world.batches],
        "places": [row for p in world.places for row in _places(p)],
    }


def _subject(producer: Producer, today: date) -> dict[str, Any]:
    return {
        "uscc": producer.uscc,
        "name": producer.name,
        "name_en": producer.name_en,
        "kind": "legal_person",
        "region": producer.region,
        "status": "active",
        "source": REGISTER,
        "as_of": today.isoformat(),
    }


def _licence(producer: Producer, category: str, today: date) -> dict[str, Any]:
    title, title_en = LICENCES[category]
    start = today - timedelta(days=500)
    return {
        "uscc": producer.uscc,
        "number": f"SL{producer.region}{producer.company_prefix}",
        "title": title,
        "title_en": title_en,
        "authority": MARKET_OFFICE,
        "valid_from": start.isoformat(),
        "valid_to": (start + timedelta(days=5 * 365)).isoformat(),
        "state": "valid",
        "source": MARKET_OFFICE,
        "as_of": today.isoformat(),
    }


def _product(product: Product, today: date) -> dict[str, Any]:
    return {name: getattr(product, name) for name in COPIED} | {
        "source": "企业自行公示(演示数据)",
        "as_of": today.isoformat(),
    }


def _batch(batch: Batch, world: World, today: date) -> dict[str, Any]:
    category = next(p.category for p in world.products if p.gtin == batch.gtin)
    certificate = {
        "kind": CERTIFICATES[category],
        "number": f"HG-{batch.lot}",
        "issuer": next(p.name for p in world.producers if p.uscc == batch.producer_uscc),
        "issued_on": batch.production_date.isoformat(),
    }
    return {
        "gtin": batch.gtin,
        "lot": batch.lot,
        "producer_uscc": batch.producer_uscc,
        "production_date": batch.production_date.isoformat(),
        "expiry_date": batch.expiry_date.isoformat(),
        "quantity": batch.quantity,
        "uom": batch.uom or "H87",
        "certificates": [certificate],
        "inspection": {
            "passed": True,
            "report_no": batch.inspection_report_no,
            "body": LABORATORY,
            "inspected_on": batch.production_date.isoformat(),
            "origin": "official",
        },
        "source": "企业自行公示(演示数据)",
        "as_of": today.isoformat(),
    }


def _places(place: Place) -> list[dict[str, Any]]:
    row = {
        "name": place.name,
        "name_en": place.name_en,
        "city": place.city,
        "city_en": place.city_en,
        "operator_uscc": place.owner_uscc,
    }
    return [{"uri": place.uri, **row}, {"uri": place.read_point, **row}]


def decision_document(producer: Producer, batch: Batch, today: date) -> dict[str, Any]:
    """A penalty decision as the credit office would hand it in: with its number, or there is no record."""
    decided = today - timedelta(days=40)
    day = f"{decided:%Y/%m/%d}"
    return {
        "decision": {
            "CF_XDR_MC": producer.name,
            "CF_XDR_LB": "法人及非法人组织",
            "CF_XDR_SHXYM": producer.uscc,
            "CF_FRDB": "示例法定代表人",
            "CF_WSH": f"盐市监示罚字〔{decided.year}〕第001号",
            "CF_WFXW": "标签标示不符合规定",
            "CF_SY": "演示数据:该批产品标签未按规定标示贮存条件。",
            "CF_YJ": "《中华人民共和国食品安全法》第一百二十五条",
            "CF_CFLB": "罚款",
            "CF_NR": "罚款人民币伍仟元整。",
            "CF_NR_FK": "0.5",
            "CF_JDRQ": day,
            "CF_YXQ": f"{decided.replace(year=decided.year + 1):%Y/%m/%d}",
            "CF_CFJG": MARKET_OFFICE,
            "CF_CFJGDM": AUTHORITY_CODE,
            "CF_SJLY": MARKET_OFFICE,
            "CF_SJLYDM": AUTHORITY_CODE,
        },
        "category": "food",
        "procedure": "ordinary",
        "batches": [batch.class_uri],
    }
