"""D30 expired goods 超期: a gate saw an item after the last day of its batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from zoneinfo import ZoneInfo

from trace_core.epcis.cbv import BIZ_STEPS, DISPOSITIONS, BizStep, Disposition
from trace_core.epcis.event_hash import Role
from trace_server.db import Connection
from trace_server.detect.batches import batches_of
from trace_server.detect.detector import (
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
from trace_server.detect.history import histories
from trace_server.ingest.model import ActionCode, LinkRole
from trace_server.ingest.store.parts import Part

LEGAL_TIME = ZoneInfo("Asia/Shanghai")
"""A last day ends at midnight there (domain.md rule 10)."""
_DISPOSAL_STEPS = frozenset(
    BIZ_STEPS.prefix + step for step in (BizStep.DESTROYING, BizStep.DECOMMISSIONING, BizStep.REMOVING)
)
_DISPOSAL_STATES = frozenset(
    DISPOSITIONS.prefix + state
    for state in (Disposition.DESTROYED, Disposition.DISPOSED, Disposition.EXPIRED, Disposition.RETURNED)
)

Batch = tuple[str, str]


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge every item that the window's events name: its lot may have become known only now."""
    keys = {ref.key for seen in window.events for ref in seen.objects if ref.role in (Role.OBJECT, Role.OUTPUT)}
    known = histories(conn, window)
    last_days = {lot: batch.expiry_date for lot, batch in batches_of(conn, window).items() if batch.expiry_date}
    groups: dict[tuple[Batch, str], list[Evidence]] = defaultdict(list)
    wrong: dict[tuple[Batch, str], set[bytes]] = defaultdict(set)
    for key in sorted(keys):
        history = known[key]
        if history.lot is None or history.lot not in last_days:
            continue
        for part in filter(_is_trade, history.parts):
            days = (part.event_time.astimezone(LEGAL_TIME).date() - last_days[history.lot]).days
            if days > params["tolerance_days"]:
                groups[history.lot, part.read_point or ""].append(
                    Evidence(part.event_key, part.event_time, f"{days} d")
                )
        for part in filter(_is_trade, history.wrong):
            wrong[history.lot, part.read_point or ""].add(part.event_key)
    for (batch, read_point), evidence in sorted(groups.items()):
        yield Finding(
            group_key=_group(batch, read_point),
            subject=read_point,
            subject_kind=SubjectKind.ENTERPRISE,
            evidence=tuple(evidence),
            values={"gtin": batch[0], "lot": batch[1], "expiry_date": last_days[batch].isoformat()},
        )
    for (batch, read_point), event_keys in sorted(wrong.items()):
        yield Withdrawn(_group(batch, read_point), frozenset(event_keys), "the events were declared wrong")


def _group(batch: Batch, read_point: str) -> str:
    return f"{batch[0]}/{batch[1]}@{read_point}"


def _is_trade(part: Part) -> bool:
    """Seen by a gate, and not on its way out of trade."""
    if not part.is_gateway or part.role is not LinkRole.OBJECT or part.action is not ActionCode.OBSERVE:
        return False
    return part.biz_step not in _DISPOSAL_STEPS and part.disposition not in _DISPOSAL_STATES


DETECTOR = Detector(
    id="D30",
    version=1,
    title_zh="超期商品",
    title_en="Expired goods",
    subject_kind=SubjectKind.ENTERPRISE,
    severity=Severity.HIGH,
    guard="goods on their way to return or destruction are left out; the last day itself is allowed",
    guard_zh="正在退货或送去销毁的货物除外；最后一日当天仍允许",
    basis="食品安全法 art. 34 (10), art. 124",
    params=(Param("tolerance_days", 0, "d", "食品安全法 art. 34: no sale after the last day"),),
    find=find,
)
