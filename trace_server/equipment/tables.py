"""The register: one row a thing, one row an inspection. A city has some hundred thousand; reference tables."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Float, Index, Integer, String, Table

from trace_server.db import UtcDateTime, metadata

equipment = Table(
    "equipment",
    metadata,
    Column("uri", String(256), primary_key=True),
    Column("tid", String(64), nullable=False),
    Column("medium", String(32), nullable=False),
    Column("owner", String(18), nullable=False),
    Column("inspection_due", Date),
    Column("scrap_on", Date),
    Column("source", String(200), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("device_code", String(18), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("registration_no", String(64), nullable=False),
    Column("registered_on", Date),
    Column("maintainer", String(18), nullable=False),
    Column("fill_limit_kg", Float),
    Column("made_on", Date),
    Column("in_use_on", Date),
    Column("state", String(16), nullable=False),
    Column("revision", Integer, nullable=False),
    Index("equipment_by_device_code", "device_code"),
    Index("equipment_by_owner", "owner", "uri"),
)

equipment_inspection = Table(
    "equipment_inspection",
    metadata,
    Column("uri", String(256), primary_key=True),
    Column("inspected_on", Date, primary_key=True),
    Column("certificate_no", String(64), nullable=False),
    Column("body", String(200), nullable=False),
    Column("passed", Boolean, nullable=False),
    Column("next_due", Date),
    Column("due_before", Date),
    Column("recorded_by", String(128), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)
