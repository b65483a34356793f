"""Releases of batches."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import UtcDateTime

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "batch_release",
        sa.Column("gtin", sa.String(14), nullable=False),
        sa.Column("lot", sa.String(20), nullable=False),
        sa.Column("released_by", sa.String(128), nullable=False),
        sa.Column("released_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("gtin", "lot", name=op.f("pk_batch_release")),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("batch_release")
