"""EPCIS master data: vocabulary elements, one row a version."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, Key, UtcDateTime

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "vocabulary_element",
        sa.Column("object_key", Key(), nullable=False),
        sa.Column("vocabulary", sa.String(200), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("attributes", Json(), nullable=False),
        sa.Column("children", Json(), nullable=False),
        sa.Column("recorded_by", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("object_key", "vocabulary", "recorded_at", name=op.f("pk_vocabulary_element")),
    )
    op.create_index(
        "vocabulary_element_by_vocabulary",
        "vocabulary_element",
        ["vocabulary", "object_key", "recorded_at"],
        unique=False,
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("vocabulary_element")
