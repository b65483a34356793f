"""What the rules of tag ranges share: which items a window makes of products whose serials are granted in ranges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trace_core.epcis.event_hash import Role
from trace_server.db import Connection
from trace_server.detect.detector import Seen, Window
from trace_server.detect.history import declared_wrong, histories
from trace_server.ingest.model import ActionCode, EventType
from trace_server.ingest.store.events import NamedObject, objects
from trace_server.ingest.store.parts import Part
from trace_server.registers import store as registers
from trace_server.registers.model import TagRange

_MADE = frozenset({Role.OBJECT, Role.OUTPUT})


@dataclass(frozen=True, slots=True)
class Making:
    """An event that makes items of such products. `is_wrong`: it was declared an error, or declares one."""

    seen: Seen
    items: tuple[NamedObject, ...]
    is_wrong: bool
    wrong: tuple[Part, ...]
    """Parts of its items in events that were declared wrong."""


def makings(conn: Connection, window: Window) -> tuple[Sequence[Making], Mapping[str, Sequence[TagRange]]]:
    """The makings of the window, and GTIN → ranges that were ever granted of it."""
    events = [one for one in window.events if _makes(one)]
    if not events or not registers.has_granted(conn):
        return (), {}
    keys = {ref.key for one in events for ref in one.objects if ref.role in _MADE and not ref.is_class}
    named = {key: one for key, one in objects(conn, window.dialect, sorted(keys)).items() if one.gtin and one.serial}
    ranges = registers.ever_granted(conn, window.dialect, {one.gtin for one in named.values() if one.gtin})
    if not ranges:
        return (), {}
    known = histories(conn, window)
    found = []
    for one in events:
        own = (named[ref.key] for ref in one.objects if ref.role in _MADE and ref.key in named)
        items = tuple(item for item in own if item.gtin in ranges)
        if items:
            wrong = tuple(part for item in items for part in known[item.object_key].wrong)
            is_wrong = one.event.is_correction or one.event.event_key in declared_wrong(known, one)
            found.append(Making(one, items, is_wrong, wrong))
    return found, ranges


def _makes(one: Seen) -> bool:
    event = one.event
    is_added = event.type is EventType.ObjectEvent and event.action is ActionCode.ADD
    return is_added or event.type is EventType.TransformationEvent
