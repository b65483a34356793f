"""D31 altered date 篡改日期: goods are given a last day that is not the one of their lot, or of their first making."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import msgspec

from trace_server.catalog import store as catalog
from trace_server.catalog.model import Batch
from trace_server.db import Connection
from trace_server.detect.detector import (
    Cleared,
    Detector,
    Evidence,
    Finding,
    Outcome,
    Param,
    Seen,
    SubjectKind,
    Window,
    Withdrawn,
)
from trace_server.detect.history import Lot, histories, whole_events
from trace_server.detect.steps import makes

FIELD, LOT_FIELD = "itemExpirationDate", "lotNumber"
"""Of the instance/lot master data, CBV 2.0 section 9.2."""


@dataclass(frozen=True, slots=True)
class _Dated:
    """An event that gives a last day. `stands`: nobody declared it wrong."""

    event_key: bytes
    evidence: Evidence
    day: date
    lot: Lot | None
    stands: bool


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge the items of the window that are given a last day, against the register and their first making."""
    items = {ref.key for one in window.events if FIELD in one.event.body for ref in one.objects if not ref.is_class}
    dated = _dated_events(conn, window, items)
    lots = {one.lot for own in dated.values() for one in own if one.lot is not None}
    batches = catalog.batches(conn, lots)
    tolerance = params["tolerance_days"]
    yield from _against_register({one for own in dated.values() for one in own}, batches, tolerance)
    known = histories(conn, window)
    for key in sorted(dated):
        yield _against_first(known[key].uri, [one for one in dated[key] if one.stands], tolerance)


def _dated_events(conn: Connection, window: Window, items: set[bytes]) -> Mapping[bytes, list[_Dated]]:
    """Item → the events that made it and gave a last day, by event time."""
    known = histories(conn, window)
    standing = {key: {part.event_key for part in known[key].parts if makes(part)} for key in items}
    wrong = {key: {part.event_key for part in known[key].wrong if makes(part)} for key in items}
    keys = {event for events in (*standing.values(), *wrong.values()) for event in events}
    found: dict[bytes, list[_Dated]] = defaultdict(list)
    for one in whole_events(conn, window, keys):
        for ref in one.objects:
            if ref.key not in items or one.event.event_key not in standing[ref.key] | wrong[ref.key]:
                continue
            dated = _dated(one, ref.uri, one.event.event_key in standing[ref.key])
            if dated is not None:
                found[ref.key].append(dated)
    return found


def _dated(one: Seen, uri: str, stands: bool) -> _Dated | None:
    event = one.event
    if FIELD not in event.body:
        return None
    ilmd = {
        name.rpartition(":")[2]: value for name, value in (msgspec.json.decode(event.body).get("ilmd") or {}).items()
    }
    day, lot, gtin = _day(ilmd.get(FIELD)), ilmd.get(LOT_FIELD), uri.partition("/01/")[2][:14]
    if day is None:
        return None
    evidence = Evidence(event.event_key, event.event_time, day.isoformat())
    return _Dated(event.event_key, evidence, day, (gtin, lot) if gtin and isinstance(lot, str) else None, stands)


def _day(value: object) -> date | None:
    try:
        return date.fromisoformat(value[:10]) if isinstance(value, str) else None
    except ValueError:
        return None  # free text: what is no date cannot be another date


def _against_register(dated: set[_Dated], batches: Mapping[Lot, Batch], tolerance_days: float) -> Iterator[Outcome]:
    other: dict[Lot, list[Evidence]] = defaultdict(list)
    same: dict[Lot, set[bytes]] = defaultdict(set)
    for one in sorted(dated, key=lambda one: (one.evidence.event_time, one.event_key)):
        batch = batches.get(one.lot) if one.lot is not None else None
        if one.lot is None or batch is None or batch.expiry_date is None:
            continue
        if one.stands and abs((one.day - batch.expiry_date).days) > tolerance_days:
            other[one.lot].append(one.evidence)
        else:
            same[one.lot].add(one.event_key)
    for lot, evidence in sorted(other.items()):
        registered = batches[lot].expiry_date
        values = {"registered": registered.isoformat() if registered else "", "gtin": lot[0], "lot": lot[1]}
        yield Finding(_group(lot), batches[lot].producer_uscc, SubjectKind.ENTERPRISE, tuple(evidence), values)
    for lot, keys in sorted(same.items()):
        yield Withdrawn(_group(lot), frozenset(keys), "the events were declared wrong, or the register agrees now")


def _group(lot: Lot) -> str:
    return f"{lot[0]}/{lot[1]}"


def _against_first(uri: str, dated: list[_Dated], tolerance_days: float) -> Outcome:
    """The first making wins (domain.md D31)."""
    other = [one.evidence for one in dated if abs((one.day - dated[0].day).days) > tolerance_days]
    if not other:
        return Cleared(uri, "the events that said otherwise were declared wrong")
    return Finding(uri, uri, SubjectKind.ENTERPRISE, tuple(other), {"first": dated[0].day.isoformat()}, is_whole=True)


DETECTOR = Detector(
    id="D31",
    version=1,
    title_zh="篡改日期",
    title_en="Altered date",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="the register's date is compared first and the first making by event time wins; an event that its sender "
    "declared wrong says nothing",
    guard_zh="先与登记的日期比对，按事件时间以首次生产记录为准；发送方声明有误的事件不作依据",
    basis="食品安全法 art. 34, 124",
    params=(Param("tolerance_days", 0, "d", "食品安全法 art. 34: no false production date or shelf life"),),
    find=find,
)
