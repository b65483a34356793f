"""Values of a chain: objects with the time in which they matter, and what was recorded of them in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from trace_server.catalog.model import Place

BEGINNING = datetime.min.replace(tzinfo=UTC)
END = datetime.max.replace(tzinfo=UTC)


class Interval(NamedTuple):
    """`start` ≤ t < `end`, aware UTC; `END` is still open."""

    start: datetime
    end: datetime

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment < self.end

    def cut(self, other: Interval) -> Interval | None:
        """What both have in common, None when nothing."""
        if self.start >= other.start and self.end <= other.end:
            return self
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Interval(start, end) if start < end else None

    def covers(self, other: Interval) -> bool:
        return self.start <= other.start and other.end <= self.end


ALWAYS = Interval(BEGINNING, END)


class Relation(StrEnum):
    """How an object belongs to the goods that were asked for."""

    SELF = "self"
    CONTAINER = "container"
    """The goods were inside it (EPCIS aggregation), only while they were."""
    INPUT = "input"
    """It was used up in making them (EPCIS transformation), only before that."""
    LOT = "lot"
    """The lot that they belong to: how that came into being counts, what its other members did later does not."""
    CONTENT = "content"
    """It was inside the goods; downstream it stays one of them when it has been taken out."""
    OUTPUT = "output"
    """It was made from the goods (EPCIS transformation), from that moment on."""
    MEMBER = "member"
    """It came into being as one of the lot that was asked for or made."""


class Direction(StrEnum):
    """Which way a chain is followed."""

    UPSTREAM = "upstream"
    """来源可查: what the goods came from."""
    DOWNSTREAM = "downstream"
    """去向可追: where the goods went and what was made from them."""


class LinkRole(StrEnum):
    """What an event did to an object, as far as chains care."""

    OBJECT = "object"
    COMMISSION = "commission"
    DECOMMISSION = "decommission"
    CHILD_ADD = "child_add"
    CHILD_DELETE = "child_delete"
    PARENT = "parent"
    PARENT_CLEARED = "parent_cleared"
    """The container was emptied as a whole: a DELETE that names no child."""
    INPUT = "input"
    OUTPUT = "output"
    MEMBER = "member"
    """It came into being as one of the lot `peer_key`."""


class Link(NamedTuple):
    """What one event did in one way to an object, or to many. `peer_key` is the container of a child, the
    transformation of an input or output.

    A tuple, as nodes are: it is made faster than a frozen dataclass.
    """

    event_time: datetime
    event_key: bytes
    peer_key: bytes | None
    role: LinkRole
    quantity: float | None = None
    """As recorded, in `uom` (UN/ECE rec. 20 code, "" for pieces); None for a single item."""
    uom: str = ""


class Group(NamedTuple):
    """The objects, in any order, that were read to have this link."""

    link: Link
    objects: list[bytes]


class Node(NamedTuple):
    """One object of a chain and when it mattered. `depth` counts steps from the goods asked for."""

    object_key: bytes
    interval: Interval
    relation: Relation
    depth: int
    via: bytes | None
    """Object key of the node one step nearer to the goods asked for."""
    is_input: bool = False
    """On the way of something that was used up in making the goods, not of the goods themselves."""
    event_key: bytes | None = None
    """The event that joins it to `via`: the packing, the transformation; None where the lot number alone does."""
    quantity: float | None = None
    """What that transformation took or made of it, as recorded, in `uom`."""
    uom: str = ""

    @property
    def is_goods(self) -> bool:
        """The goods themselves, neither a box around them nor their lot as such."""
        return self.relation is not Relation.CONTAINER and self.relation is not Relation.LOT


@dataclass(frozen=True, slots=True)
class NamedNode:
    """A node with its canonical URI, for answers; URI "" when no event named the object."""

    node: Node
    uri: str


class EventRow(NamedTuple):
    """What a chain shows of an event. URIs as the sender wrote them. A tuple, as links are."""

    event_key: bytes
    event_time: datetime
    record_time: datetime
    type: str
    biz_step: str
    disposition: str
    read_point: str
    biz_location: str
    source: str
    event_id: str
    is_correction: bool
    """It declares an earlier event of the same source, by `event_id` or content, to be wrong."""
    hash_key: bytes | None = None
    """First 16 bytes of the CBV hash; equal for what several senders recorded of one happening."""
    also_by: tuple[str, ...] = ()
    """Other sources that recorded the same, sorted."""


@dataclass(frozen=True, slots=True)
class Hop:
    """One event of a journey. `gap_before`: the way from the hop before (in time) was not recorded on both sides."""

    event: EventRow
    node: Node
    place: Place | None
    gap_before: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """The nodes reached, in breadth-first order, and the link of each event that fell into a node's interval."""

    nodes: tuple[Node, ...]
    links: tuple[tuple[Node, Link], ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class Journey:
    """Hops, newest first, and the keys that were looked at: a new link on any of them may change the answer."""

    hops: tuple[Hop, ...]
    keys: tuple[bytes, ...]
    link_count: int
    """Links that existed on `keys` when the journey was made."""
