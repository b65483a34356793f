"""D40 recalled goods still moving 召回品仍流通: goods of a recalled batch are sold or sent out after the notice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, time, timedelta

from trace_server.catalog.model import Batch
from trace_server.db import Connection
from trace_server.detect.batches import BatchRule, batch_findings
from trace_server.detect.detector import Detector, Outcome, Param, Severity, SubjectKind, Window
from trace_server.detect.steps import LEGAL_TIME, OUTBOUND, SALE, is_leaving_trade
from trace_server.ingest.model import LinkRole
from trace_server.ingest.store.parts import Part

_MOVES = SALE | OUTBOUND


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge the sales and dispatches of everything that the window names."""
    grace = timedelta(seconds=params["grace_s"])

    def judge(part: Part, batch: Batch) -> str:
        late = part.event_time - _notice_ends(batch) - grace
        return f"{late.total_seconds() / 3600:.1f} h late" if late >= timedelta(0) else ""

    return batch_findings(conn, window, BatchRule(_moves, _is_recalled, judge, _group, _subject, _values))


def _moves(part: Part) -> bool:
    is_goods = part.role in (LinkRole.OBJECT, LinkRole.CHILD, LinkRole.PARENT)
    return is_goods and part.biz_step in _MOVES and not is_leaving_trade(part)


def _is_recalled(batch: Batch) -> bool:
    return batch.recall is not None


def _notice_ends(batch: Batch) -> datetime:
    """The register holds the day of the notice and no hour: the day counts for the enterprise."""
    if batch.recall is None:
        return datetime.max.replace(tzinfo=LEGAL_TIME)
    return datetime.combine(batch.recall.announced_on + timedelta(days=1), time(), LEGAL_TIME)


def _group(part: Part, batch: Batch) -> str:
    return f"{batch.gtin}/{batch.lot}@{_subject(part, batch)}"


def _subject(part: Part, batch: Batch) -> str:  # noqa: ARG001 – contract of BatchRule
    return part.biz_location or part.read_point or part.source


def _values(batch: Batch) -> Mapping[str, str]:
    notice = batch.recall.notice_no if batch.recall is not None else ""
    return {"gtin": batch.gtin, "lot": batch.lot, "notice_no": notice, "notice_ends": _notice_ends(batch).isoformat()}


DETECTOR = Detector(
    id="D40",
    version=1,
    title_zh="召回品仍流通",
    title_en="Recalled goods still moving",
    subject_kind=SubjectKind.ENTERPRISE,
    severity=Severity.HIGH,
    guard="goods going back or to destruction are left out; the whole day of the notice and grace_s after it are free",
    guard_zh="退货或送去销毁的货物除外；通知当日全天及其后 grace_s 内不计",
    basis="食品安全法 art. 63; 药品召回管理办法",
    params=(Param("grace_s", 7200, "s", "default, the office may change it: notice + 2 h"),),
    find=find,
)
