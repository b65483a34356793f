"""The first schema. Frozen: a change is a new file with the next number."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, Key, UtcDateTime

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "alarm",
        sa.Column("alarm_key", Key(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("epoch", sa.String(length=16), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("first_seen", UtcDateTime(), nullable=False),
        sa.Column("last_seen", UtcDateTime(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("alarm_key", name=op.f("pk_alarm")),
    )
    op.create_table(
        "alert",
        sa.Column("alert_key", Key(), nullable=False),
        sa.Column("rule_id", sa.String(length=16), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("subject_kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("provisional_until", UtcDateTime(), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("evidence_count", sa.Integer(), nullable=False),
        sa.Column("first_seen", UtcDateTime(), nullable=False),
        sa.Column("last_seen", UtcDateTime(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("cleared_why", sa.Text(), nullable=False),
        sa.Column("computed", Json(), nullable=False),
        sa.PrimaryKeyConstraint("alert_key", name=op.f("pk_alert")),
    )
    op.create_index("alert_by_opening", "alert", ["opened_at", "alert_key"], unique=False)
    op.create_table(
        "audit_entry",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("detail", Json(), nullable=False),
        sa.Column("previous", sa.LargeBinary(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_entry")),
    )
    op.create_index("ix_audit_entry_object_seq", "audit_entry", ["object", "seq"], unique=False)
    op.create_table(
        "audit_head",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_audit_head_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "block_list",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("entries", Json(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_block_list")),
    )
    op.create_table(
        "capture",
        sa.Column("capture_key", Key(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("record_time", UtcDateTime(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("context", sa.Text(), nullable=True),
        sa.Column("sender_wall", UtcDateTime(), nullable=True),
        sa.Column("clock_state", sa.String(length=16), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("capture_key", name=op.f("pk_capture")),
    )
    op.create_index("capture_by_seq", "capture", ["seq"], unique=True)
    op.create_index(
        "capture_unnumbered",
        "capture",
        ["capture_key"],
        unique=False,
        postgresql_where=sa.text("seq IS NULL"),
        sqlite_where=sa.text("seq IS NULL"),
    )
    op.create_table(
        "capture_head",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_capture_head")),
    )
    op.create_table(
        "capture_job",
        sa.Column("job_key", Key(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("accepted", sa.Integer(), nullable=False),
        sa.Column("duplicates", sa.Integer(), nullable=False),
        sa.Column("quarantined", sa.Integer(), nullable=False),
        sa.Column("errors", Json(), nullable=False),
        sa.PrimaryKeyConstraint("job_key", name=op.f("pk_capture_job")),
    )
    op.create_table(
        "catalog_revision",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_catalog_revision")),
    )
    op.create_table(
        "client",
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("client_id", name=op.f("pk_client")),
        sa.UniqueConstraint("name", name=op.f("uq_client_name")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_client_token_hash")),
    )
    op.create_table(
        "code_query",
        sa.Column("object_key", Key(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("first_day", sa.Integer(), nullable=False),
        sa.Column("first_hour", sa.SmallInteger(), nullable=False),
        sa.Column("previous_day", sa.Integer(), nullable=True),
        sa.Column("last_day", sa.Integer(), nullable=False),
        sa.Column("today", sa.Integer(), nullable=False),
        sa.Column("yesterday", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("object_key", name=op.f("pk_code_query")),
    )
    op.create_table(
        "credit_head",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_credit_head")),
    )
    op.create_table(
        "enrolment_failure",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("window_start", UtcDateTime(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("address", "window_start", name=op.f("pk_enrolment_failure")),
    )
    op.create_table(
        "event",
        sa.Column("event_key", Key(), nullable=False),
        sa.Column("capture_key", Key(), nullable=False),
        sa.Column("event_time", UtcDateTime(), nullable=False),
        sa.Column("record_time", UtcDateTime(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("ordinal", sa.SmallInteger(), nullable=False),
        sa.Column("type", sa.SmallInteger(), nullable=False),
        sa.Column("action", sa.SmallInteger(), nullable=True),
        sa.Column("utc_offset_min", sa.SmallInteger(), nullable=False),
        sa.Column("is_correction", sa.Boolean(), nullable=False),
        sa.Column("biz_step", sa.Text(), nullable=True),
        sa.Column("disposition", sa.Text(), nullable=True),
        sa.Column("read_point", sa.Text(), nullable=True),
        sa.Column("biz_location", sa.Text(), nullable=True),
        sa.Column("event_id", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("epoch", sa.String(length=16), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("event_key", name=op.f("pk_event")),
    )
    op.create_index("event_by_capture", "event", ["capture_key", "ordinal"], unique=False)
    op.create_table(
        "follower_position",
        sa.Column("follower", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("updated", UtcDateTime(), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("last_failure", sa.Text(), server_default=sa.text("('')"), nullable=False),
        sa.PrimaryKeyConstraint("follower", name=op.f("pk_follower_position")),
    )
    op.create_table(
        "gateway",
        sa.Column("gateway_id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("read_points", Json(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("auto_approve", sa.Boolean(), nullable=False),
        sa.Column("software", sa.Text(), nullable=False),
        sa.Column("hostname", sa.Text(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("gateway_id", name=op.f("pk_gateway")),
    )
    op.create_table(
        "gateway_cursor",
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=16), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("backed_up_to", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("updated", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("gateway_id", "epoch", name=op.f("pk_gateway_cursor")),
    )
    op.create_table(
        "gateway_event",
        sa.Column("gateway_id", sa.String(length=64), nullable=False),
        sa.Column("epoch", sa.String(length=16), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("event_key", Key(), nullable=True),
        sa.Column("quarantine_key", Key(), nullable=True),
        sa.PrimaryKeyConstraint("gateway_id", "epoch", "seq", name=op.f("pk_gateway_event")),
    )
    op.create_table(
        "issued_code",
        sa.Column("object_key", Key(), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("lot", sa.String(length=20), nullable=False),
        sa.Column("serial", sa.String(length=20), nullable=False),
        sa.Column("epc", sa.String(length=128), nullable=False),
        sa.Column("epc_key", Key(), nullable=True),
        sa.Column("key_id", sa.String(length=1), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("object_key", name=op.f("pk_issued_code")),
    )
    op.create_index("issued_code_by_batch", "issued_code", ["gtin", "lot"], unique=False)
    op.create_index("issued_code_by_epc", "issued_code", ["epc_key"], unique=False)
    op.create_table(
        "link",
        sa.Column("object_key", Key(), nullable=False),
        sa.Column("event_time", UtcDateTime(), nullable=False),
        sa.Column("event_key", Key(), nullable=False),
        sa.Column("ordinal", sa.SmallInteger(), nullable=False),
        sa.Column("role", sa.SmallInteger(), nullable=False),
        sa.Column("action", sa.SmallInteger(), nullable=True),
        sa.Column("peer_key", Key(), nullable=True),
        sa.Column("quantity", sa.Float(), nullable=True),
        sa.Column("uom", sa.String(length=3), nullable=True),
        sa.PrimaryKeyConstraint("object_key", "event_time", "event_key", "ordinal", name=op.f("pk_link")),
    )
    op.create_index(
        "link_by_peer",
        "link",
        ["peer_key"],
        unique=False,
        postgresql_where=sa.text("peer_key IS NOT NULL"),
        sqlite_where=sa.text("peer_key IS NOT NULL"),
    )
    op.create_table(
        "object",
        sa.Column("object_key", Key(), nullable=False),
        sa.Column("canonical_uri", sa.Text(), nullable=False),
        sa.Column("is_class", sa.Boolean(), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=True),
        sa.Column("lot", sa.Text(), nullable=True),
        sa.Column("serial", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("object_key", name=op.f("pk_object")),
    )
    op.create_table(
        "place",
        sa.Column("uri", sa.String(length=256), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("city", sa.String(length=64), nullable=False),
        sa.Column("city_en", sa.String(length=64), nullable=False),
        sa.Column("operator_uscc", sa.String(length=18), nullable=False),
        sa.PrimaryKeyConstraint("uri", name=op.f("pk_place")),
    )
    op.create_table(
        "quarantine",
        sa.Column("quarantine_key", Key(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("epoch", sa.String(length=16), nullable=True),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("where", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("context", sa.Text(), nullable=True),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("resolved_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("quarantine_key", name=op.f("pk_quarantine")),
    )
    op.create_table(
        "subject",
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("region", sa.String(length=12), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", name=op.f("pk_subject")),
    )
    op.create_table(
        "violation_record",
        sa.Column("record_id", Key(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=True),
        sa.Column("subject_name", sa.String(length=200), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=False),
        sa.Column("window_max_end", sa.Date(), nullable=False),
        sa.Column("window_basis", sa.String(length=96), nullable=False),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_violation_record")),
    )
    op.create_index("violation_record_by_end", "violation_record", ["window_max_end"], unique=False)
    op.create_index("violation_record_by_uscc", "violation_record", ["uscc"], unique=False)
    op.create_table(
        "alert_evidence",
        sa.Column("alert_key", Key(), nullable=False),
        sa.Column("event_key", Key(), nullable=False),
        sa.Column("event_time", UtcDateTime(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["alert_key"], ["alert.alert_key"], name=op.f("fk_alert_evidence_alert_key_alert")),
        sa.PrimaryKeyConstraint("alert_key", "event_key", name=op.f("pk_alert_evidence")),
    )
    op.create_table(
        "credit_sealed",
        sa.Column("record_id", Key(), nullable=False),
        sa.Column("identity", Json(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["violation_record.record_id"], name=op.f("fk_credit_sealed_record_id_violation_record")
        ),
        sa.PrimaryKeyConstraint("record_id", name=op.f("pk_credit_sealed")),
    )
    op.create_table(
        "enrolment_code",
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("gateway_id", sa.Text(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["gateway_id"], ["gateway.gateway_id"], name=op.f("fk_enrolment_code_gateway_id_gateway")
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_enrolment_code")),
    )
    op.create_table(
        "gateway_key",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("gateway_id", sa.Text(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("revoked_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.gateway_id"], name=op.f("fk_gateway_key_gateway_id_gateway")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_gateway_key")),
    )
    op.create_index("ix_gateway_key_gateway_id", "gateway_key", ["gateway_id"], unique=False)
    op.create_table(
        "licence",
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("title", sa.String(length=64), nullable=False),
        sa.Column("title_en", sa.String(length=128), nullable=False),
        sa.Column("authority", sa.String(length=200), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["uscc"], ["subject.uscc"], name=op.f("fk_licence_uscc_subject")),
        sa.PrimaryKeyConstraint("uscc", "number", name=op.f("pk_licence")),
    )
    op.create_table(
        "product",
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("name_en", sa.String(length=200), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("spec", sa.String(length=200), nullable=False),
        sa.Column("spec_en", sa.String(length=200), nullable=False),
        sa.Column("producer_uscc", sa.String(length=18), nullable=False),
        sa.Column("ingredients", sa.String(length=1000), nullable=False),
        sa.Column("ingredients_en", sa.String(length=1000), nullable=False),
        sa.Column("standard", sa.String(length=200), nullable=False),
        sa.Column("storage", sa.String(length=200), nullable=False),
        sa.Column("storage_en", sa.String(length=200), nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=False),
        sa.Column("origin_en", sa.String(length=200), nullable=False),
        sa.Column("approval_no", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["producer_uscc"], ["subject.uscc"], name=op.f("fk_product_producer_uscc_subject")),
        sa.PrimaryKeyConstraint("gtin", name=op.f("pk_product")),
    )
    op.create_table(
        "violation_version",
        sa.Column("record_id", Key(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("procedure", sa.String(length=16), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("regime", sa.String(length=64), nullable=False),
        sa.Column("policy_version", sa.String(length=64), nullable=False),
        sa.Column("public", sa.SmallInteger(), nullable=False),
        sa.Column("window_min_end", sa.Date(), nullable=False),
        sa.Column("window_max_end", sa.Date(), nullable=False),
        sa.Column("batches", Json(), nullable=False),
        sa.Column("evidence_ref", sa.Text(), nullable=True),
        sa.Column("recorded_by", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("document", sa.String(length=128), nullable=True),
        sa.Column("diff", Json(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("effective_at", UtcDateTime(), nullable=False),
        sa.Column("body", Json(), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id"], ["violation_record.record_id"], name=op.f("fk_violation_version_record_id_violation_record")
        ),
        sa.PrimaryKeyConstraint("record_id", "version", name=op.f("pk_violation_version")),
    )
    op.create_table(
        "batch",
        sa.Column("gtin", sa.String(length=14), nullable=False),
        sa.Column("lot", sa.String(length=20), nullable=False),
        sa.Column("producer_uscc", sa.String(length=18), nullable=False),
        sa.Column("production_date", sa.Date(), nullable=False),
        sa.Column("expiry_date", sa.Date(), nullable=True),
        sa.Column("quantity", sa.String(length=32), nullable=False),
        sa.Column("uom", sa.String(length=8), nullable=False),
        sa.Column("certificates", Json(), nullable=False),
        sa.Column("inspection_passed", sa.Boolean(), nullable=True),
        sa.Column("inspection_report_no", sa.String(length=64), nullable=True),
        sa.Column("inspection_body", sa.String(length=200), nullable=True),
        sa.Column("inspection_on", sa.Date(), nullable=True),
        sa.Column("inspection_origin", sa.String(length=16), nullable=True),
        sa.Column("recall_level", sa.SmallInteger(), nullable=True),
        sa.Column("recall_notice_no", sa.String(length=64), nullable=True),
        sa.Column("recall_authority", sa.String(length=200), nullable=True),
        sa.Column("recall_on", sa.Date(), nullable=True),
        sa.Column("recall_reason", sa.Text(), nullable=True),
        sa.Column("recall_reason_en", sa.Text(), nullable=True),
        sa.Column("recall_action", sa.Text(), nullable=True),
        sa.Column("recall_action_en", sa.Text(), nullable=True),
        sa.Column("recall_return_to", sa.Text(), nullable=True),
        sa.Column("recall_return_to_en", sa.Text(), nullable=True),
        sa.Column("recall_phone", sa.String(length=32), nullable=True),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["gtin"], ["product.gtin"], name=op.f("fk_batch_gtin_product")),
        sa.ForeignKeyConstraint(["producer_uscc"], ["subject.uscc"], name=op.f("fk_batch_producer_uscc_subject")),
        sa.PrimaryKeyConstraint("gtin", "lot", name=op.f("pk_batch")),
    )
    op.create_index("batch_by_producer", "batch", ["producer_uscc"], unique=False)
    op.create_table(
        "credit_change",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("op", sa.String(length=16), nullable=False),
        sa.Column("record_id", Key(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("region", sa.String(length=6), nullable=False),
        sa.Column("category", sa.String(length=32), nullable=False),
        sa.Column("department", sa.String(length=18), nullable=False),
        sa.ForeignKeyConstraint(
            ["record_id", "version"],
            ["violation_version.record_id", "violation_version.version"],
            name=op.f("fk_credit_change_record_id_version_violation_version"),
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_credit_change")),
    )


def downgrade() -> None:
    """Drop every table."""
    op.drop_table("credit_change")
    op.drop_index("batch_by_producer", table_name="batch")
    op.drop_table("batch")
    op.drop_table("violation_version")
    op.drop_table("product")
    op.drop_table("licence")
    op.drop_index("ix_gateway_key_gateway_id", table_name="gateway_key")
    op.drop_table("gateway_key")
    op.drop_table("enrolment_code")
    op.drop_table("credit_sealed")
    op.drop_table("alert_evidence")
    op.drop_index("violation_record_by_uscc", table_name="violation_record")
    op.drop_index("violation_record_by_end", table_name="violation_record")
    op.drop_table("violation_record")
    op.drop_table("subject")
    op.drop_table("quarantine")
    op.drop_table("place")
    op.drop_table("object")
    op.drop_index(
        "link_by_peer",
        table_name="link",
        postgresql_where=sa.text("peer_key IS NOT NULL"),
        sqlite_where=sa.text("peer_key IS NOT NULL"),
    )
    op.drop_table("link")
    op.drop_index("issued_code_by_epc", table_name="issued_code")
    op.drop_index("issued_code_by_batch", table_name="issued_code")
    op.drop_table("issued_code")
    op.drop_table("gateway_event")
    op.drop_table("gateway_cursor")
    op.drop_table("gateway")
    op.drop_table("follower_position")
    op.drop_index("event_by_capture", table_name="event")
    op.drop_table("event")
    op.drop_table("enrolment_failure")
    op.drop_table("credit_head")
    op.drop_table("code_query")
    op.drop_table("client")
    op.drop_table("catalog_revision")
    op.drop_table("capture_job")
    op.drop_table("capture_head")
    op.drop_index(
        "capture_unnumbered",
        table_name="capture",
        postgresql_where=sa.text("seq IS NULL"),
        sqlite_where=sa.text("seq IS NULL"),
    )
    op.drop_index("capture_by_seq", table_name="capture")
    op.drop_table("capture")
    op.drop_table("block_list")
    op.drop_table("audit_head")
    op.drop_index("ix_audit_entry_object_seq", table_name="audit_entry")
    op.drop_table("audit_entry")
    op.drop_index("alert_by_opening", table_name="alert")
    op.drop_table("alert")
    op.drop_table("alarm")
