"""D80 blocked batch online 停售品仍在网上销售: a listing of a blocked batch outlives the takedown deadline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from trace_server.db import Connection, Dialect
from trace_server.detect.detector import Cleared, Detector, Finding, Outcome, Param, SubjectKind
from trace_server.shops import store
from trace_server.shops.model import NoticeState


def sweep(conn: Connection, dialect: Dialect, now: datetime, params: Mapping[str, float]) -> Iterator[Outcome]:  # noqa: ARG001 – contract
    """Judge every notice; what was taken down late stays late, as do sales after the deadline."""
    grace = timedelta(minutes=params["grace_min"])
    for watched in store.watched(conn):
        notice = watched.notice
        ends = notice.due_at + grace
        is_late = (watched.ended_at or now) > ends or watched.sold_late > 0
        if notice.state is NoticeState.LIFTED or now <= ends or not is_late:
            yield Cleared(notice.notice_id, "taken down in time, or the batch is free again")
            continue
        yield Finding(
            group_key=notice.notice_id,
            subject=notice.platform,
            subject_kind=SubjectKind.ENTERPRISE,
            evidence=(),
            values={
                "gtin": notice.gtin,
                "lot": notice.lot,
                "listing": notice.listing_no,
                "seller": watched.seller_uscc,
                "mark": watched.mark,
                "cause": notice.cause,
                "due_at": notice.due_at.isoformat(),
                "ended_at": watched.ended_at.isoformat() if watched.ended_at else "",
                "sales_after": str(watched.sold_late),
                "basis": notice.basis,
            },
            began_at=notice.due_at,
        )


DETECTOR = Detector(
    id="D80",
    version=1,
    title_zh="停售品仍在网上销售",
    title_en="Blocked batch sold online",
    subject_kind=SubjectKind.ENTERPRISE,
    guard="only after the deadline that the notice named; a report that comes late of a listing that ended in time "
    "closes the alert, and so does a batch that is free again",
    guard_zh="只在通知载明的期限之后判断；商品链接已按时下架、只是报告迟到的，预警消除；批次解除停售的，预警也消除",
    basis="电子商务法 art. 38, 83; the periods stand in trace_server/shops/policy.toml, dated",
    params=(Param("grace_min", 10, "min", "clocks of platforms and delivery of reports"),),
    sweep=sweep,
)
