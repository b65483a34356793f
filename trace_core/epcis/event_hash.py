"""The CBV 2.0 event hash (section 8.9) and the keys that follow from an event's content."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from trace_core.epcis.event import Event


class Role(IntEnum):
    """How an object takes part in an event."""

    OBJECT = 1
    PARENT = 2
    CHILD = 3
    INPUT = 4
    OUTPUT = 5


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One object (or class of objects) named by an event."""

    role: Role
    uri: str
    """Canonical."""
    key: bytes
    """16 bytes, see `trace_core.ids.canonical.object_key`."""
    is_class: bool = False
    """True for quantity elements: `uri` names a class or lot."""
    quantity: float | None = None
    uom: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """An event with everything that storing it needs, each identifier made canonical once."""

    event: Event
    objects: tuple[ObjectRef, ...]
    read_point: str | None
    """Canonical."""
    biz_location: str | None
    """Canonical."""
    digest: bytes
    """SHA-256 of the pre-hash string."""

    @property
    def key(self) -> bytes:
        """16 bytes: the primary key of the event."""
        return self.digest[:16]

    @property
    def event_hash(self) -> str:
        return f"ni:///sha-256;{self.digest.hex()}?ver=CBV2.0"


def prepare(event: Event) -> Prepared:
    raise NotImplementedError


def pre_hash(event: Event) -> str:
    raise NotImplementedError


def event_hash(event: Event) -> str:
    """`ni:///sha-256;<64 hex digits>?ver=CBV2.0`."""
    raise NotImplementedError


def event_key(event: Event) -> bytes:
    """First 16 bytes of the SHA-256 of the pre-hash string."""
    raise NotImplementedError
