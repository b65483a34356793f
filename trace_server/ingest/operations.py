"""The two ways in, one transaction each: a gateway's batch and a client's document. Both end in the same rows."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import structlog
from prometheus_client import Counter

from trace_core.errors import Conflict, EventError, NotFound
from trace_core.uplink import Ack, Batch
from trace_server.audit import operations as audit
from trace_server.blocklist.store import current_version
from trace_server.db import Connection, Database
from trace_server.fleet.store import current_version as settings_version
from trace_server.ingest import killpoints
from trace_server.ingest.claims import hold_to_claims
from trace_server.ingest.culprits import with_culprits_held, without_culprits
from trace_server.ingest.document import Document, read_document
from trace_server.ingest.intake import (
    EVENTS,
    Intake,
    count,
    guarded,
    hold,
    intake_batch,
    intake_document,
    read_again,
    read_incoming,
)
from trace_server.ingest.model import (
    CLIENT,
    GATEWAY,
    Alarm,
    Cursor,
    CursorConflict,
    ErrorBehaviour,
    Job,
    Origin,
    Pending,
    Position,
    Quarantined,
    QuarantineState,
    Reason,
    Rejection,
    StoredEvent,
    new_key,
)
from trace_server.ingest.rules import Taken
from trace_server.ingest.store import capture, events, held, inbox, parts, stream
from trace_server.ingest.xml_document import XmlDocument, read_xml_document

QUARANTINE_PAGE = 100

ALARMS = Counter("suyuan_alarms", "Alarms raised: what a person must look at", ["kind"])

log = structlog.get_logger(__name__)


def accept_batch(
    db: Database,
    now: datetime,
    gateway_id: str,
    batch: Batch,
    *,
    admit: Callable[[Connection], object] | None = None,
    is_backup: bool = False,
) -> Ack:
    """Take what is new of `batch` and acknowledge after the commit. Sending the same batch again changes nothing.

    `admit` is called inside the transaction and raises when the gateway may not send (any more). `is_backup`: the
    commit is as good as a backup. Raises
    `CursorConflict` for a gap and for bodies that contradict stored ones; the latter are kept in quarantine.
    """
    killpoints.reach(killpoints.BEFORE_PARSE)
    origin = Origin(f"{GATEWAY}{gateway_id}", now, batch.epoch, batch.wall, batch.clock_state.value)
    read = [guarded(body, origin) for body in batch.events]  # before the transaction: locks are short

    def settle(is_again: bool) -> Ack | CursorConflict:
        with db.begin() as conn:
            if admit is not None:
                admit(conn)
            storable = without_culprits(conn, db.dialect, origin, read) if is_again else read
            return _settle(conn, db, origin, batch, storable, is_backup=is_backup)

    outcome = with_culprits_held(settle)
    killpoints.reach(killpoints.AFTER_COMMIT)
    if isinstance(outcome, CursorConflict):
        raise outcome
    return outcome


def capture_document(  # noqa: PLR0913 – one document, however it came
    db: Database,
    now: datetime,
    client_id: str,
    raw: bytes,
    behaviour: ErrorBehaviour = ErrorBehaviour.ROLLBACK,
    *,
    xml: bool = False,
    single: bool = False,
    pending: Pending | None = None,
    end: Callable[[Connection], object] = lambda _: None,
) -> Job:
    """Take the events of an EPCIS document; those that are stored already count as duplicates.

    When some are wrong, `behaviour` decides: nothing is stored, or the good ones are and the others held. `single`: it
    must hold one event. `pending`: the job that the document has already; `end` is called inside the transaction.
    Raises `EventError` with pointers when the document itself is wrong: then nothing is taken and there is no job.
    """
    killpoints.reach(killpoints.BEFORE_PARSE)
    document = read_xml_document(raw) if xml else read_document(raw)
    if single and len(document.events) != 1:
        raise EventError(
            f"the document has {len(document.events)} events", where="/", remedy="send one, or use /api/v1/capture"
        )
    origin = Origin(f"{CLIENT}{client_id}", now)
    incoming = read_incoming(document, origin)  # before the transaction: locks are short
    context = document.context_text if isinstance(document, Document) else None

    def store(is_again: bool) -> Job:
        with db.begin() as conn:
            read = [one.result for one in incoming]
            storable = without_culprits(conn, db.dialect, origin, read) if is_again else read
            judged = hold_to_claims(conn, db.dialect, origin, storable)
            intake = intake_document(incoming, judged, origin, context)
            stored = _store_document(conn, db, origin, document, intake, behaviour, pending)
            end(conn)
            return stored

    job = with_culprits_held(store)
    killpoints.reach(killpoints.AFTER_COMMIT)
    if job.errors and behaviour is ErrorBehaviour.ROLLBACK:
        EVENTS.labels("rolled-back").inc(job.event_count)
    else:
        count(job.accepted, job.duplicates, job.quarantined)
    return job


def _store_document(
    conn: Connection,
    db: Database,
    origin: Origin,
    document: Document | XmlDocument,
    intake: Intake,
    behaviour: ErrorBehaviour,
    pending: Pending | None,
) -> Job:
    context = document.context_text if isinstance(document, Document) else None
    key = pending.job_key if pending else new_key(origin.received_at)
    rolled_back = bool(intake.held) and behaviour is ErrorBehaviour.ROLLBACK
    accepted = 0
    if not rolled_back:
        accepted = capture.add_capture(conn, db.dialect, origin, key, intake.taken, context)
        held.add_quarantine(conn, db.dialect, intake.held)
    job = Job(
        key,
        origin.source,
        pending.created_at if pending else origin.received_at,
        event_count=len(document.events),
        accepted=accepted,
        duplicates=0 if rolled_back else len(document.events) - len(intake.held) - accepted,
        quarantined=0 if rolled_back else len(intake.held),
        errors=tuple(one.rejection for one in intake.held),
        behaviour=behaviour,
        header=document.header,
        finished_at=origin.received_at if pending else None,
        event_ids=() if rolled_back else tuple(one.name for _, one in intake.taken),
    )
    capture.add_job(conn, job)
    return job


def replay(db: Database, now: datetime, actor: str, quarantine_key: bytes) -> Rejection | None:
    """Try a held body again with today's rules; None when it is an event now, else why it is not.

    Raises `NotFound`, or `Conflict` for an entry that is no longer held.
    """
    with db.begin() as conn:
        entry = held.lock_quarantined(conn, quarantine_key)
        if entry is None:
            raise NotFound("there is no such quarantine entry", where=quarantine_key.hex())
        if entry.state is not QuarantineState.HELD:
            raise Conflict(f"the entry is {entry.state}, only a held one can be replayed", where=quarantine_key.hex())
        origin = Origin(entry.source, now, entry.epoch)
        storable = without_culprits(conn, db.dialect, origin, [read_again(entry, origin)])
        (result,) = hold_to_claims(conn, db.dialect, origin, storable)
        if isinstance(result, Rejection):
            held.update_rejection(conn, quarantine_key, result)
        else:
            result.event["seq"] = entry.seq
            capture.add_capture(conn, db.dialect, origin, new_key(now), [(0, result)], entry.context)
            held.resolve_quarantine(conn, quarantine_key, result.key, now)
        outcome = "refused" if isinstance(result, Rejection) else "taken"
        audit.record(conn, now, actor, "quarantine.replay", quarantine_key.hex(), {"outcome": outcome})
    return result if isinstance(result, Rejection) else None


def number_captures(db: Database) -> int:
    """The sequencer: number every committed capture that has no number yet; returns how many."""
    total = 0
    while True:
        with db.begin() as conn:
            done = stream.number_captures(conn, db.dialect)
        total += done
        if done < stream.MAX_NUMBERED:
            return total


def find_job(db: Database, job_key: bytes) -> Job | None:
    """What became of a document."""
    with db.read() as conn:
        pending = inbox.find(conn, job_key)
        return pending.job if pending else capture.job(conn, job_key)


def list_jobs(db: Database, client_id: str, before: bytes | None, limit: int) -> list[Job]:
    """Jobs of a client, the newest first; `before`: key of the last one seen."""
    with db.read() as conn:
        source = f"{CLIENT}{client_id}"
        running = [document.job for document in inbox.of_source(conn, source, before, limit)]
        ended = capture.jobs(conn, source, before, limit)
    return sorted(running + ended, key=lambda job: job.job_key, reverse=True)[:limit]


def find_events(db: Database, event_id: str) -> list[StoredEvent]:
    """Events of one eventID or CBV hash, the oldest record first: the event, and declarations that it was wrong."""
    with db.read() as conn:
        return events.named(conn, event_id)


def find_events_with(db: Database, event_keys: Sequence[bytes]) -> list[StoredEvent]:
    """The events of these keys, for those that are stored."""
    with db.read() as conn:
        return parts.events_with(conn, db.dialect, event_keys)


def read_events(db: Database, position: Position, limit: int) -> list[StoredEvent]:
    """At most `limit` events behind `position`."""
    with db.read() as conn:
        return stream.read_after(conn, position, limit)


def stream_events(db: Database) -> Iterator[tuple[StoredEvent, tuple[str, ...]]]:
    """Every stored event with the canonical URIs of its objects, of one moment."""
    with db.read() as conn:
        yield from events.list_events(conn)


def read_quarantine(
    db: Database, *, state: QuarantineState | None, after: tuple[datetime, bytes] | None, limit: int
) -> list[Quarantined]:
    """At most `limit` entries behind `after`, oldest first."""
    with db.read() as conn:
        return held.quarantined(conn, state=state, after=after, limit=limit)


def stream_quarantine(db: Database, state: QuarantineState | None) -> Iterator[Quarantined]:
    """All entries, oldest first, fetched in pages so that the caller may change them meanwhile."""
    after: tuple[datetime, bytes] | None = None
    while page := read_quarantine(db, state=state, after=after, limit=QUARANTINE_PAGE):
        yield from page
        after = page[-1].received_at, page[-1].quarantine_key


def read_alarms(db: Database, after: tuple[datetime, bytes] | None, limit: int) -> list[Alarm]:
    """At most `limit` alarms behind `after`, the first seen first."""
    with db.read() as conn:
        return held.alarms(conn, after=after, limit=limit)


def stream_alarms(db: Database) -> Iterator[Alarm]:
    """All alarms, the first seen first."""
    after: tuple[datetime, bytes] | None = None
    while page := read_alarms(db, after, QUARANTINE_PAGE):
        yield from page
        after = page[-1].first_seen, page[-1].alarm_key


def _settle(
    conn: Connection,
    db: Database,
    origin: Origin,
    batch: Batch,
    read: Sequence[Taken | Rejection],
    *,
    is_backup: bool,
) -> Ack | CursorConflict:
    gateway_id = origin.source.removeprefix(GATEWAY)
    cursor = capture.lock_cursor(conn, db.dialect, gateway_id, batch.epoch, origin.received_at)
    if batch.first_seq > cursor.last_seq + 1:
        raise CursorConflict(
            f"the batch begins with {batch.first_seq}, the server has events up to {cursor.last_seq}",
            cursor=cursor,
            where="first_seq",
            remedy=f"send from {cursor.last_seq + 1} on",
        )
    known = capture.settled(conn, cursor, batch.first_seq, batch.last_seq)
    wrong = _contradiction(conn, cursor, batch, known)
    if wrong is not None:
        return _keep_contradiction(conn, db, origin, cursor, batch, wrong)
    skip = min(cursor.last_seq - batch.first_seq + 1, len(batch.events))
    quarantined = [seq for seq, _, is_held in known if is_held]
    if skip < len(batch.events):
        quarantined += _append(conn, db, origin, cursor, batch, read, skip)
        held_to = batch.last_seq if is_backup else cursor.backed_up_to
        cursor = dataclasses.replace(cursor, last_seq=batch.last_seq, digest=batch.digest, backed_up_to=held_to)
        capture.move_cursor(conn, cursor, origin.received_at)
    return Ack(
        epoch=batch.epoch,
        ack=cursor.last_seq,
        backed_up_to=cursor.backed_up_to,
        server_time=origin.received_at,
        block_list_version=current_version(conn),
        config_version=settings_version(conn, gateway_id),
        quarantined=tuple(quarantined),
    )


def _contradiction(
    conn: Connection, cursor: Cursor, batch: Batch, known: Sequence[tuple[int, bytes, bool]]
) -> int | None:
    """The first seq at which the batch differs from what is stored; None when it continues or repeats it."""
    digest = batch.previous_digest
    before = cursor.digest if batch.first_seq == cursor.last_seq + 1 else None
    if before is None:
        before = capture.digest_at(conn, cursor, batch.first_seq - 1)
    if digest != before:
        return batch.first_seq
    for (seq, stored, _), body in zip(known, batch.events, strict=False):
        digest = hashlib.sha256(digest + body).digest()
        if digest != stored:
            return seq
    return None


def _keep_contradiction(
    conn: Connection, db: Database, origin: Origin, cursor: Cursor, batch: Batch, seq: int
) -> CursorConflict:
    """Two bodies for one number: the first stays an event, the second becomes evidence, a person is told."""
    detail = f"event {seq} of epoch {batch.epoch} differs from what was sent before"
    rejection = Rejection(Reason.CONTRADICTION, detail, "", "find out whether the gateway was copied or restored")
    body = batch.events[seq - batch.first_seq]
    entry = hold(body, origin, rejection, seq, state=QuarantineState.EVIDENCE)
    held.add_quarantine(conn, db.dialect, [entry])
    alarm_key = hashlib.sha256(f"{Reason.CONTRADICTION}\n{origin.source}\n{batch.epoch}\n{seq}".encode()).digest()[:16]
    held.raise_alarm(conn, db.dialect, alarm_key, origin, kind=Reason.CONTRADICTION, seq=seq, detail=detail)
    ALARMS.labels(Reason.CONTRADICTION).inc()
    log.error("sequence contradiction", source=origin.source, epoch=batch.epoch, seq=seq)
    return CursorConflict(detail, cursor=cursor, where="events", remedy="begin a new epoch after the cursor")


def _append(
    conn: Connection,
    db: Database,
    origin: Origin,
    cursor: Cursor,
    batch: Batch,
    read: Sequence[Taken | Rejection],
    skip: int,
) -> list[int]:
    """Store the batch from event `skip` on; returns the numbers of those that went to quarantine."""
    first = batch.first_seq + skip
    bodies = batch.events[skip:]
    judged = hold_to_claims(conn, db.dialect, origin, read[skip:])
    intake = intake_batch(bodies, judged, origin, first_seq=first)
    accepted = capture.add_capture(conn, db.dialect, origin, new_key(origin.received_at), intake.taken)
    held.add_quarantine(conn, db.dialect, intake.held)
    in_quarantine = {one.seq: one.quarantine_key for one in intake.held}
    digest = cursor.digest
    rows = []
    for place, (body, key) in enumerate(zip(bodies, intake.keys, strict=True)):
        digest = hashlib.sha256(digest + body).digest()
        seq = first + place
        rows.append(
            {
                "gateway_id": cursor.gateway_id,
                "epoch": cursor.epoch,
                "seq": seq,
                "digest": digest,
                "event_key": key,
                "quarantine_key": in_quarantine.get(seq),
            }
        )
    capture.add_gateway_events(conn, db.dialect, rows)
    count(accepted, len(bodies) - accepted - len(intake.held), len(intake.held))
    return sorted(seq for seq in in_quarantine if seq is not None)
