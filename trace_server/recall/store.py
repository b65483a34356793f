"""SQL of the recalls. Functions take a connection and give values of `model.py`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, or_, select, update

from trace_core.ids.canonical import canonical_uri
from trace_server.catalog.tables import batch, issued_code
from trace_server.db import Connection, Dialect
from trace_server.ingest.model import LinkRole
from trace_server.ingest.tables import event, link
from trace_server.recall import rules
from trace_server.recall.model import (
    Affected,
    AffectedLot,
    Answer,
    GoodsStatus,
    HolderNotice,
    Notice,
    Recall,
    RecallState,
    Scope,
)
from trace_server.recall.tables import recall, recall_affected, recall_notice

_FACTS = [name for name in Affected.__slots__ if name != "key"]


def add(conn: Connection, row: Recall) -> None:
    conn.execute(insert(recall).values(**_recall_values(row)))


def save(conn: Connection, row: Recall) -> None:
    conn.execute(update(recall).where(recall.c.recall_id == row.recall_id).values(**_recall_values(row)))


def find(conn: Connection, recall_id: str) -> Recall | None:
    row = conn.execute(select(recall).where(recall.c.recall_id == recall_id)).one_or_none()
    return None if row is None else _recall(row)


def recalls(conn: Connection, *, after: tuple[datetime, str] | None = None, limit: int | None = None) -> list[Recall]:
    """Recalls, newest first; `after`: time of creation and id of the last one seen."""
    stmt = select(recall).order_by(recall.c.created_at.desc(), recall.c.recall_id).limit(limit)
    if after is not None:
        moment, recall_id = after
        same = (recall.c.created_at == moment) & (recall.c.recall_id > recall_id)
        stmt = stmt.where((recall.c.created_at < moment) | same)
    return [_recall(row) for row in conn.execute(stmt)]


def announced(
    conn: Connection, *, after: tuple[datetime, str] | None, limit: int, is_open: bool | None = None
) -> list[Recall]:
    """Those that the public heard of, newest first; `after`: time of announcement and id of the last one seen."""
    columns = recall.c
    stmt = select(recall).where(columns.announced_at.is_not(None), columns.state != RecallState.DRAFT.value)
    if is_open is not None:
        closed = columns.state == RecallState.CLOSED.value
        stmt = stmt.where(~closed if is_open else closed)
    if after is not None:
        moment, recall_id = after
        same = (columns.announced_at == moment) & (columns.recall_id < recall_id)
        stmt = stmt.where((columns.announced_at < moment) | same)
    stmt = stmt.order_by(columns.announced_at.desc(), columns.recall_id.desc()).limit(limit)
    return [_recall(row) for row in conn.execute(stmt)]


def count_recalls(conn: Connection) -> int:
    return int(conn.execute(select(func.count()).select_from(recall)).scalar_one())


def affected(conn: Connection, recall_id: str) -> list[Affected]:
    """The newest affected set, nearest to the scope first."""
    table = recall_affected
    stmt = (
        select(table)
        .where(table.c.recall_id == recall_id, table.c.until_version.is_(None))
        .order_by(table.c.depth, table.c.uri)
    )
    return [_affected(row) for row in conn.execute(stmt)]


def affected_page(conn: Connection, recall_id: str, after: tuple[int, bytes] | None, limit: int) -> list[Affected]:
    """The newest affected set by depth and object key; `after`: those of the last row seen."""
    table = recall_affected
    stmt = select(table).where(table.c.recall_id == recall_id, table.c.until_version.is_(None))
    if after is not None:
        depth, key = after
        same = (table.c.depth == depth) & (table.c.object_key > key)
        stmt = stmt.where((table.c.depth > depth) | same)
    return [_affected(row) for row in conn.execute(stmt.order_by(table.c.depth, table.c.object_key).limit(limit))]


def affected_row(conn: Connection, recall_id: str, key: bytes) -> Affected | None:
    """One thing of the newest affected set."""
    table = recall_affected
    newest = (table.c.recall_id == recall_id, table.c.object_key == key, table.c.until_version.is_(None))
    row = conn.execute(select(table).where(*newest)).one_or_none()
    return None if row is None else _affected(row)


def affected_lots(conn: Connection, recall_id: str, limit: int) -> list[AffectedLot]:
    """Batches of the newest affected set, nearest to the scope first."""
    table = recall_affected.c
    depth = func.min(table.depth)
    stmt = (
        select(table.gtin, table.lot, depth, func.count())
        .where(table.recall_id == recall_id, table.until_version.is_(None), table.lot != "")
        .group_by(table.gtin, table.lot)
        .order_by(depth, table.gtin, table.lot)
        .limit(limit)
    )
    return [AffectedLot(*row) for row in conn.execute(stmt)]


def nearest_of_lot(conn: Connection, recall_id: str, gtin: str, lot: str) -> Affected | None:
    """The thing of a batch that lies nearest to the scope."""
    table = recall_affected
    stmt = (
        select(table)
        .where(table.c.recall_id == recall_id, table.c.until_version.is_(None))
        .where(table.c.gtin == gtin, table.c.lot == lot)
        .order_by(table.c.depth, table.c.object_key)
        .limit(1)
    )
    row = conn.execute(stmt).one_or_none()
    return None if row is None else _affected(row)


def replace_affected(
    conn: Connection, dialect: Dialect, recall_id: str, gone: Sequence[bytes], fresh: Sequence[Affected], version: int
) -> None:
    """From `version` on the rows of `gone` hold no more and `fresh` does; a changed row is in both."""
    table = recall_affected
    for start in range(0, len(gone), dialect.max_values):
        conn.execute(
            update(table)
            .where(
                table.c.recall_id == recall_id,
                table.c.until_version.is_(None),
                dialect.in_values(table.c.object_key, gone[start : start + dialect.max_values]),
            )
            .values(until_version=version)
        )
    rows = [
        {name: getattr(row, name) for name in _FACTS}
        | {
            "recall_id": recall_id,
            "object_key": row.key,
            "since_version": version,
            "until_version": None,
            "status": row.status.value,
        }
        for row in fresh
    ]
    if rows:
        dialect.bulk_insert(conn, table, rows)


def touched(conn: Connection, dialect: Dialect, keys: Sequence[bytes]) -> frozenset[str]:
    """Recalls whose newest affected set holds one of these objects."""
    table = recall_affected
    rows = dialect.select_any(
        conn,
        lambda part: (
            select(table.c.recall_id)
            .distinct()
            .where(table.c.until_version.is_(None), dialect.in_values(table.c.object_key, part))
        ),
        keys,
    )
    return frozenset(row.recall_id for row in rows)


def peers(conn: Connection, dialect: Dialect, keys: Sequence[bytes]) -> list[bytes]:
    """Lots, containers and transformations that these objects were ever linked with."""
    rows = dialect.select_any(
        conn,
        lambda part: (
            select(link.c.peer_key)
            .distinct()
            .where(link.c.peer_key.is_not(None), dialect.in_values(link.c.object_key, part))
        ),
        keys,
    )
    return [row.peer_key for row in rows]


def sources(conn: Connection, dialect: Dialect, transformations: Sequence[bytes]) -> list[bytes]:
    """What was used up in these transformations, by any event that tells them."""
    rows = dialect.select_any(
        conn,
        lambda part: (
            select(link.c.object_key)
            .distinct()
            .where(dialect.in_values(link.c.peer_key, part), link.c.role == LinkRole.INPUT.value)
        ),
        transformations,
    )
    return [row.object_key for row in rows]


def printed(conn: Connection, gtin: str, lot: str) -> list[tuple[bytes, bytes | None, str]]:
    """Items with a printed code of this batch: object key, key of the tag, serial."""
    table = issued_code
    stmt = select(table.c.object_key, table.c.epc_key, table.c.serial).where(table.c.gtin == gtin, table.c.lot == lot)
    return [(row.object_key, row.epc_key, row.serial) for row in conn.execute(stmt)]


def seen_at(conn: Connection, site: str, since: datetime, until: datetime) -> list[bytes]:
    """Objects in events at this place, `since` ≤ event time < `until`; reads the events of that time."""
    during = (event.c.event_time >= since, event.c.event_time < until)
    named = conn.execute(select(event.c.read_point, event.c.biz_location).where(*during).distinct()).all()
    spelled = {uri for row in named for uri in row if uri and canonical_uri(uri) == site}
    if not spelled:
        return []
    here = or_(event.c.read_point.in_(sorted(spelled)), event.c.biz_location.in_(sorted(spelled)))
    stmt = (
        select(link.c.object_key)
        .distinct()
        .join_from(link, event, link.c.event_key == event.c.event_key)
        .where(*during, here)
    )
    return sorted(conn.execute(stmt).scalars())


def lots_of_product(conn: Connection, gtins: Iterable[str]) -> list[tuple[str, str]]:
    """(GTIN, lot) of every registered batch of these products."""
    stmt = select(batch.c.gtin, batch.c.lot).where(batch.c.gtin.in_(sorted(set(gtins)))).order_by(*batch.primary_key)
    return [(row.gtin, row.lot) for row in conn.execute(stmt)]


def notices(
    conn: Connection,
    *,
    recall_id: str | None = None,
    holder: str | None = None,
    after: tuple[str, str] | None = None,
    limit: int | None = None,
) -> list[HolderNotice]:
    """Notices of one recall, of one holder, or of both; `after`: recall and holder of the last one seen."""
    table = recall_notice
    stmt = select(table).order_by(table.c.recall_id, table.c.holder).limit(limit)
    if after is not None:
        same = (table.c.recall_id == after[0]) & (table.c.holder > after[1])
        stmt = stmt.where((table.c.recall_id > after[0]) | same)
    if recall_id is not None:
        stmt = stmt.where(table.c.recall_id == recall_id)
    if holder is not None:
        stmt = stmt.where(table.c.holder == holder)
    return [_notice(row) for row in conn.execute(stmt)]


def add_notices(conn: Connection, dialect: Dialect, rows: Sequence[HolderNotice]) -> int:
    """Notices to holders that had none; returns how many are new."""
    records = [
        {
            "recall_id": row.recall_id,
            "holder": row.holder,
            "things": row.things,
            "sent_at": row.sent_at,
            "answer": None,
            "answered_by": "",
            "answered_at": None,
        }
        for row in rows
    ]
    return dialect.insert_ignore(conn, recall_notice, records) if records else 0


def save_answer(conn: Connection, row: HolderNotice) -> None:
    table = recall_notice
    conn.execute(
        update(table)
        .where(table.c.recall_id == row.recall_id, table.c.holder == row.holder)
        .values(
            answer=None if row.answer is None else asdict(row.answer),
            answered_by=row.answered_by,
            answered_at=row.answered_at,
        )
    )


def _recall_values(row: Recall) -> dict[str, Any]:
    scope = row.scope
    return {name: getattr(row, name) for name in Recall.__slots__} | {
        "state": row.state.value,
        "notice": asdict(row.notice),
        "scope": {
            "batches": [list(one) for one in scope.batches],
            "items": list(scope.items),
            "site": scope.site,
            "since": scope.since.isoformat() if scope.since else None,
            "until": scope.until.isoformat() if scope.until else None,
        },
    }


def _recall(row: Row[Any]) -> Recall:
    values = dict(row._mapping)
    scope = values["scope"]
    since, until = (datetime.fromisoformat(scope[name]) if scope[name] else None for name in ("since", "until"))
    batches = tuple((gtin, lot) for gtin, lot in scope["batches"])
    values["scope"] = Scope(batches, tuple(scope["items"]), scope["site"], since, until)
    values["notice"] = Notice(**values["notice"])
    values["state"] = RecallState(values["state"])
    return Recall(**values)


def _affected(row: Row[Any]) -> Affected:
    values = {name: getattr(row, name) for name in _FACTS}
    return Affected(row.object_key, **(values | {"status": GoodsStatus(row.status)}))


def _notice(row: Row[Any]) -> HolderNotice:
    answer = None if row.answer is None else Answer(**row.answer)
    return HolderNotice(row.recall_id, row.holder, row.things, row.sent_at, answer, row.answered_by, row.answered_at)


def sums(conn: Connection, recall_id: str) -> dict[str, Counter[str]]:
    """Pieces of the newest affected set by holder and status, added up by the database."""
    table = recall_affected.c
    facts = (table.holder, table.status, table.counts, table.uom, table.quantity)
    newest = (table.recall_id == recall_id, table.until_version.is_(None))
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for holder, status, counts, uom, quantity, rows in conn.execute(
        select(*facts, func.count()).where(*newest).group_by(*facts)
    ):
        found[holder][status] += rows * rules.pieces_of(quantity, uom, counts=counts)
    return dict(found)


def responsible(conn: Connection, recall_id: str) -> str:
    """USCC of the producer of all the batches that the recall starts from; "" for none known, or several."""
    table = recall_affected.c
    stmt = (
        select(batch.c.producer_uscc)
        .distinct()
        .join_from(recall_affected, batch, (batch.c.gtin == table.gtin) & (batch.c.lot == table.lot))
        .where(table.recall_id == recall_id, table.until_version.is_(None), table.depth == 0)
        .limit(2)
    )
    found = conn.execute(stmt).scalars().all()
    return found[0] if len(found) == 1 else ""


def count_affected(conn: Connection, recall_id: str) -> int:
    """Rows of the newest affected set."""
    table = recall_affected
    stmt = select(func.count()).where(table.c.recall_id == recall_id, table.c.until_version.is_(None))
    return int(conn.execute(stmt).scalar_one())


def count_notices(conn: Connection, *, recall_id: str | None = None, holder: str | None = None) -> int:
    """How many `notices` gives in all."""
    table = recall_notice
    stmt = select(func.count()).select_from(table)
    if recall_id is not None:
        stmt = stmt.where(table.c.recall_id == recall_id)
    if holder is not None:
        stmt = stmt.where(table.c.holder == holder)
    return int(conn.execute(stmt).scalar_one())
