"""When an API client was last used."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import UtcDateTime

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    """Add the column; a client that was never seen has none."""
    op.add_column("client", sa.Column("used_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Drop it."""
    with op.batch_alter_table("client") as table:
        table.drop_column("used_at")
