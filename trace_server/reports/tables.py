"""Tables of reports; small, kept in one place. Files lie under the hash of their content."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKeyConstraint, Index, Integer, LargeBinary, String, Table, Text

from trace_server.db import Json, UtcDateTime, metadata

credit_report = Table(
    "credit_report",
    metadata,
    Column("report_no", String(32), primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("usccs", Json, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("uri", Text, nullable=False),
    Column("authorisation", String(128), nullable=False),
    Column("actor", String(128), nullable=False),
    # The company that asked, "" for an authority.
    Column("owner", String(18), nullable=False),
    Column("asker_name", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("requested_at", UtcDateTime, nullable=False),
    Column("job_id", String(32), nullable=False),
    Column("subject_name", String(200), nullable=False),
    Column("generated_at", UtcDateTime),
    Column("valid_to", Date),
    Column("content_sha256", String(64), nullable=False),
    Column("file_sha256", String(64), nullable=False),
    Column("policy_version", String(64), nullable=False),
    Column("seal", String(128), nullable=False),
    Column("withdrawn_on", Date),
    Column("withdraw_reason", Text, nullable=False),
    Index("credit_report_by_request", "requested_at", "report_no"),
    Index("credit_report_by_owner", "owner", "requested_at"),
)

credit_report_item = Table(
    "credit_report_item",
    metadata,
    Column("report_no", String(32), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("ref", String(36), primary_key=True),
    Column("version", Integer, nullable=False),
    ForeignKeyConstraint(["report_no"], ["credit_report.report_no"]),
)

credit_report_file = Table(
    "credit_report_file",
    metadata,
    Column("file_sha256", String(64), primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

third_party_report = Table(
    "third_party_report",
    metadata,
    Column("agency", String(18), primary_key=True),
    Column("number", String(64), primary_key=True),
    Column("uscc", String(18), nullable=False),
    Column("agency_name", String(200), nullable=False),
    Column("issued_on", Date, nullable=False),
    Column("valid_to", Date, nullable=False),
    Column("file_sha256", String(64), nullable=False),
    Column("purpose", Text, nullable=False),
    Column("claims", Json, nullable=False),
    Column("differences", Json, nullable=False),
    Column("taken_by", String(128), nullable=False),
    Column("taken_at", UtcDateTime, nullable=False),
    Index("third_party_report_by_uscc", "uscc", "taken_at"),
)
