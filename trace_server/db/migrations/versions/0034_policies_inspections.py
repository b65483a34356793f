"""Versions of the grading policy; plans of inspections."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, UtcDateTime

revision = "0034"
down_revision = "0033"


def upgrade() -> None:
    """Create the tables."""
    _policies()
    _inspections()


def downgrade() -> None:
    """Drop them."""
    op.drop_table("inspection_duty")
    op.drop_table("inspection_task")
    op.drop_table("inspection_inspector")
    op.drop_table("inspection_candidate")
    op.drop_table("inspection_plan")
    op.drop_table("policy_comparison")
    op.drop_table("policy_simulation")
    op.drop_table("policy_version")
    op.drop_table("grade_policy")


def _policies() -> None:
    op.create_table(
        "grade_policy",
        sa.Column("policy_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("scheme", sa.String(32), nullable=False),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("policy_id", "number", name=op.f("pk_grade_policy")),
    )
    op.create_table(
        "policy_version",
        sa.Column("policy_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("rollback_of", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("review", Json(), nullable=False),
        sa.Column("approvals", Json(), nullable=False),
        sa.Column("effective_from", sa.Date()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("policy_id", "number", name=op.f("pk_policy_version")),
    )
    op.create_table(
        "policy_simulation",
        sa.Column("policy_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("made_by", sa.String(128), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("outcome", Json(), nullable=False),
        sa.ForeignKeyConstraint(
            ["policy_id", "number"],
            ["policy_version.policy_id", "policy_version.number"],
            name=op.f("fk_policy_simulation_policy_id_number_policy_version"),
        ),
        sa.PrimaryKeyConstraint("policy_id", "number", "run", name=op.f("pk_policy_simulation")),
    )
    op.create_table(
        "policy_comparison",
        sa.Column("policy_id", sa.String(64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("after_days", sa.Integer(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("outcome", Json(), nullable=False),
        sa.ForeignKeyConstraint(
            ["policy_id", "number"],
            ["policy_version.policy_id", "policy_version.number"],
            name=op.f("fk_policy_comparison_policy_id_number_policy_version"),
        ),
        sa.PrimaryKeyConstraint("policy_id", "number", "after_days", name=op.f("pk_policy_comparison")),
    )


def _inspections() -> None:
    op.create_table(
        "inspection_plan",
        sa.Column("plan_id", sa.String(24), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("region", sa.String(6), nullable=False),
        sa.Column("department", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("policy_version", sa.String(64), nullable=False),
        sa.Column("fields", Json(), nullable=False),
        sa.Column("draw", Json(), nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("published_by", sa.String(128), nullable=False),
        sa.Column("published_at", UtcDateTime()),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("plan_id", name=op.f("pk_inspection_plan")),
    )
    op.create_index("inspection_plan_by_time", "inspection_plan", ["created_at", "plan_id"])
    op.create_table(
        "inspection_candidate",
        sa.Column("plan_id", sa.String(24), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("region", sa.String(6), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("yearly", sa.Integer(), nullable=False),
        sa.Column("sampling", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.String(128), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"],
            ["inspection_plan.plan_id"],
            name=op.f("fk_inspection_candidate_plan_id_inspection_plan"),
        ),
        sa.PrimaryKeyConstraint("plan_id", "uscc", name=op.f("pk_inspection_candidate")),
    )
    op.create_table(
        "inspection_inspector",
        sa.Column("plan_id", sa.String(24), nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"],
            ["inspection_plan.plan_id"],
            name=op.f("fk_inspection_inspector_plan_id_inspection_plan"),
        ),
        sa.PrimaryKeyConstraint("plan_id", "actor", name=op.f("pk_inspection_inspector")),
    )
    op.create_table(
        "inspection_task",
        sa.Column("plan_id", sa.String(24), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("level", sa.String(16), nullable=False),
        sa.Column("sampling", sa.String(16), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("inspectors", Json(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("done_on", sa.Date()),
        sa.Column("finding", sa.String(16), nullable=False),
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.String(128), nullable=False),
        sa.Column("recorded_at", UtcDateTime()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id"],
            ["inspection_plan.plan_id"],
            name=op.f("fk_inspection_task_plan_id_inspection_plan"),
        ),
        sa.PrimaryKeyConstraint("plan_id", "number", name=op.f("pk_inspection_task")),
    )
    op.create_index("inspection_task_by_subject", "inspection_task", ["uscc"])
    op.create_table(
        "inspection_duty",
        sa.Column("plan_id", sa.String(24), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_id", "number"],
            ["inspection_task.plan_id", "inspection_task.number"],
            name=op.f("fk_inspection_duty_plan_id_number_inspection_task"),
        ),
        sa.PrimaryKeyConstraint("plan_id", "number", "actor", name=op.f("pk_inspection_duty")),
    )
    op.create_index("inspection_duty_by_actor", "inspection_duty", ["actor"])
