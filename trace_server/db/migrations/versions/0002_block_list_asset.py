"""What a gate must know of single assets: bound TID, medium, owner, dates."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "block_list_asset",
        sa.Column("uri", sa.String(length=256), nullable=False),
        sa.Column("tid", sa.String(length=64), nullable=False),
        sa.Column("medium", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=18), nullable=False),
        sa.Column("inspection_due", sa.Date(), nullable=True),
        sa.Column("scrap_on", sa.Date(), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("uri", name=op.f("pk_block_list_asset")),
    )


def downgrade() -> None:
    """Nothing of the first schema depends on it."""
    op.drop_table("block_list_asset")
