"""What the worker does for recalls: late events that touch an affected set make it anew."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from trace_core.epcis.document import event_from_json
from trace_core.ids.canonical import canonical_uri
from trace_server.ingest.model import Position, StoredEvent
from trace_server.ingest.rules import objects_of
from trace_server.ingest.store import stream
from trace_server.recall import store
from trace_server.recall.model import Recall
from trace_server.recall.operations import refresh
from trace_server.services import Job, Services

FOLLOWER = "recall"
EVERY_S = 2.0
PAGE = 400


def follow(services: Services) -> int:
    """Read what is new in the event stream up to its end; returns how often a recall was worked out again."""
    times = 0
    while True:
        events, refreshed = _page(services)
        times += refreshed
        if not events:
            return times


def _page(services: Services) -> tuple[int, int]:
    """One page: what it changes and the follower's place are committed together."""
    db, now = services.db, services.clock()
    with db.begin() as conn:
        position = stream.position_of(conn, db.dialect, FOLLOWER)
        events = stream.read_after(conn, position, PAGE)
        if not events:
            return 0, 0
        known = store.recalls(conn)
        # Without a recall there is nothing to touch: reading what each event names is most of the work here.
        keys = sorted({key for event in events for key in _named(event)}) if known else []
        # An item names its lot in the master data of its event only: the link of the two is what is followed.
        peers = store.peers(conn, db.dialect, keys)
        # Nor does an event that tells only what was made name what it was made of: others do (transformationID).
        keys = sorted({*keys, *peers, *store.sources(conn, db.dialect, peers)})
        hit = set(store.touched(conn, db.dialect, keys))
        hit |= {recall.recall_id for recall in known if _is_at_site(recall, events)}
        for recall_id in sorted(hit):
            refresh(conn, db, recall_id, now)
        stream.move(conn, db.dialect, FOLLOWER, Position(events[-1].capture_seq, events[-1].ordinal), now)
    return len(events), len(hit)


def _named(event: StoredEvent) -> set[bytes]:
    context = None if event.context is None else msgspec.json.decode(event.context)
    return {ref.key for ref in objects_of(event_from_json(msgspec.json.decode(event.body), context))}


def _is_at_site(recall: Recall, events: Sequence[StoredEvent]) -> bool:
    scope = recall.scope
    if not scope.site or scope.since is None or scope.until is None:
        return False
    return any(
        scope.site in {canonical_uri(uri) for uri in (event.read_point, event.biz_location) if uri}
        for event in events
        if scope.since <= event.event_time < scope.until
    )


jobs: list[Job] = [Job("recall", EVERY_S, follow)]
