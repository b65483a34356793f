"""D06 over-issue 超额赋码: more items were commissioned in a batch than it has, or outside the granted ranges."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation

from trace_core.ids.canonical import canonical_key
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
    SubjectKind,
    Window,
    Withdrawn,
)
from trace_server.detect.history import histories
from trace_server.detect.ranges import makings
from trace_server.detect.steps import LEGAL_TIME
from trace_server.ingest.model import ActionCode, EventType
from trace_server.ingest.rules import class_uri
from trace_server.ingest.store.parts import last_made, members

PIECES = frozenset({"H87", "EA", "C62"})
"""Units that count items: piece, each, one (UN/CEFACT Rec 20)."""


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Count the items of each batch that the window makes more of, or fewer; look up the serials of what it makes."""
    yield from _outside(conn, window)
    known = histories(conn, window)
    makers = [
        one
        for one in window.events
        if one.event.action is ActionCode.ADD or one.event.type is EventType.TransformationEvent
    ]
    lots = {lot for one in makers for ref in one.objects for lot in known[ref.key].lots}
    batches = {lot: batch for lot, batch in catalog.batches(conn, lots).items() if _pieces(batch) is not None}
    keys = {canonical_key(class_uri(*lot)): batch for lot, batch in batches.items()}
    counted = members(conn, window.dialect, sorted(keys))
    for key, batch in sorted(keys.items()):
        yield _judge(conn, key, batch, counted.get(key, 0), params["tolerance_percent"])


def _judge(conn: Connection, key: bytes, batch: Batch, count: int, tolerance_percent: float) -> Outcome:
    group, quota = f"{batch.gtin}/{batch.lot}", _pieces(batch)
    last = last_made(conn, key) if quota is not None and count > quota * (1 + tolerance_percent / 100) else None
    if last is None:
        return Cleared(group, "the batch is as large as what was made, or events were declared wrong")
    moment, event_key = last
    return Finding(
        group_key=group,
        subject=batch.producer_uscc,
        subject_kind=SubjectKind.ENTERPRISE,
        evidence=(Evidence(event_key, moment, f"{count} of {batch.quantity} {batch.uom}"),),
        values={"gtin": batch.gtin, "lot": batch.lot, "tolerance_percent": f"{tolerance_percent:g}"},
        is_whole=True,
    )


def _outside(conn: Connection, window: Window) -> Iterator[Outcome]:
    """Items of products with granted ranges whose serial no range held on the day they were made."""
    events, ranges = makings(conn, window)
    found: dict[str, list[Evidence]] = defaultdict(list)
    wrong: dict[str, set[bytes]] = defaultdict(set)
    for one in events:
        event = one.seen.event
        day = event.event_time.astimezone(LEGAL_TIME).date()
        strange: Counter[str] = Counter()
        for item in one.items:
            rows = ranges[item.gtin or ""]
            wrong[item.gtin or ""] |= {part.event_key for part in one.wrong}
            if day >= min(row.valid_from for row in rows if row.valid_from is not None) and not any(
                row.span.holds(item.serial or "") and row.held_on(day) for row in rows
            ):
                strange[item.gtin or ""] += 1
        for gtin, count in strange.items():
            if not one.is_wrong:
                told = f"{count} of {len(one.items)} outside the granted ranges"
                found[gtin].append(Evidence(event.event_key, event.event_time, told))
    for gtin, evidence in sorted(found.items()):
        subject = min(ranges[gtin], key=lambda row: (row.requested_at, row.range_id)).uscc
        yield Finding(f"{gtin}/ranges", subject, SubjectKind.ENTERPRISE, tuple(evidence), {"gtin": gtin})
    for gtin, event_keys in sorted(wrong.items()):
        if event_keys:
            yield Withdrawn(f"{gtin}/ranges", frozenset(event_keys), "the events were declared wrong")


def _pieces(batch: Batch) -> float | None:
    """How many items the batch has; None: its quantity is not counted in items."""
    if batch.uom not in PIECES:
        return None
    try:
        return float(Decimal(batch.quantity))
    except InvalidOperation:
        return None


DETECTOR = Detector(
    id="D06",
    version=1,
    title_zh="超额赋码",
    title_en="Over-issue",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="only batches that are counted in items; each item counts once however often it is reported, and a "
    "commissioning that was declared wrong does not; serials are looked up from the first day that a range of the "
    "product was granted for",
    guard_zh="只判断按件计数的批次；每件物品无论上报几次只计一次，已被声明有误的赋码不计；"
    "序列号从该产品首次获批号段之日起查对",
    basis="食品安全法 art. 42; 农产品质量安全法 art. 38, 39",
    params=(
        Param(
            "tolerance_percent",
            0,
            "%",
            "default, the office may change it: unit tolerance; tags are counted one by one",
        ),
    ),
    find=find,
)
