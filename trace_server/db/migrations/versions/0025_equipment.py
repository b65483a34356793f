"""Special equipment: the gates' assets become a register with kind, registration, state and inspections."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import UtcDateTime

revision = "0025"
down_revision = "0024"

_KEPT = "uri, tid, medium, owner, inspection_due, scrap_on, source, as_of"


def upgrade() -> None:
    """Create the tables and take the assets over as things in use."""
    op.create_table(
        "equipment",
        sa.Column("uri", sa.String(256), nullable=False),
        sa.Column("tid", sa.String(64), nullable=False),
        sa.Column("medium", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(18), nullable=False),
        sa.Column("inspection_due", sa.Date(), nullable=True),
        sa.Column("scrap_on", sa.Date(), nullable=True),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("device_code", sa.String(18), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("registration_no", sa.String(64), nullable=False),
        sa.Column("registered_on", sa.Date(), nullable=True),
        sa.Column("maintainer", sa.String(18), nullable=False),
        sa.Column("fill_limit_kg", sa.Float(), nullable=True),
        sa.Column("made_on", sa.Date(), nullable=True),
        sa.Column("in_use_on", sa.Date(), nullable=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("uri", name=op.f("pk_equipment")),
    )
    op.create_index("equipment_by_device_code", "equipment", ["device_code"], unique=False)
    op.create_index("equipment_by_owner", "equipment", ["owner", "uri"], unique=False)
    op.create_table(
        "equipment_inspection",
        sa.Column("uri", sa.String(256), nullable=False),
        sa.Column("inspected_on", sa.Date(), nullable=False),
        sa.Column("certificate_no", sa.String(64), nullable=False),
        sa.Column("body", sa.String(200), nullable=False),
        sa.Column("passed", sa.Boolean(), nullable=False),
        sa.Column("next_due", sa.Date(), nullable=True),
        sa.Column("due_before", sa.Date(), nullable=True),
        sa.Column("recorded_by", sa.String(128), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("uri", "inspected_on", name=op.f("pk_equipment_inspection")),
    )
    op.execute(
        f"INSERT INTO equipment ({_KEPT}, device_code, kind, registration_no, maintainer, state, revision) "  # noqa: S608 – constants
        f"SELECT {_KEPT}, '', '', '', '', 'in_use', 1 FROM block_list_asset"
    )
    op.drop_table("block_list_asset")


def downgrade() -> None:
    """The gates' facts go back; what else was registered is lost."""
    op.create_table(
        "block_list_asset",
        sa.Column("uri", sa.String(256), nullable=False),
        sa.Column("tid", sa.String(64), nullable=False),
        sa.Column("medium", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(18), nullable=False),
        sa.Column("inspection_due", sa.Date(), nullable=True),
        sa.Column("scrap_on", sa.Date(), nullable=True),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("uri", name=op.f("pk_block_list_asset")),
    )
    op.execute(f"INSERT INTO block_list_asset ({_KEPT}) SELECT {_KEPT} FROM equipment")  # noqa: S608 – constants
    op.drop_table("equipment_inspection")
    op.drop_index("equipment_by_owner", table_name="equipment")
    op.drop_index("equipment_by_device_code", table_name="equipment")
    op.drop_table("equipment")
