"""The registers of the city, brought in by the same operations as real ones."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from trace_core.errors import InputError
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.catalog import operations as catalog
from trace_server.catalog.profiles import load_profiles
from trace_server.equipment import operations as equipment
from trace_server.equipment.rules import Registration
from trace_server.indications import operations as indications
from trace_server.registers import operations as ranges
from trace_server.registers.model import RangeEvent
from trace_server.sample import words
from trace_server.sample.equipment import Thing
from trace_server.sample.equipment import registrations as registrations_of
from trace_server.sample.faults import QUOTA, lapsed
from trace_server.sample.model import PLATFORM, City, Company, Good, Lot, Trade
from trace_server.services import Services

ACTOR, SECOND = "sample:registrar", "sample:second"
"""Who keeps the registers in the city's own audit log, and who confirms."""
DECLARED = "企业自行公示(示例数据)"


def open_city(services: Services, city: City, seed: int) -> dict[str, str]:
    """Subjects, licences, products, places, gateways, clients. Returns source key → client id."""
    today = equipment.local_day(services.clock())
    goods = {good.maker.uscc: good for good in reversed(city.goods)}
    document = {
        "subjects": [_subject(one, today) for one in city.companies],
        "licences": [row for one in city.companies for row in _licences(city, one, goods.get(one.uscc), today)],
        "products": [_product(one, today) for one in city.goods],
        "places": _places(city),
    }
    import_rows(services, document)
    dice = random.Random(f"ranges/{seed}")  # noqa: S311 – a made-up city, no secret
    _indications(services, city, today)
    _ranges(services, city, dice)
    for gate in city.checkpoints:
        _gateway(services, gate.gateway, gate.name, gate.read_point)
    clients = {PLATFORM: _client(services, "示例追溯平台", Role.REGULATOR, "")}
    for maker in city.of(Trade.FACTORY)[: city.scale.own_clients]:
        clients[maker.uscc] = _client(services, f"erp-{maker.uscc}", Role.PRODUCER, maker.uscc)
    return clients


def import_rows(services: Services, document: dict[str, Any]) -> None:
    """Bring rows of the catalog in. Raises `InputError` for the first that is refused."""
    result = catalog.import_document(services.db, document, actor=ACTOR, now=services.clock())
    if result.errors:
        first = result.errors[0]
        raise InputError(f"{len(result.errors)} rows of the sample are refused: {first.message}", where=first.pointer)


def register_lots(services: Services, lots: Sequence[Lot], until: date) -> None:
    """Batches made before `until`, with their papers."""
    profiles = load_profiles()
    rows = []
    for one in lots:
        if one.made_on >= until:
            continue
        kinds = [rule.kind for rule in profiles[one.good.category].certificates if rule.required]
        held = [] if one.lacks == "certificate" else kinds
        rows.append(
            {
                "gtin": one.good.gtin,
                "lot": one.number,
                "producer_uscc": one.good.maker.uscc,
                "production_date": one.made_on.isoformat(),
                "expiry_date": one.expires_on.isoformat(),
                "quantity": one.quantity,
                "uom": "KGM" if one.items == 0 else "H87",
                "certificates": [
                    {
                        "kind": kind,
                        "number": f"HG-{one.number}-{place}",
                        "issuer": one.good.maker.name,
                        "issued_on": one.made_on.isoformat(),
                    }
                    for place, kind in enumerate(held)
                ],
                "inspection": {
                    "passed": one.lacks != "inspection",
                    "report_no": f"JC-{one.good.gtin[-5:]}-{one.number}",
                    "body": words.LABORATORY,
                    "inspected_on": one.made_on.isoformat(),
                    "origin": "official" if one.number[-1] in "02468" else "declared",
                },
                "source": DECLARED,
                "as_of": one.made_on.isoformat(),
            }
        )
    if rows:
        import_rows(services, {"batches": rows})


def register_things(services: Services, known: Sequence[Thing]) -> None:
    """Equipment with its last inspection."""
    now = services.clock()
    today = equipment.local_day(now)
    caller = equipment.Caller(ACTOR)
    for number, (one, members) in enumerate(zip(known, registrations_of(tuple(known), today), strict=True)):
        due = members["inspection_due"]
        before = due - timedelta(days=366) if due is not None else None
        inspected = number % 3 == 0 and before is not None and one.made_on < before <= today and not one.fault
        if inspected:
            members |= {"inspection_due": before}
        record = equipment.register(services.db, now, caller, Registration(**members))
        if inspected and before is not None:
            result = equipment.Result(
                before - timedelta(days=1), f"TJ-{number:05}", words.LABORATORY, passed=True, next_due=due
            )
            equipment.inspect(services.db, now, caller, one.uri, result, revision=record.asset.revision)


def _subject(one: Company, today: date) -> dict[str, Any]:
    return {
        "uscc": one.uscc,
        "name": one.name,
        "name_en": one.name_en,
        "kind": "legal_person",
        "region": one.county.code,
        "status": one.status,
        "source": words.REGISTER,
        "as_of": today.isoformat(),
    }


def _licences(city: City, one: Company, good: Good | None, today: date) -> list[dict[str, Any]]:
    if one.trade not in (Trade.FACTORY, Trade.FARM, Trade.SHOP, Trade.HUB, Trade.STATION):
        return []
    category = good.category if good is not None else one.category
    title, title_en = words.LICENCES[category]
    number = int(one.uscc[12:16])
    start = today - timedelta(days=700 + number % 300)
    end = start + timedelta(days=5 * 365)
    if number % 13 == 5:
        end = today + timedelta(days=366 + number % 60)  # ends within weeks of the city's moment
    if one == lapsed(city):
        end = today + timedelta(days=300)
    row = {
        "uscc": one.uscc,
        "number": f"SL{one.county.code}{number:05}",
        "title": title,
        "title_en": title_en,
        "authority": words.OFFICE,
        "valid_from": start.isoformat(),
        "valid_to": end.isoformat(),
        "state": "valid",
        "source": words.OFFICE,
        "as_of": today.isoformat(),
    }
    old = {
        "number": f"SL{one.county.code}{number:05}-1",
        "valid_from": (start - timedelta(days=5 * 365)).isoformat(),
        "valid_to": (start - timedelta(days=1)).isoformat(),
        "state": "revoked" if number % 17 == 3 else "cancelled",
    }
    return [row, row | old] if number % 5 == 3 else [row]


def _product(one: Good, today: date) -> dict[str, Any]:
    keeping = "2–8 ℃ 避光保存" if one.storage else "阴凉干燥处"
    return {
        "gtin": one.gtin,
        "name": one.name,
        "name_en": one.name_en,
        "category": one.category,
        "spec": one.unit,
        "producer_uscc": one.maker.uscc,
        "ingredients": "见产品标签(示例数据)",
        "standard": "Q/SL 0001S(示例)",
        "storage": keeping,
        "storage_en": "2 to 8 °C, dark" if one.storage else "Cool and dry",
        "origin": f"江苏省盐城市{one.maker.county.name}",
        "origin_en": f"{one.maker.county.name_en}, Yancheng, Jiangsu",
        "source": DECLARED,
        "as_of": today.isoformat(),
        "storage_min_c": one.storage[0] if one.storage else None,
        "storage_max_c": one.storage[1] if one.storage else None,
    }


def _places(city: City) -> list[dict[str, Any]]:
    sites = [
        {
            "uri": one.place,
            "name": one.name,
            "name_en": one.name_en,
            "city": f"盐城市{one.county.name}",
            "city_en": f"{one.county.name_en}, Yancheng",
            "operator_uscc": one.uscc,
            "latitude": one.county.latitude,
            "longitude": one.county.longitude,
        }
        for one in city.companies
    ]
    gates = [
        {
            "uri": one.read_point,
            "name": one.name,
            "name_en": one.name_en,
            "city": f"盐城市{one.owner.county.name}",
            "city_en": f"{one.owner.county.name_en}, Yancheng",
            "operator_uscc": one.owner.uscc,
            "latitude": one.latitude,
            "longitude": one.longitude,
        }
        for one in city.checkpoints
    ]
    return sites + gates


def _indications(services: Services, city: City, today: date) -> None:
    """Areas around the makers, who may all use their marks; one of them has a small quota."""
    marked = [one for one in city.goods if one.indication]
    if not marked:
        return
    document: dict[str, list[dict[str, Any]]] = {"indications": [], "users": []}
    common = {"source": words.OFFICE, "as_of": today.isoformat()}
    for gi_id in sorted({one.indication for one in marked}):
        own = [one for one in marked if one.indication == gi_id]
        centres = {one.maker.county for one in own}
        seasons = {str(year): [f"{year}-09-01", f"{year + 1}-07-31"] for year in range(today.year - 1, today.year + 3)}
        document["indications"].append(
            {
                "gi_id": gi_id,
                "name": own[0].name.split(" ")[0],
                "name_en": own[0].name_en.rstrip(" ABCDEFGHIJ"),
                "area": [_square(one.longitude, one.latitude) for one in sorted(centres, key=lambda one: one.code)],
                "counties": sorted(one.code for one in centres),
                "seasons": seasons,
                "gtins": sorted(one.gtin for one in own),
                **common,
            }
        )
        for maker in sorted({one.maker.uscc for one in own}):
            quota = {str(year): 100_000 for year in range(today.year - 1, today.year + 3)}
            if maker == marked[0].maker.uscc and gi_id == marked[0].indication:
                quota = dict.fromkeys(quota, QUOTA)
            document["users"].append(
                {"gi_id": gi_id, "uscc": maker, "valid_from": f"{today.year - 3}-01-01", "quotas": quota, **common}
            )
    indications.import_register(services.db, services.clock(), ACTOR, document)


def _square(longitude: float, latitude: float) -> list[list[float]]:
    near = 0.09
    return [
        [round(longitude + x * near, 4), round(latitude + y * near, 4)]
        for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]  # fmt: skip


def _ranges(services: Services, city: City, dice: random.Random) -> None:
    """Requests of some makers: most are granted, one is refused, one waits. None covers a product that is told of."""
    idle = [one for one in city.goods if one.is_raw] + [one for one in city.goods if one.storage]
    for place, good in enumerate(idle):
        for part in range(2):
            first = 1 + part * 100_000
            wanted = ranges.RangeRequest(
                good.maker.uscc, good.gtin, f"T{first:09}", f"T{first + 9999:09}", "产品追溯标签(示例)"
            )
            row = ranges.request_range(services, ACTOR, wanted)
            if part == 0 or place == 0:
                grant = ranges.Grant("申请材料齐全", row.version, quota=dice.randrange(2000, 9000))
                ranges.grant_range(services, SECOND, row.range_id, grant)
            elif place == 1:
                ranges.end_range(services, SECOND, row.range_id, RangeEvent.REFUSE, reason="用途说明不清", version=1)


def _gateway(services: Services, gateway: str, site: str, read_point: str) -> None:
    """An enrolled and approved gateway whose private key nobody keeps: it can never send."""
    db, now = services.db, services.clock()
    code = accounts.add_gateway(
        db, now, ACTOR, gateway_id=gateway, site=site, read_points=(read_point,), auto_approve=True
    )
    key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    accounts.enrol(db, now, code=code, public_key=key, software="sample", hostname=gateway, address="127.0.0.1")


def _client(services: Services, name: str, role: Role, subject: str) -> str:
    """A client whose token nobody keeps."""
    made, _ = accounts.add_client(services.db, services.clock(), ACTOR, name=name, role=role, subject=subject)
    return made.client_id
