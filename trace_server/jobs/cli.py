"""`trace-server jobs list|show|retry`."""

from __future__ import annotations

import json

import click

from trace_core.errors import InputError
from trace_server.jobs import operations, wire
from trace_server.jobs.model import Job, JobState
from trace_server.services import Services, operator_name

JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


@click.group()
def jobs() -> None:
    """Work that the server does for somebody, e.g. `trace-server jobs list --state dead`."""


@jobs.command("list")
@click.option("--state", type=click.Choice([state.value for state in JobState]), help="Only jobs in this state.")
@click.option("--kind", default="", help="Only jobs of this kind.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@JSON
@click.pass_obj
def list_jobs(services: Services, *, state: str | None, kind: str, limit: int, as_json: bool) -> None:
    """The newest first."""
    found = operations.list_jobs(services.db, state=JobState(state) if state else None, kind=kind, limit=limit)
    if as_json:
        print(json.dumps([wire.operator_json(job) for job in found], ensure_ascii=False))
        return
    for job in found:
        print(_line(job))


@jobs.command("show")
@click.argument("job_id")
@JSON
@click.pass_obj
def show_job(services: Services, job_id: str, *, as_json: bool) -> None:
    """One job, with what it was given."""
    job = operations.find_job(services.db, _key(job_id))
    if as_json:
        print(json.dumps(wire.operator_json(job), ensure_ascii=False))
        return
    print(_line(job))
    print(f"owner {job.owner or '-'}\tresult {job.result or '-'}")
    print(f"given {json.dumps(dict(job.payload), ensure_ascii=False)}")


@jobs.command("retry")
@click.argument("job_id")
@JSON
@click.pass_obj
def retry_job(services: Services, job_id: str, *, as_json: bool) -> None:
    """Queue a dead job again, after its cause was mended."""
    job = operations.retry(services.db, services.clock(), operator_name(), _key(job_id))
    print(json.dumps(wire.operator_json(job), ensure_ascii=False) if as_json else _line(job))


def _line(job: Job) -> str:
    steps = f"{job.done}/{job.total}" if job.total else "-"
    when = job.created_at.isoformat(timespec="seconds")
    return f"{job.job_key.hex()}\t{job.kind}\t{job.state}\t{job.attempts} attempts\t{steps}\t{when}\t{job.failure}"


def _key(text: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError as error:
        raise InputError(f"{text!r:.80} is no job id", remedy="32 hex digits, as `jobs list` gives them") from error
    if len(key) != 16:
        raise InputError(f"{text!r:.80} is no job id", remedy="32 hex digits, as `jobs list` gives them")
    return key


commands: list[click.Command] = [jobs]
