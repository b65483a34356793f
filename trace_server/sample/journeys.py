"""The way of ordinary goods: made, packed, through gates to a shop, sold piece by piece. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from trace_server.sample.city import sscc
from trace_server.sample.model import LEGAL_TIME, PLATFORM, Checkpoint, City, Company, Good, Lot, Told, Trade
from trace_server.sample.telling import at_gate, made, mixed, observed, packed, weighed

ITEMS, CASE = 40, 10
"""Pieces of a lot and of a case."""
EVENTS_A_LOT = 61
"""About; what `lots` of a wanted number of events is reckoned with."""
YEAR = 365
YIELD = 0.65
"""Of paddy into rice; inside what rule D12 expects."""
_OFF_SEASON = 8
"""August: goods with an indication are neither harvested nor marked."""


def lots(city: City, dice: random.Random, count: int) -> tuple[Lot, ...]:
    """Batches over the year, the older first: `count` of goods in pieces, and raw lots that some are made of."""
    last = city.as_of.astimezone(LEGAL_TIME).date() - timedelta(days=1)
    goods = [good for good in city.goods if not good.is_raw and good.storage is None]
    found = []
    for number in range(count):
        day = last - timedelta(days=YEAR - 1 - number * (YEAR - 2) // count)
        good = goods[number % len(goods)] if number < 2 * len(goods) else dice.choice(goods)
        if good.indication and day.month == _OFF_SEASON:
            good = next(one for one in goods if not one.indication)
        found.append(lot(good, f"L{day:%y%m%d}{number % 100:02}", day))
    for month in range(12):
        day = last - timedelta(days=YEAR - 2 - month * 30)
        found += [lot(good, f"R{day:%y%m%d}", day) for good in city.goods if good.is_raw]
    unique = {(one.good.gtin, one.number): one for one in found}
    return tuple(sorted(unique.values(), key=lambda one: (one.made_on, one.good.gtin, one.number)))


def lot(good: Good, number: str, day: date, *, items: int = ITEMS, lacks: str = "") -> Lot:
    """One batch of a good."""
    pieces = 0 if good.is_raw else items
    return Lot(good, number, day, day + timedelta(days=good.shelf_days), pieces, str(pieces or 5000), lacks)


def source_of(city: City, company: Company) -> str:
    """Who reports for a company: its own system if it has one."""
    own = [one.uscc for one in city.of(Trade.FACTORY)][: city.scale.own_clients]
    return company.uscc if company.uscc in own else PLATFORM


def morning(day: date, hour: int, dice: random.Random) -> datetime:
    """A moment within an hour of a day of the city."""
    return datetime.combine(day, time(hour, dice.randrange(60), dice.randrange(60)), LEGAL_TIME)


class Walk:
    """Leads lots from their makers to their buyers; numbers cases."""

    def __init__(self, city: City, dice: random.Random) -> None:
        self.city, self.dice = city, dice
        self.hubs, self.shops = city.gates("hub"), city.gates("shop")
        self.small_shops = [one for one in city.of(Trade.SHOP) if one.status == "active"]
        self.cases = 0

    def case(self) -> str:
        """URI of a new case."""
        self.cases += 1
        return sscc(self.cases)

    def raw(self, one: Lot, buyer: Company) -> Iterator[Told]:
        """Weighed goods from a farm to a factory."""
        farm, start = one.good.maker, morning(one.made_on, 6, self.dice)
        kilos = float(one.quantity)
        told = weighed(start, "commissioning", farm.place, one, kilos, action="ADD")
        yield Told(start, PLATFORM, told | {"ilmd": {"cbvmda:lotNumber": one.number}})
        sent = start + timedelta(hours=2)
        yield Told(sent, PLATFORM, weighed(sent, "shipping", farm.place, one, kilos))
        come = sent + timedelta(hours=3)
        yield Told(come, source_of(self.city, buyer), weighed(come, "receiving", buyer.place, one, kilos))

    def made_of(self, one: Lot, raw: Lot, kilos: float) -> Iterator[Told]:
        """A lot is milled from raw goods before it is packed."""
        maker, start = one.good.maker, morning(one.made_on, 5, self.dice)
        event = mixed(start, maker.place, (raw, kilos), (one, kilos * YIELD))
        yield Told(start, source_of(self.city, maker), event)

    def goods(self, one: Lot, *, to_shop: bool = True) -> Iterator[Told]:
        """A lot in pieces: made, packed, sent, taken in, unpacked and sold."""
        maker, items = one.good.maker, [one.item(number) for number in range(one.items)]
        start, source = morning(one.made_on, 7, self.dice), source_of(self.city, maker)
        boxes = {self.case(): items[place : place + CASE] for place in range(0, len(items), CASE)}
        yield Told(start, source, made(start, maker.place, one, items))
        for number, (case, inside) in enumerate(boxes.items()):
            at = start + timedelta(minutes=30 + 3 * number)
            yield Told(at, source, packed(at, maker.place, case, inside))
        sent = start + timedelta(hours=self.dice.randrange(4, 20))
        yield from self._out(maker, list(boxes), sent)
        hub = self.dice.choice(self.hubs)
        arrived = sent + timedelta(hours=self.dice.randrange(4, 12))
        left = arrived + timedelta(hours=self.dice.randrange(6, 40))
        for number, case in enumerate(boxes):
            yield at_gate(arrived + timedelta(seconds=20 * number), "receiving", hub, case)
            if to_shop:
                yield at_gate(left + timedelta(seconds=20 * number), "shipping", hub, case)
        if to_shop:
            yield from self._shop(boxes, left + timedelta(hours=self.dice.randrange(5, 10)), one)

    def _out(self, maker: Company, cases: list[str], sent: datetime) -> Iterator[Told]:
        gate = next((one for one in self.city.checkpoints if one.owner == maker), None)
        for number, case in enumerate(cases):
            at = sent + timedelta(seconds=15 * number)
            if gate is not None:
                yield at_gate(at, "shipping", gate, case)
            else:
                yield Told(at, source_of(self.city, maker), observed(at, "shipping", maker.place, [case]))

    def _shop(self, boxes: dict[str, list[str]], at: datetime, one: Lot) -> Iterator[Told]:
        gate = self.dice.choice(self.shops) if self.dice.random() < 0.7 else None
        shop = gate.owner if gate else self.dice.choice(self.small_shops)
        source = source_of(self.city, shop)
        opened = morning((at + timedelta(days=1)).astimezone(LEGAL_TIME).date(), 8, self.dice)
        last = min(datetime.combine(one.expires_on, time(12), LEGAL_TIME), opened + timedelta(days=25))
        selling_s = max(3600, int((last - opened).total_seconds()))
        step = "dispensing" if one.good.category == "drug" else "retail_selling"
        for number, (case, inside) in enumerate(boxes.items()):
            come = at + timedelta(seconds=25 * number)
            yield self._arrival(gate, shop, case, come)
            out = opened + timedelta(minutes=2 * number)
            yield Told(out, source, packed(out, shop.place, case, inside, out=True))
            for item in inside[: self.dice.randrange(8, 11)]:
                sold = out + timedelta(seconds=self.dice.randrange(600, selling_s))
                yield Told(sold, source, observed(sold, step, shop.place, [item]))

    def _arrival(self, gate: Checkpoint | None, shop: Company, case: str, at: datetime) -> Told:
        if gate is not None:
            return at_gate(at, "receiving", gate, case)
        return Told(at, source_of(self.city, shop), observed(at, "receiving", shop.place, [case]))


def year(city: City, dice: random.Random, made_lots: tuple[Lot, ...]) -> Iterator[Told]:
    """What is told of all lots; later than the city's moment too: the caller leaves that out."""
    walk = Walk(city, dice)
    raw: dict[str, Lot] = {}
    for one in made_lots:
        if one.good.is_raw:
            buyer = next(good.maker for good in city.goods if good.category == "food")
            raw[one.good.gtin] = one
            yield from walk.raw(one, buyer)
            continue
        source = next(iter(raw.values()), None)
        if source is not None and "rice" in one.good.name_en and (one.made_on - source.made_on).days in range(1, 29):
            yield from walk.made_of(one, source, 100.0)
        yield from walk.goods(one)
