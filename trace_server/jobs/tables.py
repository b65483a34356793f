"""The table of jobs. It stays on one node: it is a queue, and small."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, String, Table, Text
from sqlalchemy import text as sql

from trace_server.db import Json, Key, UtcDateTime, metadata

job = Table(
    "job",
    metadata,
    Column("job_key", Key, primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("payload", Json, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("run_after", UtcDateTime, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    Column("lease_until", UtcDateTime),
    Column("lease", Key),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("result", String(512), nullable=False),
    Column("failure", Text, nullable=False),
    Column("finished_at", UtcDateTime),
    Index("job_by_age", "created_at", "job_key"),
)
# Done jobs are many, open ones few. One column serves both: a running job is due when its lease ends.
Index(
    "job_due",
    job.c.run_after,
    postgresql_where=sql("state IN ('queued', 'running')"),
    sqlite_where=sql("state IN ('queued', 'running')"),
)
