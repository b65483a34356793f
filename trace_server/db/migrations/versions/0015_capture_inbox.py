"""Documents that are acknowledged before they are read, and when their jobs ended."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Key, UtcDateTime

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add table and column."""
    op.create_table(
        "capture_inbox",
        sa.Column("job_key", Key(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("error_behaviour", sa.String(16), nullable=False),
        sa.Column("is_xml", sa.Boolean(), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job_key", name=op.f("pk_capture_inbox")),
    )
    op.create_index("capture_inbox_by_source", "capture_inbox", ["source", "job_key"])
    op.add_column("capture_job", sa.Column("finished_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    """As it was."""
    op.drop_column("capture_job", "finished_at")
    op.drop_table("capture_inbox")
