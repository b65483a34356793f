"""Alerts and the events that show them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text
from sqlalchemy import text as sql

from trace_server.db import Json, Key, UtcDateTime, metadata

alert = Table(
    "alert",
    metadata,
    Column("alert_key", Key, primary_key=True),
    Column("rule_id", String(16), nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("subject_kind", String(16), nullable=False),
    Column("subject", Text, nullable=False),
    Column("group_key", Text, nullable=False),
    Column("provisional_until", UtcDateTime),
    Column("state", String(16), nullable=False),
    Column("evidence_count", Integer, nullable=False),
    Column("first_seen", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("cleared_why", Text, nullable=False),
    Column("computed", Json, nullable=False),
    # GB/T 2260 code of who answers for what was seen, "" when nobody knows.
    Column("region", String(6), nullable=False, server_default=""),
    Index("alert_by_opening", "opened_at", "alert_key"),
)
_WAITS = sql("state = 'waiting'")
Index("alert_waiting", alert.c.provisional_until, postgresql_where=_WAITS, sqlite_where=_WAITS)

alert_evidence = Table(
    "alert_evidence",
    metadata,
    Column("alert_key", Key, ForeignKey("alert.alert_key"), primary_key=True),
    Column("event_key", Key, primary_key=True),
    Column("event_time", UtcDateTime, nullable=False),
    Column("value", Text, nullable=False),
)

licence_judged = Table(
    "licence_judged",
    metadata,
    # At which revision of a subject the goods it made were last judged by its licences.
    Column("uscc", String(18), primary_key=True),
    Column("revision", Integer, nullable=False),
)
