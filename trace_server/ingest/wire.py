"""What the capture path says of itself in JSON: the same shapes over HTTP and on the command line."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from trace_core.errors import InputError
from trace_server.db.types import EPOCH, to_microseconds
from trace_server.epcis_xml.jobs import JobError, JobState, write_job
from trace_server.ingest import representation
from trace_server.ingest.model import GATEWAY, Alarm, Job, Position, Quarantined, Rejection, StoredEvent

_POSITION = re.compile(r"(\d{1,18})\.(\d{1,5})\Z")
_PLACE = re.compile(r"(\d{1,17})\.([0-9a-f]{32})\Z")
VALIDATION = "epcisException:ValidationException"


def write_position(position: Position) -> str:
    """A cursor of the event stream: good across restarts, never skips or repeats."""
    return f"{position.seq}.{position.ordinal}"


def read_position(text: str) -> Position:
    """The reverse; "" is the start. Raises `InputError`."""
    if not text:
        return Position()
    found = _POSITION.match(text)
    if found is None:
        raise InputError("this is no cursor of this server", where="cursor", remedy="use next_cursor as it was given")
    return Position(int(found[1]), int(found[2]))


def write_place(moment: datetime, key: bytes) -> str:
    """A cursor of a listing by time and key; its characters mean nothing in a URL."""
    return f"{to_microseconds(moment)}.{key.hex()}"


def read_place(text: str) -> tuple[datetime, bytes] | None:
    """The reverse; "" is the start. Raises `InputError`."""
    if not text:
        return None
    found = _PLACE.match(text)
    if found is None:
        raise InputError("this is no cursor of this server", where="cursor", remedy="use next_cursor as it was given")
    return EPOCH + timedelta(microseconds=int(found[1])), bytes.fromhex(found[2])


def read_key(text: str, what: str) -> bytes:
    """A 16-byte key from its 32 hex digits. Raises `InputError`."""
    if not re.fullmatch(r"[0-9a-f]{32}", text):
        raise InputError(f"{text!r:.80} is no {what} id", where="id", remedy="32 hex digits, as they were given")
    return bytes.fromhex(text)


def event_json(event: StoredEvent) -> dict[str, Any]:
    """An item of the event stream; `event` is what the sender wrote, complete with its `@context`."""
    return {
        "event_key": event.event_key.hex(),
        "source": event.source,
        "gateway": event.source.removeprefix(GATEWAY) if event.source.startswith(GATEWAY) else None,
        "epoch": event.epoch,
        "seq": event.seq,
        "record_time": event.record_time.isoformat(),
        "is_correction": event.is_correction,
        "event": representation.event_json(event),
    }


def listed_event_json(event: StoredEvent, uris: tuple[str, ...]) -> dict[str, Any]:
    """One line of `trace-server events list`: columns of the tables, nothing computed from the body.

    `read_point` and `epcs` are canonical (Digital Link) URIs.
    """
    kind, _, identity = event.source.partition(":")
    return {
        "event_key": event.event_key.hex(),
        "source": event.source,
        "source_kind": kind,
        "source_id": identity,
        "epoch": event.epoch,
        "seq": event.seq,
        "type": event.type.name,
        "action": None if event.action is None else event.action.name,
        "event_id": event.event_id,
        "event_time": event.event_time.isoformat(),
        "record_time": event.record_time.isoformat(),
        "biz_step": event.biz_step,
        "disposition": event.disposition,
        "read_point": event.read_point,
        "is_correction": event.is_correction,
        "epcs": list(uris),
        "capture_seq": event.capture_seq or None,
    }


def quarantine_json(entry: Quarantined) -> dict[str, Any]:
    """One entry; `body` as text, bytes that are no UTF-8 replaced."""
    return {
        "id": entry.quarantine_key.hex(),
        "source": entry.source,
        "epoch": entry.epoch,
        "seq": entry.seq,
        "state": entry.state.value,
        "received_at": entry.received_at.isoformat(),
        **rejection_json(entry.rejection),
        "body": entry.body.decode("utf-8", "replace"),
    }


def alarm_json(alarm: Alarm) -> dict[str, Any]:
    """What a person must look at."""
    return {
        "id": alarm.alarm_key.hex(),
        "kind": alarm.kind,
        "source": alarm.source,
        "epoch": alarm.epoch,
        "seq": alarm.seq,
        "detail": alarm.detail,
        "first_seen": alarm.first_seen.isoformat(),
        "last_seen": alarm.last_seen.isoformat(),
        "times": alarm.times,
    }


def rejection_json(rejection: Rejection) -> dict[str, str]:
    """What is wrong, where, and how to mend it."""
    return {
        "reason": rejection.reason.value,
        "what": rejection.what,
        "where": rejection.where,
        "remedy": rejection.remedy,
    }


def job_json(job: Job) -> dict[str, Any]:
    """A capture job as EPCIS 2.0 §12.6.1 names its members, and our counts."""
    return {
        "captureID": job.job_key.hex(),
        "createdAt": job.created_at.isoformat(),
        "finishedAt": None if job.is_running else (job.finished_at or job.created_at).isoformat(),
        "running": job.is_running,
        "success": job.success,
        "captureErrorBehaviour": job.behaviour.value,
        "events": job.event_count,
        "accepted": job.accepted,
        "duplicates": job.duplicates,
        "quarantined": job.quarantined,
        "errors": [{**_problem(error), **rejection_json(error)} for error in job.errors],
    }


def job_xml(job: Job) -> bytes:
    """The same as the EPCISCaptureJob of the XML schema, without our counts."""
    errors = [JobError(**_problem(error)) for error in job.errors]
    finished = None if job.is_running else job.finished_at or job.created_at
    state = JobState(job.job_key.hex(), job.created_at, finished, job.success, job.behaviour.value, errors)
    return write_job(state)


def _problem(rejection: Rejection) -> dict[str, Any]:
    """A rejection as RFC 9457 has it, with the type that EPCIS names."""
    place = f"{rejection.where}: " if rejection.where else ""
    return {"type": VALIDATION, "title": "The event is not valid", "status": 400, "detail": f"{place}{rejection.what}"}
