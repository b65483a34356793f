"""D30 expired goods 超期: a gate saw an item after the last day of its batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from zoneinfo import ZoneInfo

from trace_core.epcis.cbv import BIZ_STEPS, DISPOSITIONS, BizStep, Disposition
from trace_core.epcis.event_hash import Role
from trace_server.catalog import store as catalog
from trace_server.db import Connection
from trace_server.detect.detector import Detector, Evidence, Finding, Outcome, Param, Severity, SubjectKind, Window
from trace_server.ingest.model import GATEWAY, ActionCode, LinkRole
from trace_server.ingest.store.events import Link, links_of, lots_of

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
    keys = sorted({ref.key for seen in window.events for ref in seen.objects if ref.role in (Role.OBJECT, Role.OUTPUT)})
    reads = [link for link in links_of(conn, window.dialect, keys) if _is_trade(link)]
    lots = _lots(conn, window, {link.object_key for link in reads})
    last_days = _last_days(conn, set(lots.values()))
    groups: dict[tuple[Batch, str], list[Evidence]] = defaultdict(list)
    for link in reads:
        batch = lots.get(link.object_key)
        last_day = last_days.get(batch) if batch else None
        if batch is None or last_day is None:
            continue
        days = (link.event_time.astimezone(LEGAL_TIME).date() - last_day).days
        if days > params["tolerance_days"]:
            groups[batch, link.read_point or ""].append(Evidence(link.event_key, link.event_time, f"{days} d"))
    for (batch, read_point), evidence in sorted(groups.items()):
        yield Finding(
            group_key=f"{batch[0]}/{batch[1]}@{read_point}",
            subject=read_point,
            subject_kind=SubjectKind.ENTERPRISE,
            evidence=tuple(evidence),
            values={"gtin": batch[0], "lot": batch[1], "expiry_date": last_days[batch].isoformat()},
        )


def _is_trade(link: Link) -> bool:
    """Seen by a gate, and not on its way out of trade."""
    if not link.source.startswith(GATEWAY) or link.role is not LinkRole.OBJECT or link.action is not ActionCode.OBSERVE:
        return False
    return link.biz_step not in _DISPOSAL_STEPS and link.disposition not in _DISPOSAL_STATES


def _lots(conn: Connection, window: Window, items: set[bytes]) -> Mapping[bytes, Batch]:
    """Item → (GTIN, lot): by the event that made it, else by the code that was printed for it."""
    lots = lots_of(conn, window.dialect, sorted(items))
    return lots | catalog.printed_lots(conn, window.dialect, sorted(items - lots.keys()))


def _last_days(conn: Connection, batches: Iterable[Batch]) -> Mapping[Batch, date]:
    found = catalog.batches(conn, batches)
    return {key: batch.expiry_date for key, batch in found.items() if batch.expiry_date}


DETECTOR = Detector(
    id="D30",
    version=1,
    title_zh="超期商品",
    title_en="Expired goods",
    subject_kind=SubjectKind.ENTERPRISE,
    severity=Severity.HIGH,
    guard="goods on their way to return or destruction are left out; the last day itself is allowed",
    basis="食品安全法 art. 34 (10), art. 124",
    params=(Param("tolerance_days", 0, "d", "食品安全法 art. 34: no sale after the last day"),),
    find=find,
)
