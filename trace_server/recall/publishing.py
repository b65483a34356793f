"""What the public and the gates see of a recall: notices on batches, and single things on the block list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from trace_server.blocklist.operations import set_recalled
from trace_server.catalog import store as catalog
from trace_server.catalog.model import Recall as BatchRecall
from trace_server.catalog.operations import lot_key
from trace_server.db import Connection, Dialect
from trace_server.recall.model import Affected, GoodsStatus, Recall
from trace_server.trace.model import Relation
from trace_server.workdays.rules import LEGAL_TIME

_GONE = frozenset({GoodsStatus.DESTROYED, GoodsStatus.USED})


def publish(conn: Connection, dialect: Dialect, recall: Recall, rows: Sequence[Affected]) -> None:
    """Bring batches and block list to what the affected set says; batches that fell out lose this notice.

    A batch that another notice recalls keeps that one. Doing it again changes nothing.
    """
    goods = [row for row in rows if row.relation != Relation.CONTAINER.value]
    whole = {(row.gtin, row.lot) for row in goods if row.gtin and row.lot and row.key == lot_key(row.gtin, row.lot)}
    known = catalog.batches(conn, whole)
    notice = _batch_recall(recall)
    flagged = [
        replace(batch, recall=notice)
        for batch in known.values()
        if batch.recall is None or batch.recall.notice_no == notice.notice_no
    ]
    freed = [replace(batch, recall=None) for batch in catalog.recalled_by(conn, notice.notice_no)
             if (batch.gtin, batch.lot) not in whole]  # fmt: skip
    catalog.save_batches(conn, dialect, flagged + freed)
    # Of a lot that was used there may be more; a single thing that was used is no more.
    lots = {row.uri: row.key == lot_key(row.gtin, row.lot) for row in goods if row.uri}
    blocked = {row.uri: lots[row.uri] for row in goods if row.uri and (lots[row.uri] or row.status not in _GONE)}
    covered = {row.uri for row in goods if (row.gtin, row.lot) in known and blocked.get(row.uri)}
    set_recalled(conn, dialect, recall.recall_id, {uri: it for uri, it in blocked.items() if uri not in covered})


def _batch_recall(recall: Recall) -> BatchRecall:
    said = recall.notice
    announced = recall.announced_at or recall.created_at
    return BatchRecall(
        level=recall.level,
        notice_no=said.notice_no,
        authority=said.authority,
        announced_on=announced.astimezone(LEGAL_TIME).date(),
        reason=said.reason,
        reason_en=said.reason_en,
        action=said.action,
        action_en=said.action_en,
        return_to=said.return_to,
        return_to_en=said.return_to_en,
        phone=said.phone,
    )
