"""Releases: who let a batch leave the factory, and when."""

from __future__ import annotations

from sqlalchemy import Column, String, Table

from trace_server.db import UtcDateTime, metadata

batch_release = Table(
    "batch_release",
    metadata,
    Column("gtin", String(14), primary_key=True),
    Column("lot", String(20), primary_key=True),
    Column("released_by", String(128), nullable=False),
    Column("released_at", UtcDateTime, nullable=False),
)
