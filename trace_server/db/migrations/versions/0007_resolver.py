"""Where GS1 codes lead: the register of hosts, and the links."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Key, UtcDateTime

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add both tables."""
    op.create_table(
        "resolver_host",
        sa.Column("host", sa.String(253), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("proposed_by", sa.String(128), nullable=False),
        sa.Column("decided_by", sa.String(128), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("host", name=op.f("pk_resolver_host")),
    )
    op.create_table(
        "resolver_link",
        sa.Column("object_key", Key(), nullable=False),
        sa.Column("link_id", sa.String(32), nullable=False),
        sa.Column("anchor", sa.String(512), nullable=False),
        sa.Column("link_type", sa.String(64), nullable=False),
        sa.Column("href", sa.String(2048), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("forward_query", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.String(128), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("object_key", "link_id", name=op.f("pk_resolver_link")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("resolver_link")
    op.drop_table("resolver_host")
