"""Subscriptions. They are few: the table stays on the coordinator."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text

from trace_server.db import Json, Key, UtcDateTime, metadata

subscription = Table(
    "subscription",
    metadata,
    Column("subscription_key", Key, primary_key=True),
    Column("query_name", String(128), nullable=False),
    Column("query_made_at", UtcDateTime, nullable=False),
    Column("owner", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("dest", Text, nullable=False),
    Column("sealed_token", Text, nullable=False),
    Column("is_stream", Boolean, nullable=False),
    Column("schedule", Json, nullable=False),
    Column("report_if_empty", Boolean, nullable=False),
    Column("epc_format", String(32), nullable=False),
    Column("initial_record_time", UtcDateTime),
    Column("parameters", Json, nullable=False),
    Column("context", Json, nullable=False),
    Column("state", String(16), nullable=False),
    Column("next_due", UtcDateTime, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("last_failure", Text, nullable=False),
    Column("last_notified_at", UtcDateTime),
    Column("last_run_at", UtcDateTime),
    Column("reported", Integer, nullable=False),
    Column("lease", Key),
    Column("lease_until", UtcDateTime),
    Column("follower", String(64), nullable=False, unique=True),
    Index("subscription_by_query", "query_name", "owner", "subscription_key"),
    Index("subscription_due", "state", "next_due"),
)
