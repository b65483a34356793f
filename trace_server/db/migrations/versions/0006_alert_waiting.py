"""The worker asks every second which alerts are due; few of all alerts wait."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

WAITS = sa.text("state = 'waiting'")


def upgrade() -> None:
    """Add the index."""
    op.create_index(
        "alert_waiting", "alert", ["provisional_until"], unique=False, postgresql_where=WAITS, sqlite_where=WAITS
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("alert_waiting", table_name="alert", postgresql_where=WAITS, sqlite_where=WAITS)
