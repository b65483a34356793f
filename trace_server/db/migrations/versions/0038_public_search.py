"""One index that holds all the public list of decisions is narrowed by, in place of the one it is ordered by."""

from alembic import op

revision = "0038"
down_revision = "0037"

_TABLE = "violation_record"
_ORDER = ["state", "is_public", "decided_on", "record_id"]
_SEARCHED = ["window_max_end", "category", "region", "uscc", "decision_no", "subject_name"]


def upgrade() -> None:
    """Replace the index."""
    op.drop_index("violation_record_shown", _TABLE)
    op.create_index("violation_record_listed", _TABLE, [*_ORDER, *_SEARCHED])


def downgrade() -> None:
    """As it was."""
    op.drop_index("violation_record_listed", _TABLE)
    op.create_index("violation_record_shown", _TABLE, _ORDER)
