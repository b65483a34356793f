"""Tables of online sellers. On the coordinator: platforms report batches, not parcels."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text

from trace_server.db import UtcDateTime, metadata

shop_mark = Table(
    "shop_mark",
    metadata,
    Column("mark", String(16), primary_key=True),
    Column("uscc", String(18), nullable=False),
    Column("person_ref", String(64), nullable=False),
    Column("name", String(200), nullable=False),
    Column("platform", String(18), nullable=False),
    Column("platform_name", String(200), nullable=False),
    Column("url", String(500), nullable=False),
    Column("licence_no", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("requested_by", String(128), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("decided_by", String(128), nullable=False),
    Column("decided_at", UtcDateTime),
    Column("reason", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Index("shop_mark_by_uscc", "uscc"),
)

shop_listing = Table(
    "shop_listing",
    metadata,
    Column("platform", String(18), primary_key=True),
    Column("listing_no", String(64), primary_key=True),
    Column("mark", String(16), nullable=False),
    Column("seller_uscc", String(18), nullable=False),
    Column("gtin", String(14), nullable=False),
    Column("lot", String(20), nullable=False),
    Column("url", String(500), nullable=False),
    Column("listed_at", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
    Column("as_of", UtcDateTime, nullable=False),
    Index("shop_listing_by_batch", "gtin", "lot"),
)

shop_sale = Table(
    "shop_sale",
    metadata,
    Column("platform", String(18), primary_key=True),
    Column("sale_no", String(64), primary_key=True),
    Column("listing_no", String(64), nullable=False),
    Column("gtin", String(14), nullable=False),
    Column("lot", String(20), nullable=False),
    Column("quantity", String(32), nullable=False),
    Column("sold_at", UtcDateTime, nullable=False),
    Index("shop_sale_by_listing", "platform", "listing_no", "sold_at"),
)

shop_takedown = Table(
    "shop_takedown",
    metadata,
    Column("notice_id", String(32), primary_key=True),
    Column("platform", String(18), nullable=False),
    Column("listing_no", String(64), nullable=False),
    Column("gtin", String(14), nullable=False),
    Column("lot", String(20), nullable=False),
    Column("cause", String(64), nullable=False),
    Column("basis", Text, nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("answer", Text, nullable=False),
    Column("answered_at", UtcDateTime),
    Index("shop_takedown_by_platform", "platform", "issued_at", "notice_id"),
)
