"""Tables of the resolver: links lie with the object they start from; hosts are a small reference table."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, String, Table

from trace_server.db import Key, UtcDateTime, metadata

resolver_host = Table(
    "resolver_host",
    metadata,
    Column("host", String(253), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("proposed_by", String(128), nullable=False),
    Column("decided_by", String(128), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

resolver_link = Table(
    "resolver_link",
    metadata,
    Column("object_key", Key, primary_key=True),
    Column("link_id", String(32), primary_key=True),
    Column("anchor", String(512), nullable=False),
    Column("link_type", String(64), nullable=False),
    Column("href", String(2048), nullable=False),
    Column("title", String(200), nullable=False),
    Column("language", String(8), nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("is_default", Boolean, nullable=False),
    Column("forward_query", Boolean, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)
