"""An answer as JSON, the same over HTTP and from the command line; and as the files that it can be taken away in."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pydantic import BaseModel, Field

from trace_core.errors import InputError
from trace_server.db import Connection, Dialect
from trace_server.epcis_xml.spelling import EpcFormat
from trace_server.exports.registry import registry
from trace_server.ingest.representation import query_json
from trace_server.trace import answering, picture
from trace_server.trace.model import BEGINNING, END, Direction, Interval, NamedNode
from trace_server.trace.question import Answer, Part, Question, Step
from trace_server.trace.sheet import sheet

BOTH: Final = "both"
FILES: Final = ("epcis", "svg", *sorted(registry()))
EPCIS_TYPE: Final = "application/ld+json"
PICTURE_TYPE: Final = "image/svg+xml"
MEDIA_TYPES: Final = (EPCIS_TYPE, PICTURE_TYPE, *sorted(export.media_type for export in registry().values()))


class ShareOut(BaseModel):
    """How much of one thing is in another."""

    quantity: float
    uom: str = Field(description="UN/ECE rec. 20 code, empty for pieces; units of two dimensions are never added")
    basis: str = Field(description="measured: all of it went this way; allocated: shared out in proportion")


class NodeOut(BaseModel):
    """One object of the chain and the time in which it matters; open ends are null."""

    direction: str = Field(description="upstream or downstream")
    uri: str
    relation: str = Field(description="self, container, content, input, output, lot or member")
    is_input: bool
    depth: int
    via: str | None = Field(description="the object one step nearer to the one asked for")
    event_key: str | None = Field(description="the event that joins it to `via`")
    quantity: float | None = Field(description="what that event took or made of it, as recorded")
    uom: str
    shares: list[ShareOut] = Field(
        description="upstream how much of it is in the goods asked for, downstream how much of these is in it"
    )
    valid_from: datetime | None
    valid_to: datetime | None


class EventOut(BaseModel):
    """One event of the chain, with the object through which it belongs and who answers for it."""

    direction: str
    event_key: str
    object_uri: str
    event_time: datetime
    record_time: datetime
    type: str
    biz_step: str
    disposition: str
    read_point: str
    biz_location: str
    place: str
    city: str
    party_uscc: str
    party: str
    licence: str = Field(description="held, not_held or unknown, on the day of the event")
    licence_number: str
    device: str
    clock: str = Field(description="state of the sender's clock, empty when it told none")
    quantity: float | None = Field(description="what the event says of the object, null for a single item")
    uom: str
    gap_before: bool = Field(description="the way from the event before was not recorded on both sides")
    source: str
    also_recorded_by: list[str] = Field(description="other sources that recorded the same happening")


class ChainOut(BaseModel):
    """The chain as it is known now; events that arrive later may change it."""

    uri: str
    nodes: list[NodeOut]
    events: list[EventOut] = Field(description="newest first")
    truncated: bool = Field(description="a limit was met: there is more than is told here")
    as_of: datetime


@dataclass(frozen=True, slots=True)
class File:
    """An answer to take away."""

    name: str
    media_type: str
    data: bytes


def question(
    uri: str, direction: str, window: tuple[datetime | None, datetime | None], depth: int, *, where: str = "direction"
) -> Question:
    """Raises `InputError` for another direction, a time without offset or a window that ends before it starts."""
    if direction != BOTH and direction not in tuple(Direction):
        raise InputError(f"there is no direction {direction!r:.40}", where=where, remedy="upstream, downstream or both")
    ends = []
    for moment, name, default in zip(window, ("from", "to"), (BEGINNING, END), strict=True):
        if moment is not None and moment.tzinfo is None:
            raise InputError("a time without offset from UTC", where=name, remedy="such as 2026-11-24T08:00:00+08:00")
        ends.append(default if moment is None else moment.astimezone(UTC))
    if ends[0] >= ends[1]:
        raise InputError("the window ends before it starts", where="to", remedy="give a `to` later than `from`")
    wanted = tuple(Direction) if direction == BOTH else (Direction(direction),)
    return Question(uri, wanted, Interval(*ends), depth)


def chain_out(answer: Answer) -> ChainOut:
    """The answer as it goes over the wire."""
    nodes = [out for part in answer.parts for out in _nodes(part)]
    events = [_event(step) for step in reversed(answer.steps)]
    return ChainOut(uri=answer.uri, nodes=nodes, events=events, truncated=answer.truncated, as_of=answer.as_of)


def file(conn: Connection, dialect: Dialect, answer: Answer, name: str) -> File:
    """The answer in one of `FILES`. Raises `InputError` for another format."""
    if name == "epcis":
        stored = answering.bodies(conn, dialect, answer)
        return File("chain.jsonld", EPCIS_TYPE, query_json(stored, answer.as_of, EpcFormat.NO_PREFERENCE))
    if name == "svg":
        return File("chain.svg", PICTURE_TYPE, picture.svg(answer))
    export = registry().get(name)
    if export is None:
        raise InputError(f"there is no format {name!r:.40}", where="format", remedy=", ".join(FILES))
    out = io.BytesIO()
    export.write(sheet(answer), out)
    return File(f"chain{export.suffix}", export.media_type, out.getvalue())


def _nodes(part: Part) -> Sequence[NodeOut]:
    uris = {entry.node.object_key: entry.uri for entry in part.nodes}
    return [_node(part, entry, uris) for entry in part.nodes]


def _node(part: Part, entry: NamedNode, uris: dict[bytes, str]) -> NodeOut:
    node = entry.node
    return NodeOut(
        direction=part.direction.value,
        uri=entry.uri,
        relation=node.relation.value,
        is_input=node.is_input,
        depth=node.depth,
        via=None if node.via is None else uris.get(node.via, ""),
        event_key=None if node.event_key is None else node.event_key.hex(),
        quantity=node.quantity,
        uom=node.uom,
        shares=[
            ShareOut(quantity=one.quantity, uom=one.uom, basis=one.basis.value)
            for one in part.shares.get(node.object_key, ())
        ],
        valid_from=None if node.interval.start == BEGINNING else node.interval.start,
        valid_to=None if node.interval.end == END else node.interval.end,
    )


def _event(step: Step) -> EventOut:
    event, place = step.hop.event, step.hop.place
    return EventOut(
        direction=step.direction.value,
        event_key=event.event_key.hex(),
        object_uri=step.uri,
        event_time=event.event_time,
        record_time=event.record_time,
        type=event.type,
        biz_step=event.biz_step,
        disposition=event.disposition,
        read_point=event.read_point,
        biz_location=event.biz_location,
        place=place.name if place else "",
        city=place.city if place else "",
        party_uscc=step.uscc,
        party=step.party,
        licence=step.licence.value,
        licence_number=step.licence_number,
        device=step.device,
        clock=step.clock,
        quantity=step.quantity,
        uom=step.uom,
        gap_before=step.hop.gap_before,
        source=event.source,
        also_recorded_by=list(event.also_by),
    )
