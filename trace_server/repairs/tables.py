"""Table of applications for repair."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from trace_server.db import Json, UtcDateTime, metadata

repair_application = Table(
    "repair_application",
    metadata,
    Column("application_id", String(32), primary_key=True),
    Column("record_id", String(36), nullable=False),
    Column("uscc", String(18), nullable=False),
    Column("state", String(16), nullable=False),
    Column("correction", Text, nullable=False),
    Column("promise", Text, nullable=False),
    Column("papers", Json, nullable=False),
    Column("submitted_by", String(128), nullable=False),
    Column("submitted_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("accepted_by", String(128), nullable=False),
    Column("decided_by", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("document_no", String(128), nullable=False),
    Column("version", Integer, nullable=False),
    Index("repair_application_by_record", "record_id"),
    Index("repair_application_by_submission", "submitted_at", "application_id"),
)
