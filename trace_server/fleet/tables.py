"""The newest heartbeat of each gateway, and every settings document that was issued."""

from __future__ import annotations

from sqlalchemy import Column, Float, Integer, String, Table

from trace_server.db import Json, UtcDateTime, metadata

gateway_heartbeat = Table(
    "gateway_heartbeat",
    metadata,
    Column("gateway_id", String(63), primary_key=True),
    Column("received_at", UtcDateTime, nullable=False),
    Column("boot_id", String(64), nullable=False),
    Column("monotonic", Float, nullable=False),
    Column("report", Json, nullable=False),
)

gateway_settings = Table(
    "gateway_settings",
    metadata,
    Column("gateway_id", String(63), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("issued_by", String(128), nullable=False),
    Column("settings", Json, nullable=False),
    Column("result", String(16), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("result_at", UtcDateTime),
)
