"""Tables of the register; small, kept in one place."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, String, Table

from trace_server.db import Json, metadata

indication = Table(
    "indication",
    metadata,
    Column("gi_id", String(32), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
    Column("area", Json, nullable=False),
    Column("counties", Json, nullable=False),
    Column("seasons", Json, nullable=False),
    Column("ceilings", Json, nullable=False),
    Column("source", String(200), nullable=False),
    Column("as_of", Date, nullable=False),
)

indication_product = Table(
    "indication_product",
    metadata,
    Column("gtin", String(14), primary_key=True),
    Column("gi_id", String(32), nullable=False),
    Index("indication_product_by_indication", "gi_id"),
)

indication_user = Table(
    "indication_user",
    metadata,
    Column("gi_id", String(32), primary_key=True),
    Column("uscc", String(18), primary_key=True),
    Column("valid_from", Date, primary_key=True),
    Column("valid_to", Date),
    Column("quotas", Json, nullable=False),
    Column("source", String(200), nullable=False),
    Column("as_of", Date, nullable=False),
    Index("indication_user_by_uscc", "uscc"),
)
