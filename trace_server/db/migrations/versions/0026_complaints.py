"""Reports and complaints of the public, and their rewards."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, UtcDateTime

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "complaint_draft",
        sa.Column("draft_key", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("draft_key", name=op.f("pk_complaint_draft")),
    )
    op.create_index("complaint_draft_by_end", "complaint_draft", ["until"], unique=False)
    op.create_table(
        "complaint",
        sa.Column("complaint_id", sa.String(32), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("code", sa.String(128), nullable=False),
        sa.Column("code_known", sa.Boolean(), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(18), nullable=False),
        sa.Column("region", sa.String(6), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("has_photo", sa.Boolean(), nullable=False),
        sa.Column("department", sa.String(200), nullable=False),
        sa.Column("received_hour", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("due_confirmed", sa.Boolean(), nullable=False),
        sa.Column("is_extended", sa.Boolean(), nullable=False),
        sa.Column("sealed_id", sa.String(32), nullable=False),
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("complaint_id", name=op.f("pk_complaint")),
    )
    op.create_index("complaint_by_receipt", "complaint", ["received_hour", "complaint_id"], unique=False)
    op.create_index("complaint_by_token", "complaint", ["token_hash"], unique=False)
    op.create_table(
        "complaint_entry",
        sa.Column("complaint_id", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hour", UtcDateTime(), nullable=False),
        sa.Column("author", sa.String(128), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("complaint_id", "number", name=op.f("pk_complaint_entry")),
    )
    op.create_table(
        "complaint_photo",
        sa.Column("complaint_id", sa.String(32), nullable=False),
        sa.Column("jpeg", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("complaint_id", name=op.f("pk_complaint_photo")),
    )
    op.create_table(
        "complaint_reward",
        sa.Column("complaint_id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("deed", Json(), nullable=False),
        sa.Column("amount_yuan", sa.BigInteger(), nullable=False),
        sa.Column("needs_finance", sa.Boolean(), nullable=False),
        sa.Column("steps", Json(), nullable=False),
        sa.Column("legal_basis", sa.Text(), nullable=False),
        sa.Column("assessed_by", sa.String(128), nullable=False),
        sa.Column("assessed_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(128), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("finance_no", sa.String(128), nullable=False),
        sa.Column("claim_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("complaint_id", name=op.f("pk_complaint_reward")),
    )
    op.create_index("complaint_reward_by_end", "complaint_reward", ["state", "claim_until"], unique=False)


def downgrade() -> None:
    """Drop them."""
    for name in ("complaint_reward", "complaint_photo", "complaint_entry", "complaint", "complaint_draft"):
        op.drop_table(name)
