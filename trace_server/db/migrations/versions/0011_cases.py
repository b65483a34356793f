"""Cases with their dossiers and transfers, and what people made of alerts."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Key, UtcDateTime

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "case_file",
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("subject", sa.String(18), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("region", sa.String(6), nullable=False),
        sa.Column("department", sa.String(200), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("handler", sa.String(128), nullable=False),
        sa.Column("proposed_by", sa.String(128), nullable=False),
        sa.Column("opened_by", sa.String(128), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=True),
        sa.Column("due_confirmed", sa.Boolean(), nullable=False),
        sa.Column("record_id", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("case_id", name=op.f("pk_case_file")),
    )
    op.create_index("case_by_opening", "case_file", ["opened_at", "case_id"], unique=False)
    op.create_index("case_by_due", "case_file", ["due_at"], unique=False)
    op.create_index("case_by_subject", "case_file", ["subject"], unique=False)
    op.create_table(
        "case_entry",
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("document_no", sa.String(128), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.case_id"], name=op.f("fk_case_entry_case_id_case_file")),
        sa.PrimaryKeyConstraint("case_id", "number", name=op.f("pk_case_entry")),
    )
    op.create_table(
        "case_transfer",
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("from_department", sa.String(200), nullable=False),
        sa.Column("to_department", sa.String(200), nullable=False),
        sa.Column("is_outside", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("sent_by", sa.String(128), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("receipt", sa.String(16), nullable=False),
        sa.Column("answered_by", sa.String(128), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.case_id"], name=op.f("fk_case_transfer_case_id_case_file")),
        sa.PrimaryKeyConstraint("case_id", "number", name=op.f("pk_case_transfer")),
    )
    op.create_table(
        "alert_triage",
        sa.Column("alert_key", Key(), nullable=False),
        sa.Column("rule_id", sa.String(16), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("case_id", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("alert_key", name=op.f("pk_alert_triage")),
    )
    op.create_index("alert_triage_by_rule", "alert_triage", ["rule_id", "verdict"], unique=False)
    op.create_index("alert_triage_by_case", "alert_triage", ["case_id"], unique=False)


def downgrade() -> None:
    """Drop them."""
    for name in ("alert_triage", "case_transfer", "case_entry", "case_file"):
        op.drop_table(name)
