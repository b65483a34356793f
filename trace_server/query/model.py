"""A query as a value: what SQL can select by, what every event must satisfy, in which order the answer comes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from trace_core.epcis.event import Event
from trace_core.errors import Conflict, InputError, NotFound, TooLarge
from trace_server.ingest.exceptions import EXCEPTION
from trace_server.ingest.model import ActionCode, EventType, StoredEvent


class QueryInvalid(InputError):
    """A parameter that the standard does not know or that has a wrong value."""

    def problem_members(self) -> Mapping[str, object]:
        return {EXCEPTION: "QueryValidationException"}


class QueryTooLarge(TooLarge):
    """More events match than `maxEventCount`."""

    def problem_members(self) -> Mapping[str, object]:
        return {EXCEPTION: "QueryTooLargeException"}


class QueryTooComplex(TooLarge):
    """More work than one request may cause."""

    def problem_members(self) -> Mapping[str, object]:
        return {EXCEPTION: "QueryTooComplexException"}


class NoSuchName(NotFound):
    """There is no query of that name."""

    def problem_members(self) -> Mapping[str, object]:
        return {EXCEPTION: "NoSuchNameException"}


class NameTaken(Conflict):
    """Another query has that name."""

    def problem_members(self) -> Mapping[str, object]:
        return {EXCEPTION: "ResourceAlreadyExistsException"}


class MasterData(Protocol):
    """What queries ask of vocabularies (WD_, HASATTR_, EQATTR_); URIs are canonical."""

    def descendants(self, uri: str) -> frozenset[str]:
        """Places below `uri`, without itself."""
        ...

    def attributes(self, uri: str) -> Mapping[str, frozenset[str]]:
        """Attribute name → values of one vocabulary element."""
        ...


class NoMasterData:
    """Nothing is known of any element."""

    def descendants(self, uri: str) -> frozenset[str]:
        del uri
        return frozenset()

    def attributes(self, uri: str) -> Mapping[str, frozenset[str]]:
        del uri
        return {}


class Order(StrEnum):
    """What an answer can be sorted by in SQL; extension fields are sorted in memory."""

    EVENT_TIME = "eventTime"
    RECORD_TIME = "recordTime"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One parameter: its name, and whether an event satisfies it."""

    parameter: str
    holds: Callable[[Event], bool]


@dataclass(frozen=True, slots=True)
class Selection:
    """The part that indexed columns decide; lets through at least what the criteria do. Empty: no restriction."""

    types: frozenset[EventType] = frozenset()
    actions: frozenset[ActionCode] = frozenset()
    event_from: datetime | None = None
    event_before: datetime | None = None
    record_from: datetime | None = None
    record_before: datetime | None = None
    biz_steps: frozenset[str] = frozenset()
    dispositions: frozenset[str] = frozenset()
    read_points: frozenset[str] = frozenset()
    biz_locations: frozenset[str] = frozenset()
    is_correction: bool | None = None
    objects: tuple[frozenset[bytes], ...] = ()
    """The event names at least one object of each set."""


@dataclass(frozen=True, slots=True)
class Query:
    """A SimpleEventQuery. `parameters` are as they were given, for named queries and tokens."""

    parameters: Mapping[str, object]
    selection: Selection = field(default_factory=Selection)
    criteria: tuple[Criterion, ...] = ()
    order_by: Order = Order.RECORD_TIME
    order_fields: frozenset[str] = frozenset()
    """Spellings of the extension field to sort by, instead of `order_by`."""
    is_descending: bool = False
    event_count_limit: int | None = None
    max_event_count: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the next page begins: behind the event of this sort value and key."""

    moment: datetime
    event_key: bytes
    delivered: int = 0
    """Events of the pages so far, for eventCountLimit."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some events of an answer; `after` is None when nothing can follow."""

    events: tuple[StoredEvent, ...]
    after: Place | None


@dataclass(frozen=True, slots=True)
class NamedQuery:
    """A query kept under a name. `parameters` and `context` are JSON as the client sent them."""

    name: str
    owner: str
    created_at: datetime
    parameters: Mapping[str, object]
    context: object
