"""EPCIS 2.0 JSON / JSON-LD ↔ events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trace_core.epcis.event import Event


def events_from_document(doc: object) -> list[Event]:
    """Events of an EPCISDocument, an EPCISQueryDocument, a bare event or a list of bare events, in order."""
    raise NotImplementedError


def event_from_json(obj: object, context: object = None, where: str = "") -> Event:
    """One event. `context` is the JSON-LD `@context` value of the document around it (or a `Context`)."""
    raise NotImplementedError


def event_to_json(event: Event, prefixes: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The JSON object of one event, without `@context`. `prefixes`: prefix → namespace of extension names."""
    raise NotImplementedError


def document(
    events: Sequence[Event], prefixes: Mapping[str, str] | None = None, *, created: datetime | None = None
) -> dict[str, Any]:
    """An EPCISDocument of `events`, valid against the EPCIS 2.0 JSON schema when `created` is given."""
    raise NotImplementedError


def check_event(event: Event) -> None:
    """Raises `EventError` where an event breaks a rule of EPCIS that its shape does not show."""
    raise NotImplementedError
