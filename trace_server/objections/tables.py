"""Table of objections."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from trace_server.db import Json, UtcDateTime, metadata

objection = Table(
    "objection",
    metadata,
    Column("objection_id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("target", String(36), nullable=False),
    # "" when it is about a natural person.
    Column("uscc", String(18), nullable=False),
    Column("state", String(16), nullable=False),
    Column("claim", Text, nullable=False),
    Column("papers", Json, nullable=False),
    Column("representative", String(200), nullable=False),
    Column("raised_by", String(128), nullable=False),
    Column("raised_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("remedy", String(16), nullable=False),
    # Official code → corrected text; never an identity document.
    Column("changes", Json, nullable=False),
    Column("proposed_by", String(128), nullable=False),
    Column("decided_by", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("document_no", String(128), nullable=False),
    Column("version", Integer, nullable=False),
    Index("objection_by_uscc", "uscc", "raised_at"),
    Index("objection_by_raising", "raised_at", "objection_id"),
)
