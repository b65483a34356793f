"""Tag ranges with their quotas, and the temperatures that products are kept at."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import UtcDateTime

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    """Create the table, add the columns."""
    op.create_table(
        "tag_range",
        sa.Column("range_id", sa.String(32), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("gtin", sa.String(14), nullable=False),
        sa.Column("first", sa.String(20), nullable=False),
        sa.Column("last", sa.String(20), nullable=False),
        sa.Column("prefix", sa.String(20), nullable=False),
        sa.Column("low", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.BigInteger(), nullable=False),
        sa.Column("width", sa.SmallInteger(), nullable=False),
        sa.Column("quota", sa.BigInteger(), nullable=False),
        sa.Column("issued", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("requested_by", sa.String(128), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(128), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("range_id", name=op.f("pk_tag_range")),
    )
    op.create_index("tag_range_by_gtin", "tag_range", ["gtin", "prefix", "low"], unique=False)
    op.create_index("tag_range_by_uscc", "tag_range", ["uscc", "requested_at"], unique=False)
    op.create_index("tag_range_by_request", "tag_range", ["requested_at", "range_id"], unique=False)
    op.add_column("product", sa.Column("storage_min_c", sa.Float(), nullable=True))
    op.add_column("product", sa.Column("storage_max_c", sa.Float(), nullable=True))


def downgrade() -> None:
    """Take both back."""
    op.drop_column("product", "storage_max_c")
    op.drop_column("product", "storage_min_c")
    op.drop_table("tag_range")
