"""The catalogue of what is gathered (信用信息归集目录), and which of its feeds are late."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from trace_server.imports import store
from trace_server.imports.registered import registry
from trace_server.services import Services


class Publicity(StrEnum):
    """Who may see an item (domain rules §4.3)."""

    PUBLIC = "public"
    AUTHORISED = "authorised"
    INTERNAL = "internal"
    SEALED = "sealed"


class FeedState(StrEnum):
    """How a feed stands."""

    ON_TIME = "on_time"
    LATE = "late"
    NEVER = "never"
    """No table of it has ever come."""
    OWN = "own"
    """This system makes it itself."""


@dataclass(frozen=True, slots=True)
class Item:
    """A row of the catalogue. `every_days`: longest time between two tables."""

    id: str
    item: str
    item_en: str
    kind: str
    source: str
    department: str
    every_days: int
    publicity: Publicity
    basis: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Feed:
    """An item with its newest table: due until `due_at`."""

    item: Item
    state: FeedState
    last_at: datetime | None
    due_at: datetime | None
    days_late: int


@lru_cache(maxsize=1)
def catalogue() -> tuple[Item, ...]:
    """All items. Raises `ValueError` for a table that there is not, and for two items with one id."""
    raw = tomllib.loads((Path(__file__).parent / "feeds.toml").read_text(encoding="utf-8"))["item"]
    items = tuple(Item(**{**row, "publicity": Publicity(row["publicity"])}) for row in raw)
    unknown = sorted({one.kind for one in items if one.kind} - registry().keys())
    if unknown or len({one.id for one in items}) != len(items):
        raise ValueError(f"feeds.toml: unknown tables {unknown}, or an id twice")
    return items


def feeds(services: Services) -> list[Feed]:
    """Every item with how its feed stands now, in the order of the catalogue."""
    now = services.clock()
    with services.db.read() as conn:
        latest = store.latest(conn)
    return [standing(item, latest, now) for item in catalogue()]


def standing(item: Item, latest: Mapping[tuple[str, str], datetime], now: datetime) -> Feed:
    """`latest`: (kind, source) → when its newest table came."""
    if not item.kind:
        return Feed(item, FeedState.OWN, None, None, 0)
    came = [at for (kind, source), at in latest.items() if kind == item.kind and item.source in ("", source)]
    if not came:
        return Feed(item, FeedState.NEVER, None, None, 0)
    last = max(came)
    due = last + timedelta(days=item.every_days)
    late = max(1, (now - due).days) if now > due else 0
    return Feed(item, FeedState.LATE if late else FeedState.ON_TIME, last, due, late)
