"""The affected set: what the scope leads to downstream, where each thing is now, and what is not in it and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from trace_core.ids.canonical import object_key
from trace_server.catalog import store as catalog
from trace_server.catalog.operations import item_uri, lot_key, lot_uri, places_of
from trace_server.db import Connection, Dialect
from trace_server.ingest.store.events import NamedObject, lots_of, objects
from trace_server.recall import rules, store
from trace_server.recall.model import Affected, Recall, Scope, Spared
from trace_server.trace.directions import follow
from trace_server.trace.frontier import Limits, Links
from trace_server.trace.model import ALWAYS, BEGINNING, END, EventRow, Interval, LinkRole, Node, Relation
from trace_server.trace.reading import Reading

LIMITS = Limits(nodes=1_000_000)
"""A national dairy's day; the answer is refused above, never cut."""
MAX_SPARED = 1000
_BOXES = ("/00/", "/8003/", "/8004/")


def affected_set(conn: Connection, dialect: Dialect, recall: Recall) -> tuple[list[Affected], bool]:
    """All that the scope reaches as known now, one row a thing, nearest first; and whether a limit cut it."""
    starts, printed = _starts(conn, recall.scope)
    reading = Reading(conn, dialect)
    chain, links = follow(starts, reading.checked_at_the_end(), LIMITS)
    nodes: dict[bytes, Node] = {}
    for node in sorted(chain.nodes, key=_nearest):
        nodes.setdefault(node.object_key, node)
    keys = sorted(nodes)
    named = objects(conn, dialect, keys)
    lots = catalog.printed_lots(conn, dialect, keys) | lots_of(conn, dialect, keys)
    asked = {lot_key(*one): one for one in recall.scope.batches}
    whereabouts = _Whereabouts(links, reading.events)
    operators = places_of(conn, dialect, {place for _, place in map(whereabouts.of, keys) if place})
    members = {lots[key] for key in keys if key in lots}
    uris = {key: named[key].canonical_uri if key in named else printed.get(key, "") for key in keys}
    found = []
    for key in keys:
        node, this = nodes[key], named.get(key)
        newest, place = whereabouts.of(key)
        gtin, lot = asked.get(key) or _batch_of(key, this, lots)
        is_class = key in asked or (this is not None and this.is_class)
        used = bool(links.own[key].used)
        known = operators.get(place)
        found.append(
            Affected(
                key=key,
                uri=uris[key],
                relation=node.relation.value,
                depth=node.depth,
                via="" if node.via is None else uris.get(node.via, ""),
                event_key="" if node.event_key is None else node.event_key.hex(),
                gtin=gtin,
                lot=lot,
                counts=_counts(node, uris[key], is_counted_by_item=is_class and (gtin, lot) in members),
                quantity=f"{node.quantity:g}" if node.quantity is not None else "0" if is_class else "1",
                uom=node.uom,
                status=rules.status_of(newest, place, is_used=used),
                place=place,
                holder=(known.operator_uscc if known is not None else "") or place,
            )
        )
    return sorted(found, key=lambda row: (row.depth, row.uri)), chain.truncated


def not_affected(conn: Connection, dialect: Dialect, rows: Sequence[Affected]) -> list[Spared]:
    """Other batches of the same products, and what only shared a box with affected goods; at most `MAX_SPARED`."""
    reached = {row.key for row in rows}
    lots = {(row.gtin, row.lot) for row in rows if row.gtin}
    others = [one for one in store.lots_of_product(conn, {gtin for gtin, _ in lots}) if one not in lots]
    recorded = objects(conn, dialect, [lot_key(*one) for one in others])
    found = [
        Spared(lot_uri(*one), "no_link", "no recorded event links this batch with the scope")
        if lot_key(*one) in recorded
        else Spared(lot_uri(*one), "no_events", "no event names this batch: nothing links it with the scope")
        for one in others
    ]
    boxes = {row.key: row.uri for row in rows if row.relation == Relation.CONTAINER.value}
    neighbours: dict[bytes, bytes] = {}
    for link, children in Reading(conn, dialect).parts(sorted(boxes)):
        if link.role is LinkRole.CHILD_ADD and link.peer_key is not None:
            for child in children:
                if child not in reached:
                    neighbours.setdefault(child, link.peer_key)
    names = objects(conn, dialect, sorted(neighbours))
    found += [
        Spared(names[key].canonical_uri, "shared_container", f"was in {boxes[box]} beside affected goods")
        for key, box in neighbours.items()
        if key in names
    ]
    return sorted(found, key=lambda one: (one.reason, one.uri))[:MAX_SPARED]


def _starts(conn: Connection, scope: Scope) -> tuple[list[Node], dict[bytes, str]]:
    keys: set[bytes] = {object_key(uri) for uri in scope.items}
    names = {object_key(uri): uri for uri in scope.items}
    for gtin, lot in scope.batches:
        keys.add(lot_key(gtin, lot))
        names[lot_key(gtin, lot)] = lot_uri(gtin, lot)
        for item, tag, serial in store.printed(conn, gtin, lot):
            keys.add(item if tag is None else tag)
            names[item] = names[tag or item] = item_uri(gtin, serial)
    found = [Node(key, ALWAYS, Relation.SELF, 0, None) for key in sorted(keys)]
    if scope.site and scope.since is not None and scope.until is not None:
        there = store.seen_at(conn, scope.site, scope.since, scope.until)
        found += [Node(key, Interval(scope.since, END), Relation.SELF, 0, None) for key in there]
    return found, names


def _nearest(node: Node) -> tuple[object, ...]:
    return (node.relation is Relation.CONTAINER, node.depth, node.object_key, node.interval.start, node.via or b"")


def _batch_of(key: bytes, this: NamedObject | None, lots: Mapping[bytes, tuple[str, str]]) -> tuple[str, str]:
    if key in lots:
        return lots[key]
    return (this.gtin or "", this.lot or "") if this is not None else ("", "")


def _counts(node: Node, uri: str, *, is_counted_by_item: bool) -> bool:
    is_box = node.relation is Relation.CONTAINER or any(part in uri for part in _BOXES)
    return not is_box and not is_counted_by_item


class _Whereabouts:
    """The newest event about a thing, by itself or through what it is in now."""

    def __init__(self, links: Links, events: Mapping[bytes, EventRow]) -> None:
        self._links = links
        self._events_by_key = events
        self._known: dict[int, tuple[EventRow | None, str]] = {}

    def of(self, key: bytes) -> tuple[EventRow | None, str]:
        """The newest event, and the location of the newest that names one, "" when none does."""
        name = id(self._links.own[key])  # what shares its links shares its place
        if name not in self._known:
            events = list(self._events(key))
            placed = [event for event in events if event.biz_location or event.read_point]
            last = max(placed, key=_moment, default=None)
            place = "" if last is None else last.biz_location or last.read_point
            self._known[name] = max(events, key=_moment, default=None), place
        return self._known[name]

    def _events(self, key: bytes) -> Iterable[EventRow]:
        since, seen = BEGINNING, {key}
        while key in self._links.own:
            for link in self._links.own[key].links:
                if link.event_time >= since and link.event_key in self._events_by_key:
                    yield self._events_by_key[link.event_key]
            stay = next((stay for stay in self._links.stays(key) if stay.interval.end == END), None)
            if stay is None or stay.parent in seen:
                return
            key, since = stay.parent, max(since, stay.interval.start)
            seen.add(key)


def _moment(event: EventRow) -> tuple[object, ...]:
    return (event.event_time, event.event_key)
