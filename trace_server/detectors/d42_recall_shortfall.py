"""D42 recall shortfall 召回数量不足: recalled goods are neither recovered, destroyed nor proven sold at its end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from trace_server.db import Connection, Dialect
from trace_server.detect.detector import Cleared, Detector, Finding, Outcome, Param, SubjectKind
from trace_server.recall import store
from trace_server.recall.model import Milestone, Recall, RecallState
from trace_server.recall.rules import MAX_SHORTFALL_PERCENT, milestones, reconcile_sums
from trace_server.workdays.model import Calendar
from trace_server.workdays.operations import calendar


def sweep(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:  # noqa: ARG001 – contract
    """Judge the sums of every recall that is reconciled, or whose time to be is over."""
    days = calendar(conn)
    for recall in store.recalls(conn):
        end = _end(recall, days, now)
        if end is None:
            continue
        ended_at, is_confirmed = end
        sums = reconcile_sums(store.sums(conn, recall.recall_id), store.notices(conn, recall_id=recall.recall_id))
        if sums.shortfall_percent <= params["max_percent"]:
            yield Cleared(recall.recall_id, "the goods are accounted for")
            continue
        producer = store.responsible(conn, recall.recall_id)
        yield Finding(
            group_key=recall.recall_id,
            subject=producer or recall.recall_id,
            subject_kind=SubjectKind.ENTERPRISE if producer and is_confirmed else SubjectKind.DATA,
            evidence=(),
            values={
                "recall": recall.recall_id,
                "affected": str(sums.affected),
                "shortfall_percent": f"{sums.shortfall_percent:g}",
                "max_percent": f"{params['max_percent']:g}",
                "unanswered": str(len(sums.unanswered)),
            },
            began_at=ended_at,
        )


def _end(recall: Recall, days: Calendar, now: datetime) -> tuple[datetime, bool] | None:
    """When the sums had to be right, and whether that day is sure. None: goods are still coming in."""
    if recall.state is RecallState.DRAFT:
        return None
    if recall.reconciled_at is not None:
        return recall.reconciled_at, True
    finish: Milestone | None = next((one for one in milestones(recall, days, now) if one.name == "finish"), None)
    return (finish.due_at, finish.is_confirmed) if finish is not None and finish.is_late else None


DETECTOR = Detector(
    id="D42",
    version=1,
    title_zh="召回数量不足",
    title_en="Recall shortfall",
    subject_kind=SubjectKind.ENTERPRISE,
    also_kinds=(SubjectKind.DATA,),
    guard="judged when the recall is reconciled or its time is over; late answers, returns and sales close it; data "
    "while no single producer is known",
    guard_zh="召回账目核对后或期限届满时才判断；迟到的答复、退货和销售记录会消除预警；不能确定唯一生产者时只算数据问题",
    basis="食品安全法 art. 63; 食品召回管理办法",
    params=(
        Param(
            "max_percent", MAX_SHORTFALL_PERCENT, "%", "default, the office may change it: affected by more than 2 %"
        ),
    ),
    sweep=sweep,
    sweep_every_s=3600.0,
)
