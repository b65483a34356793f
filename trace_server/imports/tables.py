"""Tables of imports: the runs, and their rows. Of a row that was taken only its number and what it became stay."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKeyConstraint, Index, Integer, String, Table

from trace_server.db import Json, Key, UtcDateTime, metadata

import_run = Table(
    "import_run",
    metadata,
    Column("import_id", String(32), primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("template", String(16), nullable=False),
    Column("file_name", String(200), nullable=False),
    Column("source", String(200), nullable=False),
    Column("category", String(32), nullable=False),
    Column("format", String(8), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("headings", Json, nullable=False),
    Column("columns", Json, nullable=False),
    Column("state", String(16), nullable=False),
    Column("total", Integer, nullable=False),
    Column("taken", Integer, nullable=False),
    Column("unchanged", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("owner", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("job_key", Key),
    Index("import_run_by_age", "created_at", "import_id"),
)

import_row = Table(
    "import_row",
    metadata,
    Column("import_id", String(32), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("cells", Json, nullable=False),
    Column("faults", Json, nullable=False),
    Column("ref", String(128), nullable=False),
    ForeignKeyConstraint(["import_id"], ["import_run.import_id"]),
    Index("import_row_by_state", "import_id", "state", "number"),
)
