"""Bodies → what is stored and what is held: between reading one event and writing many. No SQL here."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec
import structlog
from prometheus_client import Counter

from trace_server.epcis_xml.parsing import path_of
from trace_server.ingest.document import Document
from trace_server.ingest.model import Origin, Quarantined, QuarantineState, Reason, Rejection
from trace_server.ingest.rules import Taken, read_event
from trace_server.ingest.xml_document import XmlDocument, read_held

EVENTS = Counter("suyuan_ingest_events", "Events that came in", ["outcome"])

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Intake:
    """Bodies after reading: (place, rows) of the good ones with each key once, and what is held."""

    taken: list[tuple[int, Taken]]
    held: list[Quarantined]
    keys: list[bytes | None]
    """Event key of each body, None for held ones."""


def intake_batch(
    bodies: Sequence[bytes], read: Sequence[Taken | Rejection], origin: Origin, *, first_seq: int
) -> Intake:
    """What becomes of a gateway's events, `read` being what reading each gave."""
    taken: dict[bytes, tuple[int, Taken]] = {}
    entries: list[Quarantined] = []
    keys: list[bytes | None] = []
    for place, (body, result) in enumerate(zip(bodies, read, strict=True)):
        if isinstance(result, Rejection):
            entries.append(hold(body, origin, result, first_seq + place))
            keys.append(None)
            continue
        result.event["seq"] = first_seq + place
        taken.setdefault(result.key, (place, result))
        keys.append(result.key)
    return Intake(list(taken.values()), entries, keys)


@dataclass(frozen=True, slots=True)
class Incoming:
    """One event of a document: how it would be held, where it stands, what reading it gave."""

    body: Callable[[], bytes]
    where: Callable[[], str]
    result: Taken | Rejection


def intake_document(
    incoming: Sequence[Incoming], judged: Sequence[Taken | Rejection], origin: Origin, context: str | None
) -> Intake:
    """What becomes of the events of a client's document, `judged` being their results after `claims`."""
    taken: dict[bytes, tuple[int, Taken]] = {}
    entries: list[Quarantined] = []
    for place, (one, result) in enumerate(zip(incoming, judged, strict=True)):
        if isinstance(result, Taken):
            taken.setdefault(result.key, (place, result))
            continue
        # Refused for who sends it, a rejection knows only its place inside the event.
        where = one.where() if isinstance(one.result, Taken) else ""
        placed = dataclasses.replace(result, where=where + result.where)
        entries.append(hold(one.body(), origin, placed, context=context))
    return Intake(list(taken.values()), entries, [])


def read_incoming(document: Document | XmlDocument, origin: Origin) -> list[Incoming]:
    """Each event of a document, read."""
    if isinstance(document, XmlDocument):
        return [
            Incoming(event.alone, partial(path_of, event.element), _guarded(partial(event.read, origin), origin))
            for event in document.events
        ]
    found = []
    for place, body in enumerate(document.events):
        result = guarded(body, origin, document.context)
        if isinstance(result, Rejection):
            result = dataclasses.replace(result, where=document.place(place) + result.where)
        found.append(Incoming(partial(bytes, body), partial(document.place, place), result))
    return found


def read_again(entry: Quarantined, origin: Origin) -> Taken | Rejection:
    """A held body by today's rules."""
    if entry.body.lstrip()[:1] == b"<":
        return _guarded(lambda: read_held(entry.body, origin), origin)
    context = None if entry.context is None else msgspec.json.decode(entry.context)
    return guarded(entry.body, origin, context)


def hold(
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


def guarded(body: bytes, origin: Origin, context: object = None) -> Taken | Rejection:
    """As `rules.read_event`, for good and bad bodies and also for our own mistakes."""
    return _guarded(lambda: read_event(body, origin, context), origin)


def _guarded(read: Callable[[], Taken | Rejection], origin: Origin) -> Taken | Rejection:
    """One body that our code cannot digest must not hold up all that come after it: it waits in quarantine until the
    code is mended, and is replayed then."""
    try:
        return read()
    except Exception as error:
        EVENTS.labels("internal-error").inc()
        log.exception("an event broke the capture path", source=origin.source)
        return Rejection(Reason.INTERNAL, f"the server cannot read this event: {type(error).__name__}")


def count(accepted: int, duplicates: int, quarantined: int) -> None:
    """Add to the counters."""
    EVENTS.labels("accepted").inc(accepted)
    EVENTS.labels("duplicate").inc(duplicates)
    EVENTS.labels("quarantined").inc(quarantined)
