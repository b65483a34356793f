"""Lists: memberships, and feedback on the measures that follow from them."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import UtcDateTime

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "list_membership",
        sa.Column("membership_id", sa.String(32), nullable=False),
        sa.Column("list_id", sa.String(32), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("legal_basis", sa.String(500), nullable=False),
        sa.Column("document_no", sa.String(128), nullable=False),
        sa.Column("issuer", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("proposed_by", sa.String(128), nullable=False),
        sa.Column("noticed_at", UtcDateTime(), nullable=True),
        sa.Column("objections_until", UtcDateTime(), nullable=True),
        sa.Column("listed_on", sa.Date(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("membership_id", name=op.f("pk_list_membership")),
    )
    op.create_index("list_membership_by_uscc", "list_membership", ["uscc"], unique=False)
    op.create_index("list_membership_by_list", "list_membership", ["list_id", "state", "membership_id"], unique=False)
    op.create_table(
        "measure_application",
        sa.Column("application_id", sa.String(32), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("measure_id", sa.String(64), nullable=False),
        sa.Column("department", sa.String(200), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("reported_by", sa.String(128), nullable=False),
        sa.Column("reported_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("application_id", name=op.f("pk_measure_application")),
    )
    op.create_index("measure_application_by_uscc", "measure_application", ["uscc", "reported_at"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("measure_application")
    op.drop_table("list_membership")
