"""Sealed values and the requests to open them. Nothing here can be read without the key."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, String, Table, Text

from trace_server.db import UtcDateTime, metadata

sealed_value = Table(
    "sealed_value",
    metadata,
    Column("sealed_id", String(32), primary_key=True),
    Column("purpose", String(32), nullable=False),
    Column("key_id", String(1), nullable=False),
    # NULL once erased: the row stays, so that what points here finds out.
    Column("sealed", LargeBinary),
    Column("sealed_hour", UtcDateTime, nullable=False),
    Index("sealed_value_by_key", "key_id", "sealed_id"),
)

sealed_opening = Table(
    "sealed_opening",
    metadata,
    Column("opening_id", String(32), primary_key=True),
    Column("sealed_id", String(32), nullable=False),
    Column("purpose", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("requested_by", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("decided_by", String(128), nullable=False),
    Column("decision", Text, nullable=False),
    Column("decided_at", UtcDateTime),
    Column("until", UtcDateTime),
    Column("views", Integer, nullable=False),
    Index("sealed_opening_by_value", "sealed_id", "requested_at"),
)
