"""SQL of online sellers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import Row, func, insert, or_, select, tuple_, update

from trace_server.catalog.tables import batch
from trace_server.db import Connection, Dialect
from trace_server.shops.model import Listing, MarkState, Notice, NoticeState, Sale, Shop, Watched
from trace_server.shops.tables import shop_listing, shop_mark, shop_sale, shop_takedown

PAGE = 500
_LISTING_KEY = ["platform", "listing_no"]


def add_shop(conn: Connection, row: Shop) -> None:
    """A new mark."""
    conn.execute(insert(shop_mark).values(**asdict(row)))


def save_shop(conn: Connection, row: Shop) -> None:
    """A mark as it is now; the caller holds it locked."""
    conn.execute(update(shop_mark).where(shop_mark.c.mark == row.mark).values(**asdict(row)))


def shop(conn: Connection, mark: str, *, is_locked: bool = False) -> Shop | None:
    """One mark; `is_locked`: nobody else changes it until this transaction ends."""
    query = select(shop_mark).where(shop_mark.c.mark == mark)
    row = conn.execute(query.with_for_update() if is_locked else query).one_or_none()
    return _shop(row) if row else None


def shops(conn: Connection, *, uscc: str = "", after: str = "", limit: int = 50) -> list[Shop]:
    """Marks in their order; `uscc` "": of everybody."""
    query = select(shop_mark).where(shop_mark.c.mark > after).order_by(shop_mark.c.mark).limit(limit)
    return [_shop(row) for row in conn.execute(query.where(shop_mark.c.uscc == uscc) if uscc else query)]


def shops_of(conn: Connection, dialect: Dialect, marks: Collection[str]) -> dict[str, Shop]:
    """Mark → shop, for those that exist."""
    rows = dialect.select_any(
        conn, lambda part: select(shop_mark).where(dialect.in_values(shop_mark.c.mark, part)), sorted(marks)
    )
    return {row.mark: _shop(row) for row in rows}


def put_listings(conn: Connection, dialect: Dialect, rows: Sequence[Listing]) -> int:
    """Insert, or replace what is older; returns how many were taken."""
    keys = [(row.platform, row.listing_no) for row in rows]
    known: dict[tuple[str, str], datetime] = {}
    table = shop_listing.c
    for start in range(0, len(keys), PAGE):
        some = tuple_(table.platform, table.listing_no).in_(keys[start : start + PAGE])
        found = conn.execute(select(table.platform, table.listing_no, table.as_of).where(some))
        known |= {(row.platform, row.listing_no): row.as_of for row in found}
    fresh = [row for row in rows if (row.platform, row.listing_no) not in known
             or known[row.platform, row.listing_no] <= row.as_of]  # fmt: skip
    facts = [column.name for column in shop_listing.columns if column.name not in _LISTING_KEY]
    dialect.upsert(conn, shop_listing, [asdict(row) for row in fresh], key=_LISTING_KEY, update=facts)
    return len(fresh)


def end_listing(conn: Connection, platform: str, listing_no: str, ended_at: datetime) -> None:
    """The listing ended, unless it had ended before."""
    table = shop_listing
    conn.execute(
        update(table)
        .where(table.c.platform == platform, table.c.listing_no == listing_no, table.c.ended_at.is_(None))
        .values(ended_at=ended_at, as_of=ended_at)
    )


def add_sales(conn: Connection, dialect: Dialect, rows: Sequence[Sale]) -> None:
    """Sales that are known already stay as they are."""
    dialect.bulk_insert(conn, shop_sale, [asdict(row) for row in rows], ignore_conflicts=True)


def active_listings(conn: Connection) -> Iterator[Listing]:
    """Every listing that has not ended."""
    after: tuple[str, str] = ("", "")
    place = tuple_(shop_listing.c.platform, shop_listing.c.listing_no)
    while True:
        query = select(shop_listing).where(shop_listing.c.ended_at.is_(None), place > after)
        rows = conn.execute(query.order_by(*shop_listing.primary_key).limit(PAGE)).all()
        yield from (Listing(**row._mapping) for row in rows)
        if len(rows) < PAGE:
            return
        after = (rows[-1].platform, rows[-1].listing_no)


def listings_of(conn: Connection, mark: str, limit: int) -> list[Listing]:
    """Listings under a mark, newest first."""
    query = select(shop_listing).where(shop_listing.c.mark == mark).order_by(shop_listing.c.listed_at.desc())
    return [Listing(**row._mapping) for row in conn.execute(query.limit(limit))]


def unnoticed(conn: Connection, today: date, limit: int) -> list[tuple[Listing, str | None]]:
    """Active listings of batches that are recalled or past their last day, with the recall notice's number."""
    blocked = or_(batch.c.recall_level.is_not(None), batch.c.expiry_date < today)
    told = select(shop_takedown.c.notice_id).where(
        shop_takedown.c.platform == shop_listing.c.platform,
        shop_takedown.c.listing_no == shop_listing.c.listing_no,
        shop_takedown.c.state != NoticeState.LIFTED.value,
    )
    query = (
        select(shop_listing, batch.c.recall_notice_no.label("notice_no"))
        .join(batch, (batch.c.gtin == shop_listing.c.gtin) & (batch.c.lot == shop_listing.c.lot))
        .where(shop_listing.c.ended_at.is_(None), blocked, ~told.exists())
        .order_by(*shop_listing.primary_key)
        .limit(limit)
    )
    found = []
    for row in conn.execute(query):
        values = dict(row._mapping)
        notice_no = values.pop("notice_no")
        found.append((Listing(**values), notice_no))
    return found


def unblocked(conn: Connection, today: date, limit: int) -> list[Notice]:
    """Notices in force of batches that are not blocked any more."""
    blocked = or_(batch.c.recall_level.is_not(None), batch.c.expiry_date < today)
    is_blocked = select(batch.c.gtin).where(
        batch.c.gtin == shop_takedown.c.gtin, batch.c.lot == shop_takedown.c.lot, blocked
    )
    query = select(shop_takedown).where(shop_takedown.c.state != NoticeState.LIFTED.value, ~is_blocked.exists())
    return [_notice(row) for row in conn.execute(query.order_by(shop_takedown.c.notice_id).limit(limit))]


def put_notice(conn: Connection, dialect: Dialect, row: Notice) -> None:
    """A notice as it is now."""
    facts = [column.name for column in shop_takedown.columns if column.name != "notice_id"]
    dialect.upsert(conn, shop_takedown, [asdict(row)], key=["notice_id"], update=facts)


def notice(conn: Connection, notice_id: str) -> Notice | None:
    """One notice, locked."""
    row = conn.execute(select(shop_takedown).where(shop_takedown.c.notice_id == notice_id).with_for_update()).first()
    return _notice(row) if row else None


def notices(
    conn: Connection, platform: str, *, after: tuple[datetime, str] | None = None, limit: int = 50
) -> list[Notice]:
    """Notices in the order they were issued; `platform` "": to everybody."""
    table = shop_takedown.c
    query = select(shop_takedown).order_by(table.issued_at, table.notice_id).limit(limit)
    if platform:
        query = query.where(table.platform == platform)
    if after is not None:
        moment, notice_id = after
        same = (table.issued_at == moment) & (table.notice_id > notice_id)
        query = query.where((table.issued_at > moment) | same)
    return [_notice(row) for row in conn.execute(query)]


def watched(conn: Connection) -> list[Watched]:
    """Every notice with its listing and the sales after its deadline."""
    late = (
        select(func.count())
        .where(
            shop_sale.c.platform == shop_takedown.c.platform,
            shop_sale.c.listing_no == shop_takedown.c.listing_no,
            shop_sale.c.sold_at > shop_takedown.c.due_at,
        )
        .scalar_subquery()
    )
    query = select(
        shop_takedown, shop_listing.c.seller_uscc, shop_listing.c.mark, shop_listing.c.ended_at, late.label("late")
    ).join(
        shop_listing,
        (shop_listing.c.platform == shop_takedown.c.platform)
        & (shop_listing.c.listing_no == shop_takedown.c.listing_no),
    )
    names = [column.name for column in shop_takedown.columns]
    return [
        Watched(
            _notice(row, names), row.seller_uscc, row.mark, row.ended_at, int(row.late)
        )
        for row in conn.execute(query.order_by(shop_takedown.c.notice_id))
    ]  # fmt: skip


def _shop(row: Row[Any]) -> Shop:
    return Shop(**{**row._mapping, "state": MarkState(row.state)})


def _notice(row: Row[Any], names: Sequence[str] | None = None) -> Notice:
    values = {name: row._mapping[name] for name in names} if names else dict(row._mapping)
    return Notice(**{**values, "state": NoticeState(row.state)})
