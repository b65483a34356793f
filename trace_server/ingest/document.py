"""An EPCIS 2.0 JSON document taken apart: the envelope judged as a whole, each event kept as the bytes it came in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from trace_core.epcis.jsonld import STANDARD, STANDARD_CONTEXT, Context
from trace_core.errors import EventError, TooLarge
from trace_server.ingest.model import Rejection
from trace_server.ingest.rules import MAX_DEPTH, reject_shape
from trace_server.ingest.schema import reject_document

MAX_DOCUMENT_BYTES = 2_097_152
"""Quality: capture bodies of at most 2 MB or 1,000 events."""
MAX_DOCUMENT_EVENTS = 1000
MAX_ERRORS = 50
LIST_POINTER = "/epcisBody/eventList"

T = TypeVar("T")
# Raw members stay undecoded slices of the body: an event is parsed once, and its bytes are what is stored.
_MEMBERS: msgspec.json.Decoder[dict[str, msgspec.Raw]] = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST: msgspec.json.Decoder[list[msgspec.Raw]] = msgspec.json.Decoder(list[msgspec.Raw])
_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()


class BadDocument(EventError):
    """The document around the events is wrong, so that none of them can be taken."""

    def __init__(self, rejections: list[Rejection]) -> None:
        first = rejections[0]
        super().__init__(f"{first.where or 'the document'}: {first.what}", remedy=first.remedy)
        self.rejections = tuple(rejections[:MAX_ERRORS])

    def problem_members(self) -> dict[str, object]:
        """`errors` with a JSON pointer for each thing that is wrong."""
        return {
            "errors": [
                {"pointer": one.where or "/", "code": one.reason.value, "message": one.what} for one in self.rejections
            ]
        }


@dataclass(frozen=True, slots=True)
class Document:
    """What a capture needs of a document. `context_text` is None where it says no more than the standard."""

    context: Context
    context_text: str | None
    events: tuple[bytes, ...]


def read_document(raw: bytes) -> Document:
    """Take `raw` apart. Raises `TooLarge`, `EventError` or `BadDocument`; says nothing about single events."""
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise TooLarge(f"the document has {len(raw)} bytes", remedy=f"send at most {MAX_DOCUMENT_BYTES} at once")
    members = _members(raw, "")
    body = _members(members.get("epcisBody"), "/epcisBody")
    events = _decoded(_LIST, body["eventList"], LIST_POINTER) if "eventList" in body else []
    if len(events) > MAX_DOCUMENT_EVENTS:
        raise TooLarge(
            f"the document has {len(events)} events", where=LIST_POINTER, remedy=f"send at most {MAX_DOCUMENT_EVENTS}"
        )
    envelope = _envelope(members, body)
    shape = reject_shape(envelope, MAX_DEPTH)
    wrong = [shape] if shape else reject_document(envelope)
    if wrong:
        raise BadDocument(wrong)
    context = envelope["@context"]
    plain = context in (STANDARD_CONTEXT, [STANDARD_CONTEXT])
    return Document(
        context=STANDARD if plain else STANDARD.extended(context, "/@context"),
        context_text=None if plain else bytes(members["@context"]).decode(),
        events=tuple(bytes(event) for event in events),
    )


def _envelope(members: dict[str, msgspec.Raw], body: dict[str, msgspec.Raw]) -> dict[str, Any]:
    """The document with an empty event list, for the schema."""
    envelope = {name: _decoded(_ANY, raw, f"/{name}") for name, raw in members.items() if name != "epcisBody"}
    if "epcisBody" in members:
        inner = {name: _decoded(_ANY, raw, f"/epcisBody/{name}") for name, raw in body.items() if name != "eventList"}
        envelope["epcisBody"] = inner | ({"eventList": []} if "eventList" in body else {})
    return envelope


def _members(raw: bytes | msgspec.Raw | None, where: str) -> dict[str, msgspec.Raw]:
    """The members of an object, undecoded; none where the object is missing (the schema says so then)."""
    return {} if raw is None else _decoded(_MEMBERS, raw, where)


def _decoded(decoder: msgspec.json.Decoder[T], raw: bytes | msgspec.Raw, where: str) -> T:
    try:
        return decoder.decode(raw)
    except RecursionError as error:
        raise EventError("nested too deep", where=where or "/", remedy=f"at most {MAX_DEPTH} levels") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EventError(f"not the JSON of an EPCIS document: {error}", where=where or "/") from error
