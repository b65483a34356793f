"""The values of steps, dispositions and places that events named, so that lists of them ask no events."""

import sqlalchemy as sa
from alembic import op

from trace_core.ids.canonical import canonical_key
from trace_server.db.types import Key

revision = "0027"
down_revision = "0026"

_COLUMNS = {
    "bizSteps": "biz_step",
    "bizLocations": "biz_location",
    "readPoints": "read_point",
    "dispositions": "disposition",
}


def upgrade() -> None:
    """Create the table and fill it from the events that are stored."""
    table = op.create_table(
        "event_value",
        sa.Column("value_key", Key(), nullable=False),
        sa.Column("resource", sa.String(16), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("value_key", "resource", name=op.f("pk_event_value")),
    )
    if op.get_context().as_sql:  # a script for a person to run: the events are not at hand
        return
    for resource, column in _COLUMNS.items():
        stored = sa.table("event", sa.column(column, sa.Text()))
        values = op.get_bind().execute(sa.select(stored.c[column]).distinct().where(stored.c[column].isnot(None)))
        rows = [{"value_key": canonical_key(value), "resource": resource, "value": value} for value in values.scalars()]
        if rows:
            op.bulk_insert(table, rows)


def downgrade() -> None:
    """Drop the table."""
    op.drop_table("event_value")
