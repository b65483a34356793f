"""Asynchronous capture: the document is stored before the 202, read by the worker, and gone with the end of its job."""

from __future__ import annotations

from datetime import datetime

from trace_core.errors import EventError, InputError
from trace_server.db import Connection, Database
from trace_server.ingest import operations
from trace_server.ingest.document import BadDocument
from trace_server.ingest.model import CLIENT, ErrorBehaviour, Job, Pending, Reason, Rejection, new_key
from trace_server.ingest.store import capture, inbox
from trace_server.jobs import operations as jobs
from trace_server.jobs.model import Attempt, Kind
from trace_server.problems import TooManyRequests

KIND = "capture"
MAX_PENDING = 50
"""Documents of one client that may wait at once: 100 MB."""
RETRY_AFTER_S = 30


def accept_document(
    db: Database, now: datetime, client_id: str, raw: bytes, behaviour: ErrorBehaviour, *, xml: bool
) -> Job:
    """Keep `raw` and return its running job. Raises `TooManyRequests` when too many of this client's wait."""
    document = Pending(new_key(now), f"{CLIENT}{client_id}", now, behaviour, is_xml=xml, raw=raw)
    with db.begin() as conn:
        if inbox.count(conn, document.source) >= MAX_PENDING:
            raise TooManyRequests("too many documents of this client wait", retry_after_s=RETRY_AFTER_S)
        inbox.add(conn, document)
        payload: dict[str, object] = {"capture": document.job_key.hex()}
        jobs.enqueue(conn, db.dialect, now, KIND, payload, owner=document.source, idempotency=document.job_key.hex())
    return document.job


def read_document(attempt: Attempt) -> str:
    """Capture what waits. Events, the end of the capture job and of this attempt are one transaction."""
    db, now = attempt.services.db, attempt.services.clock()
    key = bytes.fromhex(str(attempt.job.payload["capture"]))
    result = f"/api/v1/capture/{key.hex()}"
    with db.read() as conn:
        document = inbox.find(conn, key)
    if document is None:  # an earlier attempt has ended it
        return result

    def end(conn: Connection) -> None:
        inbox.remove(conn, key)
        attempt.finish(conn, result)

    try:
        operations.capture_document(
            db,
            now,
            document.source.removeprefix(CLIENT),
            document.raw,
            document.behaviour,
            xml=document.is_xml,
            pending=document,
            end=end,
        )
    except (EventError, InputError) as error:
        with db.begin() as conn:
            capture.add_job(conn, _refused(document, now, error))
            end(conn)
    return result


def _refused(document: Pending, now: datetime, error: EventError | InputError) -> Job:
    """The end of a document that is wrong as a whole."""
    one = Rejection(Reason.SCHEMA, error.what, error.where or "/", error.remedy)
    wrong = error.rejections if isinstance(error, BadDocument) else (one,)
    return Job(
        document.job_key,
        document.source,
        document.created_at,
        event_count=0,
        accepted=0,
        duplicates=0,
        quarantined=0,
        errors=wrong,
        behaviour=document.behaviour,
        finished_at=now,
    )


kinds: list[Kind] = [Kind(KIND, read_document)]
