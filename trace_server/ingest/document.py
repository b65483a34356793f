"""An EPCIS 2.0 JSON document taken apart: the envelope judged as a whole, each event kept as the bytes it came in.

Documents, answers to queries and bare events alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from trace_core.epcis.jsonld import STANDARD, STANDARD_CONTEXT, Context
from trace_core.errors import EventError, TooLarge
from trace_server.ingest.model import Job, Reason, Rejection
from trace_server.ingest.rules import MAX_DEPTH, reject_shape
from trace_server.ingest.schema import EVENT_TYPES, QUERY_DOCUMENT, reject_document

MAX_DOCUMENT_BYTES = 2_097_152
"""Quality: capture bodies of at most 2 MB or 1,000 events."""
MAX_DOCUMENT_EVENTS = 1000
MAX_ERRORS = 50
MAX_CONTEXT_BYTES = 16_384
"""A document's `@context` is kept with every event of it that is held, which may be a thousand."""
MAX_CONTEXT_TERMS = 200
LIST = ("epcisBody", "eventList")
QUERY_LIST = ("epcisBody", "queryResults", "resultsBody", "eventList")
LIST_POINTER = "/epcisBody/eventList"
HEADER = ("id", "instanceIdentifier", "sender", "receiver", "epcisHeader")
"""What a document says beside its events."""

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


class RolledBack(EventError):
    """Events of a document are wrong, so that nothing of it was stored; the job says the same for later."""

    def __init__(self, job: Job, location: str) -> None:
        first = job.errors[0]
        super().__init__(
            f"{len(job.errors)} of {job.event_count} events are wrong, nothing was stored; {first.where}: {first.what}",
            remedy=first.remedy or "mend them, or send GS1-Capture-Error-Behaviour: proceed",
        )
        self.job = job
        self.location = location

    def problem_members(self) -> dict[str, object]:
        """`errors` with the place of each wrong event, and the job."""
        told = [{"pointer": one.where or "/", "code": one.reason.value, "message": one.what} for one in self.job.errors]
        return {"errors": told, "captureID": self.job.job_key.hex()}

    def problem_headers(self) -> dict[str, str]:
        """Where the job is."""
        return {"Location": self.location}


@dataclass(frozen=True, slots=True)
class Document:
    """What a capture needs of a document. `context_text` is None where it says no more than the standard."""

    context: Context
    context_text: str | None
    events: tuple[bytes, ...]
    pointer: str | None = LIST_POINTER
    """JSON pointer of the list; None for a bare event."""
    header: str | None = None
    """What it says beside its events, as JSON."""

    def place(self, index: int) -> str:
        """JSON pointer of an event."""
        return "" if self.pointer is None else f"{self.pointer}/{index}"


def read_document(raw: bytes) -> Document:
    """Take `raw` apart. Raises `TooLarge`, `EventError` or `BadDocument`; says nothing about single events."""
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise TooLarge(f"the document has {len(raw)} bytes", remedy=f"send at most {MAX_DOCUMENT_BYTES} at once")
    members = _members(raw, "")
    kind = _decoded(_ANY, members["type"], "/type") if "type" in members else None
    if kind in EVENT_TYPES:
        return _bare(raw, members)
    is_query = kind == QUERY_DOCUMENT
    envelope, events, pointer = _opened(members, QUERY_LIST if is_query else LIST)
    if len(events) > MAX_DOCUMENT_EVENTS:
        raise TooLarge(
            f"the document has {len(events)} events", where=pointer, remedy=f"send at most {MAX_DOCUMENT_EVENTS}"
        )
    shape = reject_shape(envelope, MAX_DEPTH)
    wrong = [shape] if shape else reject_document(envelope, QUERY_DOCUMENT if is_query else "EPCISDocument")
    if wrong:
        raise BadDocument(wrong)
    context = envelope["@context"]
    plain = context in (STANDARD_CONTEXT, [STANDARD_CONTEXT])
    if not plain:
        _require_small(context, bytes(members["@context"]))
    header = {name: members[name] for name in HEADER if name in members}
    return Document(
        context=STANDARD if plain else STANDARD.extended(context, "/@context"),
        context_text=None if plain else bytes(members["@context"]).decode(),
        events=tuple(bytes(event) for event in events),
        pointer=pointer,
        header=msgspec.json.encode(header).decode() if header else None,
    )


def _require_small(context: object, raw: bytes) -> None:
    """Raises `TooLarge` for a `@context` that no sender needs."""
    terms = sum(
        len(entry) for entry in (context if isinstance(context, list) else [context]) if isinstance(entry, dict)
    )
    if len(raw) > MAX_CONTEXT_BYTES or terms > MAX_CONTEXT_TERMS:
        raise TooLarge(
            f"the @context has {len(raw)} bytes and {terms} terms",
            where="/@context",
            remedy=f"at most {MAX_CONTEXT_BYTES} bytes and {MAX_CONTEXT_TERMS} terms: declare what the events use",
        )


def _bare(raw: bytes, members: dict[str, msgspec.Raw]) -> Document:
    if "@context" not in members:
        missing = Rejection(
            Reason.SCHEMA, "the event has no @context", "/@context", f'add "@context": ["{STANDARD_CONTEXT}"]'
        )
        raise BadDocument([missing])
    return Document(STANDARD, None, (raw.strip(),), pointer=None)


def _opened(members: dict[str, msgspec.Raw], path: tuple[str, ...]) -> tuple[dict[str, Any], list[msgspec.Raw], str]:
    """The document with an empty event list, for the schema; the events; the pointer of their list."""
    whole: dict[str, Any] = {}
    inside, node, where = members, whole, ""
    for name in path[:-1]:
        node |= {key: _decoded(_ANY, value, f"{where}/{key}") for key, value in inside.items() if key != name}
        if name not in inside:
            return whole, [], where
        where = f"{where}/{name}"
        inside, node[name] = _members(inside[name], where), {}
        node = node[name]
    last = path[-1]
    node |= {key: _decoded(_ANY, value, f"{where}/{key}") for key, value in inside.items() if key != last}
    where = f"{where}/{last}"
    if last not in inside:
        return whole, [], where
    node[last] = []
    return whole, _decoded(_LIST, inside[last], where), where


def _members(raw: bytes | msgspec.Raw, where: str) -> dict[str, msgspec.Raw]:
    """The members of an object, undecoded."""
    return _decoded(_MEMBERS, raw, where)


def _decoded(decoder: msgspec.json.Decoder[T], raw: bytes | msgspec.Raw, where: str) -> T:
    try:
        return decoder.decode(raw)
    except RecursionError as error:
        raise EventError("nested too deep", where=where or "/", remedy=f"at most {MAX_DEPTH} levels") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise EventError(f"not the JSON of an EPCIS document: {error}", where=where or "/") from error
