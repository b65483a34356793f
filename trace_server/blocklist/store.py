"""Every statement about the list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import func, insert, or_, select

from trace_server.blocklist.model import BlockedBatch, BlockList
from trace_server.blocklist.tables import block_list
from trace_server.catalog.tables import batch, issued_code
from trace_server.db import Connection

_VERSION = select(func.coalesce(func.max(block_list.c.version), 0))
_NEWEST = select(block_list).order_by(block_list.c.version.desc()).limit(1)


def current_version(conn: Connection) -> int:
    """Version of the newest list, 0 before the first."""
    return int(conn.execute(_VERSION).scalar_one())


def newest(conn: Connection) -> tuple[BlockList, bytes] | None:
    """The newest list and its digest."""
    row = conn.execute(_NEWEST).first()
    return (BlockList(row.version, row.issued_at, tuple(row.entries)), bytes(row.digest)) if row else None


def publish(
    conn: Connection, *, version: int, issued_at: datetime, digest: bytes, entries: Sequence[Mapping[str, str]]
) -> None:
    conn.execute(insert(block_list).values(version=version, issued_at=issued_at, digest=digest, entries=list(entries)))


def blocked_batches(conn: Connection, today: date) -> list[BlockedBatch]:
    """Batches that are recalled, or whose last day was before `today`."""
    blocked = or_(batch.c.recall_level.is_not(None), batch.c.expiry_date < today)
    columns = (batch.c.gtin, batch.c.lot, batch.c.recall_level, batch.c.expiry_date)
    rows = conn.execute(select(*columns).where(blocked)).all()
    epcs: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    tagged = (
        select(issued_code.c.gtin, issued_code.c.lot, issued_code.c.epc)
        .join(batch, (batch.c.gtin == issued_code.c.gtin) & (batch.c.lot == issued_code.c.lot))
        .where(blocked, issued_code.c.epc != "")
    )
    for gtin, lot, epc in conn.execute(tagged):
        epcs[gtin, lot].append(epc)
    return [
        BlockedBatch(row.gtin, row.lot, row.recall_level is not None, row.expiry_date, tuple(epcs[row.gtin, row.lot]))
        for row in rows
    ]
