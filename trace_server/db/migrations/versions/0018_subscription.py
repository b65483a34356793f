"""Subscriptions to named queries."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, Key, UtcDateTime

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "subscription",
        sa.Column("subscription_key", Key(), nullable=False),
        sa.Column("query_name", sa.String(128), nullable=False),
        sa.Column("query_made_at", UtcDateTime(), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("dest", sa.Text(), nullable=False),
        sa.Column("sealed_token", sa.Text(), nullable=False),
        sa.Column("is_stream", sa.Boolean(), nullable=False),
        sa.Column("schedule", Json(), nullable=False),
        sa.Column("report_if_empty", sa.Boolean(), nullable=False),
        sa.Column("epc_format", sa.String(32), nullable=False),
        sa.Column("initial_record_time", UtcDateTime(), nullable=True),
        sa.Column("parameters", Json(), nullable=False),
        sa.Column("context", Json(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("next_due", UtcDateTime(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failure", sa.Text(), nullable=False),
        sa.Column("last_notified_at", UtcDateTime(), nullable=True),
        sa.Column("last_run_at", UtcDateTime(), nullable=True),
        sa.Column("reported", sa.Integer(), nullable=False),
        sa.Column("lease", Key(), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("follower", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("subscription_key", name=op.f("pk_subscription")),
        sa.UniqueConstraint("follower", name=op.f("uq_subscription_follower")),
    )
    op.create_index("subscription_by_query", "subscription", ["query_name", "owner", "subscription_key"])
    op.create_index("subscription_due", "subscription", ["state", "next_due"])


def downgrade() -> None:
    """As it was."""
    op.drop_table("subscription")
