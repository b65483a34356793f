"""Stored events as an EPCISQueryDocument, JSON or XML, identifiers spelled as the client asks.

JSON keeps the sender's bytes: only the members that the client wants spelled otherwise, eventID and recordTime are
written anew. XML is written from the event.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from trace_core.epcis.document import event_from_json
from trace_core.epcis.event import Event
from trace_core.epcis.event_hash import event_hash
from trace_core.epcis.json_writer import write_time
from trace_core.epcis.jsonld import STANDARD_CONTEXT, STANDARD_PREFIXES
from trace_server.epcis_xml.spelling import EpcFormat, spelled, spelled_event
from trace_server.epcis_xml.writer import CbvFormat, write_query_document
from trace_server.ingest.model import StoredEvent

QUERY_NAME: Final = "SimpleEventQuery"
_MEMBERS: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])

_QUANTITIES: Final = [{"epcClass": str}]
_DEVICE: Final = {"deviceID": str}
_PLACES: Final[Mapping[str, Any]] = {
    "parentID": str,
    "epcList": [str],
    "childEPCs": [str],
    "inputEPCList": [str],
    "outputEPCList": [str],
    "quantityList": _QUANTITIES,
    "childQuantityList": _QUANTITIES,
    "inputQuantityList": _QUANTITIES,
    "outputQuantityList": _QUANTITIES,
    "readPoint": {"id": str},
    "bizLocation": {"id": str},
    "bizTransactionList": [{"bizTransaction": str}],
    "sourceList": [{"source": str}],
    "destinationList": [{"destination": str}],
    "sensorElementList": [{"sensorMetadata": _DEVICE, "sensorReport": [_DEVICE]}],
}
"""Where identifiers stand in an event: `str` is one, a list holds many, a mapping is an object with some."""


def query_json(
    events: Sequence[StoredEvent],
    created: datetime,
    epc_format: EpcFormat,
    *,
    query: str = QUERY_NAME,
    subscription: str = "",
) -> bytes:
    """The events as an EPCISQueryDocument in JSON-LD, for `subscription` if it is one's."""
    bodies = []
    contexts = []
    for stored in events:
        members = dict(_MEMBERS.decode(stored.body))
        members.pop("@context", None)
        contexts.append(msgspec.json.encode(_context(stored)))
        members["recordTime"] = _raw(write_time(stored.record_time))
        if "eventID" not in members:
            members["eventID"] = _raw(event_hash(_event(stored)))
        if epc_format in (EpcFormat.DIGITAL_LINK, EpcFormat.URN):
            members = {
                name: _respelled(value, _PLACES[name], epc_format) if name in _PLACES else value
                for name, value in members.items()
            }
        bodies.append(members)
    shared = contexts[0] if len(set(contexts)) == 1 else None
    if shared is None:
        bodies = [{"@context": msgspec.Raw(own), **body} for own, body in zip(contexts, bodies, strict=True)]
    return msgspec.json.encode(
        {
            "@context": [STANDARD_CONTEXT] if shared is None else msgspec.Raw(shared),
            "type": "EPCISQueryDocument",
            "schemaVersion": "2.0",
            "creationDate": write_time(created),
            "epcisBody": {
                "queryResults": {
                    "queryName": query,
                    **({"subscriptionID": subscription} if subscription else {}),
                    "resultsBody": {"eventList": bodies},
                }
            },
        }
    )


def query_xml(events: Sequence[StoredEvent], created: datetime, epc_format: EpcFormat, cbv_format: CbvFormat) -> bytes:
    """The events as an EPCISQueryDocument in XML."""
    prefixes: dict[str, str] = {}
    values = []
    for stored in events:
        prefixes |= _prefixes(_context(stored))
        values.append(spelled_event(complete_event(stored), epc_format))
    return write_query_document(values, created=created, query=QUERY_NAME, prefixes=prefixes, cbv_format=cbv_format)


def complete_event(stored: StoredEvent) -> Event:
    """The event with what the server adds: its record time and, where the sender gave no eventID, its CBV hash."""
    event = _event(stored)
    return dataclasses.replace(event, record_time=stored.record_time, event_id=event.event_id or event_hash(event))


def event_json(stored: StoredEvent) -> dict[str, Any]:
    """The event as its sender wrote it, complete with its `@context`."""
    body: dict[str, Any] = json.loads(stored.body)
    return (
        {**body, "@context": _context(stored, body)} if "@context" in body else {"@context": _context(stored), **body}
    )


def _event(stored: StoredEvent) -> Event:
    return event_from_json(json.loads(stored.body), None if stored.context is None else json.loads(stored.context))


def _context(stored: StoredEvent, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 – any JSON-LD context
    """What the names in the event mean: the `@context` of the document around it, then its own."""
    own = (json.loads(stored.body) if body is None else body).get("@context")
    around = [STANDARD_CONTEXT] if stored.context is None else json.loads(stored.context)
    if own is None:
        return around
    return own if stored.context is None else [*_entries(around), *_entries(own)]


def _entries(context: object) -> list[Any]:
    return context if isinstance(context, list) else [context]


def _prefixes(context: object) -> dict[str, str]:
    """Prefixes that a JSON-LD context declares beside the standard's."""
    return {
        prefix: uri
        for entry in _entries(context)
        if isinstance(entry, dict)
        for prefix, uri in entry.items()
        if isinstance(uri, str) and not prefix.startswith("@") and prefix not in STANDARD_PREFIXES
    }


def _raw(value: str) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _respelled(raw: msgspec.Raw, place: Any, wanted: EpcFormat) -> msgspec.Raw:  # noqa: ANN401 – see `_PLACES`
    """`raw` with the identifiers at `place` in the wanted spelling, and every other byte as it was."""
    if place is str:
        return _raw(spelled(msgspec.json.decode(raw, type=str), wanted))
    if isinstance(place, list):
        originals = _LIST.decode(raw)
        items = [bytes(_respelled(item, place[0], wanted)) for item in originals]
        # one thing in two spellings: the schema forbids the same item twice, so one keeps its own
        taken = {bytes(original) for original in originals}
        kept = []
        for original, item in zip(originals, items, strict=True):
            kept.append(original if item in taken else msgspec.Raw(item))
            taken.add(item)
        return msgspec.Raw(msgspec.json.encode(kept))
    members = {
        name: _respelled(value, place[name], wanted) if name in place else value
        for name, value in _MEMBERS.decode(raw).items()
    }
    return msgspec.Raw(msgspec.json.encode(members))
