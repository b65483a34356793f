"""Tables of the exchange. Small next to events: they stay on the coordinator."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Index, Integer, String, Table, Text

from trace_server.db import Json, Key, UtcDateTime, metadata

exchange_hook = Table(
    "exchange_hook",
    metadata,
    Column("hook_key", Key, primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("dest", Text, nullable=False),
    Column("suite", String(16), nullable=False),
    Column("sealed_token", Text, nullable=False),
    Column("old_sealed_token", Text, nullable=False),
    Column("old_until", UtcDateTime),
    Column("ops", Json, nullable=False),
    Column("kinds", Json, nullable=False),
    Column("region", String(6), nullable=False),
    Column("category", String(32), nullable=False),
    Column("department", String(18), nullable=False),
    Column("state", String(16), nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("last_failure", Text, nullable=False),
    Column("last_delivered_at", UtcDateTime),
    Column("next_due", UtcDateTime, nullable=False),
    Column("lease", Key),
    Column("lease_until", UtcDateTime),
    Index("exchange_hook_by_owner", "owner", "hook_key"),
    Index("exchange_hook_due", "state", "next_due"),
)

exchange_delivery = Table(
    "exchange_delivery",
    metadata,
    Column("hook_key", Key, primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("record_id", Key, nullable=False),
    Column("version", Integer, nullable=False),
    Column("op", String(16), nullable=False),
    Column("state", String(16), nullable=False),
    Column("failures", Integer, nullable=False),
    Column("failure", Text, nullable=False),
    Column("next_due", UtcDateTime, nullable=False),
    Column("delivered_at", UtcDateTime),
    Column("receipt", Text, nullable=False),
    Index("exchange_delivery_by_state", "hook_key", "state", "seq"),
    Index("exchange_delivery_by_seq", "seq"),
)

exchange_puller = Table(
    "exchange_puller",
    metadata,
    Column("client_id", String(64), primary_key=True),
    Column("filter_id", String(16), primary_key=True),
    Column("region", String(6), nullable=False),
    Column("category", String(32), nullable=False),
    Column("department", String(18), nullable=False),
    Column("kinds", Json, nullable=False),
    Column("given", BigInteger, nullable=False),
    Column("confirmed", BigInteger, nullable=False),
    Column("pulled_at", UtcDateTime, nullable=False),
)

exchange_receipt = Table(
    "exchange_receipt",
    metadata,
    Column("client_id", String(64), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("record_id", Key, nullable=False),
    Column("version", Integer, nullable=False),
    Column("op", String(16), nullable=False),
    Column("statement", Text, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Index("exchange_receipt_by_seq", "seq"),
)

exchange_check = Table(
    "exchange_check",
    metadata,
    Column("client_id", String(64), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("ours_count", BigInteger, nullable=False),
    Column("ours_sha256", String(64), nullable=False),
    Column("theirs_count", BigInteger, nullable=False),
    Column("theirs_sha256", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reported_at", UtcDateTime, nullable=False),
    Column("settled_by", String(128), nullable=False),
    Column("settled_note", Text, nullable=False),
)

exchange_licence = Table(
    "exchange_licence",
    metadata,
    # Which revision of a subject's licences the change log has told.
    Column("uscc", String(18), primary_key=True),
    Column("revision", Integer, nullable=False),
)
