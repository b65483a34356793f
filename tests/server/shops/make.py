"""Builders for online sellers: a confirmed mark, and what its platform reports."""

from __future__ import annotations

from datetime import datetime, timedelta

from tests.server.detect.make import LOT, USCC
from tests.server.ingest.make import GTIN, NOW
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.services import Services
from trace_server.shops import operations
from trace_server.shops.model import Listing, MarkEvent, Shop
from trace_server.shops.operations import NewShop

PLATFORM = "91320900MA1T00037K"
URL = "https://shop.example.cn/rice?id=1"
HOUR = timedelta(hours=1)


def services(db: Database, now: datetime = NOW) -> Services:
    return Services(db, Settings(), lambda: now)


def shop(db: Database, **changes: str) -> Shop:
    """A mark in force."""
    given = {"name": "示例网店", "platform": PLATFORM, "platform_name": "示例平台", "url": URL, "uscc": USCC} | changes
    made = operations.register(services(db), "one", NewShop(**given))
    return operations.take_step(services(db), "two", made.mark, MarkEvent.CONFIRM, version=1, reason="核验通过")


def listing(number: str = "A1", mark: str = "", seller: str = USCC, **changes: object) -> Listing:
    """An offer of the batch of `tests.server.detect.make.world`, which stands since two days."""
    since = NOW - 48 * HOUR
    given = Listing(PLATFORM, number, mark, seller, GTIN, LOT, URL, since, None, since)
    return Listing(**{**{name: getattr(given, name) for name in Listing.__slots__}, **changes})


def report(db: Database, *rows: Listing, now: datetime = NOW) -> int:
    return operations.report_listings(services(db, now), "client:x", PLATFORM, rows)
