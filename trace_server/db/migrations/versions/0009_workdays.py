"""Working-day calendar: the years that the office imported."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, UtcDateTime

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "workday_year",
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("holidays", Json(), nullable=False),
        sa.Column("make_up", Json(), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("imported_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("year", name=op.f("pk_workday_year")),
    )


def downgrade() -> None:
    """Drop it."""
    op.drop_table("workday_year")
