"""SQL of the desk. Each statement names the company, so that nothing of another can come back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true, tuple_

from trace_server.catalog import store as catalog
from trace_server.catalog.model import Batch, IssuedCode, Product
from trace_server.catalog.tables import batch, issued_code, product
from trace_server.db import Connection, Dialect
from trace_server.desk.model import Filter, OwnBatch, Release, Run
from trace_server.desk.tables import batch_release

Place = tuple[date, str, str]
"""Where a page of batches ended: production day, GTIN, lot."""


def products_of(conn: Connection, uscc: str) -> list[Product]:
    """All products of a company, by name."""
    columns = [product.c[name] for name in catalog.PRODUCT_COLUMNS]
    stmt = select(*columns).where(product.c.producer_uscc == uscc).order_by(product.c.name, product.c.gtin)
    return [Product(**row._mapping) for row in conn.execute(stmt)]


def product_of(conn: Connection, uscc: str, gtin: str) -> Product | None:
    """A product, when it is the company's."""
    found = catalog.product(conn, gtin)
    return found if found is not None and found.producer_uscc == uscc else None


def batch_of(conn: Connection, uscc: str, gtin: str, lot: str) -> Batch | None:
    """A batch, when it is the company's."""
    found = catalog.batch(conn, gtin, lot)
    return found if found is not None and found.producer_uscc == uscc else None


def batches_of(
    conn: Connection, uscc: str, wanted: Filter, today: date, *, after: Place | None, limit: int
) -> list[OwnBatch]:
    """The company's batches, newest production first."""
    day, gtin, lot = batch.c.production_date, batch.c.gtin, batch.c.lot
    stmt = select(gtin, lot, product.c.name, product.c.name_en).join(product, product.c.gtin == gtin)
    stmt = stmt.where(batch.c.producer_uscc == uscc, _condition(wanted, today))
    if after is not None:
        later = or_(day < after[0], and_(day == after[0], tuple_(gtin, lot) > tuple_(after[1], after[2])))
        stmt = stmt.where(later)
    rows = conn.execute(stmt.order_by(day.desc(), gtin, lot).limit(limit)).all()
    keys = [(row.gtin, row.lot) for row in rows]
    known, counts = catalog.batches(conn, keys), _code_counts(conn, keys)
    return [
        OwnBatch(known[key], row.name, row.name_en, counts.get(key, 0)) for key, row in zip(keys, rows, strict=True)
    ]


def count_batches(conn: Connection, uscc: str, today: date) -> dict[Filter, int]:
    """How many of the company's batches each filter holds."""
    sums = [func.coalesce(func.sum(case((_condition(one, today), 1), else_=0)), 0).label(one.value) for one in Filter]
    row = conn.execute(select(*sums).where(batch.c.producer_uscc == uscc)).one()
    return {one: int(row._mapping[one.value]) for one in Filter}


def runs_of(conn: Connection, gtin: str, lot: str) -> list[Run]:
    """Codes of a batch by the moment of their issue, newest first. The caller knows that the batch is its own."""
    table = issued_code
    stmt = select(
        table.c.issued_at, func.count().label("codes"), func.min(table.c.serial).label("first"),
        func.max(table.c.serial).label("last"),
    ).where(table.c.gtin == gtin, table.c.lot == lot)  # fmt: skip
    rows = conn.execute(stmt.group_by(table.c.issued_at).order_by(table.c.issued_at.desc()))
    return [Run(row.issued_at, row.codes, row.first, row.last) for row in rows]


def codes_of_run(conn: Connection, gtin: str, lot: str, issued_at: datetime) -> list[IssuedCode]:
    """The codes of one run, by serial."""
    table = issued_code
    stmt = select(table).where(table.c.gtin == gtin, table.c.lot == lot, table.c.issued_at == issued_at)
    rows = conn.execute(stmt.order_by(table.c.serial))
    return [IssuedCode(row.gtin, row.lot, row.serial, row.epc, row.key_id, row.issued_at) for row in rows]


def release_of(conn: Connection, gtin: str, lot: str) -> Release | None:
    """The release of a batch. The caller knows that the batch is its own."""
    table = batch_release
    row = conn.execute(select(table).where(table.c.gtin == gtin, table.c.lot == lot)).first()
    return None if row is None else Release(row.released_by, row.released_at)


def add_release(conn: Connection, dialect: Dialect, gtin: str, lot: str, release: Release) -> bool:
    """Write it down; False when the batch was released before."""
    row = {"gtin": gtin, "lot": lot, "released_by": release.released_by, "released_at": release.released_at}
    return dialect.insert_ignore(conn, batch_release, [row]) == 1


def taken(conn: Connection, dialect: Dialect, keys: Sequence[bytes]) -> frozenset[bytes]:
    """Which of these items have a code already."""
    column = issued_code.c.object_key
    rows = dialect.select_any(conn, lambda part: select(column).where(dialect.in_values(column, part)), keys)
    return frozenset(row.object_key for row in rows)


def _condition(wanted: Filter, today: date) -> ColumnElement[bool]:
    over = and_(batch.c.expiry_date.is_not(None), batch.c.expiry_date < today)
    match wanted:
        case Filter.UNINSPECTED:
            return and_(batch.c.inspection_report_no.is_(None), ~over)
        case Filter.FAILED:
            return batch.c.inspection_passed.is_(False)
        case Filter.RECALLED:
            return batch.c.recall_level.is_not(None)
        case Filter.EXPIRED:
            return over
        case Filter.ALL:
            return true()


def _code_counts(conn: Connection, keys: Collection[tuple[str, str]]) -> dict[tuple[str, str], int]:
    wanted, table = sorted(keys), issued_code
    found: dict[tuple[str, str], int] = {}
    for start in range(0, len(wanted), catalog.CHUNK):
        some = tuple_(table.c.gtin, table.c.lot).in_(wanted[start : start + catalog.CHUNK])
        stmt = select(table.c.gtin, table.c.lot, func.count().label("codes")).where(some)
        rows = conn.execute(stmt.group_by(table.c.gtin, table.c.lot))
        found |= {(row.gtin, row.lot): row.codes for row in rows}
    return found
