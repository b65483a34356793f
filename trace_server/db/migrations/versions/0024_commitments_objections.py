"""Commitments, objections, and the mark of an objection on records and list entries."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, UtcDateTime

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Create the tables, add the marks."""
    op.add_column("violation_version", sa.Column("objection", sa.String(32), server_default="", nullable=False))
    op.add_column("list_membership", sa.Column("objection", sa.String(32), server_default="", nullable=False))
    op.create_table(
        "commitment",
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("publicity", sa.String(16), nullable=False),
        sa.Column("promise", Json(), nullable=False),
        sa.Column("finding", Json(), nullable=False),
        sa.Column("record_id", sa.String(36), nullable=False),
        sa.Column("remedied_on", sa.Date(), nullable=True),
        sa.Column("signed_by", sa.String(128), nullable=False),
        sa.Column("signed_at", UtcDateTime(), nullable=False),
        sa.Column("determined_by", sa.String(128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document_no", sa.String(128), nullable=False),
        sa.Column("objection", sa.String(32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_commitment")),
    )
    op.create_index("commitment_by_uscc", "commitment", ["uscc", "signed_at"], unique=False)
    op.create_index("commitment_by_signature", "commitment", ["signed_at", "code"], unique=False)
    op.create_table(
        "commitment_sealed",
        sa.Column("code", sa.String(20), nullable=False),
        sa.Column("identity", Json(), nullable=False),
        sa.ForeignKeyConstraint(["code"], ["commitment.code"], name=op.f("fk_commitment_sealed_code_commitment")),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_commitment_sealed")),
    )
    op.create_table(
        "commitment_serial",
        sa.Column("region", sa.String(6), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("serial", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("region", "day", name=op.f("pk_commitment_serial")),
    )
    op.create_table(
        "objection",
        sa.Column("objection_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("target", sa.String(36), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("claim", sa.Text(), nullable=False),
        sa.Column("papers", Json(), nullable=False),
        sa.Column("representative", sa.String(200), nullable=False),
        sa.Column("raised_by", sa.String(128), nullable=False),
        sa.Column("raised_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("remedy", sa.String(16), nullable=False),
        sa.Column("changes", Json(), nullable=False),
        sa.Column("proposed_by", sa.String(128), nullable=False),
        sa.Column("decided_by", sa.String(128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document_no", sa.String(128), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("objection_id", name=op.f("pk_objection")),
    )
    op.create_index("objection_by_uscc", "objection", ["uscc", "raised_at"], unique=False)
    op.create_index("objection_by_raising", "objection", ["raised_at", "objection_id"], unique=False)


def downgrade() -> None:
    """Drop them."""
    for table in ("objection", "commitment_serial", "commitment_sealed", "commitment"):
        op.drop_table(table)
    op.drop_column("list_membership", "objection")
    op.drop_column("violation_version", "objection")
