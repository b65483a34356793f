"""Look-ups of the search by any code. Functions take a connection."""

from __future__ import annotations

from sqlalchemy import select

from trace_server.catalog.tables import batch, licence, product, subject
from trace_server.credit.tables import credit_change
from trace_server.db import Connection


def subjects_named(conn: Connection, part: str, limit: int) -> list[tuple[str, str]]:
    """(USCC, name) of registered subjects whose Chinese or English name holds `part`, by code."""
    matches = subject.c.name.contains(part, autoescape=True) | subject.c.name_en.icontains(part, autoescape=True)
    query = select(subject.c.uscc, subject.c.name).where(matches).order_by(subject.c.uscc).limit(limit)
    return [(code, name) for code, name in conn.execute(query)]


def licence_holders(conn: Connection, number: str, limit: int) -> list[tuple[str, str]]:
    """(USCC, title) of licences with this number."""
    query = select(licence.c.uscc, licence.c.title).where(licence.c.number == number).order_by(licence.c.uscc)
    return [(code, title) for code, title in conn.execute(query.limit(limit))]


def batches(conn: Connection, *, gtin: str = "", lot: str = "", limit: int) -> list[tuple[str, str, str]]:
    """(GTIN, lot, product name) of registered batches, the newest first; one of `gtin` and `lot` is given."""
    query = select(batch.c.gtin, batch.c.lot, product.c.name).join_from(batch, product)
    if gtin:
        query = query.where(batch.c.gtin == gtin)
    if lot:
        query = query.where(batch.c.lot == lot)
    query = query.order_by(batch.c.production_date.desc(), batch.c.gtin, batch.c.lot).limit(limit)
    return [(found_gtin, found_lot, name) for found_gtin, found_lot, name in conn.execute(query)]


def deciding_authorities(conn: Connection) -> list[str]:
    """Codes of the authorities whose penalties are recorded here; with a decision's number each makes a record id."""
    query = select(credit_change.c.department).where(credit_change.c.kind == "penalty").distinct()
    return sorted(conn.execute(query).scalars())
