"""Applications for credit repair."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, UtcDateTime

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "repair_application",
        sa.Column("application_id", sa.String(32), nullable=False),
        sa.Column("record_id", sa.String(36), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("correction", sa.Text(), nullable=False),
        sa.Column("promise", sa.Text(), nullable=False),
        sa.Column("papers", Json(), nullable=False),
        sa.Column("submitted_by", sa.String(128), nullable=False),
        sa.Column("submitted_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("accepted_by", sa.String(128), nullable=False),
        sa.Column("decided_by", sa.String(128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document_no", sa.String(128), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("application_id", name=op.f("pk_repair_application")),
    )
    op.create_index("repair_application_by_record", "repair_application", ["record_id"], unique=False)
    op.create_index(
        "repair_application_by_submission", "repair_application", ["submitted_at", "application_id"], unique=False
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("repair_application")
