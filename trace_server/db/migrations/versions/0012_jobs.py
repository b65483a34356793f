"""Work that outlives a request."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, Key, UtcDateTime

revision = "0012"
down_revision = "0011"

OPEN = sa.text("state IN ('queued', 'running')")


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "job",
        sa.Column("job_key", Key(), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("payload", Json(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("run_after", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("lease", Key(), nullable=True),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("result", sa.String(512), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("finished_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("job_key", name=op.f("pk_job")),
    )
    op.create_index("job_by_age", "job", ["created_at", "job_key"])
    op.create_index("job_due", "job", ["run_after"], postgresql_where=OPEN, sqlite_where=OPEN)


def downgrade() -> None:
    """Drop it."""
    op.drop_table("job")
