"""All that is stored of the objects a window names, looked up once for all detectors."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from trace_core.epcis.document import event_from_json
from trace_server.catalog import store as catalog
from trace_server.db import Connection
from trace_server.detect.detector import History, Seen, Window
from trace_server.ingest.model import LinkRole, StoredEvent
from trace_server.ingest.rules import objects_of
from trace_server.ingest.store.events import NamedObject, objects
from trace_server.ingest.store.parts import Part, events_with, parts_of

RECENT = 4000
"""Some 10 MB of parsed events."""
Lot = tuple[str, str]
"""GTIN of 14 digits and lot."""


def histories(conn: Connection, window: Window) -> Mapping[bytes, History]:
    """Object key → history, of every object and class that the window's events name."""
    if window.memory.histories is None:
        window.memory.histories = _load(conn, window, _uris(window.events))
    return window.memory.histories


def histories_of(conn: Connection, window: Window, uris: Mapping[bytes, str]) -> Mapping[bytes, History]:
    """The same for these objects; those that the window names are at hand."""
    known = histories(conn, window)
    missing = {key: uri for key, uri in uris.items() if key not in known}
    found = _load(conn, window, missing) if missing else {}
    return {key: known.get(key) or found[key] for key in uris}


def whole_events(conn: Connection, window: Window, event_keys: Iterable[bytes]) -> list[Seen]:
    """These events with every object they name: an event that one object of the window is in may name others."""
    at_hand = {seen.event.event_key: seen for seen in window.events}
    wanted = set(event_keys)
    found = [at_hand[key] for key in wanted & at_hand.keys()]
    wanted -= at_hand.keys()
    found += [window.recent[key] for key in wanted & window.recent.keys()]
    read = [seen(event) for event in events_with(conn, window.dialect, sorted(wanted - window.recent.keys()))]
    remember(window.recent, read)
    found += read
    return sorted(found, key=lambda one: (one.event.event_time, one.event.event_key))


def remember(recent: dict[bytes, Seen], events: Iterable[Seen]) -> None:
    """Keep the events for windows to come; the oldest of more than `RECENT` go."""
    for one in events:
        recent[one.event.event_key] = one
    for key in list(itertools.islice(recent, max(0, len(recent) - RECENT))):
        del recent[key]


def declared_wrong(known: Mapping[bytes, History], one: Seen) -> frozenset[bytes]:
    """Keys of the events with any of this event's objects that were declared wrong, perhaps this one's too."""
    return frozenset(part.event_key for ref in one.objects for part in known[ref.key].wrong)


def seen(event: StoredEvent) -> Seen:
    """The event with the objects it names."""
    context = None if event.context is None else msgspec.json.decode(event.context)
    return Seen(event, objects_of(event_from_json(msgspec.json.decode(event.body), context)))


def _uris(events: Iterable[Seen]) -> dict[bytes, str]:
    return {ref.key: ref.uri for one in events for ref in one.objects}


def _load(conn: Connection, window: Window, uris: Mapping[bytes, str]) -> dict[bytes, History]:
    keys = sorted(uris)
    parts: dict[bytes, list[Part]] = defaultdict(list)
    for part in parts_of(conn, window.dialect, keys):
        parts[part.object_key].append(part)
    lots = {part.peer_key for own in parts.values() for part in own if part.role is LinkRole.MEMBER and part.peer_key}
    named = objects(conn, window.dialect, sorted({*keys, *lots}))
    printed = catalog.printed_lots(conn, window.dialect, keys)
    return {key: _history(key, uris[key], parts[key], named, printed) for key in keys}


def _history(
    key: bytes,
    uri: str,
    parts: Sequence[Part],
    named: Mapping[bytes, NamedObject],
    printed: Mapping[bytes, Lot],
) -> History:
    wrong_keys = {part.peer_key for part in parts if part.role is LinkRole.RETRACTED}
    valid = tuple(part for part in parts if part.event_key not in wrong_keys and part.role is not LinkRole.RETRACTED)
    wrong = tuple(part for part in parts if part.event_key in wrong_keys)
    this = named.get(key)
    is_class = this is not None and this.is_class
    own = [(this.gtin, this.lot)] if this is not None and is_class and this.gtin and this.lot else []
    said = [lot for part in valid if (lot := _lot_named(part, named)) is not None]
    doubtful = [lot for part in wrong if (lot := _lot_named(part, named)) is not None]
    marked = [printed[key]] if key in printed else []
    first = [*own, *said, *marked]
    return History(
        key=key,
        uri=uri,
        is_class=is_class,
        parts=valid,
        wrong=wrong,
        lot=first[0] if first else None,
        lots=frozenset([*first, *doubtful]),
    )


def _lot_named(part: Part, named: Mapping[bytes, NamedObject]) -> Lot | None:
    lot = named.get(part.peer_key) if part.role is LinkRole.MEMBER and part.peer_key is not None else None
    return (lot.gtin, lot.lot) if lot is not None and lot.gtin and lot.lot else None
