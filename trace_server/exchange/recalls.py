"""Tells pullers of recalls: announced, ordered, grown by late events, gone on to their end; never of drafts.

Periodic, as for licences: an affected set grows in the event stream's own transactions, which the change log's head
row must not wait for (ADR 0004).
"""

from __future__ import annotations

from typing import Final

from trace_server.credit import shared
from trace_server.credit.model import Op, SharedVersion
from trace_server.credit.store import shared as told_before
from trace_server.db import Connection
from trace_server.recall import store as recalls
from trace_server.recall.model import Recall
from trace_server.recall.states import IN_FORCE
from trace_server.services import Job, Services
from trace_server.workdays.rules import LEGAL_TIME

EVERY_S: Final = 20.0
"""Within the minute that confirmation to push may take."""
PAGE: Final = 100
MOST_LOTS: Final = 100
"""Lots named in one entry, the nearest to the scope first; the affected set itself has a route of its own."""
KIND: Final = "recall"
_KEYS: Final = ("召回公告号", "发布单位")
_LEVELS: Final = {1: "一级", 2: "二级", 3: "三级"}


def tell_recalls(services: Services) -> int:
    """Tell what has changed since the last run; how many recalls."""
    total = 0
    after = None
    while True:
        with services.db.begin() as conn:
            page = recalls.recalls(conn, after=after, limit=PAGE)
            if not page:
                return total
            total += _tell(services, conn, [row for row in page if row.state in IN_FORCE])
            after = page[-1].created_at, page[-1].recall_id


jobs: list[Job] = [Job("exchange-recalls", EVERY_S, tell_recalls)]


def _tell(services: Services, conn: Connection, rows: list[Recall]) -> int:
    keys = {shared.record_id_of(KIND, row.recall_id): row for row in rows}
    newest = told_before.newest_versions(conn, list(keys)) if keys else {}
    last = {one.record_id: one for one, _ in told_before.versions(conn, list(newest.items())).values()}
    news = [_told(conn, row, last.get(record_id)) for record_id, row in sorted(keys.items())]
    told = [one for one in news if one is not None]
    return len(shared.share_within(conn, services.db.dialect, services.clock(), told))


def _told(conn: Connection, row: Recall, last: SharedVersion | None) -> shared.Told | None:
    """News of one recall, None when all of it is known."""
    uscc = recalls.responsible(conn, row.recall_id)
    fields = _fields(conn, row, uscc)
    if last is not None and last.state == row.state.value and dict(last.record) == fields:
        return None
    return shared.Told(
        kind=KIND,
        key=row.recall_id,
        op=Op.UPSERT if last is None else Op.CORRECT,
        state=row.state.value,
        region=uscc[2:8],
        category=row.category,
        department="",
        record=fields,
        key_fields=_KEYS,
    )


def _fields(conn: Connection, row: Recall, uscc: str) -> dict[str, str]:
    announced = row.announced_at or row.created_at
    lots = recalls.affected_lots(conn, row.recall_id, MOST_LOTS)
    return {
        "召回公告号": row.notice.notice_no,
        "召回级别": _LEVELS.get(row.level, str(row.level)),
        "产品类别": row.category,
        "统一社会信用代码": uscc,
        "发布单位": row.notice.authority,
        "公告日期": announced.astimezone(LEGAL_TIME).strftime("%Y/%m/%d"),
        "召回原因": row.notice.reason,
        "处置要求": row.notice.action,
        "涉及批次": "；".join(f"{lot.gtin} {lot.lot}" for lot in lots),
    }
