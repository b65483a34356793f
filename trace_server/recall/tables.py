"""Recalls, the versions of their affected sets, and notices. On the coordinator: few, and locked in one place."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, SmallInteger, String, Table, Text
from sqlalchemy import text as sql

from trace_server.db import Json, Key, UtcDateTime, metadata

recall = Table(
    "recall",
    metadata,
    Column("recall_id", String(32), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("category", String(32), nullable=False),
    Column("level", SmallInteger, nullable=False),
    Column("scope", Json, nullable=False),
    Column("notice", Json, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("announced_by", String(128), nullable=False),
    Column("announced_at", UtcDateTime),
    Column("notified_at", UtcDateTime),
    Column("reconciled_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    Index("recall_by_announced", "announced_at", "recall_id"),
)

recall_affected = Table(
    "recall_affected",
    metadata,
    Column("recall_id", String(32), primary_key=True),
    Column("object_key", Key, primary_key=True),
    Column("since_version", Integer, primary_key=True),
    # NULL while the row is what the newest version says.
    Column("until_version", Integer),
    Column("uri", Text, nullable=False),
    Column("relation", String(16), nullable=False),
    Column("depth", Integer, nullable=False),
    Column("via", Text, nullable=False),
    Column("event_key", String(32), nullable=False),
    Column("gtin", String(14), nullable=False),
    Column("lot", Text, nullable=False),
    Column("counts", Boolean, nullable=False),
    Column("quantity", String(32), nullable=False),
    Column("uom", String(8), nullable=False),
    Column("status", String(16), nullable=False),
    Column("place", Text, nullable=False),
    Column("holder", Text, nullable=False),
    Index("recall_affected_by_object", "object_key"),
)
_NEWEST = sql("until_version IS NULL")
Index(
    "recall_affected_newest",
    recall_affected.c.recall_id,
    recall_affected.c.depth,
    recall_affected.c.object_key,
    postgresql_where=_NEWEST,
    sqlite_where=_NEWEST,
)

recall_notice = Table(
    "recall_notice",
    metadata,
    Column("recall_id", String(32), primary_key=True),
    Column("holder", String(256), primary_key=True),
    Column("things", Integer, nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
    Column("answer", Json),
    Column("answered_by", String(128), nullable=False),
    Column("answered_at", UtcDateTime),
    Index("recall_notice_by_holder", "holder"),
)
