"""What the change log tells beside penalties, the second person's check, and the exchange: webhooks, pullers,
receipts, daily comparisons."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, Key, UtcDateTime

revision = "0022"
down_revision = "0021"

OLD_KEY = "fk_credit_change_record_id_version_violation_version"


def upgrade() -> None:
    """Create the tables; an entry of the log may now be about something that is no penalty."""
    with op.batch_alter_table("credit_change") as log:
        log.drop_constraint(OLD_KEY, type_="foreignkey")
    op.create_index("credit_change_by_record", "credit_change", ["record_id", "version"], unique=False)
    _credit()
    _receivers()
    _pullers()


def _credit() -> None:
    op.create_table(
        "credit_shared",
        sa.Column("record_id", Key(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("op", sa.String(16), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("has_stopped", sa.SmallInteger(), nullable=False),
        sa.Column("region", sa.String(6), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("department", sa.String(18), nullable=False),
        sa.Column("record", Json(), nullable=False),
        sa.Column("key_fields", Json(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document", sa.String(128), nullable=False),
        sa.Column("effective_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("record_id", "version", name=op.f("pk_credit_shared")),
    )
    op.create_table(
        "credit_review",
        sa.Column("record_id", Key(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reviewed_by", sa.String(128), nullable=False),
        sa.Column("reviewed_at", UtcDateTime(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["violation_record.record_id"], name=op.f("fk_credit_review_record_id_violation_record")
        ),
        sa.PrimaryKeyConstraint("record_id", "version", name=op.f("pk_credit_review")),
    )


def _receivers() -> None:
    op.create_table(
        "exchange_hook",
        sa.Column("hook_key", Key(), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("dest", sa.Text(), nullable=False),
        sa.Column("suite", sa.String(16), nullable=False),
        sa.Column("sealed_token", sa.Text(), nullable=False),
        sa.Column("old_sealed_token", sa.Text(), nullable=False),
        sa.Column("old_until", UtcDateTime(), nullable=True),
        sa.Column("ops", Json(), nullable=False),
        sa.Column("kinds", Json(), nullable=False),
        sa.Column("region", sa.String(6), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("department", sa.String(18), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_failure", sa.Text(), nullable=False),
        sa.Column("last_delivered_at", UtcDateTime(), nullable=True),
        sa.Column("next_due", UtcDateTime(), nullable=False),
        sa.Column("lease", Key(), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("hook_key", name=op.f("pk_exchange_hook")),
    )
    op.create_index("exchange_hook_by_owner", "exchange_hook", ["owner", "hook_key"], unique=False)
    op.create_index("exchange_hook_due", "exchange_hook", ["state", "next_due"], unique=False)
    op.create_table(
        "exchange_delivery",
        sa.Column("hook_key", Key(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("record_id", Key(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("op", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failure", sa.Text(), nullable=False),
        sa.Column("next_due", UtcDateTime(), nullable=False),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.Column("receipt", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hook_key", "seq", name=op.f("pk_exchange_delivery")),
    )
    op.create_index("exchange_delivery_by_seq", "exchange_delivery", ["seq"], unique=False)
    op.create_index("exchange_delivery_by_state", "exchange_delivery", ["hook_key", "state", "seq"], unique=False)


def _pullers() -> None:
    op.create_table(
        "exchange_puller",
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("filter_id", sa.String(16), nullable=False),
        sa.Column("region", sa.String(6), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("department", sa.String(18), nullable=False),
        sa.Column("kinds", Json(), nullable=False),
        sa.Column("given", sa.BigInteger(), nullable=False),
        sa.Column("confirmed", sa.BigInteger(), nullable=False),
        sa.Column("pulled_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "filter_id", name=op.f("pk_exchange_puller")),
    )
    op.create_table(
        "exchange_receipt",
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("record_id", Key(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("op", sa.String(16), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "seq", name=op.f("pk_exchange_receipt")),
    )
    op.create_index("exchange_receipt_by_seq", "exchange_receipt", ["seq"], unique=False)
    op.create_table(
        "exchange_check",
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("ours_count", sa.BigInteger(), nullable=False),
        sa.Column("ours_sha256", sa.String(64), nullable=False),
        sa.Column("theirs_count", sa.BigInteger(), nullable=False),
        sa.Column("theirs_sha256", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reported_at", UtcDateTime(), nullable=False),
        sa.Column("settled_by", sa.String(128), nullable=False),
        sa.Column("settled_note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", "day", name=op.f("pk_exchange_check")),
    )
    op.create_table(
        "exchange_licence",
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", name=op.f("pk_exchange_licence")),
    )


def downgrade() -> None:
    """Drop them; entries about other things go with them."""
    op.execute("DELETE FROM credit_change WHERE kind <> 'penalty'")
    op.drop_table("exchange_licence")
    op.drop_table("exchange_check")
    op.drop_table("exchange_receipt")
    op.drop_table("exchange_puller")
    op.drop_table("exchange_delivery")
    op.drop_table("exchange_hook")
    op.drop_table("credit_review")
    op.drop_table("credit_shared")
    op.drop_index("credit_change_by_record", table_name="credit_change")
    with op.batch_alter_table("credit_change") as log:
        log.create_foreign_key(OLD_KEY, "violation_version", ["record_id", "version"], ["record_id", "version"])
