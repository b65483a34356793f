"""An answer as a table: one row per tracking event, one column per key data element (the 24-hour sortable file)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from trace_server.exports.model import Sheet
from trace_server.trace.model import BEGINNING, END
from trace_server.trace.question import Answer, Step
from trace_server.trace.rules import step_name

COLUMNS: Final = (
    "event_time",
    "direction",
    "object",
    "relation",
    "depth",
    "event_type",
    "business_step",
    "disposition",
    "read_point",
    "business_location",
    "place",
    "city",
    "party_uscc",
    "party",
    "licence_that_day",
    "licence_number",
    "device",
    "clock",
    "gap_before",
    "quantity",
    "unit",
    "shares",
    "source",
    "also_recorded_by",
    "record_time",
    "event_id",
    "event_key",
)


def sheet(answer: Answer) -> Sheet:
    """Times are UTC in ISO 8601, so that sorting the text sorts the times."""
    question = answer.question
    filters = (
        ("object", answer.uri),
        ("direction", ", ".join(question.directions)),
        ("from", _time(question.window.start)),
        ("to", _time(question.window.end)),
        ("depth", str(question.depth)),
        ("cut at the limit", "yes" if answer.truncated else "no"),
        ("as of", _time(answer.as_of)),
    )
    return Sheet("events", COLUMNS, _rows(answer), filters)


def _rows(answer: Answer) -> Iterator[tuple[str, ...]]:
    for step in answer.steps:
        yield _row(answer, step)


def _row(answer: Answer, step: Step) -> tuple[str, ...]:
    event, node, place = step.hop.event, step.hop.node, step.hop.place
    return (
        _time(event.event_time),
        step.direction.value,
        step.uri,
        node.relation.value,
        str(node.depth),
        event.type,
        step_name(event.biz_step),
        step_name(event.disposition),
        event.read_point,
        event.biz_location,
        place.name if place else "",
        place.city if place else "",
        step.uscc,
        step.party,
        step.licence.value,
        step.licence_number,
        step.device,
        step.clock,
        "yes" if step.hop.gap_before else "no",
        "" if step.quantity is None else f"{step.quantity:.15g}",
        step.uom,
        _shares(answer, step),
        event.source,
        " ".join(event.also_by),
        _time(event.record_time),
        event.event_id,
        event.event_key.hex(),
    )


def _shares(answer: Answer, step: Step) -> str:
    """As `75 KGM allocated; 3 measured` (pieces have no unit)."""
    part = next(one for one in answer.parts if one.direction is step.direction)
    found = part.shares.get(step.hop.node.object_key, ())
    return "; ".join(" ".join(filter(None, (f"{one.quantity:.12g}", one.uom, one.basis.value))) for one in found)


def _time(moment: datetime) -> str:
    return "" if moment in (BEGINNING, END) else moment.isoformat()
