"""What the worker does for imports: takes the rows of a large table, some at a time, and says how far it is."""

from __future__ import annotations

from datetime import timedelta

from trace_server.imports import operations
from trace_server.jobs.model import Attempt, Kind


def take(attempt: Attempt) -> str:
    """Work one import off; the result is its path."""
    import_id = str(attempt.job.payload["import"])
    result = f"/api/v1/exchange/imports/{import_id}"
    operations.work_off(
        attempt.services,
        import_id,
        progress=attempt.progress,
        end=lambda conn: attempt.finish(conn, result),
    )
    return result


kinds: list[Kind] = [Kind(operations.JOB_KIND, take, lease=timedelta(minutes=2), max_attempts=4)]
