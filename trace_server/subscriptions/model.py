"""A subscription to a named query, and what can go wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from trace_core.errors import InputError, NotFound, Retryable, TraceError
from trace_server.ingest.exceptions import EXCEPTION
from trace_server.ingest.model import Position, StoredEvent


class SubscriptionState(StrEnum):
    """`dead` ones wait for a person: `trace-server subscriptions retry`."""

    ACTIVE = "active"
    DEAD = "dead"


class SubscriptionEvent(StrEnum):
    """What moves a subscription from state to state (`states.py`)."""

    GIVE_UP = "give-up"
    RETRY = "retry"


class SubscriptionInvalid(InputError):
    """Controls of a subscription that cannot be."""

    def problem_members(self) -> Mapping[str, object]:
        return {EXCEPTION: "SubscriptionControlsException"}


class NoSuchSubscription(NotFound):
    """The client has no such subscription to this query."""

    def problem_members(self) -> Mapping[str, object]:
        return {EXCEPTION: "NoSuchSubscriptionException"}


class SubscriptionsBusy(Retryable):
    """This process has no thread to spare for another WebSocket."""

    code = "unavailable"


class DeliveryFailed(TraceError):
    """The receiver did not take what was sent; it stays due. `where` never holds the path, which may be a secret."""

    code = "delivery-failed"


class TooMuchAtOnce(DeliveryFailed):
    """The receiver asks for less at once (413)."""

    code = "delivery-too-large"


class LeaseLost(TraceError):
    """Another worker delivers this subscription now, or it was ended."""

    code = "subscription-lease-lost"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One standing query with a webhook. `parameters` and `context` are those of the query when it was made."""

    subscription_key: bytes
    query_name: str
    query_made_at: datetime
    """With the name it says which query: another one may take the name later."""
    owner: str
    created_at: datetime
    dest: str = field(repr=False)
    sealed_token: str = field(repr=False)
    """The client's signatureToken, sealed; "" when it gave none."""
    is_stream: bool
    schedule: Mapping[str, str]
    report_if_empty: bool
    epc_format: str
    initial_record_time: datetime | None
    parameters: Mapping[str, object]
    context: object
    state: SubscriptionState
    next_due: datetime
    failures: int = 0
    """In a row."""
    last_failure: str = ""
    last_notified_at: datetime | None = None
    last_run_at: datetime | None = None
    """When everything stored by then had been dealt with."""
    reported: int = 0
    """Documents sent in the scheduled run under way."""
    lease: bytes | None = field(default=None, repr=False)
    """Names the delivery under way: an earlier one that still runs can no longer move the place."""
    lease_until: datetime | None = None

    @property
    def id(self) -> str:
        """As clients see it."""
        return str(UUID(bytes=self.subscription_key))

    @property
    def follower(self) -> str:
        """Name of its place in the stream of captures."""
        return f"subscription.{self.subscription_key.hex()}"


@dataclass(frozen=True, slots=True)
class Batch:
    """The next events that match, and the place behind everything that was looked at."""

    events: tuple[StoredEvent, ...]
    looked_at: int
    after: Position
    is_last: bool
    """Nothing was stored behind it."""
