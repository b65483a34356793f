"""Reports and complaints. No table here has a reporter, an address, a browser, or a time finer than the hour."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text

from trace_server.db import Json, UtcDateTime, metadata

complaint_draft = Table(
    "complaint_draft",
    metadata,
    Column("draft_key", LargeBinary(32), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Index("complaint_draft_by_end", "until"),
)

complaint = Table(
    "complaint",
    metadata,
    Column("complaint_id", String(32), primary_key=True),
    Column("token_hash", LargeBinary(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("code", String(128), nullable=False),
    Column("code_known", Boolean, nullable=False),
    Column("category", String(32), nullable=False),
    Column("subject", String(18), nullable=False),
    Column("region", String(6), nullable=False),
    Column("place", Text, nullable=False),
    Column("what", Text, nullable=False),
    Column("has_photo", Boolean, nullable=False),
    Column("department", String(200), nullable=False),
    Column("received_hour", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("due_confirmed", Boolean, nullable=False),
    Column("is_extended", Boolean, nullable=False),
    Column("sealed_id", String(32), nullable=False),
    Column("case_id", String(32), nullable=False),
    Column("version", Integer, nullable=False),
    Index("complaint_by_token", "token_hash"),
    Index("complaint_by_receipt", "received_hour", "complaint_id"),
)

complaint_entry = Table(
    "complaint_entry",
    metadata,
    Column("complaint_id", String(32), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("hour", UtcDateTime, nullable=False),
    Column("author", String(128), nullable=False),
    Column("event", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("is_public", Boolean, nullable=False),
)

complaint_photo = Table(
    "complaint_photo",
    metadata,
    Column("complaint_id", String(32), primary_key=True),
    Column("jpeg", LargeBinary, nullable=False),
)

complaint_reward = Table(
    "complaint_reward",
    metadata,
    Column("complaint_id", String(32), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("deed", Json, nullable=False),
    Column("amount_yuan", BigInteger, nullable=False),
    Column("needs_finance", Boolean, nullable=False),
    Column("steps", Json, nullable=False),
    Column("legal_basis", Text, nullable=False),
    Column("assessed_by", String(128), nullable=False),
    Column("assessed_at", UtcDateTime, nullable=False),
    Column("decided_by", String(128), nullable=False),
    Column("decided_at", UtcDateTime),
    Column("decision", Text, nullable=False),
    Column("finance_no", String(128), nullable=False),
    Column("claim_until", UtcDateTime),
    Index("complaint_reward_by_end", "state", "claim_until"),
)
