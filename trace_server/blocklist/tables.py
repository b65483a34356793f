"""Published versions of the list; small reference tables. Single assets are `trace_server.equipment`'s."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Integer, LargeBinary, String, Table

from trace_server.db import Json, UtcDateTime, metadata

block_list = Table(
    "block_list",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("entries", Json, nullable=False),
)

block_list_recalled = Table(
    "block_list_recalled",
    metadata,
    Column("cause", String(32), primary_key=True),
    Column("uri", String(512), primary_key=True),
    Column("is_class", Boolean, nullable=False),
)
