"""Tables of the policy lab; a few rows a year."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKeyConstraint, Integer, String, Table, Text

from trace_server.db import Json, UtcDateTime, metadata

policy_version = Table(
    "policy_version",
    metadata,
    Column("policy_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("text", Text, nullable=False),
    Column("rollback_of", Integer, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("run", Integer, nullable=False),
    Column("review", Json, nullable=False),
    Column("approvals", Json, nullable=False),
    Column("effective_from", Date),
    Column("reason", Text, nullable=False),
    Column("version", Integer, nullable=False),
)

policy_simulation = Table(
    "policy_simulation",
    metadata,
    Column("policy_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("run", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("made_by", String(128), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("outcome", Json, nullable=False),
    ForeignKeyConstraint(["policy_id", "number"], ["policy_version.policy_id", "policy_version.number"]),
)

policy_comparison = Table(
    "policy_comparison",
    metadata,
    Column("policy_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("after_days", Integer, primary_key=True),
    Column("due_on", Date, nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("outcome", Json, nullable=False),
    ForeignKeyConstraint(["policy_id", "number"], ["policy_version.policy_id", "policy_version.number"]),
)
