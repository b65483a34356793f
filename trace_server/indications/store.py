"""SQL of the register."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, delete, select

from trace_server.catalog.tables import batch
from trace_server.db import Connection, Dialect
from trace_server.indications.model import AuthorisedUser, Indication, Register, Season
from trace_server.indications.tables import indication, indication_product, indication_user


def put_indications(conn: Connection, dialect: Dialect, rows: Sequence[Indication]) -> None:
    """Insert or replace; a product that another indication had is this one's from now on."""
    values = [_indication_row(row) for row in rows]
    facts = [column.name for column in indication.columns if column.name != "gi_id"]
    dialect.upsert(conn, indication, values, key=["gi_id"], update=facts)
    conn.execute(delete(indication_product).where(indication_product.c.gi_id.in_([row.gi_id for row in rows])))
    products = [{"gtin": gtin, "gi_id": row.gi_id} for row in rows for gtin in row.gtins]
    if products:
        dialect.upsert(conn, indication_product, products, key=["gtin"], update=["gi_id"])


def put_users(conn: Connection, dialect: Dialect, rows: Sequence[AuthorisedUser]) -> None:
    """Insert or replace."""
    key = ["gi_id", "uscc", "valid_from"]
    facts = [column.name for column in indication_user.columns if column.name not in key]
    values = [
        {name: getattr(row, name) for name in (*key, *facts)} | {"quotas": _years_out(row.quotas)} for row in rows
    ]
    dialect.upsert(conn, indication_user, values, key=key, update=facts)


def has_any(conn: Connection) -> bool:
    """Whether any indication is registered."""
    return conn.execute(select(indication.c.gi_id).limit(1)).first() is not None


def register(conn: Connection) -> Register:
    """All of it: three small tables."""
    gtins: dict[str, list[str]] = {}
    for row in conn.execute(select(indication_product).order_by(indication_product.c.gtin)):
        gtins.setdefault(row.gi_id, []).append(row.gtin)
    indications = conn.execute(select(indication).order_by(indication.c.gi_id)).all()
    users = conn.execute(select(indication_user).order_by(*indication_user.primary_key)).all()
    return Register(
        tuple(_indication(row, gtins.get(row.gi_id, [])) for row in indications),
        tuple(_user(row) for row in users),
    )


def known_ids(conn: Connection) -> frozenset[str]:
    """Ids of all indications."""
    return frozenset(conn.execute(select(indication.c.gi_id)).scalars())


def lots_made(conn: Connection, gtins: Sequence[str], first: date, last: date) -> list[tuple[str, str, str]]:
    """(GTIN, lot, producer's USCC) of the products' batches made from `first` to `last`."""
    rows = conn.execute(
        select(batch.c.gtin, batch.c.lot, batch.c.producer_uscc)
        .where(batch.c.gtin.in_(gtins), batch.c.production_date >= first, batch.c.production_date <= last)
        .order_by(batch.c.gtin, batch.c.lot)
    )
    return [(row.gtin, row.lot, row.producer_uscc) for row in rows]


def _indication_row(row: Indication) -> dict[str, Any]:
    return {
        "gi_id": row.gi_id,
        "name": row.name,
        "name_en": row.name_en,
        "area": [[list(corner) for corner in ring] for ring in row.area],
        "counties": list(row.counties),
        "seasons": [[one.year, one.opens.isoformat(), one.closes.isoformat()] for one in row.seasons],
        "ceilings": _years_out(row.ceilings),
        "source": row.source,
        "as_of": row.as_of,
    }


def _indication(row: Row[Any], gtins: Sequence[str]) -> Indication:
    return Indication(
        gi_id=row.gi_id,
        name=row.name,
        name_en=row.name_en,
        area=tuple(tuple((float(x), float(y)) for x, y in ring) for ring in row.area),
        counties=tuple(row.counties),
        seasons=tuple(Season(year, date.fromisoformat(a), date.fromisoformat(b)) for year, a, b in row.seasons),
        ceilings=_years_in(row.ceilings),
        gtins=tuple(gtins),
        source=row.source,
        as_of=row.as_of,
    )


def _user(row: Row[Any]) -> AuthorisedUser:
    return AuthorisedUser(**{**row._mapping, "quotas": _years_in(row.quotas)})


def _years_out(years: Any) -> dict[str, int]:  # noqa: ANN401 – any mapping of years
    return {str(year): marks for year, marks in sorted(years.items())}


def _years_in(years: dict[str, int]) -> dict[int, int]:
    return {int(year): int(marks) for year, marks in years.items()}
