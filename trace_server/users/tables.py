"""Tables of accounts. Tokens and codes are stored as SHA-256 (they are random), passwords as argon2id."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text

from trace_server.db import Json, UtcDateTime, metadata

user_account = Table(
    "user_account",
    metadata,
    Column("user_id", String(32), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("display_name", String(64), nullable=False),
    Column("role", String(32), nullable=False),
    Column("department", String(200), nullable=False),
    Column("regions", Json, nullable=False),
    Column("categories", Json, nullable=False),
    Column("subject", String(18), nullable=False),
    Column("state", String(16), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("sealed_totp", Text, nullable=False),
    Column("totp_step", BigInteger, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Index("user_account_by_name", "name", unique=True),
)

user_invitation = Table(
    "user_invitation",
    metadata,
    Column("code_hash", LargeBinary(32), primary_key=True),
    Column("user_id", String(32), nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Index("user_invitation_by_user", "user_id"),
)

user_session = Table(
    "user_session",
    metadata,
    Column("token_hash", LargeBinary(32), primary_key=True),
    Column("session_id", String(32), nullable=False),
    Column("user_id", String(32), nullable=False),
    Column("stage", String(16), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("confirmed_at", UtcDateTime, nullable=False),
    Column("agent", String(200), nullable=False),
    Index("user_session_by_user", "user_id"),
)

login_failure = Table(
    "login_failure",
    metadata,
    # SHA-256 of what is counted: an address, or an account seen from an address.
    Column("counted", LargeBinary(32), primary_key=True),
    Column("window_start", UtcDateTime, primary_key=True),
    Column("failures", Integer, nullable=False),
)
