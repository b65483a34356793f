"""What the public and the platforms do: complaints without names, queries of codes, online shops and listings."""

from __future__ import annotations

from datetime import timedelta

from trace_server.cases.model import Actor
from trace_server.catalog import operations as catalog
from trace_server.catalog.model import IssuedCode
from trace_server.complaints import operations as complaints
from trace_server.complaints import paying
from trace_server.complaints import rules as complaint_rules
from trace_server.complaints.model import Complaint, Deed, Draft, Event, Kind
from trace_server.credit.steps import law_day
from trace_server.portal.store import Counter as QueryCounter
from trace_server.registers import operations as registers
from trace_server.sample import words
from trace_server.sample.agenda import Story
from trace_server.sample.enforcement import Enforcement, people
from trace_server.sample.faults import BLOCKED_ONLINE, Faults
from trace_server.sample.journeys import ITEMS
from trace_server.sample.model import Lot, Trade
from trace_server.shops import operations as shops
from trace_server.shops.model import Listing, MarkEvent, Outcome
from trace_server.shops.model import Sale as OnlineSale

KEEPER, SECOND = "sample:shops-1", "sample:shops-2"
OFTEN = 26
"""Networks that ask for one code in a day, beyond what rule D05 lets pass."""
DESK = ("sample:desk-1", "sample:desk-2")
CHUNK = 200
"""Lots whose codes are issued at once."""


def begin(enforcement: Enforcement, faults: Faults) -> None:
    """Add every story of this kind."""
    for place in range(enforcement.city.scale.complaints):
        enforcement.agenda.add(_complaint(enforcement, place, faults.lots[0]))
    enforcement.agenda.add(_online(enforcement, faults))


def _complaint(enforcement: Enforcement, place: int, lot: Lot) -> Story:
    """In every state that a report without a name can reach: what needs a name, mediation, is left out."""
    services, dice = enforcement.services, enforcement.dice
    yield enforcement.city.as_of - timedelta(days=2 + (place * 5) % 110, hours=place % 9)
    kind = Kind.RETALIATION if place % 14 == 13 else Kind.REPORT
    county = words.COUNTIES[place % len(words.COUNTIES)]
    what, where = words.COMPLAINTS[place % len(words.COMPLAINTS)]
    draft = Draft(
        kind=kind, code=lot.item(4) if place % 2 else "", what=f"{what}(示例)", region=county.code, place=where
    )
    token = complaint_rules.new_draft_token()
    complaints.keep_draft(services, token, draft)
    named = complaints.Named(lot.good.gtin, lot.number, lot.serial(4)) if place % 2 else None
    follow = complaints.send(services, token, draft, named)
    row = complaints.follow(services, follow).complaint
    events = _way(place)
    actor = people(county)[0] if kind is not Kind.RETALIATION else Actor(DESK[0], row.department)
    for number, event in enumerate(events):
        yield services.clock() + timedelta(days=1 if number == 0 else 4, hours=dice.randrange(1, 6))
        row = complaints.take_step(services, actor, row.complaint_id, event, text=_TEXTS[event], version=row.version)
        if event is Event.VERIFY:
            _reward(enforcement, row, place, follow)
    if place % 4 == 1:
        complaints.add_message(services, follow, "补充:今天又看到同样的产品在卖。(示例)")


_TEXTS = {
    Event.ACCEPT: "已受理,将依法核查。",
    Event.REFUSE: "所反映事项不属于本部门职责,已告知向住建部门反映。",
    Event.INVESTIGATE: "已安排执法人员现场检查。",
    Event.VERIFY: "经查属实,已责令改正。",
    Event.UNFOUND: "经查未发现所反映的情况。",
    Event.CLOSE: "办理完毕,归档。",
}


def _way(place: int) -> list[Event]:
    if place % 7 == 0:
        return []
    if place % 7 == 1:
        return [Event.REFUSE]
    found = Event.UNFOUND if place % 7 == 3 else Event.VERIFY
    whole = [Event.ACCEPT, Event.INVESTIGATE, found, Event.CLOSE]
    return whole[: {2: 1, 3: 3, 4: 2, 5: 3}.get(place % 7, 4)]


def _reward(enforcement: Enforcement, row: Complaint, place: int, token: str) -> None:
    """Of reports in fields that have rewards: assessed, approved, paid."""
    if row.kind is not Kind.REPORT or not row.category:
        return
    services = enforcement.services
    deed = Deed(category="food", reward_class=2 + place % 2, fine_yuan=50_000, confiscated_yuan=3_000)
    first, second = (Actor(name, row.department) for name in DESK)
    paying.assess(services, first, row.complaint_id, deed)
    if place % 3:
        paying.decide(services, second, row.complaint_id, approve=True, text="符合奖励条件(示例)")
        if place % 2:
            paying.claim(services, second, row.complaint_id, token)


def _online(enforcement: Enforcement, faults: Faults) -> Story:
    """Marks of online sellers, listings with and without one, a takedown that is kept and one that is not."""
    services, city = enforcement.services, enforcement.city
    yield city.as_of - timedelta(days=15)
    platforms, sellers = city.of(Trade.WEB), [one for one in city.of(Trade.SHOP) if one.status == "active"]
    marks = []
    for place, seller in enumerate(sellers[: max(4, len(sellers) // 8)]):
        platform = platforms[place % len(platforms)]
        wanted = shops.NewShop(
            f"{seller.name.removesuffix('(示例数据)')}网店", platform.uscc, platform.name,
            f"https://shop.example/{seller.uscc}", seller.uscc,
        )  # fmt: skip
        row = shops.register(services, KEEPER, wanted)
        if place != 3:
            row = shops.take_step(
                services, SECOND, row.mark, MarkEvent.CONFIRM, version=row.version, reason="资料核验一致"
            )
        if place == 2:
            shops.take_step(
                services, KEEPER, row.mark, MarkEvent.REVOKE, version=row.version, reason="经营者注销(示例)"
            )
        marks.append((row, platform, seller))
    blocked = [next(one for one in faults.lots if one.number == BLOCKED_ONLINE), faults.lots[0]]
    now, rows = services.clock(), []
    for place, (row, platform, seller) in enumerate(marks):
        lot = blocked[0 if place in (0, 1) else 1]
        mark, uscc = ("", seller.uscc) if place == 3 else (row.mark, seller.uscc)
        rows.append(
            Listing(platform.uscc, f"SL{place:05}", mark, uscc, lot.good.gtin, lot.number,
                    f"https://shop.example/item/{place}", now - timedelta(days=3), None, now)
        )  # fmt: skip
    for platform in platforms:
        own = [one for one in rows if one.platform == platform.uscc]
        if own:
            shops.report_listings(services, KEEPER, platform.uscc, own)
            sales = [
                OnlineSale(platform.uscc, f"{one.listing_no}-1", one.listing_no, one.gtin, one.lot, "2",
                           now - timedelta(days=1)) for one in own
            ]  # fmt: skip
            shops.report_sales(services, KEEPER, platform.uscc, sales)
    shops.issue_due(services)
    yield services.clock() + timedelta(hours=6)
    first = shops.notices(services.db)
    if first:
        shops.answer(services, KEEPER, first[0].platform, first[0].notice_id, Outcome.REMOVED, text="已下架(示例)")


def issue_codes(enforcement: Enforcement, lots: list[Lot]) -> int:
    """Printed codes of lots, as labels carry them; returns how many."""
    services, total = enforcement.services, 0
    now = services.clock()
    for place in range(0, len(lots), CHUNK):
        codes = [
            IssuedCode(one.good.gtin, one.number, one.serial(number), "", "", now)
            for one in lots[place : place + CHUNK]
            for number in range(min(one.items, ITEMS))
        ]
        total += registers.issue_codes(services.db, codes, actor=KEEPER, now=now)
    return total


def queries(enforcement: Enforcement, lots: list[Lot]) -> None:
    """People scanned codes; one code was scanned from so many places in a day that it was copied."""
    counter = QueryCounter(enforcement.services.db)
    try:
        day = law_day(enforcement.city.as_of) - timedelta(days=1)
        for place, one in enumerate(lots[:20]):
            for hour in range(1 + place % 5):
                counter.count(catalog.item_key(one.good.gtin, one.serial(0)), day, 9 + hour)
        for number in range(OFTEN):
            counter.count(catalog.item_key(lots[0].good.gtin, lots[0].serial(1)), day, number % 24)
    finally:
        counter.dispose()
