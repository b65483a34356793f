"""D13 tainted input 问题原料: a recalled or expired batch, or one that failed inspection, is used in production."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from trace_server.catalog.model import Batch
from trace_server.db import Connection
from trace_server.detect.batches import BatchRule, batch_findings
from trace_server.detect.detector import Detector, Outcome, Param, Severity, SubjectKind, Window
from trace_server.detect.steps import LEGAL_TIME
from trace_server.ingest.model import LinkRole
from trace_server.ingest.store.parts import Part


def find(conn: Connection, window: Window, params: Mapping[str, float]) -> Iterator[Outcome]:
    """Judge the transformations that anything the window names went into."""
    tolerance = params["tolerance_days"]

    def judge(part: Part, batch: Batch) -> str:
        return _taint(part.event_time.astimezone(LEGAL_TIME).date(), batch, tolerance) if _is_input(part) else ""

    return batch_findings(conn, window, BatchRule(_is_input, _may_taint, judge, _group, _subject, _values))


def _is_input(part: Part) -> bool:
    return part.role is LinkRole.INPUT


def _may_taint(batch: Batch) -> bool:
    failed = batch.inspection is not None and not batch.inspection.passed
    return failed or batch.recall is not None or batch.expiry_date is not None


def _taint(day: date, batch: Batch, tolerance_days: float) -> str:
    """Why the batch may not be used on `day`: time order is event time; empty: it may."""
    if batch.recall is not None and day > batch.recall.announced_on:
        return f"recalled {batch.recall.announced_on.isoformat()}"
    if batch.inspection is not None and not batch.inspection.passed and day > batch.inspection.inspected_on:
        return f"failed inspection {batch.inspection.inspected_on.isoformat()}"
    if batch.expiry_date is not None and (day - batch.expiry_date).days > tolerance_days:
        return f"expired {batch.expiry_date.isoformat()}"
    return ""


def _group(part: Part, batch: Batch) -> str:
    return f"{batch.gtin}/{batch.lot}@{_subject(part, batch)}"


def _subject(part: Part, batch: Batch) -> str:  # noqa: ARG001 – contract of BatchRule
    return part.biz_location or part.read_point or part.source


def _values(batch: Batch) -> Mapping[str, str]:
    return {"gtin": batch.gtin, "lot": batch.lot}


DETECTOR = Detector(
    id="D13",
    version=1,
    title_zh="问题原料投入使用",
    title_en="Tainted input",
    subject_kind=SubjectKind.ENTERPRISE,
    severity=Severity.HIGH,
    guard="what was used before or on the day of the recall, the failed inspection or the last day is left out: "
    "time order is by event time, and the whole day counts for the enterprise",
    guard_zh="召回、检验不合格或保质期最后一日当天及以前使用的除外；先后以事件时间为准，当日全天按有利于企业计算",
    basis="食品安全法 art. 34, 50, 63",
    params=(Param("tolerance_days", 0, "d", "食品安全法 art. 34: nothing past its last day goes into food"),),
    find=find,
)
