"""Who receives the credit feed, what each was told and what he said: values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from trace_core.errors import NotFound, TraceError
from trace_server.credit.model import Filter


class HookState(StrEnum):
    """A paused hook is tried again by itself; an ended one never."""

    ACTIVE = "active"
    ENDED = "ended"


class DeliveryState(StrEnum):
    """Where one change stands on its way to one receiver."""

    WAITING = "waiting"
    """Was refused, is tried again."""
    HELD = "held"
    """An earlier change of the same record has not arrived: this one must not overtake it."""
    DEAD = "dead"
    """Refused too often: a person replays it."""
    DELIVERED = "delivered"


class DeliveryEvent(StrEnum):
    """What moves a delivery (`states.py`)."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    GIVE_UP = "give-up"
    FREE = "free"
    REPLAY = "replay"


class Suite(StrEnum):
    """How deliveries are signed."""

    HMAC_SHA256 = "hmac-sha256"
    ED25519 = "ed25519"


class NoSuchHook(NotFound):
    """The client has no such webhook."""


class HookLost(TraceError):
    """Another worker delivers to this hook now, or it was ended."""

    code = "hook-lease-lost"


@dataclass(frozen=True, slots=True)
class Hook:
    """A receiver of changes. `place`: every change up to this number was looked at; what failed has a `Delivery`."""

    hook_key: bytes
    owner: str
    created_at: datetime
    dest: str = field(repr=False)
    suite: Suite
    sealed_token: str = field(repr=False)
    """The client's secret for HMAC, sealed; "" for Ed25519."""
    old_sealed_token: str = field(repr=False)
    """The one before; both sign until `old_until`."""
    old_until: datetime | None
    ops: tuple[str, ...]
    """Empty: all."""
    kinds: tuple[str, ...]
    region: str
    category: str
    department: str
    state: HookState
    place: int
    failures: int
    """In a row, over all changes."""
    last_failure: str
    last_delivered_at: datetime | None
    next_due: datetime
    lease: bytes | None = field(default=None, repr=False)
    lease_until: datetime | None = None

    @property
    def id(self) -> str:
        """As clients see it."""
        return str(UUID(bytes=self.hook_key))

    @property
    def wanted(self) -> Filter:
        """The filter of the feed."""
        return Filter(self.region, self.category, self.department, self.kinds)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One change on its way to one hook, or arrived there with what the receiver answered."""

    hook_key: bytes
    seq: int
    record_id: str
    version: int
    op: str
    state: DeliveryState
    failures: int
    failure: str
    next_due: datetime
    delivered_at: datetime | None
    receipt: str
    """What the receiver answered, at most 2,000 characters: with `op` repair, expire, withdraw it is the proof of
    停止共享."""


@dataclass(frozen=True, slots=True)
class Puller:
    """A client that pulls under one filter: what it was given, and what it has confirmed by asking on from there."""

    client_id: str
    filter_id: str
    wanted: Filter
    given: int
    confirmed: int
    pulled_at: datetime


@dataclass(frozen=True, slots=True)
class Receipt:
    """A puller's statement that it has applied one change."""

    client_id: str
    seq: int
    record_id: str
    version: int
    op: str
    statement: str
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether one receiver has stopped sharing one record."""

    receiver: str
    way: str
    """"webhook" or "pull"."""
    told_at: datetime | None
    """When it was delivered, or last pulled behind the change; None: not told yet."""
    receipt: str
    received_at: datetime | None


class CheckState(StrEnum):
    """What a comparison of both sides found. `open` is a task for a person."""

    EQUAL = "equal"
    OPEN = "open"
    SETTLED = "settled"


@dataclass(frozen=True, slots=True)
class Check:
    """One day's comparison with one client."""

    client_id: str
    day: date
    ours_count: int
    ours_sha256: str
    theirs_count: int
    theirs_sha256: str
    state: CheckState
    reported_at: datetime
    settled_by: str
    settled_note: str
