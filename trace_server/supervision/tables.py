"""Tables of inspection plans; some thousand rows a year."""

from __future__ import annotations

from sqlalchemy import Column, Date, ForeignKeyConstraint, Index, Integer, String, Table, Text

from trace_server.db import Json, UtcDateTime, metadata

inspection_plan = Table(
    "inspection_plan",
    metadata,
    Column("plan_id", String(24), primary_key=True),
    Column("title", String(200), nullable=False),
    Column("region", String(6), nullable=False),
    Column("department", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("policy_version", String(64), nullable=False),
    Column("fields", Json, nullable=False),
    Column("draw", Json, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("published_by", String(128), nullable=False),
    Column("published_at", UtcDateTime),
    Column("reason", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Index("inspection_plan_by_time", "created_at", "plan_id"),
)

inspection_candidate = Table(
    "inspection_candidate",
    metadata,
    Column("plan_id", String(24), primary_key=True),
    Column("uscc", String(18), primary_key=True),
    Column("name", String(200), nullable=False),
    Column("region", String(6), nullable=False),
    Column("level", String(16), nullable=False),
    Column("yearly", Integer, nullable=False),
    Column("sampling", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("changed_by", String(128), nullable=False),
    ForeignKeyConstraint(["plan_id"], ["inspection_plan.plan_id"]),
)

inspection_inspector = Table(
    "inspection_inspector",
    metadata,
    Column("plan_id", String(24), primary_key=True),
    Column("actor", String(128), primary_key=True),
    Column("name", String(200), nullable=False),
    ForeignKeyConstraint(["plan_id"], ["inspection_plan.plan_id"]),
)

inspection_task = Table(
    "inspection_task",
    metadata,
    Column("plan_id", String(24), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("uscc", String(18), nullable=False),
    Column("name", String(200), nullable=False),
    Column("level", String(16), nullable=False),
    Column("sampling", String(16), nullable=False),
    Column("due_on", Date, nullable=False),
    Column("inspectors", Json, nullable=False),
    Column("state", String(16), nullable=False),
    Column("done_on", Date),
    Column("finding", String(16), nullable=False),
    Column("case_id", String(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("recorded_by", String(128), nullable=False),
    Column("recorded_at", UtcDateTime),
    Column("version", Integer, nullable=False),
    ForeignKeyConstraint(["plan_id"], ["inspection_plan.plan_id"]),
    Index("inspection_task_by_subject", "uscc"),
)

inspection_duty = Table(
    "inspection_duty",
    metadata,
    Column("plan_id", String(24), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("actor", String(128), primary_key=True),
    ForeignKeyConstraint(["plan_id", "number"], ["inspection_task.plan_id", "inspection_task.number"]),
    Index("inspection_duty_by_actor", "actor"),
)
