"""Geographical indications, and online sellers with their marks, listings, sales and takedown notices."""

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, UtcDateTime

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Create the tables."""
    _indications()
    _shops()


def downgrade() -> None:
    """Drop them."""
    for name in (
        "shop_takedown",
        "shop_sale",
        "shop_listing",
        "shop_mark",
        "indication_user",
        "indication_product",
        "indication",
    ):
        op.drop_table(name)


def _indications() -> None:
    """The register: three small tables."""
    op.create_table(
        "indication",
        sa.Column("gi_id", sa.String(32), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("name_en", sa.String(200), nullable=False),
        sa.Column("area", Json(), nullable=False),
        sa.Column("counties", Json(), nullable=False),
        sa.Column("seasons", Json(), nullable=False),
        sa.Column("ceilings", Json(), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("gi_id", name=op.f("pk_indication")),
    )
    op.create_table(
        "indication_product",
        sa.Column("gtin", sa.String(14), nullable=False),
        sa.Column("gi_id", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("gtin", name=op.f("pk_indication_product")),
    )
    op.create_index("indication_product_by_indication", "indication_product", ["gi_id"], unique=False)
    op.create_table(
        "indication_user",
        sa.Column("gi_id", sa.String(32), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("quotas", Json(), nullable=False),
        sa.Column("source", sa.String(200), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("gi_id", "uscc", "valid_from", name=op.f("pk_indication_user")),
    )
    op.create_index("indication_user_by_uscc", "indication_user", ["uscc"], unique=False)


def _shops() -> None:
    """Marks, and what platforms report."""
    op.create_table(
        "shop_mark",
        sa.Column("mark", sa.String(16), nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("person_ref", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("platform", sa.String(18), nullable=False),
        sa.Column("platform_name", sa.String(200), nullable=False),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("licence_no", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("requested_by", sa.String(128), nullable=False),
        sa.Column("requested_at", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(128), nullable=False),
        sa.Column("decided_at", UtcDateTime(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("mark", name=op.f("pk_shop_mark")),
    )
    op.create_index("shop_mark_by_uscc", "shop_mark", ["uscc"], unique=False)
    op.create_table(
        "shop_listing",
        sa.Column("platform", sa.String(18), nullable=False),
        sa.Column("listing_no", sa.String(64), nullable=False),
        sa.Column("mark", sa.String(16), nullable=False),
        sa.Column("seller_uscc", sa.String(18), nullable=False),
        sa.Column("gtin", sa.String(14), nullable=False),
        sa.Column("lot", sa.String(20), nullable=False),
        sa.Column("url", sa.String(500), nullable=False),
        sa.Column("listed_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("as_of", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "listing_no", name=op.f("pk_shop_listing")),
    )
    op.create_index("shop_listing_by_batch", "shop_listing", ["gtin", "lot"], unique=False)
    op.create_table(
        "shop_sale",
        sa.Column("platform", sa.String(18), nullable=False),
        sa.Column("sale_no", sa.String(64), nullable=False),
        sa.Column("listing_no", sa.String(64), nullable=False),
        sa.Column("gtin", sa.String(14), nullable=False),
        sa.Column("lot", sa.String(20), nullable=False),
        sa.Column("quantity", sa.String(32), nullable=False),
        sa.Column("sold_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "sale_no", name=op.f("pk_shop_sale")),
    )
    op.create_index("shop_sale_by_listing", "shop_sale", ["platform", "listing_no", "sold_at"], unique=False)
    op.create_table(
        "shop_takedown",
        sa.Column("notice_id", sa.String(32), nullable=False),
        sa.Column("platform", sa.String(18), nullable=False),
        sa.Column("listing_no", sa.String(64), nullable=False),
        sa.Column("gtin", sa.String(14), nullable=False),
        sa.Column("lot", sa.String(20), nullable=False),
        sa.Column("cause", sa.String(64), nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("issued_at", UtcDateTime(), nullable=False),
        sa.Column("due_at", UtcDateTime(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("notice_id", name=op.f("pk_shop_takedown")),
    )
    op.create_index("shop_takedown_by_platform", "shop_takedown", ["platform", "issued_at", "notice_id"], unique=False)
