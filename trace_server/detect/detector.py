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
from trace_server.db import Connection, Dialect
from trace_server.ingest.model import StoredEvent


class SubjectKind(StrEnum):
    """Whom an alert may concern (domain.md rule 2): only `enterprise` can ever lead to a case."""

    ENTERPRISE = "enterprise"
    DEVICE = "device"
    DATA = "data"


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
class Window:
    """A stretch of the event stream, in its order, and how to ask about more."""

    events: tuple[Seen, ...]
    dialect: Dialect


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


@dataclass(frozen=True, slots=True)
class Cleared:
    """What was suspected is explained; an alert of this group, if there is one, is closed."""

    group_key: str
    why: str


Outcome = Finding | Cleared
Find = Callable[[Connection, Window, Mapping[str, float]], Iterable[Outcome]]


@dataclass(frozen=True, slots=True)
class Detector:
    """One rule of domain.md §3.8, as found by the registry under `DETECTOR`. A new version judges all events anew."""

    id: str
    version: int
    title_zh: str
    title_en: str
    subject_kind: SubjectKind
    guard: str
    """What keeps it from false alarms, in one sentence."""
    basis: str
    params: tuple[Param, ...]
    find: Find

    @property
    def name(self) -> str:
        """Unique in the registry."""
        return self.id

    @property
    def follower(self) -> str:
        """Its place in the event stream is kept under this name."""
        return f"detector:{self.id}:v{self.version}"

    @property
    def defaults(self) -> Mapping[str, float]:
        """Parameter name → default."""
        return {param.name: param.default for param in self.params}
