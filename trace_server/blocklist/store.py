"""Every statement about the list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import delete, func, insert, or_, select

from trace_server.blocklist.model import Asset, BlockedBatch, BlockList
from trace_server.blocklist.tables import block_list, block_list_asset, block_list_recalled
from trace_server.catalog.tables import batch, issued_code
from trace_server.db import Connection, Dialect

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


def put_assets(dialect: Dialect, conn: Connection, assets: Sequence[Asset]) -> None:
    """Insert or replace the rows of these assets; URIs must differ."""
    facts = [column.name for column in block_list_asset.columns if column.name != "uri"]
    rows = [{name: getattr(asset, name) for name in ("uri", *facts)} for asset in assets]
    dialect.upsert(conn, block_list_asset, rows, key=["uri"], update=facts)


def assets(conn: Connection) -> list[Asset]:
    """All assets by URI."""
    rows = conn.execute(select(block_list_asset).order_by(block_list_asset.c.uri)).all()
    return [Asset(**row._mapping) for row in rows]


def has_assets(conn: Connection) -> bool:
    return conn.execute(select(block_list_asset.c.uri).limit(1)).first() is not None


def assets_of(conn: Connection, dialect: Dialect, uris: Collection[str]) -> dict[str, Asset]:
    """URI → asset, for those that are known."""
    table = block_list_asset
    rows = dialect.select_any(
        conn, lambda part: select(table).where(dialect.in_values(table.c.uri, part)), sorted(uris)
    )
    return {row.uri: Asset(**row._mapping) for row in rows}


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
    """Differs when blocked batches, recalled things or assets were added, taken away or changed; cheap."""
    blocked = or_(batch.c.recall_level.is_not(None), batch.c.expiry_date < today)
    batches = conn.execute(select(func.count(), func.sum(batch.c.revision)).where(blocked)).one()
    things = conn.execute(
        select(block_list_recalled.c.cause, func.count()).group_by(block_list_recalled.c.cause).order_by("cause")
    ).all()
    held = conn.execute(select(func.count(), func.max(block_list_asset.c.as_of)).select_from(block_list_asset)).one()
    return (today, *batches, *held, *(tuple(row) for row in things))
