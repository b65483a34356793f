"""What the rules of the cold chain share: which goods have a range of temperature, and what was in which container."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from trace_server.catalog import store as catalog
from trace_server.catalog.model import Product
from trace_server.db import Connection
from trace_server.detect.detector import History, Window
from trace_server.ingest.model import ActionCode, LinkRole
from trace_server.ingest.store.events import objects
from trace_server.ingest.store.parts import Part, children_of

LEVELS = 3
"""Containers within containers that are looked into: item, case, pallet, lorry."""
_GTIN = re.compile(r"https://id\.gs1\.org/01/(\d{14})(?:/|\Z)")


@dataclass(frozen=True, slots=True)
class Limits:
    """Degrees Celsius that goods are kept at, and the categories that they are of."""

    low: float
    high: float
    categories: frozenset[str]

    def admits(self, celsius: float) -> bool:
        return self.low <= celsius <= self.high


@dataclass(frozen=True, slots=True)
class Stay:
    """Goods with limits, from `since` (None: always) until `until` (None: still)."""

    limits: Limits
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Chilled:
    """An object that has limits, by itself or by what is in it."""

    stays: tuple[Stay, ...]

    def at(self, moment: datetime) -> Limits | None:
        """The strictest of what is there at the moment."""
        here = [
            stay.limits
            for stay in self.stays
            if (stay.since is None or stay.since <= moment) and (stay.until is None or moment < stay.until)
        ]
        if not here:
            return None
        categories = frozenset(name for one in here for name in one.categories)
        return Limits(max(one.low for one in here), min(one.high for one in here), categories)


def chilled(conn: Connection, window: Window, found: Mapping[bytes, History]) -> dict[bytes, Chilled]:
    """Object key → its limits, for those of the objects that have any, or had such goods in them."""
    inside = _inside(conn, window, [key for key, history in found.items() if _gtin(history.uri) is None])
    named = objects(conn, window.dialect, sorted({part.object_key for some in inside.values() for part in some}))
    gtins = {key: gtin for key, history in found.items() if (gtin := _gtin(history.uri)) is not None}
    content = {key: one.gtin for key, one in named.items() if one.gtin is not None}
    products = catalog.chilled(conn, window.dialect, {*gtins.values(), *content.values()})
    if not products:
        return {}
    limits = {gtin: _limits(product) for gtin, product in products.items()}
    whole = {key: Chilled((Stay(limits[gtin]),)) for key, gtin in gtins.items() if gtin in limits}
    for key, parts in inside.items():
        stays = _stays([part for part in parts if content.get(part.object_key) in limits], content, limits)
        if stays:
            whole[key] = Chilled(tuple(stays))
    return whole


def _inside(conn: Connection, window: Window, containers: Sequence[bytes]) -> dict[bytes, list[Part]]:
    """Container → the parts of what was ever put into it or taken out, over `LEVELS`."""
    found: dict[bytes, list[Part]] = defaultdict(list)
    outer = {key: {key} for key in containers}
    for _ in range(LEVELS):
        parts = children_of(conn, window.dialect, sorted(outer)) if outer else []
        deeper: dict[bytes, set[bytes]] = defaultdict(set)
        for part in parts:
            for container in outer[part.peer_key] if part.peer_key is not None else ():
                found[container].append(part)
                deeper[part.object_key].add(container)
        outer = {key: some for key, some in deeper.items() if key not in outer}
    return found


def _stays(parts: Iterable[Part], content: Mapping[bytes, str], limits: Mapping[str, Limits]) -> list[Stay]:
    """From each putting in to the next taking out of the same thing."""
    ordered = sorted(parts, key=lambda part: (part.object_key, part.event_time, part.event_key))
    stays = []
    for number, part in enumerate(ordered):
        if part.role is not LinkRole.CHILD or part.action is ActionCode.DELETE:
            continue
        out = next(
            (
                later.event_time
                for later in ordered[number + 1 :]
                if later.object_key == part.object_key and later.action is ActionCode.DELETE
            ),
            None,
        )
        stays.append(Stay(limits[content[part.object_key]], part.event_time, out))
    return stays


def _limits(product: Product) -> Limits:
    low = float("-inf") if product.storage_min_c is None else product.storage_min_c
    high = float("inf") if product.storage_max_c is None else product.storage_max_c
    return Limits(low, high, frozenset({product.category}))


def _gtin(uri: str) -> str | None:
    match = _GTIN.match(uri)
    return match[1] if match is not None else None
