"""From a question to its answer: the chains, then once for all events the places, parties, licences and clocks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Final

from trace_core.errors import InputError, NotFound
from trace_core.ids import canonical
from trace_server.catalog import operations as catalog
from trace_server.catalog.model import Licence, LicenceState, Place
from trace_server.db import Connection, Dialect
from trace_server.ingest.model import GATEWAY, StoredEvent
from trace_server.ingest.store import parts as stored
from trace_server.trace import directions, rules, store
from trace_server.trace.frontier import Limits
from trace_server.trace.model import Chain, Direction, EventRow, Hop, Link, LinkRole, NamedNode, Node, Relation
from trace_server.trace.operations import MAX_URI
from trace_server.trace.question import Answer, LicenceOnDay, Part, Question, Step
from trace_server.trace.reading import Reading
from trace_server.trace.shares import Shares, shares

LEGAL_TIME: Final = timezone(timedelta(hours=8))
"""Days of licences are days in China."""


def ask(conn: Connection, dialect: Dialect, question: Question, now: datetime) -> Answer:
    """The chains of `question` as known now. Raises `InputError` (no identifier), `NotFound` (nobody named it)."""
    uri = question.uri
    if not uri or len(uri) > MAX_URI or ":" not in uri:
        raise InputError("an identifier URI is expected", where="uri", remedy="such as urn:epc:id:sgtin:… or https://…")
    start = Node(canonical.object_key(uri), question.window, Relation.SELF, 0, None)
    limits = Limits(depth=question.depth)
    chains: list[tuple[Direction, Chain]] = []
    parted: list[Shares] = []
    events: dict[bytes, EventRow] = {}
    for direction in question.directions:
        reading = Reading(conn, dialect)
        if direction is Direction.UPSTREAM:
            chain = directions.upstream([start], reading.checked_at_the_end(), limits, contents=True)
        else:
            chain = directions.downstream([start], reading.checked_at_the_end(), limits)
        chains.append((direction, chain))
        events |= reading.events
        parted.append(shares(conn, dialect, reading, direction, chain))
    if not events:
        raise NotFound("no event names this object", where="uri")
    uris = store.uris_of(conn, dialect, sorted({node.object_key for _, chain in chains for node in chain.nodes}))
    uris[start.object_key] = canonical.canonical_uri(uri)
    steps = _steps(conn, dialect, chains, events, uris)
    parts = tuple(
        Part(direction, _named(chain.nodes, uris), chain.truncated, own)
        for (direction, chain), own in zip(chains, parted, strict=True)
    )
    return Answer(uris[start.object_key], parts, tuple(steps), now, question)


def bodies(conn: Connection, dialect: Dialect, answer: Answer) -> list[StoredEvent]:
    """The events of an answer as they were captured, by event time."""
    return stored.events_with(conn, dialect, sorted({step.hop.event.event_key for step in answer.steps}))


def _named(nodes: Iterable[Node], uris: Mapping[bytes, str]) -> tuple[NamedNode, ...]:
    return tuple(NamedNode(node, uris.get(node.object_key, "")) for node in nodes)


def _steps(
    conn: Connection,
    dialect: Dialect,
    chains: Sequence[tuple[Direction, Chain]],
    events: Mapping[bytes, EventRow],
    uris: Mapping[bytes, str],
) -> list[Step]:
    named = {uri for event in events.values() for uri in (event.read_point, event.biz_location) if uri}
    places = catalog.places_of(conn, dialect, named)

    def place_of(event: EventRow) -> Place | None:
        return places.get(event.read_point) or places.get(event.biz_location)

    found: dict[bytes, tuple[Direction, Hop]] = {}
    links: dict[bytes, Link] = {}
    for direction, chain in chains:
        for _, link in chain.links:
            links.setdefault(link.event_key, link)
        for hop in _hops(chain, events, place_of):
            found.setdefault(hop.event.event_key, (direction, hop))
    usccs = {hop.place.operator_uscc for _, hop in found.values() if hop.place and hop.place.operator_uscc}
    parties = catalog.subjects_of(conn, dialect, usccs)
    licences = catalog.licences_of(conn, dialect, usccs)
    clocks = store.clocks_of(conn, dialect, sorted(found))
    steps = []
    for direction, hop in sorted(found.values(), key=lambda one: (one[1].event.event_time, one[1].event.event_key)):
        event = hop.event
        uscc = hop.place.operator_uscc if hop.place else ""
        licence, number = licence_on(licences.get(uscc, ()), event.event_time.astimezone(LEGAL_TIME).date())
        steps.append(
            Step(
                direction,
                uris.get(hop.node.object_key, ""),
                hop,
                uscc,
                parties[uscc].name if uscc in parties else "",
                licence,
                number,
                event.source.removeprefix(GATEWAY) if event.source.startswith(GATEWAY) else "",
                clocks.get(event.event_key) or "",
                links[event.event_key].quantity,
                links[event.event_key].uom,
            )
        )
    return steps


def _hops(chain: Chain, events: Mapping[bytes, EventRow], place_of: rules.Places) -> Iterable[Hop]:
    """A journey of one thing has gaps between any two of its events; of many things, each has its own journey."""
    if all(node.relation not in (Relation.CONTENT, Relation.OUTPUT, Relation.MEMBER) for node in chain.nodes):
        yield from rules.hops(chain, events, place_of)
        return
    groups: dict[bytes, list[tuple[Node, Link]]] = defaultdict(list)
    for node, link in chain.links:
        groups[node.object_key].append((node, link))
    for links in groups.values():
        packed: Link | None = None
        for run in _runs(links):
            hops = rules.hops(Chain((), tuple(run), truncated=False), events, place_of)
            if hops and packed is not None:
                hops = (*hops[:-1], _taken_out(hops[-1], packed, groups, events, place_of))
            yield from hops
            packed = run[-1][1] if run else None


def _taken_out(
    first: Hop,
    packed: Link,
    groups: Mapping[bytes, Sequence[tuple[Node, Link]]],
    events: Mapping[bytes, EventRow],
    place_of: rules.Places,
) -> Hop:
    """The first hop after a packing: a gap when its container (or what that was put into) did not arrive there."""
    last, seen = packed, {packed.event_key, first.event.event_key}
    while last.role is LinkRole.CHILD_ADD and last.peer_key is not None:
        inside = [
            link
            for _, link in groups.get(last.peer_key, ())
            if last.event_time <= link.event_time <= first.event.event_time and link.event_key not in seen
        ]
        if not inside:
            break
        last = max(inside, key=lambda link: (link.event_time, link.event_key))
        seen.add(last.event_key)
    before = events.get(last.event_key)
    if before is None:
        return first
    earlier = Hop(before, first.node, place_of(before), gap_before=False)
    return replace(first, gap_before=rules.is_gap(earlier, first.event, first.place))


def _runs(links: list[tuple[Node, Link]]) -> Iterable[list[tuple[Node, Link]]]:
    """The events of one thing between its packings: once packed, its way is its container's, which is judged itself."""
    run: list[tuple[Node, Link]] = []
    for node, link in sorted(links, key=lambda one: (one[1].event_time, one[1].event_key)):
        run.append((node, link))
        if link.role is LinkRole.CHILD_ADD:
            yield run
            run = []
    yield run


def licence_on(licences: Sequence[Licence], day: date) -> tuple[LicenceOnDay, str]:
    """Whether one of a party's licences held on `day`, and its number; the newest number when none did.

    Of a licence that was taken away the register tells no day: it held until the register says so.
    """
    if not licences:
        return LicenceOnDay.UNKNOWN, ""
    for one in licences:
        taken_away = one.state is not LicenceState.VALID and day >= one.as_of
        if one.valid_from <= day <= one.valid_to and not taken_away:
            return LicenceOnDay.HELD, one.number
    return LicenceOnDay.NOT_HELD, licences[0].number
