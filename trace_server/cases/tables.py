"""Tables of cases: few beside events, kept in one place."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from trace_server.db import Key, UtcDateTime, metadata

case = Table(
    "case_file",
    metadata,
    Column("case_id", String(32), primary_key=True),
    Column("title", String(200), nullable=False),
    Column("subject", String(18), nullable=False),
    Column("category", String(32), nullable=False),
    Column("region", String(6), nullable=False),
    Column("department", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("handler", String(128), nullable=False),
    Column("proposed_by", String(128), nullable=False),
    Column("opened_by", String(128), nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime),
    Column("due_confirmed", Boolean, nullable=False),
    Column("record_id", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Index("case_by_opening", "opened_at", "case_id"),
    Index("case_by_due", "due_at"),
    Index("case_by_subject", "subject"),
)

case_entry = Table(
    "case_entry",
    metadata,
    Column("case_id", String(32), ForeignKey("case_file.case_id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("event", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("document_no", String(128), nullable=False),
)

case_transfer = Table(
    "case_transfer",
    metadata,
    Column("case_id", String(32), ForeignKey("case_file.case_id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("from_department", String(200), nullable=False),
    Column("to_department", String(200), nullable=False),
    Column("is_outside", Boolean, nullable=False),
    Column("reason", Text, nullable=False),
    Column("sent_by", String(128), nullable=False),
    Column("sent_at", UtcDateTime, nullable=False),
    Column("due_at", UtcDateTime, nullable=False),
    Column("receipt", String(16), nullable=False),
    Column("answered_by", String(128), nullable=False),
    Column("answered_at", UtcDateTime),
    Column("answer", Text, nullable=False),
)

case_joint = Table(
    "case_joint",
    metadata,
    # The linked case, and the one that it was opened beside: that one holds the alerts.
    Column("case_id", String(32), ForeignKey("case_file.case_id"), primary_key=True),
    Column("root_id", String(32), ForeignKey("case_file.case_id"), nullable=False),
    Index("case_joint_by_root", "root_id"),
)

alert_triage = Table(
    "alert_triage",
    metadata,
    Column("alert_key", Key, primary_key=True),
    Column("rule_id", String(16), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("actor", String(128), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("case_id", String(32), nullable=False),
    Index("alert_triage_by_rule", "rule_id", "verdict"),
    Index("alert_triage_by_case", "case_id"),
)
