"""D41 recall milestone late 召回超期: a period of the recall's class ran out before its work was done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from trace_server.db import Connection, Dialect
from trace_server.detect.detector import Cleared, Detector, Finding, Outcome, Param, Severity, SubjectKind
from trace_server.recall import store
from trace_server.recall.model import RecallState
from trace_server.recall.rules import milestones
from trace_server.workdays.operations import calendar


def sweep(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:  # noqa: ARG001 – contract
    """Judge both periods of every recall that was announced; what was done late stays late."""
    grace, days = timedelta(hours=params["grace_h"]), calendar(conn)
    for recall in store.recalls(conn):
        if recall.state is RecallState.DRAFT:
            continue
        for period in milestones(recall, days, now):
            group = f"{recall.recall_id}/{period.name}"
            if (period.done_at or now) < period.due_at + grace:
                yield Cleared(group, "done in time, or the calendar gives more time")
                continue
            producer = store.responsible(conn, recall.recall_id)
            is_sure = bool(producer) and period.is_confirmed
            yield Finding(
                group_key=group,
                subject=producer or recall.recall_id,
                subject_kind=SubjectKind.ENTERPRISE if is_sure else SubjectKind.DATA,
                evidence=(),
                values={
                    "recall": recall.recall_id,
                    "milestone": period.name,
                    "due_at": period.due_at.isoformat(),
                    "done_at": period.done_at.isoformat() if period.done_at else "",
                    "basis": period.basis,
                },
                began_at=period.due_at,
            )


DETECTOR = Detector(
    id="D41",
    version=1,
    title_zh="召回超期",
    title_en="Recall milestone late",
    subject_kind=SubjectKind.ENTERPRISE,
    severity=Severity.HIGH,
    also_kinds=(SubjectKind.DATA,),
    guard="working days by the announced calendar; data while its year is not announced or no single producer is "
    "known; drafts are not judged",
    guard_zh="按已公布的日历计算工作日；当年日历未公布或不能确定唯一生产者时只算数据问题；草稿不予判断",
    basis="食品安全法 art. 63; 食品召回管理办法 art. 13, 18; 药品召回管理办法",
    params=(
        Param("grace_h", 0, "h", "the periods stand in trace_server/recall/policy.toml, dated, with their articles"),
    ),
    sweep=sweep,
)
