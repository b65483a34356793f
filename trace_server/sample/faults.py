"""What goes wrong in the year, so that each rule has something to find; most of it in the last weeks. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from trace_server.sample.city import PREFIX
from trace_server.sample.equipment import filling
from trace_server.sample.journeys import Walk, lot, morning, source_of
from trace_server.sample.model import LEGAL_TIME, PLATFORM, Checkpoint, City, Company, Good, Lot, Told, Trade
from trace_server.sample.telling import at_gate, made, mixed, observed, weighed

RECALLED, CLOSED_RECALL, BLOCKED_ONLINE = "RECALL01", "RECALL02", "EXPIRED1"
"""Lots that the stories of recalls and of online sellers are about."""
TIDS = ("E2801160600002054CC1BB6F", "E2801160600002054CC1BB70")
_NAME = "FAULT"


class Faults:
    """Lots with something wrong, and the events that show it. `turn` 0: the last weeks; others: that much earlier."""

    def __init__(self, city: City, dice: random.Random, turn: int = 0) -> None:
        self.city, self.dice, self.turn = city, dice, turn
        self.today = city.as_of.astimezone(LEGAL_TIME).date() - timedelta(days=turn * TURN_DAYS)
        self.walk = Walk(city, dice)
        self.walk.cases = 900_000 + turn * 1_000
        self.lots: list[Lot] = []
        self._numbers = 0
        self.plain = [
            one for one in city.goods if one.category == "food" and not one.is_raw and one.maker.status == "active"
        ]
        first = 5 * turn % len(self.plain)
        self.plain = self.plain[first:] + self.plain[:first]
        self.told = sorted(
            (*self._items(), *self._lots(), *self._raw(), *self._cold(), *self._indications(), *self._devices()),
            key=lambda one: one.at,
        )

    def _lot(self, good: Good, days_ago: int, **changes: Any) -> Lot:  # noqa: ANN401 – members of an event
        self._numbers += 1
        number = changes.pop("number", f"{_NAME}{self._numbers:02}" if self.turn == 0 else self._name(self._numbers))
        one = lot(good, number, self.today - timedelta(days=days_ago), **changes)
        self.lots.append(one)
        return one

    def _name(self, number: int) -> str:
        return f"F{self.turn}X{number:02}"

    def _made(self, one: Lot, *, hour: int = 7, place: str = "", source: str = "") -> Iterator[Told]:
        at = morning(one.made_on, hour, self.dice)
        items = [one.item(number) for number in range(one.items)]
        sender = source or source_of(self.city, one.good.maker)
        yield Told(at, sender, made(at, place or one.good.maker.place, one, items))

    def _at(self, days_ago: float, hour: int = 10) -> datetime:
        return morning(self.today - timedelta(days=int(days_ago)), hour, self.dice)

    def _items(self) -> Iterator[Told]:
        """D01 unknown, D02 impossible travel, D03 two chips, D04 sold twice, D30 expired, D31 another date."""
        good, (near, far) = self.plain[0], self._farthest()
        sound = self._lot(good, 40, items=6)
        yield from self._made(sound)
        at, shop = self._at(21), self.city.of(Trade.SHOP)[0]
        yield at_gate(at, "receiving", near, f"https://id.gs1.org/01/{good.gtin}/21/NOBODY{self.turn + 1}")
        yield at_gate(at, "storing", near, sound.item(0))
        yield at_gate(at + timedelta(minutes=2), "storing", far, sound.item(0))
        yield at_gate(at, "storing", near, sound.item(1), **{"suyuan:tid": TIDS[0]})
        yield at_gate(at + timedelta(hours=9), "storing", near, sound.item(1), **{"suyuan:tid": TIDS[1]})
        for days in (18, 12):
            sold = self._at(days)
            yield Told(sold, PLATFORM, observed(sold, "retail_selling", shop.place, [sound.item(2)]))
        brief = next(one for one in self.city.goods if one.category == "agricultural" and not one.is_raw)
        old = self._lot(brief, brief.shelf_days + 9, items=4)
        yield from self._made(old)
        yield at_gate(self._at(2), "receiving", self.city.gates("shop")[0], old.item(0), answer="refuse",
                      reason="expired")  # fmt: skip
        moved = self._at(16)
        later = {"ilmd": {"cbvmda:lotNumber": sound.number, "cbvmda:itemExpirationDate": "2035-01-01"}}
        yield Told(moved, PLATFORM, made(moved, shop.place, sound, [sound.item(3)], **later))

    def _farthest(self) -> tuple[Checkpoint, Checkpoint]:
        """Two gates at the ends of the city: no lorry drives from one to the other in minutes."""
        gates = sorted(self.city.checkpoints, key=lambda one: (one.latitude, one.gateway))
        return gates[0], gates[-1]

    def _lots(self) -> Iterator[Told]:
        """D06 too many codes, D11 sent and never received, D14 no licence, D15 listed, D16 no certificate, recalls."""
        many = self._lot(self.plain[1 % len(self.plain)], 33, items=12)
        at = morning(many.made_on, 8, self.dice)
        items = [many.item(number) for number in range(40)]
        yield Told(at, source_of(self.city, many.good.maker), made(at, many.good.maker.place, many, items))
        lost = self._lot(self.plain[0], 30, items=10)
        yield from self._made(lost)
        out = self._at(29)
        yield Told(out, source_of(self.city, lost.good.maker), observed(out, "shipping", lost.good.maker.place,
                   [lost.item(0)]))  # fmt: skip
        bare = self._lot(self.plain[0], 24, items=10, lacks="certificate")
        yield from self.walk.goods(bare)
        if self.turn == 0:
            yield from self._makers_and_recalls()

    def _makers_and_recalls(self) -> Iterator[Told]:
        for days, maker in ((25, lapsed(self.city)), (15, listed(self.city))):
            good = next((one for one in self.city.goods if one.maker == maker), None)
            if good is not None:
                one = self._lot(good, days, items=8)
                yield from self._made(one)
                gone = self._at(days - 1)
                yield Told(gone, source_of(self.city, maker), observed(gone, "storing", maker.place, [one.item(0)]))
        for number, days in ((RECALLED, 52), (CLOSED_RECALL, 150)):
            yield from self.walk.goods(self._lot(self.plain[-1], days, number=number))
        self._lot(self.plain[0], self.plain[0].shelf_days + 20, number=BLOCKED_ONLINE)
        sold, shop = self._at(3), self.city.of(Trade.SHOP)[1]
        blocked = next(one for one in self.lots if one.number == RECALLED)
        yield Told(sold, PLATFORM, observed(sold, "retail_selling", shop.place, [blocked.item(9)]))

    def _raw(self) -> Iterator[Told]:
        """D10 nobody sent it, D12 more out than in, D13 expired input, D32 too soon after a medicine."""
        paddy, milk, pigs = [one for one in self.city.goods if one.is_raw][:3]
        buyer = self.plain[0].maker
        stray = lot(paddy, f"STRAY{self.turn + 1}", self.today - timedelta(days=28))
        at = self._at(27)
        yield Told(at, PLATFORM, weighed(at, "receiving", buyer.place, stray, 800.0))
        raw = self._lot(paddy, 26)
        yield from self.walk.raw(raw, buyer)
        rice = next((one for one in self.city.goods if "rice" in one.name_en), self.plain[0])
        product = self._lot(rice, 25, items=0, lacks="")
        yield from self.walk.made_of(product, raw, 100.0)
        over = self._at(23)
        yield Told(over, PLATFORM, mixed(over, buyer.place, (raw, 100.0), (product, 140.0)))
        sour = self._lot(milk, 20)
        yield from self.walk.raw(sour, buyer)
        used = self._at(9)
        drink = self._lot(self.plain[0], 9, items=0)
        yield Told(used, PLATFORM, mixed(used, buyer.place, (sour, 100.0), (drink, 90.0)))
        yield from self._withdrawal(pigs)

    def _withdrawal(self, pigs: Good) -> Iterator[Told]:
        herd = self._lot(pigs, 22)
        at = morning(herd.made_on, 6, self.dice)
        yield Told(at, PLATFORM, weighed(at, "commissioning", pigs.maker.place, herd, 900.0, action="ADD"))
        cured = self._at(19)
        use = {"suyuan:inputUse": [{"input": "恩诺沙星注射液", "date": cured.date().isoformat(), "periodDays": 28}]}
        yield Told(cured, PLATFORM, weighed(cured, "other", pigs.maker.place, herd, 900.0, **use))
        slaughtered = self._at(11)
        meat = self._lot(self.plain[0], 11, items=0)
        yield Told(slaughtered, PLATFORM, mixed(slaughtered, pigs.maker.place, (herd, 100.0), (meat, 72.0)))

    def _cold(self) -> Iterator[Told]:
        """Vaccines with loggers: one lot is kept well, one gets warm (D20), one has no readings for hours (D21)."""
        good = next((one for one in self.city.goods if one.storage is not None), None)
        if good is None:
            return
        for number, (days, fault) in enumerate(((60, ""), (32, ""), (18, "warm"), (13, "gap"))):
            yield from self._cooled(self._lot(good, days, items=4), number, fault)

    def _cooled(self, one: Lot, number: int, fault: str) -> Iterator[Told]:
        maker, hub = one.good.maker, self.city.gates("cold_store")[0]
        start = morning(one.made_on, 7, self.dice)
        items, source = [one.item(place) for place in range(one.items)], source_of(self.city, maker)
        device = f"urn:epc:id:giai:{PREFIX}0004.LOGGER{self.turn}{number}"
        yield Told(start, source, made(start, maker.place, one, items))
        sent, come = start + timedelta(minutes=20), start + timedelta(minutes=140)
        yield Told(sent, source, observed(sent, "shipping", maker.place, items))
        yield Told(come, hub.gateway, observed(come, "receiving", hub.read_point, items))
        given = come + timedelta(minutes=40)
        yield Told(given, PLATFORM, observed(given, "dispensing", hub.read_point, items))
        minutes = [minute for minute in range(0, 182, 4) if fault != "gap" or not 40 < minute < 120]
        reports = [
            {
                "type": "Temperature",
                "value": 14.5 if fault == "warm" and 60 <= minute <= 100 else round(4 + self.dice.random() * 2, 1),
                "uom": "CEL",
                "deviceID": device,
                "time": (start + timedelta(minutes=minute)).isoformat(timespec="seconds"),
            }
            for minute in minutes
        ]
        told = observed(given, "sensor_reporting", hub.read_point, items, sensorElementList=[{"sensorReport": reports}])
        yield Told(given + timedelta(seconds=30), hub.gateway, told)

    def _indications(self) -> Iterator[Told]:
        """D60 no authorisation, D61 outside the area, D62 before the season, D63 more marks than allowed."""
        own = [one for one in self.city.goods if one.indication]
        if not own:
            return
        outsider = replace(own[0], maker=self.plain[0].maker)
        yield from self._made(self._lot(outsider, 17, items=6), source=PLATFORM)
        inside = {one.maker.county for one in own if one.indication == own[0].indication}
        away = next(one for one in reversed(self.city.checkpoints) if one.owner.county not in inside)
        yield from self._made(self._lot(own[0], 14, items=5), place=away.read_point, source=PLATFORM)
        yield from self._made(self._lot(own[0], 12, items=QUOTA_FAULT), hour=9)
        if self.turn:
            return
        season = date(self.today.year if self.today.month > _SEASON[0] else self.today.year - 1, *_SEASON)
        early = (self.today - season).days + 9
        yield from self._made(self._lot(own[0], early, items=5))

    def _devices(self) -> Iterator[Told]:
        """D51 unknown cylinder, D92 a gap in a gate's records, D93 a gateway far from its site."""
        scale = self.city.gates("filling")[0]
        yield from filling(
            self._at(8),
            scale.gateway,
            scale.read_point,
            f"https://id.gs1.org/8004/{PREFIX}0001UNKNOWN{self.turn or ''}",
            checks=True,
        )
        gate = self.city.gates("hub")[0]
        at = self._at(5)
        told: dict[str, Any] = {
            "suyuan:gapFrom": (at - timedelta(minutes=9)).isoformat(timespec="seconds"),
            "suyuan:gapTo": at.isoformat(timespec="seconds"),
            "suyuan:gapCount": 214,
            "suyuan:gapReason": "storage full",
        }
        gap = observed(at, "other", gate.read_point, [], **told)
        yield Told(at, gate.gateway, {name: value for name, value in gap.items() if name != "bizStep"})
        astray = self.city.checkpoints[-1]
        where = {"suyuan:position": f"geo:{astray.latitude + 0.2:.4f},{astray.longitude:.4f}"}
        shown = self.lots[0]
        yield at_gate(self._at(7), "transporting", astray, shown.item(4), **where)


_SEASON = (9, 1)
"""First day of each indication's season; the last is 31 July."""
TURN_DAYS = 47
"""From one turn of faults back to the one before it."""
QUOTA_FAULT = 130
"""Marks that one user gives out at once."""
QUOTA = 120
"""Marks a year of that user: fewer than what it gives out."""


def lapsed(city: City) -> Company:
    """The producer whose licence ran out and who goes on."""
    return _factory(city, "consumer")


def listed(city: City) -> Company:
    """The producer on the list of serious violators and the industry's black list who goes on."""
    return _factory(city, "food", last=True)


def _factory(city: City, category: str, *, last: bool = False) -> Company:
    found = [
        one for one in city.of(Trade.FACTORY)
        if one.category == category and any(good.maker == one for good in city.goods)
    ]  # fmt: skip
    return found[-1 if last else 0]
