"""Announced years; a small reference table. What it holds of a year counts before what the program brings."""

from __future__ import annotations

from sqlalchemy import Column, Integer, String, Table

from trace_server.db import Json, UtcDateTime, metadata

workday_year = Table(
    "workday_year",
    metadata,
    Column("year", Integer, primary_key=True, autoincrement=False),
    Column("holidays", Json, nullable=False),
    Column("make_up", Json, nullable=False),
    Column("source", String(200), nullable=False),
    Column("imported_at", UtcDateTime, nullable=False),
)
