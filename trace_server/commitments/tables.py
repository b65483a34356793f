"""Tables of commitments; small, kept in one place."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKeyConstraint, Index, Integer, String, Table, Text

from trace_server.db import Json, UtcDateTime, metadata

commitment = Table(
    "commitment",
    metadata,
    Column("code", String(20), primary_key=True),
    # "" for a natural person, whose number is in the sealed table.
    Column("uscc", String(18), nullable=False),
    Column("state", String(16), nullable=False),
    Column("type", String(32), nullable=False),
    Column("publicity", String(16), nullable=False),
    Column("promise", Json, nullable=False),
    Column("finding", Json, nullable=False),
    Column("record_id", String(36), nullable=False),
    Column("remedied_on", Date),
    Column("signed_by", String(128), nullable=False),
    Column("signed_at", UtcDateTime, nullable=False),
    Column("determined_by", String(128), nullable=False),
    Column("reason", Text, nullable=False),
    Column("document_no", String(128), nullable=False),
    Column("objection", String(32), nullable=False),
    Column("version", Integer, nullable=False),
    Index("commitment_by_uscc", "uscc", "signed_at"),
    Index("commitment_by_signature", "signed_at", "code"),
)

commitment_sealed = Table(
    "commitment_sealed",
    metadata,
    Column("code", String(20), primary_key=True),
    Column("identity", Json, nullable=False),
    ForeignKeyConstraint(["code"], ["commitment.code"]),
)

commitment_serial = Table(
    "commitment_serial",
    metadata,
    Column("region", String(6), primary_key=True),
    Column("day", Date, primary_key=True),
    # Whoever takes the next one holds this row until the commit.
    Column("serial", Integer, nullable=False),
)
