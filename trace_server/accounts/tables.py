"""Gateways, keys, codes, clients. Secrets are stored as SHA-256: all of them are random, none is a password."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, LargeBinary, Table, Text

from trace_server.db import Json, UtcDateTime, metadata

gateway = Table(
    "gateway",
    metadata,
    Column("gateway_id", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("read_points", Json, nullable=False),
    Column("state", Text, nullable=False),
    Column("auto_approve", Boolean, nullable=False),
    Column("software", Text, nullable=False),
    Column("hostname", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

gateway_key = Table(
    "gateway_key",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("gateway_id", Text, ForeignKey("gateway.gateway_id"), nullable=False),
    Column("public_key", LargeBinary(32), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("ends_at", UtcDateTime),
    Index("ix_gateway_key_gateway_id", "gateway_id"),
)

enrolment_code = Table(
    "enrolment_code",
    metadata,
    Column("code_hash", LargeBinary(32), primary_key=True),
    Column("gateway_id", Text, ForeignKey("gateway.gateway_id"), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("used_by", Text, nullable=False),
)

enrolment_failure = Table(
    "enrolment_failure",
    metadata,
    Column("address", Text, primary_key=True),
    Column("window_start", UtcDateTime, primary_key=True),
    Column("failures", Integer, nullable=False),
)

client = Table(
    "client",
    metadata,
    Column("client_id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    Column("used_at", UtcDateTime),
)
