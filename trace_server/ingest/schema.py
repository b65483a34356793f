"""The ratified GS1 JSON schema as judge of documents and events: one compiled validator for each event type.

Validating an event alone against its own definition is three times cheaper than the whole document against the
whole schema, and its errors point into the event.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

from trace_server.ingest.model import Reason, Rejection

FILE = "epcis-json-schema-2.0.1.json"
EVENT_TYPES = ("ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent", "AssociationEvent")
QUERY_DOCUMENT = "EPCISQueryDocument"
MAX_WHAT = 500
"""Characters of a validator's message that are kept; it may quote the whole event."""


def reject_document(envelope: Mapping[str, Any], kind: str = "EPCISDocument") -> list[Rejection]:
    """What is wrong with a document whose event list has been emptied; empty when nothing is."""
    return _errors(_validators()[kind], envelope)


def reject_event(event: Mapping[str, Any], kind: str) -> Rejection | None:
    """The first thing that is wrong with `event`, by the definition of its type `kind`."""
    validator = _validators().get(kind)
    if validator is None:
        return Rejection(
            Reason.SCHEMA, f"{kind!r:.100} is no EPCIS event type", "/type", f"use one of {', '.join(EVENT_TYPES)}"
        )
    if validator.is_valid(event):
        return None
    found = _errors(validator, event)
    # An error inside a member says more than "the event fits none of the shapes".
    return max(found, key=lambda rejection: (rejection.where != "", len(rejection.where)))


def _errors(validator: Any, instance: Mapping[str, Any]) -> list[Rejection]:  # noqa: ANN401 – untyped library
    return [
        Rejection(
            Reason.SCHEMA,
            _shortened(error.message),
            "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in error.instance_path),
            "see the EPCIS 2.0.1 JSON schema",
        )
        for error in validator.iter_errors(instance)
    ]


def _shortened(message: str) -> str:
    """Keep the end, which names the rule; the beginning quotes the value."""
    return message if len(message) <= MAX_WHAT else f"{message[:100]}…{message[-(MAX_WHAT - 100) :]}"


@cache
def _validators() -> Mapping[str, Any]:
    schema = json.loads(files("trace_server.ingest").joinpath("schemas", FILE).read_text("utf-8"))
    parts = {"$schema": schema["$schema"], "definitions": schema["definitions"]}
    names = {
        "EPCISDocument": "epcisDocument",
        QUERY_DOCUMENT: "epcisQueryDocument",
        **{name: name for name in EVENT_TYPES},
    }
    return {
        name: jsonschema_rs.validator_for({**parts, "$ref": f"#/definitions/{definition}"})
        for name, definition in names.items()
    }
