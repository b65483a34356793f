"""Where a place is, for the rule that looks at impossible journeys."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Places that stand have no position."""
    op.add_column("place", sa.Column("latitude", sa.Float(), nullable=True))
    op.add_column("place", sa.Column("longitude", sa.Float(), nullable=True))


def downgrade() -> None:
    """Positions are lost; an import of the register brings them back."""
    op.drop_column("place", "longitude")
    op.drop_column("place", "latitude")
