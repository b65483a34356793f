"""Named queries. They are few: the table stays on the coordinator."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from trace_server.db import Json, UtcDateTime, metadata

named_query = Table(
    "named_query",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("parameters", Json, nullable=False),
    Column("context", Json, nullable=False),
)
