"""Affected sets page by page: an index in the order of the pages."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
_NEWEST = sa.text("until_version IS NULL")


def upgrade() -> None:
    """Create the index."""
    op.create_index(
        "recall_affected_newest",
        "recall_affected",
        ["recall_id", "depth", "object_key"],
        postgresql_where=_NEWEST,
        sqlite_where=_NEWEST,
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_index("recall_affected_newest", "recall_affected")
