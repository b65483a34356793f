"""Published versions of the list; a small reference table."""

from __future__ import annotations

from sqlalchemy import Column, Integer, LargeBinary, Table

from trace_server.db import Json, UtcDateTime, metadata

block_list = Table(
    "block_list",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("entries", Json, nullable=False),
)
