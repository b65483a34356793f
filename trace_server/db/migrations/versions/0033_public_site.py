"""What the public lists are searched and ordered by, and the files of open data."""

from datetime import datetime, timedelta, timezone
from typing import Any

import sqlalchemy as sa
from alembic import op

from trace_server.db.types import Json, Key, UtcDateTime

revision = "0033"
down_revision = "0032"

_CHINA = timezone(timedelta(hours=8))
_BATCH = 1000


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("category", sa.String(32), nullable=False, server_default=""),
        sa.Column("region", sa.String(6), nullable=False, server_default=""),
        sa.Column("decision_no", sa.String(128), nullable=False, server_default=""),
        sa.Column("authority_code", sa.String(18), nullable=False, server_default=""),
        sa.Column("is_public", sa.SmallInteger(), nullable=False, server_default="0"),
        sa.Column("published_on", sa.Date(), nullable=True),
    ]


def upgrade() -> None:
    """Add the columns, fill them from the versions that stand, and create indexes and table."""
    for column in _columns():
        op.add_column("violation_record", column)
    _fill(op.get_bind())
    op.create_index("violation_record_shown", "violation_record", ["state", "is_public", "decided_on", "record_id"])
    op.create_index("violation_record_timely", "violation_record", ["decided_on", "authority_code", "published_on"])
    op.create_index("violation_record_by_number", "violation_record", ["decision_no"])
    op.create_index("list_membership_shown", "list_membership", ["list_id", "state", "listed_on", "membership_id"])
    op.create_index("recall_by_announced", "recall", ["announced_at", "recall_id"])
    op.create_table(
        "open_data_file",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("format", sa.String(8), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", "format", name=op.f("pk_open_data_file")),
    )


def downgrade() -> None:
    """As it was."""
    op.drop_table("open_data_file")
    op.drop_index("recall_by_announced", "recall")
    op.drop_index("list_membership_shown", "list_membership")
    for index in ("by_number", "timely", "shown"):
        op.drop_index(f"violation_record_{index}", "violation_record")
    for column in reversed(_columns()):
        op.drop_column("violation_record", column.name)


def _fill(bind: sa.Connection) -> None:
    fresh = [sa.column(column.name, column.type) for column in _columns()]
    head = sa.table("violation_record", sa.column("record_id", Key), sa.column("version"), sa.column("uscc"), *fresh)
    told = sa.table(
        "violation_version",
        *(
            sa.column("record_id", Key),
            sa.column("version"),
            sa.column("state"),
            sa.column("category"),
            sa.column("public"),
        ),
        *(sa.column("body", Json), sa.column("effective_at", UtcDateTime)),
    )
    published = sa.select(told.c.record_id, sa.func.min(told.c.effective_at)).where(told.c.state == "published")
    first = {bytes(at): moment for at, moment in bind.execute(published.group_by(told.c.record_id))}
    same = (told.c.record_id == head.c.record_id) & (told.c.version == head.c.version)
    stand = sa.select(head.c.record_id, head.c.uscc, told.c.category, told.c.public, told.c.body)
    rows = [_row(one, first.get(bytes(one.record_id))) for one in bind.execute(stand.join_from(head, told, same))]
    values = {column.name: sa.bindparam(f"new_{column.name}", type_=column.type) for column in fresh}
    change = sa.update(head).where(head.c.record_id == sa.bindparam("at", type_=Key)).values(values)
    for start in range(0, len(rows), _BATCH):
        bind.execute(change, rows[start : start + _BATCH])


def _row(one: sa.Row[*tuple[Any, ...]], published: datetime | None) -> dict[str, object]:
    return {
        "at": bytes(one.record_id),
        "new_category": one.category,
        "new_region": (one.uscc or one.body["CF_CFJGDM"])[2:8],
        "new_decision_no": one.body["CF_WSH"],
        "new_authority_code": one.body["CF_CFJGDM"],
        "new_is_public": one.public,
        "new_published_on": published.astimezone(_CHINA).date() if published else None,
    }
