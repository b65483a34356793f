"""EPCIS 2.0 JSON / JSON-LD documents ↔ events.

`events_from_document` takes all or nothing. To keep the good events of a document with a bad one, use
`open_document` and read each item with `event_from_json`.
Source: EPCIS 2.0.1 sections 9 and 10 and the ratified JSON schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trace_core.epcis.event import EVENT_TYPES, SUYUAN_NAMESPACE, Event
from trace_core.epcis.json_reader import read_event
from trace_core.epcis.json_writer import event_to_json, write_events, write_time
from trace_core.epcis.jsonld import STANDARD, STANDARD_CONTEXT, Context, context_value
from trace_core.epcis.rules import check_event
from trace_core.errors import EventError

__all__ = [
    "STANDARD_CONTEXT",
    "SUYUAN_PREFIXES",
    "OpenDocument",
    "bare_event",
    "check_event",
    "document",
    "event_from_json",
    "event_to_json",
    "events_from_document",
    "open_document",
]

SUYUAN_PREFIXES: Mapping[str, str] = {"suyuan": SUYUAN_NAMESPACE}
"""Prefixes of the events that we write ourselves."""


@dataclass(frozen=True, slots=True)
class OpenDocument:
    """A document whose frame is sound; its events are not read yet."""

    context: Context
    items: tuple[tuple[str, object], ...]
    """(JSON pointer, JSON of one event), in the order of the document."""


def open_document(doc: object) -> OpenDocument:
    """Find the events of an EPCISDocument, an EPCISQueryDocument, a bare event or a list of bare events.

    Raises `EventError` for what concerns the whole document: its type, version, `@context`, body.
    """
    if isinstance(doc, list):
        return OpenDocument(STANDARD, tuple((f"/{index}", item) for index, item in enumerate(doc)))
    if not isinstance(doc, dict):
        raise EventError("an EPCIS document is a JSON object", where="", remedy="send an EPCISDocument")
    kind = doc.get("type")
    if kind == "EPCISDocument":
        return _opened(doc, ("epcisBody", "eventList"))
    if kind == "EPCISQueryDocument":
        return _opened(doc, ("epcisBody", "queryResults", "resultsBody", "eventList"))
    if isinstance(kind, str):
        return OpenDocument(STANDARD, (("", doc),))
    raise EventError(
        "the document has no type",
        where="/type",
        remedy=f"use EPCISDocument, EPCISQueryDocument or one of {', '.join(EVENT_TYPES)}",
    )


def events_from_document(doc: object) -> list[Event]:
    """Events of a document in order. Raises `EventError`, `where` a JSON pointer, at the first thing wrong."""
    opened = open_document(doc)
    return [read_event(item, opened.context, where) for where, item in opened.items]


def event_from_json(obj: object, context: object = None, where: str = "") -> Event:
    """One event. `context` is the `Context` of an `OpenDocument` or a JSON-LD `@context` value; None: the standard's.

    `where` is the JSON pointer of `obj`. Raises `EventError`.
    """
    if context is None:
        return read_event(obj, STANDARD, where)
    names = context if isinstance(context, Context) else STANDARD.extended(context, "/@context")
    return read_event(obj, names, where)


def bare_event(event: Event, prefixes: Mapping[str, str] = SUYUAN_PREFIXES) -> dict[str, Any]:
    """One event as a document of its own, with the `@context` that the schema asks for."""
    written = write_events((event,), prefixes)
    return {"@context": context_value({**written.prefixes, **written.added}), **written.bodies[0]}


def document(
    events: Sequence[Event], prefixes: Mapping[str, str] | None = None, *, created: datetime | None = None
) -> dict[str, Any]:
    """An EPCISDocument of `events`. `created` (aware) defaults to the latest time that an event carries.

    Of `prefixes` those are declared that leave every URI its meaning. Raises `ValueError` when there is no event
    and no `created`: the creation date is not optional.
    """
    written = write_events(events, prefixes or {})
    moments = [created] if created else [event.record_time or event.event_time for event in events]
    if not moments:
        raise ValueError("a document without events needs `created`")
    return {
        "@context": context_value({**written.prefixes, **written.added}),
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": write_time(max(moments)),
        "epcisBody": {"eventList": written.bodies},
    }


def _opened(doc: dict[str, object], path: tuple[str, ...]) -> OpenDocument:
    if "@context" not in doc:
        raise EventError(
            "the document has no @context", where="/@context", remedy=f'add "@context": ["{STANDARD_CONTEXT}"]'
        )
    version = doc.get("schemaVersion")
    if version is not None and not (isinstance(version, str) and version.split(".")[0] == "2"):
        raise EventError(
            f"version {version!r:.50} is not EPCIS 2", where="/schemaVersion", remedy="send EPCIS 2.0 JSON"
        )
    where, node = "", dict[str, object](doc)
    for name in path[:-1]:
        where = f"{where}/{name}"
        inner = node.get(name)
        if not isinstance(inner, dict):
            raise EventError(f"{name} is missing or no object", where=where, remedy=f"put the events in {path[-1]}")
        node = inner
    items = node.get(path[-1])
    where = f"{where}/{path[-1]}"
    if not isinstance(items, list):
        raise EventError(f"{path[-1]} is missing or no array", where=where, remedy="give the events as an array")
    context = STANDARD.extended(doc["@context"], "/@context")
    return OpenDocument(context, tuple((f"{where}/{index}", item) for index, item in enumerate(items)))
