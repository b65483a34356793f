"""Values of the question that offices ask: which goods, which way, how far, and the answer with who was responsible."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from trace_server.trace.allocating import Amount
from trace_server.trace.frontier import MAX_DEPTH
from trace_server.trace.model import ALWAYS, Direction, Hop, Interval, NamedNode


class LicenceOnDay(StrEnum):
    """What the register says of a party's licences on the day of an event."""

    HELD = "held"
    NOT_HELD = "not_held"
    UNKNOWN = "unknown"
    """No licence of this party is in the register, or nobody knows the party."""


@dataclass(frozen=True, slots=True)
class Question:
    """`window`: when the goods themselves count; what they came from or went into follows from that."""

    uri: str
    directions: tuple[Direction, ...]
    window: Interval = ALWAYS
    depth: int = MAX_DEPTH


@dataclass(frozen=True, slots=True)
class Step:
    """One event of a chain and who answers for it. Texts are "" where nothing is known.

    `quantity`, `uom`: what the event itself says of the object `uri`. `device`: the gateway that recorded it; `clock`:
    the state of that gateway's clock when it sent the event.
    """

    direction: Direction
    uri: str
    hop: Hop
    uscc: str
    party: str
    licence: LicenceOnDay
    licence_number: str
    device: str
    clock: str
    quantity: float | None
    uom: str


@dataclass(frozen=True, slots=True)
class Part:
    """The chain in one direction. `nodes` in breadth-first order.

    `shares`: object → upstream how much of it is in the goods asked for, downstream how much of these is in it.
    """

    direction: Direction
    nodes: tuple[NamedNode, ...]
    truncated: bool
    shares: Mapping[bytes, tuple[Amount, ...]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """`steps`: each event once, the oldest first. `uri` is the canonical spelling of what was asked."""

    uri: str
    parts: tuple[Part, ...]
    steps: tuple[Step, ...]
    as_of: datetime
    question: Question = field(repr=False)

    @property
    def truncated(self) -> bool:
        return any(part.truncated for part in self.parts)
