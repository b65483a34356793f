"""Named queries; events in the order of time, page by page."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, UtcDateTime

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Create the table and the indexes."""
    op.create_table(
        "named_query",
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("parameters", Json(), nullable=False),
        sa.Column("context", Json(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_named_query")),
    )
    op.create_index("event_by_time", "event", ["event_time", "event_key"])
    op.create_index("event_by_record_time", "event", ["record_time", "event_key"])


def downgrade() -> None:
    """Drop them."""
    op.drop_index("event_by_record_time", "event")
    op.drop_index("event_by_time", "event")
    op.drop_table("named_query")
