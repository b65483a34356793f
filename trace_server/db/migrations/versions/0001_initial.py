"""The first schema."""

from alembic import op

from trace_server.db.metadata import load_tables

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    load_tables().create_all(op.get_bind(), checkfirst=False)


def downgrade() -> None:
    """Drop every table."""
    load_tables().drop_all(op.get_bind(), checkfirst=False)
