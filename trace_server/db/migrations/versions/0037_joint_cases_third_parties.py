"""Linked cases of several departments; reports of credit service agencies."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, UtcDateTime

revision = "0037"
down_revision = "0036"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "case_joint",
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.Column("root_id", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.case_id"], name=op.f("fk_case_joint_case_id_case_file")),
        sa.ForeignKeyConstraint(["root_id"], ["case_file.case_id"], name=op.f("fk_case_joint_root_id_case_file")),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_case_joint")),
    )
    op.create_index("case_joint_by_root", "case_joint", ["root_id"])
    op.create_table(
        "third_party_report",
        sa.Column("agency", sa.String(18), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("agency_name", sa.String(200), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("file_sha256", sa.String(64), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("claims", Json(), nullable=False),
        sa.Column("differences", Json(), nullable=False),
        sa.Column("taken_by", sa.String(128), nullable=False),
        sa.Column("taken_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("agency", "number", name=op.f("pk_third_party_report")),
    )
    op.create_index("third_party_report_by_uscc", "third_party_report", ["uscc", "taken_at"])
