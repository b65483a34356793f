"""JSON routes of the chains."""

from __future__ import annotations

from datetime import datetime

from apiflask import APIBlueprint
from pydantic import BaseModel, Field

from trace_server.accounts.access import permission
from trace_server.services import services
from trace_server.trace import operations
from trace_server.trace.model import BEGINNING, END, EventRow, Link, NamedNode, Node

blueprint = APIBlueprint("trace", __name__, url_prefix="/api/v1/trace", tag="Trace")


class UpstreamQuery(BaseModel):
    """Which object is asked about."""

    uri: str = Field(min_length=1, max_length=512, description="EPC URN, class URN or GS1 Digital Link")


class NodeOut(BaseModel):
    """One object of the chain and the time in which it matters; open ends are null."""

    uri: str
    relation: str = Field(description="self, container, input or lot")
    is_input: bool
    depth: int
    via: str | None
    valid_from: datetime | None
    valid_to: datetime | None


class EventOut(BaseModel):
    """One event of the chain, with the object through which it belongs."""

    event_key: str
    object_uri: str
    event_time: datetime
    record_time: datetime
    type: str
    biz_step: str
    disposition: str
    read_point: str
    biz_location: str
    source: str
    also_recorded_by: list[str] = Field(description="other sources that recorded the same happening")


class ChainOut(BaseModel):
    """The chain as it is known now; events that arrive later may change it."""

    uri: str
    nodes: list[NodeOut]
    events: list[EventOut]
    truncated: bool
    as_of: datetime


@blueprint.get("/upstream")
@permission("events:read")
@blueprint.input(UpstreamQuery, location="query")
@blueprint.output(ChainOut)
@blueprint.doc(summary="Everything that an object came from", responses=[404, 503])
def upstream(query_data: UpstreamQuery) -> ChainOut:
    """Containers while the object was inside, inputs before they were used, the lot it belongs to; oldest last."""
    outside = services()
    with outside.db.read() as conn:
        chain, named, events = operations.upstream(conn, outside.db.dialect, query_data.uri)
    uris = {entry.node.object_key: entry.uri for entry in named}
    found = [_event(node, link, events[link.event_key], uris) for node, link in chain.links]
    found.sort(key=lambda event: (event.event_time, event.event_key), reverse=True)
    return ChainOut(
        uri=named[0].uri,
        nodes=[_node(entry, uris) for entry in named],
        events=found,
        truncated=chain.truncated,
        as_of=outside.clock(),
    )


def _node(entry: NamedNode, uris: dict[bytes, str]) -> NodeOut:
    node = entry.node
    return NodeOut(
        uri=entry.uri,
        relation=node.relation.value,
        is_input=node.is_input,
        depth=node.depth,
        via=None if node.via is None else uris.get(node.via, ""),
        valid_from=None if node.interval.start == BEGINNING else node.interval.start,
        valid_to=None if node.interval.end == END else node.interval.end,
    )


def _event(node: Node, link: Link, event: EventRow, uris: dict[bytes, str]) -> EventOut:
    return EventOut(
        event_key=link.event_key.hex(),
        object_uri=uris.get(node.object_key, ""),
        event_time=event.event_time,
        record_time=event.record_time,
        type=event.type,
        biz_step=event.biz_step,
        disposition=event.disposition,
        read_point=event.read_point,
        biz_location=event.biz_location,
        source=event.source,
        also_recorded_by=list(event.also_by),
    )
