"""Sealed personal data, and the requests to open it."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import UtcDateTime

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "sealed_value",
        sa.Column("sealed_id", sa.String(32), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("key_id", sa.String(1), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("sealed_hour", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sealed_id", name=op.f("pk_sealed_value")),
    )
    op.create_index("sealed_value_by_key", "sealed_value", ["key_id", "sealed_id"], unique=False)
    op.create_table(
        "sealed_opening",
        sa.Column("opening_id", sa.String(32), nullable=False),
        sa.Column("sealed_id", sa.String(32), nullable=False),
        sa.Column("purpose", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("requested_by", sa.String(128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(128), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("until", UtcDateTime(), nullable=True),
        sa.Column("views", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("opening_id", name=op.f("pk_sealed_opening")),
    )
    op.create_index("sealed_opening_by_value", "sealed_opening", ["sealed_id", "requested_at"], unique=False)


def downgrade() -> None:
    """Drop them, and with them what was sealed."""
    op.drop_table("sealed_opening")
    op.drop_table("sealed_value")
