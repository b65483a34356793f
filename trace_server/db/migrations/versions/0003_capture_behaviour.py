"""What a capture job was told to do with wrong events, the header of its document, and look-ups by eventID."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Key

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add columns and indexes."""
    op.add_column(
        "capture_job", sa.Column("error_behaviour", sa.String(length=16), server_default="proceed", nullable=False)
    )
    op.add_column("capture_job", sa.Column("header", sa.Text(), nullable=True))
    op.create_index("capture_job_by_source", "capture_job", ["source", "job_key"])
    op.add_column("event", sa.Column("hash_key", Key(), nullable=True))
    op.create_index("event_by_hash", "event", ["hash_key"])
    op.create_index(
        "event_by_event_id",
        "event",
        ["event_id"],
        postgresql_where=sa.text("event_id IS NOT NULL"),
        sqlite_where=sa.text("event_id IS NOT NULL"),
    )


def downgrade() -> None:
    """As it was."""
    op.drop_index("event_by_event_id", "event")
    op.drop_index("event_by_hash", "event")
    op.drop_column("event", "hash_key")
    op.drop_index("capture_job_by_source", "capture_job")
    op.drop_column("capture_job", "header")
    op.drop_column("capture_job", "error_behaviour")
