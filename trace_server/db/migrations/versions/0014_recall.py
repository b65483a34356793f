"""Recalls with the versions of their affected sets, notices to holders, and things they put on the block list."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, Key, UtcDateTime

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "recall",
        sa.Column("recall_id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("category", sa.String(16), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("scope", Json(), nullable=False),
        sa.Column("notice", Json(), nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("announced_by", sa.String(128), nullable=False),
        sa.Column("announced_at", UtcDateTime()),
        sa.Column("notified_at", UtcDateTime()),
        sa.Column("reconciled_at", UtcDateTime()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("recall_id", name=op.f("pk_recall")),
    )
    op.create_table(
        "recall_affected",
        sa.Column("recall_id", sa.String(32), nullable=False),
        sa.Column("object_key", Key(), nullable=False),
        sa.Column("since_version", sa.Integer(), nullable=False),
        sa.Column("until_version", sa.Integer()),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("relation", sa.String(16), nullable=False),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("event_key", sa.String(32), nullable=False),
        sa.Column("gtin", sa.String(14), nullable=False),
        sa.Column("lot", sa.Text(), nullable=False),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("quantity", sa.String(32), nullable=False),
        sa.Column("uom", sa.String(8), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("recall_id", "object_key", "since_version", name=op.f("pk_recall_affected")),
    )
    op.create_index("recall_affected_by_object", "recall_affected", ["object_key"], unique=False)
    op.create_table(
        "recall_notice",
        sa.Column("recall_id", sa.String(32), nullable=False),
        sa.Column("holder", sa.String(256), nullable=False),
        sa.Column("things", sa.Integer(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("answer", Json()),
        sa.Column("answered_by", sa.String(128), nullable=False),
        sa.Column("answered_at", UtcDateTime()),
        sa.PrimaryKeyConstraint("recall_id", "holder", name=op.f("pk_recall_notice")),
    )
    op.create_index("recall_notice_by_holder", "recall_notice", ["holder"], unique=False)
    op.create_table(
        "block_list_recalled",
        sa.Column("cause", sa.String(32), nullable=False),
        sa.Column("uri", sa.String(512), nullable=False),
        sa.Column("is_class", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("cause", "uri", name=op.f("pk_block_list_recalled")),
    )


def downgrade() -> None:
    """Drop them."""
    for name in ("block_list_recalled", "recall_notice", "recall_affected", "recall"):
        op.drop_table(name)
