"""Published versions of the list, and what is known of single assets; small reference tables."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Integer, LargeBinary, String, Table

from trace_server.db import Json, UtcDateTime, metadata

block_list = Table(
    "block_list",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("entries", Json, nullable=False),
)

block_list_asset = Table(
    "block_list_asset",
    metadata,
    Column("uri", String(256), primary_key=True),
    Column("tid", String(64), nullable=False),
    Column("medium", String(32), nullable=False),
    Column("owner", String(18), nullable=False),
    Column("inspection_due", Date),
    Column("scrap_on", Date),
    Column("source", String(200), nullable=False),
    Column("as_of", Date, nullable=False),
)

block_list_recalled = Table(
    "block_list_recalled",
    metadata,
    Column("cause", String(32), primary_key=True),
    Column("uri", String(512), primary_key=True),
    Column("is_class", Boolean, nullable=False),
)
