"""Tables of lists; small, kept in one place."""

from __future__ import annotations

from sqlalchemy import Column, Date, Index, Integer, String, Table, Text

from trace_server.db import UtcDateTime, metadata

list_membership = Table(
    "list_membership",
    metadata,
    Column("membership_id", String(32), primary_key=True),
    Column("list_id", String(32), nullable=False),
    Column("uscc", String(18), nullable=False),
    Column("reason", Text, nullable=False),
    Column("legal_basis", String(500), nullable=False),
    Column("document_no", String(128), nullable=False),
    Column("issuer", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("proposed_by", String(128), nullable=False),
    Column("noticed_at", UtcDateTime),
    Column("objections_until", UtcDateTime),
    Column("listed_on", Date),
    Column("until", Date),
    Column("ended_on", Date),
    Column("end_reason", Text, nullable=False),
    Column("version", Integer, nullable=False),
    # Id of the objection under way, "" for none.
    Column("objection", String(32), nullable=False, server_default=""),
    Index("list_membership_by_uscc", "uscc"),
    Index("list_membership_by_list", "list_id", "state", "membership_id"),
    Index("list_membership_shown", "list_id", "state", "listed_on", "membership_id"),
)

measure_application = Table(
    "measure_application",
    metadata,
    Column("application_id", String(32), primary_key=True),
    Column("uscc", String(18), nullable=False),
    Column("measure_id", String(64), nullable=False),
    Column("department", String(200), nullable=False),
    Column("result", Text, nullable=False),
    Column("reported_by", String(128), nullable=False),
    Column("reported_at", UtcDateTime, nullable=False),
    Index("measure_application_by_uscc", "uscc", "reported_at"),
)
