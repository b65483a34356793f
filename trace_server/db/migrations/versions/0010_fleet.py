"""Heartbeats and settings of gateways; keys that another key replaced end."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, UtcDateTime

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Add two tables and the end of a key."""
    op.create_table(
        "gateway_heartbeat",
        sa.Column("gateway_id", sa.String(63), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("boot_id", sa.String(64), nullable=False),
        sa.Column("monotonic", sa.Float(), nullable=False),
        sa.Column("report", Json(), nullable=False),
        sa.PrimaryKeyConstraint("gateway_id", name=op.f("pk_gateway_heartbeat")),
    )
    op.create_table(
        "gateway_settings",
        sa.Column("gateway_id", sa.String(63), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("issued_by", sa.String(128), nullable=False),
        sa.Column("settings", Json(), nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("result_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("gateway_id", "version", name=op.f("pk_gateway_settings")),
    )
    op.add_column("gateway_key", sa.Column("ends_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("gateway_key", "ends_at")
    op.drop_table("gateway_settings")
    op.drop_table("gateway_heartbeat")
