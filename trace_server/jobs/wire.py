"""What a job says of itself in JSON: the same over HTTP and on the command line."""

from __future__ import annotations

from typing import Any

from trace_server.jobs.model import Job


def job_json(job: Job) -> dict[str, Any]:
    """Without its payload and owner, which are the server's own."""
    return {
        "id": job.job_key.hex(),
        "kind": job.kind,
        "state": job.state.value,
        "attempts": job.attempts,
        "progress": {"done": job.done, "total": job.total},
        "result": job.result or None,
        "failure": job.failure or None,
        "created_at": job.created_at.isoformat(),
        "updated_at": job.updated_at.isoformat(),
        "run_after": job.run_after.isoformat(),
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
    }


def operator_json(job: Job) -> dict[str, Any]:
    """All of it, for who runs the server."""
    return {**job_json(job), "owner": job.owner, "payload": dict(job.payload)}
