"""Tables of tag ranges, small, kept in one place, and of how often each code was asked for.

Of a query a day and an hour are the finest that is kept; no device, address or city. Its days are numbers such as
20261124 (Asia/Shanghai): the hot path of the code page, which counts, speaks to the driver without type conversion.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Index, Integer, SmallInteger, String, Table, Text

from trace_server.db import Key, UtcDateTime, metadata

tag_range = Table(
    "tag_range",
    metadata,
    Column("range_id", String(32), primary_key=True),
    Column("uscc", String(18), nullable=False),
    Column("gtin", String(14), nullable=False),
    Column("first", String(20), nullable=False),
    Column("last", String(20), nullable=False),
    Column("prefix", String(20), nullable=False),
    Column("low", BigInteger, nullable=False),
    Column("high", BigInteger, nullable=False),
    Column("width", SmallInteger, nullable=False),
    Column("quota", BigInteger, nullable=False),
    Column("issued", BigInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("requested_by", String(128), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("decided_by", String(128), nullable=False),
    Column("decided_at", UtcDateTime),
    Column("reason", Text, nullable=False),
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("version", Integer, nullable=False),
    Index("tag_range_by_gtin", "gtin", "prefix", "low"),
    Index("tag_range_by_uscc", "uscc", "requested_at"),
    Index("tag_range_by_request", "requested_at", "range_id"),
)

code_query = Table(
    "code_query",
    metadata,
    Column("object_key", Key, primary_key=True),
    Column("total", Integer, nullable=False),
    Column("first_day", Integer, nullable=False),
    Column("first_hour", SmallInteger, nullable=False),
    # The day before `last_day` on which it was asked for, as the newest query sees it.
    Column("previous_day", Integer),
    Column("last_day", Integer, nullable=False),
    Column("today", Integer, nullable=False),
    Column("yesterday", Integer, nullable=False),
)
