"""The region of an alert."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    """Add the column; what stands keeps no region and is shown to everybody."""
    op.add_column("alert", sa.Column("region", sa.String(6), nullable=False, server_default=""))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("alert", "region")
