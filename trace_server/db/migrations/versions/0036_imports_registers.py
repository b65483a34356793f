"""Base registers, imports, and which licences the detectors have judged by."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, Key, UtcDateTime

revision = "0036"
down_revision = "0035"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "natural_person",
        sa.Column("person_id", sa.String(17), nullable=False),
        sa.Column("lookup", Key(), nullable=False),
        sa.Column("masked_name", sa.String(200), nullable=False),
        sa.Column("document_kind", sa.String(64), nullable=False),
        sa.Column("sealed_id", sa.String(64), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("added_by", sa.String(128), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_natural_person")),
    )
    op.create_index("natural_person_by_lookup", "natural_person", ["lookup"], unique=True)
    op.create_table(
        "subject_name",
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "name", name=op.f("pk_subject_name")),
    )
    op.create_table(
        "subject_code",
        sa.Column("code", sa.String(50), nullable=False),
        sa.Column("scheme", sa.String(16), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("added_by", sa.String(128), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("code", "scheme", name=op.f("pk_subject_code")),
    )
    op.create_index("subject_code_by_uscc", "subject_code", ["uscc"])
    op.create_table(
        "premises",
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("premises_id", sa.String(32), nullable=False),
        sa.Column("address", sa.String(400), nullable=False),
        sa.Column("region", sa.String(6), nullable=False),
        sa.Column("latitude", sa.Float()),
        sa.Column("longitude", sa.Float()),
        sa.Column("licence_no", sa.String(64), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "premises_id", name=op.f("pk_premises")),
    )
    op.create_table(
        "register_document",
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("document_id", sa.String(32), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("number", sa.String(128), nullable=False),
        sa.Column("issuer", sa.String(200), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date()),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("verified_by", sa.String(128), nullable=False),
        sa.Column("verified_at", UtcDateTime()),
        sa.Column("added_by", sa.String(128), nullable=False),
        sa.Column("added_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", "document_id", name=op.f("pk_register_document")),
    )
    op.create_table(
        "court_judgment",
        sa.Column("judgment_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("case_no", sa.String(128), nullable=False),
        sa.Column("court", sa.String(200), nullable=False),
        sa.Column("party_name", sa.String(200), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("person_id", sa.String(17), nullable=False),
        sa.Column("basis_no", sa.String(128), nullable=False),
        sa.Column("duty", sa.Text(), nullable=False),
        sa.Column("performance", sa.String(200), nullable=False),
        sa.Column("conduct", sa.Text(), nullable=False),
        sa.Column("filed_on", sa.Date()),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date()),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("recorded_by", sa.String(128), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("judgment_id", name=op.f("pk_court_judgment")),
    )
    op.create_index("court_judgment_by_uscc", "court_judgment", ["uscc"])
    op.create_table(
        "import_run",
        sa.Column("import_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("template", sa.String(16), nullable=False),
        sa.Column("file_name", sa.String(200), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("format", sa.String(8), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("headings", Json(), nullable=False),
        sa.Column("columns", Json(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("unchanged", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("finished_at", UtcDateTime()),
        sa.Column("job_key", Key()),
        sa.PrimaryKeyConstraint("import_id", name=op.f("pk_import_run")),
    )
    op.create_index("import_run_by_age", "import_run", ["created_at", "import_id"])
    op.create_table(
        "import_row",
        sa.Column("import_id", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("cells", Json(), nullable=False),
        sa.Column("faults", Json(), nullable=False),
        sa.Column("ref", sa.String(128), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["import_run.import_id"], name=op.f("fk_import_row_import_id_import_run")
        ),
        sa.PrimaryKeyConstraint("import_id", "number", name=op.f("pk_import_row")),
    )
    op.create_index("import_row_by_state", "import_row", ["import_id", "state", "number"])
    op.create_table(
        "licence_judged",
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("uscc", name=op.f("pk_licence_judged")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("licence_judged")
    op.drop_table("import_row")
    op.drop_table("import_run")
    op.drop_table("court_judgment")
    op.drop_table("register_document")
    op.drop_table("premises")
    op.drop_table("subject_code")
    op.drop_table("subject_name")
    op.drop_table("natural_person")
