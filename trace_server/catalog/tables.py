"""Tables of the master data: small, read on every page, reference tables on a sharded engine.

`revision` goes up whenever the row says something else; pages kept in memory compare it before they are shown.
A licence has none of its own: changing one raises the revision of its subject. Places share one counter, the row
`place` of `catalog_revision`: they change rarely and a journey names many.
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, Float, ForeignKey, Index, Integer, SmallInteger, String, Table, Text

from trace_server.db import Json, Key, UtcDateTime, metadata

subject = Table(
    "subject",
    metadata,
    Column("uscc", String(18), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("region", String(12), nullable=False),
    Column("status", String(16), nullable=False),
    Column("source", String(200), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("revision", Integer, nullable=False),
)

licence = Table(
    "licence",
    metadata,
    Column("uscc", String(18), ForeignKey("subject.uscc"), primary_key=True),
    Column("number", String(64), primary_key=True),
    Column("title", String(64), nullable=False),
    Column("title_en", String(128), nullable=False),
    Column("authority", String(200), nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("valid_to", Date, nullable=False),
    Column("state", String(16), nullable=False),
    Column("source", String(200), nullable=False),
    Column("as_of", Date, nullable=False),
)

product = Table(
    "product",
    metadata,
    Column("gtin", String(14), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
    Column("category", String(32), nullable=False),
    Column("spec", String(200), nullable=False),
    Column("spec_en", String(200), nullable=False),
    Column("producer_uscc", String(18), ForeignKey("subject.uscc"), nullable=False),
    Column("ingredients", String(1000), nullable=False),
    Column("ingredients_en", String(1000), nullable=False),
    Column("standard", String(200), nullable=False),
    Column("storage", String(200), nullable=False),
    Column("storage_en", String(200), nullable=False),
    Column("origin", String(200), nullable=False),
    Column("origin_en", String(200), nullable=False),
    Column("approval_no", String(64), nullable=False),
    Column("source", String(200), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("storage_min_c", Float),
    Column("storage_max_c", Float),
)

batch = Table(
    "batch",
    metadata,
    Column("gtin", String(14), ForeignKey("product.gtin"), primary_key=True),
    Column("lot", String(20), primary_key=True),
    Column("producer_uscc", String(18), ForeignKey("subject.uscc"), nullable=False),
    Column("production_date", Date, nullable=False),
    Column("expiry_date", Date),
    Column("quantity", String(32), nullable=False),
    Column("uom", String(8), nullable=False),
    Column("certificates", Json, nullable=False),
    Column("inspection_passed", Boolean),
    Column("inspection_report_no", String(64)),
    Column("inspection_body", String(200)),
    Column("inspection_on", Date),
    Column("inspection_origin", String(16)),
    Column("recall_level", SmallInteger),
    Column("recall_notice_no", String(64)),
    Column("recall_authority", String(200)),
    Column("recall_on", Date),
    Column("recall_reason", Text),
    Column("recall_reason_en", Text),
    Column("recall_action", Text),
    Column("recall_action_en", Text),
    Column("recall_return_to", Text),
    Column("recall_return_to_en", Text),
    Column("recall_phone", String(32)),
    Column("source", String(200), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("revision", Integer, nullable=False),
    Index("batch_by_producer", "producer_uscc"),
)

place = Table(
    "place",
    metadata,
    Column("uri", String(256), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("name_en", String(200), nullable=False),
    Column("city", String(64), nullable=False),
    Column("city_en", String(64), nullable=False),
    Column("operator_uscc", String(18), nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
)

issued_code = Table(
    "issued_code",
    metadata,
    Column("object_key", Key, primary_key=True),
    Column("gtin", String(14), nullable=False),
    Column("lot", String(20), nullable=False),
    Column("serial", String(20), nullable=False),
    Column("epc", String(128), nullable=False),
    Column("epc_key", Key),
    Column("key_id", String(1), nullable=False),
    Column("issued_at", UtcDateTime, nullable=False),
    Index("issued_code_by_batch", "gtin", "lot"),
    Index("issued_code_by_epc", "epc_key"),
)

catalog_revision = Table(
    "catalog_revision",
    metadata,
    Column("name", String(16), primary_key=True),
    Column("revision", Integer, nullable=False),
)
