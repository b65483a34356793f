"""The registers of the city, from a seed. Pure: nothing is stored here."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from trace_core.ids import gs1
from trace_core.ids.uscc import check_character, subject_check_character
from trace_server.sample import words
from trace_server.sample.model import Checkpoint, City, Company, County, Good, Scale, Trade

_SHARES = (
    (Trade.HUB, 0.08), (Trade.STATION, 0.03), (Trade.ESTATE, 0.03), (Trade.MAINTAINER, 0.01), (Trade.CARRIER, 0.01),
    (Trade.WEB, 0.0), (Trade.FARM, 0.15), (Trade.FACTORY, 0.38),
)  # fmt: skip
"""Share of each trade, at least two; the rest are shops."""
_MIX = ("food", "food", "food", "agricultural", "drug", "consumer", "geographical_indication", "special_equipment")
PREFIX = "952"
"""GS1's prefix of demonstrations and examples: no company has it."""
COLD = (2.0, 8.0)


def uscc(head: str, serial: int, kind: str = "MAYC") -> str:
    """A valid code of the block `MAYC`, which no authority has issued. `head`: first two characters and region."""
    subject = f"{kind}{serial:04}"
    body = head + subject + subject_check_character(subject)
    return body + check_character(body)


def office_code() -> str:
    """USCC of the made-up market office."""
    return uscc(words.OFFICE_CODE[:8], 9000)


def gln(number: int) -> str:
    """URI of a place."""
    body = f"{PREFIX}{number:09}"
    return f"https://id.gs1.org/414/{body}{gs1.check_digit(body)}"


def gtin(number: int) -> str:
    body = f"0{PREFIX}{number:09}"
    return body + gs1.check_digit(body)


def sscc(number: int) -> str:
    """URI of a case or another logistic unit."""
    body = f"0{PREFIX}{number:013}"
    return f"https://id.gs1.org/00/{body}{gs1.check_digit(body)}"


def build(seed: int, scale: Scale, as_of: datetime) -> City:
    """Who is there, what is made, and where it passes. The same seed and scale give the same city on any day."""
    dice = random.Random(f"city/{seed}/{scale.name}")  # noqa: S311 – a made-up city, no secret
    companies = tuple(_companies(dice, scale))
    goods = tuple(_goods(scale, companies))
    return City(scale, as_of, words.COUNTIES, companies, goods, tuple(_checkpoints(scale, companies)))


def _companies(dice: random.Random, scale: Scale) -> Iterator[Company]:
    wanted = [trade for trade, share in _SHARES for _ in range(max(2, round(scale.subjects * share)))]
    wanted += [Trade.SHOP] * (scale.subjects - len(wanted))
    seen: Counter[tuple[str, Trade, str]] = Counter()
    of_trade: Counter[Trade] = Counter()
    for number, trade in enumerate(wanted):
        county = words.COUNTIES[number % len(words.COUNTIES)] if number < 60 else dice.choice(words.COUNTIES)
        category = _category(trade, of_trade[trade])
        of_trade[trade] += 1
        seen[county.code, trade, category] += 1
        yield _company(number, county, trade, category, seen[county.code, trade, category])


def _category(trade: Trade, number: int) -> str:
    if trade is Trade.FARM:
        return "agricultural"
    return _MIX[number % len(_MIX)] if trade is Trade.FACTORY else ""


def _company(number: int, county: County, trade: Trade, category: str, nth: int) -> Company:
    made, made_en = words.WORKS[category] if trade is Trade.FACTORY else ("", "")
    kind, kind_en = words.TRADES[trade]
    short = county.name[:-1]
    status = "closed" if number % 97 == 96 else "abnormal" if number % 41 == 40 else "active"
    return Company(
        uscc=uscc(f"91{county.code}", number + 1),
        name=f"示例{short}{words.ordinal(nth)}{made}{kind}(示例数据)",
        name_en=f"Sample {county.name_en} {made_en + ' ' if made_en else ''}{kind_en} No. {nth}",
        county=county,
        trade=trade,
        category=category,
        place=gln(1000 + number),
        status=status,
    )


def _goods(scale: Scale, companies: tuple[Company, ...]) -> Iterator[Good]:
    farms = [one for one in companies if one.trade is Trade.FARM and one.status == "active"]
    makers = [one for one in companies if one.trade is Trade.FACTORY and one.status == "active"]
    for place, (name, name_en, days) in enumerate(words.RAW):
        maker = farms[place % len(farms)]
        yield Good(gtin(900 + place), name, name_en, "agricultural", maker, "KGM", days, is_raw=True)
    counts: Counter[str] = Counter()
    for number in range(scale.products - len(words.RAW)):
        category = _MIX[number % len(_MIX)]
        of_category = [one for one in makers if one.category == category] or makers
        maker = of_category[counts[category] % len(of_category)]
        counts[category] += 1
        nth = counts[category]
        name, name_en, spec, days = words.GOODS[category][(nth - 1) % len(words.GOODS[category])]
        series = (nth - 1) // len(words.GOODS[category])
        mark = f" {chr(65 + series)} 型" if series else ""
        is_cold = category == "drug" and nth == 1
        yield Good(
            gtin=gtin(1000 + number),
            name=("示例疫苗冷藏针剂" if is_cold else name) + mark,
            name_en=("Sample vaccine, chilled" if is_cold else name_en) + mark.replace("型", "").rstrip(),
            category=category,
            maker=maker,
            unit=spec,
            shelf_days=days,
            storage=COLD if is_cold else None,
            indication=f"gi-sample-{(nth - 1) % len(words.GOODS[category]) + 1}"
            if category == "geographical_indication"
            else "",
        )


def _checkpoints(scale: Scale, companies: tuple[Company, ...]) -> Iterator[Checkpoint]:
    wanted = ["factory"] * scale.factory_gates + ["hub"] * scale.hub_gates + ["shop"] * scale.shop_gates
    wanted += [kind for kind in words.OTHER_KINDS for _ in range(scale.other_gates)]
    owners: dict[str, list[Company]] = {}
    by_kind = {
        "factory": Trade.FACTORY, "packing_house": Trade.FACTORY, "hub": Trade.HUB, "cold_store": Trade.HUB,
        "market": Trade.HUB, "shop": Trade.SHOP, "filling": Trade.STATION, "tank_depot": Trade.CARRIER,
        "highway": Trade.HUB,
    }  # fmt: skip
    for number, kind in enumerate(wanted, 1):
        if kind not in owners:
            found = [one for one in companies if one.trade is by_kind[kind] and one.status == "active"]
            marked = [one for one in found if (one.category == "geographical_indication") == (kind == "packing_house")]
            owners[kind] = (marked or found) * 9
        owner = owners[kind].pop(0)
        name, name_en = words.CHECKPOINTS[kind]
        spread = 0.004 * (number % 7)
        yield Checkpoint(
            gateway=f"gw-{owner.county.code}-{number:02}",
            kind=kind,
            name=f"{owner.name.removesuffix('(示例数据)')}{name}",
            name_en=f"{owner.name_en}: {name_en}",
            owner=owner,
            read_point=gln(100 + number),
            latitude=round(owner.county.latitude + spread, 4),
            longitude=round(owner.county.longitude - spread, 4),
        )
