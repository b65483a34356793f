"""Grades of credit subjects: stated facts, numbered results, their heads, and the position of the nightly sweep."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, UtcDateTime

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "grade_fact",
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("ref", sa.String(length=128), nullable=False),
        sa.Column("from_day", sa.Date(), nullable=False),
        sa.Column("until_day", sa.Date(), nullable=True),
        sa.Column("percent", sa.String(length=16), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("recorded_by", sa.String(length=128), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "kind", "ref", name=op.f("pk_grade_fact")),
    )
    op.create_table(
        "grade_result",
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("scheme", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("policy_id", sa.String(length=64), nullable=False),
        sa.Column("policy_version", sa.String(length=64), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("level", sa.String(length=16), nullable=False),
        sa.Column("score", sa.String(length=64), nullable=True),
        sa.Column("inputs_hash", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "scheme", "number", name=op.f("pk_grade_result")),
    )
    op.create_table(
        "grade_head",
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("scheme", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "scheme", name=op.f("pk_grade_head")),
    )
    op.create_table(
        "grade_sweep",
        sa.Column("scheme", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("policy_version", sa.String(length=64), nullable=False),
        sa.Column("after_uscc", sa.String(length=18), nullable=False),
        sa.Column("is_done", sa.SmallInteger(), nullable=False),
        sa.PrimaryKeyConstraint("scheme", name=op.f("pk_grade_sweep")),
    )


def downgrade() -> None:
    """Nothing of the older schema depends on them."""
    for table in ("grade_sweep", "grade_head", "grade_result", "grade_fact"):
        op.drop_table(table)
