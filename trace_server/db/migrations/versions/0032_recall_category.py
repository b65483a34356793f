"""Room for the longest category of goods in a recall: geographical_indication."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    """Widen the column."""
    with op.batch_alter_table("recall") as table:
        table.alter_column("category", existing_type=sa.String(16), type_=sa.String(32), existing_nullable=False)


def downgrade() -> None:
    """Narrow it again."""
    with op.batch_alter_table("recall") as table:
        table.alter_column("category", existing_type=sa.String(32), type_=sa.String(16), existing_nullable=False)
