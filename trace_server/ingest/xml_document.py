"""An EPCIS XML document, 2.0 or 1.2, taken apart: judged by its schema, each event turned into the JSON that is stored.

One form inside: whatever way an event came, its body is EPCIS 2.0 JSON that the JSON schema accepts. What XML says
beyond that form (comments, indentation, which namespace prefix, attribute or child in an extension) is not kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from trace_core.epcis.document import bare_event, event_from_json
from trace_core.errors import EventError, TooLarge, TraceError
from trace_server.epcis_xml.fragments import alone, prefixes_of, text_of
from trace_server.epcis_xml.parsing import parse, path_of
from trace_server.epcis_xml.reader import open_xml, read_event
from trace_server.epcis_xml.schema import complaints
from trace_server.ingest.document import MAX_DOCUMENT_EVENTS, BadDocument
from trace_server.ingest.model import Origin, Reason, Rejection
from trace_server.ingest.rules import MAX_DEPTH, MAX_EVENT_BYTES, OUT_OF_RANGE, Taken, reject_shape, take
from trace_server.ingest.schema import reject_event

MAX_HEADER = 65_536
"""Characters of a header that are kept."""
REMEDY = "see the XML schema of EPCIS"


@dataclass(frozen=True, slots=True)
class XmlEvent:
    """One event of a document, and what the schema says against it."""

    element: Any
    complaint: Rejection | None

    def alone(self) -> bytes:
        """A document of this event only, as it is held."""
        return alone(self.element)

    def read(self, origin: Origin) -> Taken | Rejection:
        """Its rows, or why it cannot be taken; `where` is an XPath."""
        if self.complaint is not None:
            return self.complaint
        where = path_of(self.element)
        try:
            event = read_event(self.element)
            decoded = bare_event(event, prefixes_of(self.element))
            wrong = reject_shape(decoded, MAX_DEPTH) or reject_event(decoded, event.type)
            if wrong is not None:
                return Rejection(wrong.reason, wrong.what, where + wrong.where, wrong.remedy)
            body = msgspec.json.encode(decoded)
            if len(body) > MAX_EVENT_BYTES:
                return Rejection(Reason.TOO_LONG, f"the event has {len(body)} bytes as JSON", where)
            # what is stored is what is keyed: the event as its JSON says it
            if event_from_json(decoded) != event:
                return Rejection(Reason.RULE, "EPCIS JSON cannot say this event", where, "give fields plain names")
            return take(event, body.decode(), origin, where)
        except TraceError as error:
            return Rejection(Reason.RULE, error.what, error.where or where, error.remedy)
        except OverflowError:
            return OUT_OF_RANGE


@dataclass(frozen=True, slots=True)
class XmlDocument:
    """What a capture needs of a document."""

    events: tuple[XmlEvent, ...]
    header: str | None
    """EPCISHeader as it came."""


def read_xml_document(raw: bytes) -> XmlDocument:
    """Take `raw` apart. Raises `TooLarge`, `EventError` or `BadDocument`; wrong events stay theirs."""
    root = parse(raw)
    found = complaints(root)
    document = open_xml(root)
    if len(document.items) > MAX_DOCUMENT_EVENTS:
        raise TooLarge(f"the document has {len(document.items)} events", remedy=f"send at most {MAX_DOCUMENT_EVENTS}")
    wrong: dict[str, Rejection] = {}
    if found:
        paths = {path_of(element) for element in document.items}
        outside = []
        for one in found:
            event = _event_of(one.path, paths)
            rejection = Rejection(Reason.SCHEMA, one.what, one.path, REMEDY)
            if event is None:
                outside.append(rejection)
            else:
                wrong.setdefault(event, rejection)
        if outside:
            raise BadDocument(outside)
    header = None if document.header is None else text_of(document.header)
    if header is not None and len(header) > MAX_HEADER:
        raise TooLarge(f"the header has {len(header)} characters", remedy=f"at most {MAX_HEADER}")
    return XmlDocument(
        tuple([XmlEvent(element, wrong.get(path_of(element)) if wrong else None) for element in document.items]), header
    )


def read_held(body: bytes, origin: Origin) -> Taken | Rejection:
    """An event that waits in quarantine as a document of its own."""
    try:
        (event,) = read_xml_document(body).events
    except (ValueError, EventError, TooLarge) as error:
        return Rejection(Reason.NOT_XML, str(error)[:500])
    return event.read(origin)


def _event_of(path: str, paths: set[str]) -> str | None:
    """The event that `path` lies in."""
    while path and path not in paths:
        path = path.rpartition("/")[0]
    return path or None
