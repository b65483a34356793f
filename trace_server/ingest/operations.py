"""The two ways in, one transaction each: a gateway's batch and a client's document. Both end in the same rows."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog
from prometheus_client import Counter

from trace_core.errors import Conflict, NotFound
from trace_core.uplink import Ack, Batch
from trace_server.audit import operations as audit
from trace_server.blocklist.store import current_version
from trace_server.db import Connection, Database
from trace_server.ingest import killpoints
from trace_server.ingest.document import LIST_POINTER, Document, read_document
from trace_server.ingest.model import (
    CLIENT,
    GATEWAY,
    Cursor,
    CursorConflict,
    Job,
    Origin,
    Position,
    Quarantined,
    QuarantineState,
    Reason,
    Rejection,
    StoredEvent,
    new_key,
)
from trace_server.ingest.rules import Taken, read_event
from trace_server.ingest.store import capture, events, held, stream

MAX_JOB_ERRORS = 100
"""Errors that a job lists; all rejected events are in quarantine anyway."""

QUARANTINE_PAGE = 100

EVENTS = Counter("suyuan_ingest_events", "Events that came in", ["outcome"])

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Intake:
    """Bodies after reading: (place, rows) of the good ones with each key once, and what is held."""

    taken: list[tuple[int, Taken]]
    held: list[Quarantined]
    keys: list[bytes | None]
    """Event key of each body, None for held ones."""


def accept_batch(
    db: Database,
    now: datetime,
    gateway_id: str,
    batch: Batch,
    *,
    admit: Callable[[Connection], object] | None = None,
) -> Ack:
    """Take what is new of `batch` and acknowledge after the commit. Sending the same batch again changes nothing.

    `admit` is called inside the transaction and raises when the gateway may not send (any more). Raises
    `CursorConflict` for a gap and for bodies that contradict stored ones; the latter are kept in quarantine.
    """
    killpoints.reach(killpoints.BEFORE_PARSE)
    origin = Origin(f"{GATEWAY}{gateway_id}", now, batch.epoch, batch.wall, batch.clock_state.value)
    read = [_read(body, origin) for body in batch.events]  # before the transaction: locks are short
    with db.begin() as conn:
        if admit is not None:
            admit(conn)
        outcome = _settle(conn, db, origin, batch, read)
    killpoints.reach(killpoints.AFTER_COMMIT)
    if isinstance(outcome, CursorConflict):
        raise outcome
    return outcome


def capture_document(db: Database, now: datetime, client_id: str, raw: bytes) -> Job:
    """Take the good events of an EPCIS document, hold the bad ones; events that are stored already count as duplicates.

    Raises `EventError` with JSON pointers when the document itself is wrong: then nothing is taken.
    """
    killpoints.reach(killpoints.BEFORE_PARSE)
    document = read_document(raw)
    origin = Origin(f"{CLIENT}{client_id}", now)
    intake = _intake_document(document, origin)
    with db.begin() as conn:
        key = new_key(now)
        accepted = capture.add_capture(conn, db.dialect, origin, key, intake.taken, document.context_text)
        held.add_quarantine(conn, db.dialect, intake.held)
        job = Job(
            key,
            origin.source,
            now,
            event_count=len(document.events),
            accepted=accepted,
            duplicates=len(document.events) - len(intake.held) - accepted,
            quarantined=len(intake.held),
            errors=tuple(one.rejection for one in intake.held[:MAX_JOB_ERRORS]),
        )
        capture.add_job(conn, job)
    killpoints.reach(killpoints.AFTER_COMMIT)
    _count(job.accepted, job.duplicates, job.quarantined)
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
        context = None if entry.context is None else msgspec.json.decode(entry.context)
        result = _read(entry.body, origin, context)
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
        return capture.job(conn, job_key)


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


def _settle(
    conn: Connection, db: Database, origin: Origin, batch: Batch, read: Sequence[Taken | Rejection]
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
        cursor = dataclasses.replace(cursor, last_seq=batch.last_seq, digest=batch.digest)
        capture.move_cursor(conn, cursor, origin.received_at)
    return Ack(
        epoch=batch.epoch,
        ack=cursor.last_seq,
        backed_up_to=cursor.backed_up_to,
        server_time=origin.received_at,
        block_list_version=current_version(conn),
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
    entry = _held(body, origin, rejection, seq, state=QuarantineState.EVIDENCE)
    held.add_quarantine(conn, db.dialect, [entry])
    alarm_key = hashlib.sha256(f"{Reason.CONTRADICTION}\n{origin.source}\n{batch.epoch}\n{seq}".encode()).digest()[:16]
    held.raise_alarm(conn, db.dialect, alarm_key, origin, kind=Reason.CONTRADICTION, seq=seq, detail=detail)
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
    intake = _intake(bodies, read[skip:], origin, first_seq=first)
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
    _count(accepted, len(bodies) - accepted - len(intake.held), len(intake.held))
    return sorted(seq for seq in in_quarantine if seq is not None)


def _intake(bodies: Sequence[bytes], read: Sequence[Taken | Rejection], origin: Origin, *, first_seq: int) -> _Intake:
    taken: dict[bytes, tuple[int, Taken]] = {}
    entries: list[Quarantined] = []
    keys: list[bytes | None] = []
    for place, (body, result) in enumerate(zip(bodies, read, strict=True)):
        if isinstance(result, Rejection):
            entries.append(_held(body, origin, result, first_seq + place))
            keys.append(None)
            continue
        result.event["seq"] = first_seq + place
        taken.setdefault(result.key, (place, result))
        keys.append(result.key)
    return _Intake(list(taken.values()), entries, keys)


def _intake_document(document: Document, origin: Origin) -> _Intake:
    taken: dict[bytes, tuple[int, Taken]] = {}
    entries: list[Quarantined] = []
    for place, body in enumerate(document.events):
        result = _read(body, origin, document.context)
        if isinstance(result, Rejection):
            placed = dataclasses.replace(result, where=f"{LIST_POINTER}/{place}{result.where}")
            entries.append(_held(body, origin, placed, context=document.context_text))
        else:
            taken.setdefault(result.key, (place, result))
    return _Intake(list(taken.values()), entries, [])


def _held(
    body: bytes,
    origin: Origin,
    rejection: Rejection,
    seq: int | None = None,
    *,
    context: str | None = None,
    state: QuarantineState = QuarantineState.HELD,
) -> Quarantined:
    """The key follows from who sent what as which number, so that a repeat is the same entry."""
    head = f"{origin.source}\n{origin.epoch}\n{seq}\n{context}\n".encode()
    key = hashlib.sha256(head + body).digest()[:16]
    return Quarantined(key, origin.source, origin.epoch, seq, rejection, body, context, origin.received_at, state)


def _read(body: bytes, origin: Origin, context: object = None) -> Taken | Rejection:
    """As `rules.read_event`, for good and bad bodies and also for our own mistakes.

    One body that our code cannot digest must not hold up all that come after it: it waits in quarantine until the
    code is mended, and is replayed then.
    """
    try:
        return read_event(body, origin, context)
    except Exception as error:
        EVENTS.labels("internal-error").inc()
        log.exception("an event broke the capture path", source=origin.source)
        return Rejection(Reason.INTERNAL, f"the server cannot read this event: {type(error).__name__}")


def _count(accepted: int, duplicates: int, quarantined: int) -> None:
    EVENTS.labels("accepted").inc(accepted)
    EVENTS.labels("duplicate").inc(duplicates)
    EVENTS.labels("quarantined").inc(quarantined)
