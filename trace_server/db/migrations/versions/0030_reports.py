"""Credit reports, what they state, and their files."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, UtcDateTime

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "credit_report",
        sa.Column("report_no", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("usccs", Json(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("uri", sa.Text(), nullable=False),
        sa.Column("authorisation", sa.String(128), nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("owner", sa.String(18), nullable=False),
        sa.Column("asker_name", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("requested_at", UtcDateTime, nullable=False),
        sa.Column("job_id", sa.String(32), nullable=False),
        sa.Column("subject_name", sa.String(200), nullable=False),
        sa.Column("generated_at", UtcDateTime, nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("content_sha256", sa.String(64), nullable=False),
        sa.Column("file_sha256", sa.String(64), nullable=False),
        sa.Column("policy_version", sa.String(64), nullable=False),
        sa.Column("seal", sa.String(128), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("withdraw_reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("report_no", name=op.f("pk_credit_report")),
    )
    op.create_index("credit_report_by_request", "credit_report", ["requested_at", "report_no"], unique=False)
    op.create_index("credit_report_by_owner", "credit_report", ["owner", "requested_at"], unique=False)
    op.create_table(
        "credit_report_item",
        sa.Column("report_no", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("ref", sa.String(36), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["report_no"], ["credit_report.report_no"], name=op.f("fk_credit_report_item_report_no_credit_report")
        ),
        sa.PrimaryKeyConstraint("report_no", "kind", "ref", name=op.f("pk_credit_report_item")),
    )
    op.create_table(
        "credit_report_file",
        sa.Column("file_sha256", sa.String(64), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("file_sha256", name=op.f("pk_credit_report_file")),
    )
