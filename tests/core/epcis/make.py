"""Builders: everything has a default but what the test is about."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from trace_core.epcis.jsonld import STANDARD_CONTEXT

VECTORS = Path(__file__).parents[2] / "vectors" / "epcis"


def load(name: str) -> Any:
    return json.loads((VECTORS / name).read_text(encoding="utf-8"))


def object_event(**members: Any) -> dict[str, Any]:
    """JSON of an ObjectEvent; a member given as None is left out."""
    fields: dict[str, Any] = {
        "type": "ObjectEvent",
        "eventTime": "2026-07-22T06:45:00.000+08:00",
        "eventTimeZoneOffset": "+08:00",
        "action": "OBSERVE",
        "epcList": ["urn:epc:id:sgtin:4012345.011111.9876"],
        "bizStep": "shipping",
        **members,
    }
    return {name: value for name, value in fields.items() if value is not None}


def epcis_document(*events: Any, context: Any = None, **members: Any) -> dict[str, Any]:
    """JSON of an EPCISDocument around `events`; `context` is one more entry of its `@context`."""
    return {
        "@context": [STANDARD_CONTEXT, *([] if context is None else [context])],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-07-22T10:30:00Z",
        "epcisBody": {"eventList": list(events)},
        **members,
    }
