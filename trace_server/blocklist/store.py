"""Every statement about the list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import delete, func, insert, or_, select

from trace_server.blocklist.model import BlockedBatch, BlockList
from trace_server.blocklist.tables import block_list, block_list_recalled
from trace_server.catalog.tables import batch, issued_code
from trace_server.db import Connection, Dialect
from trace_server.equipment import store as equipment

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


def drop_before(conn: Connection, issued_before: datetime, *, keep: int) -> None:
    """Delete versions issued earlier, but never version `keep`."""
    conn.execute(delete(block_list).where(block_list.c.issued_at < issued_before, block_list.c.version != keep))


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


def recalled(conn: Connection) -> dict[str, bool]:
    """URI → whether it is a class, of what recalls named beside whole batches."""
    table = block_list_recalled
    return {row.uri: row.is_class for row in conn.execute(select(table.c.uri, table.c.is_class))}


def set_recalled(conn: Connection, dialect: Dialect, cause: str, uris: Mapping[str, bool]) -> None:
    """Exactly these are recalled by `cause` from now on."""
    conn.execute(delete(block_list_recalled).where(block_list_recalled.c.cause == cause))
    rows = [{"cause": cause, "uri": uri, "is_class": is_class} for uri, is_class in sorted(uris.items())]
    if rows:
        dialect.bulk_insert(conn, block_list_recalled, rows)


def fingerprint(conn: Connection, today: date) -> tuple[object, ...]:
    """Differs when blocked batches, recalled things or equipment were added, taken away or changed; cheap."""
    blocked = or_(batch.c.recall_level.is_not(None), batch.c.expiry_date < today)
    batches = conn.execute(select(func.count(), func.sum(batch.c.revision)).where(blocked)).one()
    things = conn.execute(
        select(block_list_recalled.c.cause, func.count()).group_by(block_list_recalled.c.cause).order_by("cause")
    ).all()
    return (today, *batches, *equipment.fingerprint(conn), *(tuple(row) for row in things))
