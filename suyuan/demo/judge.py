"""The judge: what the world emitted against what the server holds, as multisets. Nothing else makes the figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from trace_core.epcis.event import Event
from trace_core.epcis.event_hash import prepare
from trace_core.ids.canonical import canonical_uri
from trace_core.ids.epc import decode

Mark: TypeAlias = tuple[str, ...]
"""What makes one emitted happening itself: `("passage", read point, thing)`, `("document", id, type, things…)`."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`lost` = emitted but absent; `duplicates` = held more often than emitted; `unexpected` = never emitted."""

    emitted: int
    captured: int
    lost: int
    duplicates: int
    unexpected: int

    @property
    def clean(self) -> bool:
        return self.lost == self.duplicates == self.unexpected == 0


def passage_mark(read_point: str, epc: bytes) -> Mark:
    """The mark of one tag that passes a read point."""
    return ("passage", canonical_uri(read_point), canonical_uri(decode(epc).uri))


def document_mark(event: Event) -> Mark:
    """The mark of one event that a producer posts, with everything that it names."""
    things = sorted({ref.uri for ref in prepare(event).objects})
    return ("document", str(event.event_id), event.type, *things)


def compare(emitted: Counter[Mark], held: Counter[Mark]) -> Verdict:
    """Pure comparison of two multisets."""
    return Verdict(
        emitted=emitted.total(),
        captured=held.total(),
        lost=(emitted - held).total(),
        duplicates=sum(count - emitted[mark] for mark, count in held.items() if 0 < emitted[mark] < count),
        unexpected=sum(count for mark, count in held.items() if emitted[mark] == 0),
    )


def marks_held(events: Iterable[Mapping[str, Any]]) -> Counter[Mark]:
    """Marks of the events that `trace-server events list --json` prints.

    A gateway's event is known by where and what was read: the world moves every tag past a read point once.
    """
    held: Counter[Mark] = Counter()
    for event in events:
        if event["source"].startswith("gateway:"):
            held.update(("passage", canonical_uri(event["read_point"]), uri) for uri in event["epcs"])
        else:
            held["document", str(event["event_id"]), event["type"], *sorted(set(event["epcs"]))] += 1
    return held
