"""Values of the capture path: where events come from, what is stored of them, what followers read."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from trace_core.errors import Conflict
from trace_core.uplink import ZERO_DIGEST

GATEWAY = "gateway:"
CLIENT = "client:"


class EventType(IntEnum):
    """EPCIS event types as stored; the numbers are never reused."""

    ObjectEvent = 1
    AggregationEvent = 2
    TransactionEvent = 3
    TransformationEvent = 4
    AssociationEvent = 5


class ActionCode(IntEnum):
    """EPCIS action as stored; a transformation has none."""

    ADD = 1
    OBSERVE = 2
    DELETE = 3


class LinkRole(IntEnum):
    """How an object takes part in an event, and what `peer_key` then means."""

    OBJECT = 1
    """In epcList or quantityList; no peer."""
    PARENT = 2
    """The container of an aggregation; no peer (its children point at it)."""
    CHILD = 3
    """In the container `peer_key`, from ADD until DELETE."""
    INPUT = 4
    """Used up by a transformation; peer: the node between inputs and outputs, which is the event itself or, of
    events that share a transformationID, a key made of that (`rules.transformation_key`)."""
    OUTPUT = 5
    """Made by a transformation; peer as of an input."""
    HOST = 6
    """The asset or place of an association; no peer."""
    ATTACHED = 7
    """Attached to `peer_key` by an association."""
    MEMBER = 8
    """One item of the lot `peer_key`, by the lot number in the ILMD of the event that made it."""
    RETRACTED = 9
    """Named by an error declaration, which says that the event `peer_key` was wrong."""


class Reason(StrEnum):
    """Why a body is in quarantine; stable words."""

    NOT_JSON = "not-json"
    NOT_XML = "not-xml"
    TOO_DEEP = "too-deep"
    TOO_LONG = "too-long"
    FORBIDDEN_CHARACTER = "forbidden-character"
    SCHEMA = "schema"
    RULE = "rule"
    FOREIGN_GATEWAY = "foreign-gateway"
    FOREIGN_READ_POINT = "foreign-read-point"
    FOREIGN_PLACE = "foreign-place"
    FOREIGN_PRODUCT = "foreign-product"
    TOO_MANY_OBJECTS = "too-many-objects"
    STORAGE_REFUSED = "storage-refused"
    CONTRADICTION = "sequence-contradiction"
    INTERNAL = "internal-error"


class QuarantineState(StrEnum):
    """`held` waits for a person; `replayed` is in the store now; `contradiction`s are evidence and stay."""

    HELD = "held"
    REPLAYED = "replayed"
    EVIDENCE = "evidence"


class ErrorBehaviour(StrEnum):
    """What a document with a wrong event comes to (EPCIS 2.0 header GS1-Capture-Error-Behaviour)."""

    ROLLBACK = "rollback"
    """Nothing of it is stored."""
    PROCEED = "proceed"
    """The good events are stored, the bad ones wait in quarantine."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who sent a capture and when it came. `source` is `gateway:<id>` or `client:<id>`, from the credential."""

    source: str
    received_at: datetime
    epoch: str | None = None
    sender_wall: datetime | None = None
    """The gateway's own clock when it made the batch."""
    clock_state: str | None = None

    @property
    def gateway(self) -> str | None:
        """The gateway's id, None for API clients."""
        return self.source[len(GATEWAY) :] if self.source.startswith(GATEWAY) else None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why one body cannot be taken: what is wrong, where (JSON pointer), how to mend it."""

    reason: Reason
    what: str
    where: str = ""
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the server has a gateway's epoch. `digest` is the chain value after `last_seq`."""

    gateway_id: str
    epoch: str
    last_seq: int = 0
    digest: bytes = ZERO_DIGEST
    backed_up_to: int = 0


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as a follower or a listing reads it. `body` is what the sender wrote, `context` its `@context` if
    that stood in the document around it (JSON text)."""

    event_key: bytes
    capture_seq: int
    ordinal: int
    source: str
    epoch: str | None
    seq: int | None
    type: EventType
    action: ActionCode | None
    event_time: datetime
    record_time: datetime
    biz_step: str | None
    disposition: str | None
    read_point: str | None
    biz_location: str | None
    event_id: str | None
    is_correction: bool
    body: str = field(repr=False)
    context: str | None = field(repr=False)
    sender_wall: datetime | None = None
    clock_state: str | None = None

    @property
    def gateway(self) -> str | None:
        """The gateway's id, None for events of API clients."""
        return self.source[len(GATEWAY) :] if self.source.startswith(GATEWAY) else None


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the stream of numbered captures: behind event `ordinal` of capture `seq`."""

    seq: int = 0
    ordinal: int = -1


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A body that was not taken, kept as it came."""

    quarantine_key: bytes
    source: str
    epoch: str | None
    seq: int | None
    rejection: Rejection
    body: bytes = field(repr=False)
    context: str | None
    received_at: datetime
    state: QuarantineState


@dataclass(frozen=True, slots=True)
class Alarm:
    """One cause that a person must look at, and how often it was met. `seq`: the event it is about."""

    alarm_key: bytes
    kind: str
    source: str
    epoch: str | None
    seq: int | None
    detail: str
    first_seen: datetime
    last_seen: datetime
    times: int


@dataclass(frozen=True, slots=True)
class Job:
    """What became of one captured document (EPCIS 2.0 capture job)."""

    job_key: bytes
    source: str
    created_at: datetime
    event_count: int
    accepted: int
    duplicates: int
    quarantined: int
    errors: tuple[Rejection, ...] = ()
    behaviour: ErrorBehaviour = ErrorBehaviour.PROCEED
    header: str | None = field(default=None, repr=False)
    """EPCISHeader of an XML document as it came: Standard Business Document Header, master data."""
    event_ids: tuple[str, ...] = field(default=(), repr=False, compare=False)
    """Of the events stored now, their eventIDs or hashes; not kept."""
    finished_at: datetime | None = None
    """None: with its request."""
    is_running: bool = False

    @property
    def success(self) -> bool:
        return not self.errors and not self.is_running


@dataclass(frozen=True, slots=True)
class Pending:
    """A document that was acknowledged and not read yet."""

    job_key: bytes
    source: str
    created_at: datetime
    behaviour: ErrorBehaviour
    is_xml: bool
    raw: bytes = field(repr=False)

    @property
    def job(self) -> Job:
        """Its capture job, which runs."""
        return Job(self.job_key, self.source, self.created_at, 0, 0, 0, 0, behaviour=self.behaviour, is_running=True)


class CursorConflict(Conflict):
    """A batch that does not follow from what is stored; the answer names the cursor to go on from."""

    def __init__(self, what: str, *, cursor: Cursor, where: str, remedy: str) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.cursor = cursor

    def problem_members(self) -> dict[str, object]:
        """`cursor` with epoch, ack and the digest after it (hex)."""
        cursor = self.cursor
        return {"cursor": {"epoch": cursor.epoch, "ack": cursor.last_seq, "digest": cursor.digest.hex()}}


def new_key(now: datetime) -> bytes:
    """A random key that sorts by time (56 bits of microseconds first): index inserts stay at one end."""
    return int(now.timestamp() * 1_000_000).to_bytes(7, "big") + secrets.token_bytes(9)
