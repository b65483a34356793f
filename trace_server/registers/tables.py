"""Tables of tag ranges and base registers, small, kept in one place, and of how often each code was asked for.

Of a query a day and an hour are the finest that is kept; no device, address or city. Its days are numbers such as
20261124 (Asia/Shanghai): the hot path of the code page, which counts, speaks to the driver without type conversion.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, Float, Index, Integer, SmallInteger, String, Table, Text

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

natural_person = Table(
    "natural_person",
    metadata,
    Column("person_id", String(17), primary_key=True),
    # Half of the keyed digest of kind and number of the identity document: finds a person without opening the value.
    Column("lookup", Key, nullable=False),
    Column("masked_name", String(200), nullable=False),
    Column("document_kind", String(64), nullable=False),
    Column("sealed_id", String(64), nullable=False),
    Column("source", String(200), nullable=False),
    Column("added_by", String(128), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Index("natural_person_by_lookup", "lookup", unique=True),
)

subject_name = Table(
    "subject_name",
    metadata,
    Column("uscc", String(18), primary_key=True),
    Column("name", String(200), primary_key=True),
    # Days on which the register first and last told it.
    Column("first_on", Date, nullable=False),
    Column("last_on", Date, nullable=False),
    Column("source", String(200), nullable=False),
)

subject_code = Table(
    "subject_code",
    metadata,
    Column("code", String(50), primary_key=True),
    Column("scheme", String(16), primary_key=True),
    Column("uscc", String(18), nullable=False),
    Column("source", String(200), nullable=False),
    Column("added_by", String(128), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    Index("subject_code_by_uscc", "uscc"),
)

premises = Table(
    "premises",
    metadata,
    Column("uscc", String(18), primary_key=True),
    Column("premises_id", String(32), primary_key=True),
    Column("address", String(400), nullable=False),
    Column("region", String(6), nullable=False),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("licence_no", String(64), nullable=False),
    Column("source", String(200), nullable=False),
    Column("as_of", Date, nullable=False),
)

register_document = Table(
    "register_document",
    metadata,
    Column("uscc", String(18), primary_key=True),
    Column("document_id", String(32), primary_key=True),
    Column("type", String(64), nullable=False),
    Column("number", String(128), nullable=False),
    Column("issuer", String(200), nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("valid_to", Date),
    Column("sha256", String(64), nullable=False),
    Column("verified_by", String(128), nullable=False),
    Column("verified_at", UtcDateTime),
    Column("added_by", String(128), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
)

court_judgment = Table(
    "court_judgment",
    metadata,
    # Made of court, case number and party.
    Column("judgment_id", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("case_no", String(128), nullable=False),
    Column("court", String(200), nullable=False),
    Column("party_name", String(200), nullable=False),
    Column("uscc", String(18), nullable=False),
    Column("person_id", String(17), nullable=False),
    Column("basis_no", String(128), nullable=False),
    Column("duty", Text, nullable=False),
    Column("performance", String(200), nullable=False),
    Column("conduct", Text, nullable=False),
    Column("filed_on", Date),
    Column("published_on", Date, nullable=False),
    Column("ended_on", Date),
    Column("source", String(200), nullable=False),
    Column("recorded_by", String(128), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Index("court_judgment_by_uscc", "uscc"),
)
