"""The contract of a detector: what it declares, what it is given, what it may say.

A detector judges objects or devices that a window of the event stream touches, each with all that is stored of it. So
the answer depends on what is stored and not on the order it came in: a late event touches its objects again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from trace_core.epcis.event_hash import ObjectRef
from trace_server.catalog.model import Batch
from trace_server.db import Connection, Dialect
from trace_server.ingest.model import StoredEvent
from trace_server.ingest.store.parts import Part


class SubjectKind(StrEnum):
    """Whom an alert may concern (domain.md rule 2): only `enterprise` can ever lead to a case."""

    ENTERPRISE = "enterprise"
    DEVICE = "device"
    DATA = "data"


class Severity(StrEnum):
    """How soon somebody should look at an alert. It says nothing of a violation: that is the cases' business."""

    HIGH = "high"
    """People may come to harm while it waits."""
    MEDIUM = "medium"
    LOW = "low"
    """Operations, or a hint that needs others beside it."""


@dataclass(frozen=True, slots=True)
class Param:
    """A threshold. `basis`: the legal or technical ground of the default."""

    name: str
    default: float
    unit: str
    basis: str


@dataclass(frozen=True, slots=True)
class Seen:
    """A stored event and the objects it names, canonical and keyed."""

    event: StoredEvent
    objects: tuple[ObjectRef, ...]


@dataclass(frozen=True, slots=True)
class History:
    """All that is stored of one object that a window names."""

    key: bytes
    uri: str
    is_class: bool
    parts: tuple[Part, ...]
    """In events that nobody declared wrong, by event time."""
    wrong: tuple[Part, ...]
    """In events that their sender declared wrong."""
    lot: tuple[str, str] | None
    """(GTIN, lot): by the earliest event that made it, else by the code printed for it."""
    lots: frozenset[tuple[str, str]]
    """Every lot that it was ever said to be of."""


@dataclass(slots=True)
class Memory:
    """What one detector looked up for a window and the next need not ask again. Stale is right: what is stored after
    it was read is an event of a later window, which touches the same objects."""

    histories: Mapping[bytes, History] | None = None
    batches: Mapping[tuple[str, str], Batch] | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of the event stream, in its order, and how to ask about more."""

    events: tuple[Seen, ...]
    dialect: Dialect
    memory: Memory = field(default_factory=Memory, compare=False, repr=False)
    recent: dict[bytes, Seen] = field(default_factory=dict, compare=False, repr=False)
    """Events read of late, by key: an event never changes, and to parse it costs more than to judge it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """An event that shows it; `value`: what was computed from that event, with its unit."""

    event_key: bytes
    event_time: datetime
    value: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A suspicion (疑似). Findings with one `group_key` have one cause and are one alert."""

    group_key: str
    subject: str
    subject_kind: SubjectKind
    evidence: tuple[Evidence, ...]
    values: Mapping[str, str] = field(default_factory=dict)
    """Thresholds and what else holds for the whole group."""
    provisional_until: datetime | None = None
    """Before this time a late upload may still explain it: the alert counts as `data`."""
    is_due: bool = True
    """False: nothing is suspected before `provisional_until`; the alert waits until then."""
    is_whole: bool = False
    """`evidence` is all there is in this group: what was stored before and is not in it is taken away."""
    began_at: datetime | None = None
    """Of a finding that no event shows, such as silence or a period that ran out: when it began."""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """These events do not show it, or no longer; an alert that has no other evidence is closed."""

    group_key: str
    event_keys: frozenset[bytes]
    why: str


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was suspected is explained; an alert of this group, if there is one, is closed."""

    group_key: str
    why: str


Outcome = Finding | Cleared | Withdrawn
Find = Callable[[Connection, Window, Mapping[str, float]], Iterable[Outcome]]
Sweep = Callable[[Connection, Dialect, datetime, Mapping[str, float]], Iterable[Outcome]]
"""Judges what is stored as it is at a moment: rules of the clock, which no event touches when they come true."""


@dataclass(frozen=True, slots=True)
class Detector:
    """One rule of domain.md §3.8, as found by the registry under `DETECTOR`. A new version judges all events anew.

    A rule finds by the events of a window, by a sweep, or by both; raises `ValueError` when it has neither.
    """

    id: str
    version: int
    title_zh: str
    title_en: str
    subject_kind: SubjectKind
    guard: str
    """What keeps it from false alarms, in one sentence without a full stop."""
    guard_zh: str
    """The same in Chinese, as the office reads it."""
    basis: str
    params: tuple[Param, ...]
    find: Find | None = None
    sweep: Sweep | None = None
    sweep_every_s: float = 60.0
    severity: Severity = Severity.MEDIUM
    also_kinds: tuple[SubjectKind, ...] = ()
    """Whom some of its findings concern instead of `subject_kind`."""
    reads_licences: bool = False
    """A licence that changes makes it judge the goods of its holder anew: no event tells of that."""

    def __post_init__(self) -> None:
        if self.find is None and self.sweep is None:
            raise ValueError(f"{self.id} has neither find nor sweep")

    @property
    def name(self) -> str:
        """Unique in the registry."""
        return self.id

    @property
    def follower(self) -> str:
        """Its place in the event stream is kept under this name."""
        return f"detector:{self.id}:v{self.version}"

    @property
    def module(self) -> str:
        """Name of the module that it stands in."""
        rule = self.find or self.sweep
        return rule.__module__ if rule is not None else ""

    @property
    def defaults(self) -> Mapping[str, float]:
        """Parameter name → default."""
        return {param.name: param.default for param in self.params}
