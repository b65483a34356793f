"""D02 impossible travel 不可能行程: gates saw one code at two places between which no lorry drives so fast."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import msgspec

from trace_core.uplink import ClockState
from trace_server.catalog import store as catalog
from trace_server.db import Connection
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
)
from trace_server.detect.distance import Point, distance_km, point_of
from trace_server.detect.history import histories
from trace_server.ingest.model import LinkRole
from trace_server.ingest.store.parts import Part, bodies_with

FIELD = "suyuan:clockState"


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge every single item that the window names, by all gates that saw it."""
    reads = {
        history.uri: [part for part in history.parts if part.is_gateway and part.role is LinkRole.OBJECT]
        for history in histories(conn, window).values()
        if not history.is_class
    }
    points = {part.read_point for own in reads.values() for part in own if part.read_point}
    known = catalog.places(conn, window.dialect, points)
    places = {uri: point for uri, place in known.items() if (point := point_of(place)) is not None}
    suspects = {uri: own for uri, own in reads.items() if _jumps(own, places, params)}
    keys = sorted({part.event_key for own in suspects.values() for part in own})
    unsure = {key for key, body in bodies_with(conn, window.dialect, keys, FIELD).items() if _is_unsure(body)}
    for uri in reads:
        sure = [part for part in suspects.get(uri, ()) if part.event_key not in unsure]
        evidence = tuple(_jumps(sure, places, params))
        if evidence:
            values = {name: f"{value:g}" for name, value in params.items()}
            yield Finding(uri, uri, SubjectKind.ENTERPRISE, evidence, values, is_whole=True)
        else:
            yield Cleared(uri, "the reads were declared wrong, or a gate in between explains the way")


def _jumps(reads: Sequence[Part], places: Mapping[str, Point], params: Mapping[str, float]) -> list[Evidence]:
    """The reads that come too soon after the one before."""
    located = [(part, places[part.read_point]) for part in reads if part.read_point and part.read_point in places]
    found = []
    for (before, origin), (after, target) in pairwise(located):
        distance = distance_km(origin, target)
        seconds = (after.event_time - before.event_time).total_seconds()
        if distance > params["min_km"] and distance / (seconds + params["slack_s"]) * 3600 > params["max_kmh"]:
            found.append(Evidence(after.event_key, after.event_time, f"{distance:.0f} km in {seconds:.0f} s"))
    return found


def _is_unsure(body: str) -> bool:
    return bool(msgspec.json.decode(body).get(FIELD) != ClockState.SYNCHRONISED)


DETECTOR = Detector(
    id="D02",
    version=1,
    title_zh="不可能行程",
    title_en="Impossible travel",
    subject_kind=SubjectKind.ENTERPRISE,
    severity=Severity.HIGH,
    guard="only reads by gates whose clock was synchronised, at places with a registered position; an item's place is "
    "never taken from its container's",
    guard_zh="只采用时钟已同步的通道、在已登记位置的读取；物品的位置从不由其容器的位置推定",
    basis="食品安全法 art. 42; 药品管理法 art. 12, 36",
    params=(
        Param("max_kmh", 120, "km/h", "道路交通安全法实施条例 art. 78: motorway limit"),
        Param("min_km", 5, "km", "default, the office may change it"),
        Param("slack_s", 300, "s", "default, the office may change it: clocks and stays"),
    ),
    find=find,
)
