"""JSON route of jobs: their owner asks how far they are."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Literal

from apiflask import APIBlueprint
from pydantic import BaseModel

from trace_core.errors import NotFound
from trace_server.accounts.access import current_client, permission
from trace_server.jobs import operations, wire
from trace_server.services import services

blueprint = APIBlueprint("jobs", __name__, url_prefix="/api/v1/jobs", tag="Jobs")

_ID = re.compile(r"[0-9a-f]{32}\Z")


class ProgressOut(BaseModel):
    """Steps of the job's own choice; 0 of 0 while nothing is known."""

    done: int
    total: int


class JobOut(BaseModel):
    """How far a piece of work is, and where its result lies."""

    id: str
    kind: str
    state: Literal["queued", "running", "done", "dead"]
    attempts: int
    progress: ProgressOut
    result: str | None
    failure: str | None
    created_at: datetime
    updated_at: datetime
    run_after: datetime
    finished_at: datetime | None


@blueprint.get("/<job_id>")
@permission("jobs:read")
@blueprint.output(JobOut)
@blueprint.doc(summary="How far a job of this client is", responses=[404, 503])
def get_job(job_id: str) -> JobOut:
    """Only the client that asked for the work may ask."""
    if not _ID.match(job_id):
        raise NotFound("there is no such job", where="job_id")
    owner = f"client:{current_client().client_id}"
    return JobOut.model_validate(wire.job_json(operations.find_job(services().db, bytes.fromhex(job_id), owner)))
