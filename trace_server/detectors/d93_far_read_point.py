"""D93 read point far from site 读点偏离: a gateway reads far from where it belongs, by its position or the register."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime

from trace_core.ids.canonical import canonical_uri
from trace_server.accounts import store as accounts
from trace_server.accounts.model import Gateway, GatewayState
from trace_server.catalog import store as catalog
from trace_server.catalog.model import Place
from trace_server.db import Connection, Dialect
from trace_server.detect.detector import (
    Cleared,
    Detector,
    Evidence,
    Finding,
    Outcome,
    Param,
    Severity,
    SubjectKind,
    Window,
    Withdrawn,
)
from trace_server.detect.distance import Point, distance_km, point_of
from trace_server.detect.history import declared_wrong, histories
from trace_server.ingest.model import StoredEvent

FIELD = "suyuan:position"
_GEO = re.compile(r"geo:(-?\d{1,2}(?:\.\d{1,9})?),(-?\d{1,3}(?:\.\d{1,9})?)(?:[,;][^\s]{0,64})?\Z")
"""A position as a URI (RFC 5870), WGS 84."""
PAGE = 500


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Compare the position that a gateway tells in an event with the registered one of the read point."""
    told = {one.event.event_key: point for one in window.events if (point := _told(one.event)) is not None}
    if not told:
        return
    events = [one for one in window.events if one.event.event_key in told]
    points = {one.event.read_point for one in events if one.event.read_point}
    places = catalog.places(conn, window.dialect, points)
    known = histories(conn, window)
    found: dict[str, list[Evidence]] = defaultdict(list)
    wrong: dict[str, set[bytes]] = defaultdict(set)
    for one in events:
        event = one.event
        gateway, place = event.gateway, places.get(event.read_point or "")
        if gateway is None:
            continue
        wrong[gateway] |= declared_wrong(known, one)
        away = _away_km(told[event.event_key], place)
        if away > params["max_km"] and not event.is_correction and event.event_key not in wrong[gateway]:
            found[gateway].append(Evidence(event.event_key, event.event_time, f"{away:.1f} km from its read point"))
    for gateway, evidence in sorted(found.items()):
        values = {"max_km": f"{params['max_km']:g}"}
        yield Finding(f"{gateway}@position", gateway, SubjectKind.DEVICE, tuple(evidence), values)
    for gateway, event_keys in sorted(wrong.items()):
        if event_keys:
            yield Withdrawn(f"{gateway}@position", frozenset(event_keys), "the events were declared wrong")


def sweep(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Compare the registered positions of each gateway's read points: its antennas stand at one site."""
    last = ""
    while page := accounts.gateways_after(conn, last, PAGE):
        last = page[-1].gateway_id
        points = {canonical_uri(uri) for gateway in page for uri in gateway.read_points}
        places = catalog.places(conn, dialect, points)
        for gateway in page:
            apart = _apart_km(gateway, places) if gateway.state is GatewayState.ACTIVE else 0.0
            group = f"{gateway.gateway_id}@register"
            if apart <= params["max_km"]:
                yield Cleared(group, "the read points are close to each other, or the gateway is not in use")
                continue
            values = {"apart_km": f"{apart:.1f}", "max_km": f"{params['max_km']:g}", "site": gateway.site}
            began = gateway.key_made_at or gateway.created_at
            yield Finding(
                group, gateway.gateway_id, SubjectKind.DEVICE, (), values, began_at=min(began, now)
            )  # fmt: skip


def _told(event: StoredEvent) -> Point | None:
    if event.gateway is None or FIELD not in event.body:
        return None
    match = _GEO.match(str(json.loads(event.body).get(FIELD, "")))
    if match is None:
        return None
    latitude, longitude = float(match[1]), float(match[2])
    return Point(latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else None


def _away_km(told: Point, place: Place | None) -> float:
    here = point_of(place) if place is not None else None
    return distance_km(told, here) if here is not None else 0.0


def _apart_km(gateway: Gateway, places: Mapping[str, Place]) -> float:
    own = [places[uri] for name in gateway.read_points if (uri := canonical_uri(name)) in places]
    points = [point for place in own if (point := point_of(place)) is not None]
    return max((distance_km(one, other) for one in points for other in points), default=0.0)


DETECTOR = Detector(
    id="D93",
    version=1,
    title_zh="读点偏离",
    title_en="Read point far from site",
    subject_kind=SubjectKind.DEVICE,
    severity=Severity.LOW,
    guard="only read points whose position is registered; events whose gateway tells no position are judged by the "
    "register alone; max_km is far beyond what a receiver of satellite positions errs",
    guard_zh="只判断已登记位置的读取点；网关未报告位置的事件只按登记判断；max_km 远大于卫星定位误差",
    basis="operations",
    params=(
        Param(
            "max_km",
            2,
            "km",
            "default, the office may change it: far from site; the largest yard of the city is under 2 km wide",
        ),
    ),
    find=find,
    sweep=sweep,
    sweep_every_s=3600.0,
)
