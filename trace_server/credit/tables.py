"""Tables of the credit archive. Small next to events: reference tables on a sharded engine."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Date, ForeignKeyConstraint, Index, Integer, SmallInteger, String, Table, Text

from trace_server.db import Json, Key, UtcDateTime, metadata

violation_record = Table(
    "violation_record",
    metadata,
    # Made from 文号 and 机关代码, so the primary key is what makes recording idempotent.
    Column("record_id", Key, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("uscc", String(18)),
    Column("subject_name", String(200), nullable=False),
    Column("decided_on", Date, nullable=False),
    Column("window_max_end", Date, nullable=False),
    # Under which rules the window was last looked at: `Policy.basis`.
    Column("window_basis", String(96), nullable=False),
    # What the public list is searched and ordered by, as in the current version.
    Column("category", String(32), nullable=False, server_default=""),
    Column("region", String(6), nullable=False, server_default=""),
    Column("decision_no", String(128), nullable=False, server_default=""),
    Column("authority_code", String(18), nullable=False, server_default=""),
    Column("is_public", SmallInteger, nullable=False, server_default="0"),
    # Day in Asia/Shanghai on which it first stood before the public; it stays when the display ends.
    Column("published_on", Date),
    Index("violation_record_by_uscc", "uscc"),
    Index("violation_record_by_end", "window_max_end"),
    # Holds all that the public list is narrowed by, so that a search reads the index and not the table.
    Index(
        "violation_record_listed",
        *("state", "is_public", "decided_on", "record_id", "window_max_end"),
        *("category", "region", "uscc", "decision_no", "subject_name"),
    ),
    Index("violation_record_timely", "decided_on", "authority_code", "published_on"),
    Index("violation_record_by_number", "decision_no"),
)

violation_version = Table(
    "violation_version",
    metadata,
    Column("record_id", Key, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("category", String(32), nullable=False),
    Column("procedure", String(16), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("regime", String(64), nullable=False),
    Column("policy_version", String(64), nullable=False),
    Column("public", SmallInteger, nullable=False),
    Column("window_min_end", Date, nullable=False),
    Column("window_max_end", Date, nullable=False),
    Column("batches", Json, nullable=False),
    Column("evidence_ref", Text),
    Column("recorded_by", String(128), nullable=False),
    Column("reason", Text),
    Column("document", String(128)),
    Column("diff", Json, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("effective_at", UtcDateTime, nullable=False),
    Column("body", Json, nullable=False),
    Column("objection", String(32), nullable=False, server_default=""),
    ForeignKeyConstraint(["record_id"], ["violation_record.record_id"]),
)

credit_sealed = Table(
    "credit_sealed",
    metadata,
    Column("record_id", Key, primary_key=True),
    Column("identity", Json, nullable=False),
    ForeignKeyConstraint(["record_id"], ["violation_record.record_id"]),
)

credit_change = Table(
    "credit_change",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("op", String(16), nullable=False),
    Column("record_id", Key, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("region", String(6), nullable=False),
    Column("category", String(32), nullable=False),
    Column("department", String(18), nullable=False),
    # The version is in `violation_version` for a penalty, in `credit_shared` for every other kind.
    Index("credit_change_by_record", "record_id", "version"),
)

credit_shared = Table(
    "credit_shared",
    metadata,
    Column("record_id", Key, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("op", String(16), nullable=False),
    Column("state", String(32), nullable=False),
    Column("has_stopped", SmallInteger, nullable=False),
    Column("region", String(6), nullable=False),
    Column("category", String(32), nullable=False),
    Column("department", String(18), nullable=False),
    Column("record", Json, nullable=False),
    Column("key_fields", Json, nullable=False),
    Column("reason", Text, nullable=False),
    Column("document", String(128), nullable=False),
    Column("effective_at", UtcDateTime, nullable=False),
)

credit_review = Table(
    "credit_review",
    metadata,
    # A confidentiality check (五(一)b) is of one version: a corrected record is checked again.
    Column("record_id", Key, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("reviewed_by", String(128), nullable=False),
    Column("reviewed_at", UtcDateTime, nullable=False),
    Column("note", Text, nullable=False),
    ForeignKeyConstraint(["record_id"], ["violation_record.record_id"]),
)

credit_head = Table(
    "credit_head",
    metadata,
    Column("id", SmallInteger, primary_key=True, autoincrement=False),
    Column("seq", BigInteger, nullable=False),
)

grade_fact = Table(
    "grade_fact",
    metadata,
    Column("uscc", String(18), primary_key=True),
    Column("kind", String(32), primary_key=True),
    # Number of the paper: one paper is stated once, however often it is handed in.
    Column("ref", String(128), primary_key=True),
    Column("from_day", Date, nullable=False),
    Column("until_day", Date),
    Column("percent", String(16)),
    Column("source", String(200), nullable=False),
    Column("recorded_by", String(128), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
)

grade_result = Table(
    "grade_result",
    metadata,
    Column("uscc", String(18), primary_key=True),
    Column("scheme", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("policy_id", String(64), nullable=False),
    Column("policy_version", String(64), nullable=False),
    Column("as_of", Date, nullable=False),
    Column("level", String(16), nullable=False),
    Column("score", String(64)),
    Column("inputs_hash", String(64), nullable=False),
    # Of the result without its day: equal while only time has passed.
    Column("digest", String(64), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("body", Json, nullable=False),
)

grade_head = Table(
    "grade_head",
    metadata,
    Column("uscc", String(18), primary_key=True),
    Column("scheme", String(32), primary_key=True),
    # Number of the current result; whoever makes the next one holds this row until the commit.
    Column("number", Integer, nullable=False),
)

grade_sweep = Table(
    "grade_sweep",
    metadata,
    Column("scheme", String(32), primary_key=True),
    # Day and policy that the sweep is at: `GradePolicy.version`.
    Column("day", Date, nullable=False),
    Column("policy_version", String(64), nullable=False),
    Column("after_uscc", String(18), nullable=False),
    Column("is_done", SmallInteger, nullable=False),
)

grade_policy = Table(
    "grade_policy",
    metadata,
    Column("policy_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("scheme", String(32), nullable=False),
    # Of several that have begun the latest counts; there is no last day, a successor ends it.
    Column("effective_from", Date, nullable=False),
    Column("text", Text, nullable=False),
)
