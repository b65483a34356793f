"""D81 seller identity 网络经营者身份不符: a listing without a mark, under another's mark, or under one that is void."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice

from trace_server.catalog import store as catalog
from trace_server.catalog.model import Licence, Subject
from trace_server.db import Connection, Dialect
from trace_server.detect.detector import Cleared, Detector, Finding, Outcome, Param, SubjectKind
from trace_server.detect.indications import legal_day, standing
from trace_server.shops import rules, store
from trace_server.shops.model import Listing, Shop, Standing

RULE = "D81"
PAGE = 500
"""Listings judged at once, with one look-up of each register."""


@dataclass(slots=True)
class _Group:
    """What one seller does in one way on one platform."""

    first: Listing
    count: int = 0


def sweep(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge every listing that can be bought now; what is mended or taken down is closed."""
    before = now - timedelta(hours=params["grace_h"])
    found: dict[str, _Group] = {}
    listings = (one for one in store.active_listings(conn) if one.listed_at <= before)
    while page := list(islice(listings, PAGE)):
        known = _Known(conn, dialect, page, legal_day(now))
        for listing in page:
            why = known.fault(listing)
            if why:
                seller = listing.seller_uscc or listing.mark or listing.listing_no
                group = found.setdefault(f"{listing.platform}/{seller}/{why}", _Group(listing))
                group.count += 1
                group.first = min(group.first, listing, key=lambda one: (one.listed_at, one.listing_no))
    for group_key, group in sorted(found.items()):
        yield _finding(group_key, group)
    for alerts in standing(conn, dialect, RULE):
        yield from (
            Cleared(one.group_key, "the listings are under a mark in force now, or taken down")
            for one in alerts
            if one.group_key not in found
        )


class _Known:
    """Marks, subjects and licences behind a page of listings."""

    def __init__(self, conn: Connection, dialect: Dialect, page: Iterable[Listing], today: date) -> None:
        self._today = today
        self._shops: Mapping[str, Shop] = store.shops_of(conn, dialect, {one.mark for one in page if one.mark})
        codes = {shop.uscc for shop in self._shops.values() if shop.uscc}
        self._subjects: Mapping[str, Subject] = catalog.subjects(conn, dialect, codes)
        self._licences: dict[str, list[Licence]] = {}
        for licence in catalog.licences_of(conn, dialect, codes):
            self._licences.setdefault(licence.uscc, []).append(licence)

    def fault(self, listing: Listing) -> str:
        """What is wrong with the identity, "" for nothing."""
        if not listing.mark:
            return "no-mark"
        shop = self._shops.get(listing.mark)
        if shop is None:
            return "unknown-mark"
        if listing.seller_uscc and listing.seller_uscc != shop.uscc:
            return "other-seller"
        if listing.platform != shop.platform:
            return "other-platform"
        standing = rules.standing(shop, self._subjects.get(shop.uscc), self._licences.get(shop.uscc, []), self._today)
        return "" if standing is Standing.VALID else standing.value


def _finding(group_key: str, group: _Group) -> Finding:
    first = group.first
    return Finding(
        group_key=group_key,
        subject=first.seller_uscc or first.platform,
        # Who sells without a name is the platform's to know.
        subject_kind=SubjectKind.ENTERPRISE if first.seller_uscc else SubjectKind.DATA,
        evidence=(),
        values={
            "fault": group_key.rsplit("/", 1)[1],
            "platform": first.platform,
            "mark": first.mark,
            "listing": first.listing_no,
            "url": first.url,
            "listings": str(group.count),
        },
        began_at=first.listed_at,
    )


DETECTOR = Detector(
    id=RULE,
    version=1,
    title_zh="网络经营者身份不符",
    title_en="Identity of an online seller",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="new listings have grace_h; a licence that no register knows is not held against a seller; data while the "
    "platform names no seller; what one seller does in one way on one platform is one alert",
    guard_zh="新上架的商品链接有 grace_h 的宽限；登记中查不到的许可证不归咎于卖家；"
    "平台未载明卖家时只算数据问题；同一卖家在同一平台的同一种问题合并为一条预警",
    basis="电子商务法 art. 10, 12, 15, 27",
    params=(Param("grace_h", 24, "h", "a mark that is asked for with the listing is confirmed within a day"),),
    sweep=sweep,
    sweep_every_s=300.0,
)
