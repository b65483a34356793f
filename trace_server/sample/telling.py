"""EPCIS events as companies' systems and gateways write them, as JSON members. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from trace_core.epcis.event import SUYUAN_NAMESPACE
from trace_core.epcis.jsonld import STANDARD_CONTEXT
from trace_server.sample.model import Checkpoint, Lot, Told

CONTEXT: list[Any] = [STANDARD_CONTEXT, {"suyuan": SUYUAN_NAMESPACE}]
_DISPOSITION = {
    "commissioning": "active",
    "packing": "in_progress",
    "shipping": "in_transit",
    "receiving": "in_progress",
    "retail_selling": "retail_sold",
    "dispensing": "dispensed",
    "destroying": "destroyed",
}


def happened(
    kind: str,
    at: datetime,
    step: str,
    place: str,
    *,
    action: str = "OBSERVE",
    **members: Any,  # noqa: ANN401 – members of an event
) -> dict[str, Any]:
    """An event of `kind` at a place; `members` as EPCIS names them, None for those that are left out."""
    event: dict[str, Any] = {
        "type": kind,
        "eventTime": at.isoformat(timespec="seconds"),
        "eventTimeZoneOffset": "+08:00",
        "bizStep": step,
        "readPoint": {"id": place},
        "bizLocation": {"id": place},
    }
    if kind != "TransformationEvent":
        event["action"] = action
    if step in _DISPOSITION:
        event["disposition"] = _DISPOSITION[step]
    return {name: value for name, value in (event | members).items() if value is not None}


def observed(at: datetime, step: str, place: str, uris: Sequence[str], **members: Any) -> dict[str, Any]:  # noqa: ANN401 – members of an event
    """Things were seen, moved or sold."""
    return happened("ObjectEvent", at, step, place, epcList=list(uris), **members)


def weighed(at: datetime, step: str, place: str, lot: Lot, kilos: float, **members: Any) -> dict[str, Any]:  # noqa: ANN401 – members of an event
    """So much of a lot of raw goods."""
    amount = [{"epcClass": lot.class_uri, "quantity": kilos, "uom": "KGM"}]
    return happened("ObjectEvent", at, step, place, quantityList=amount, **members)


def made(at: datetime, place: str, lot: Lot, items: Sequence[str], **members: Any) -> dict[str, Any]:  # noqa: ANN401 – members of an event
    """Pieces of a lot come into being with its number and last day."""
    ilmd = {"cbvmda:lotNumber": lot.number, "cbvmda:itemExpirationDate": lot.expires_on.isoformat()}
    return happened(
        "ObjectEvent", at, "commissioning", place, action="ADD", epcList=list(items), **{"ilmd": ilmd} | members
    )


def packed(at: datetime, place: str, case: str, items: Sequence[str], *, out: bool = False) -> dict[str, Any]:
    """Pieces go into a case, or out of it."""
    step, action = ("unpacking", "DELETE") if out else ("packing", "ADD")
    return happened("AggregationEvent", at, step, place, action=action, parentID=case, childEPCs=list(items))


def mixed(
    at: datetime,
    place: str,
    taken: tuple[Lot, float],
    given: tuple[Lot, float],
    **members: Any,  # noqa: ANN401 – members of an event
) -> dict[str, Any]:
    """A lot is made of another; kilograms of both."""
    return happened(
        "TransformationEvent",
        at,
        "creating_class_instance",
        place,
        inputQuantityList=[{"epcClass": taken[0].class_uri, "quantity": taken[1], "uom": "KGM"}],
        outputQuantityList=[{"epcClass": given[0].class_uri, "quantity": given[1], "uom": "KGM"}],
        **members,
    )


def at_gate(
    at: datetime,
    step: str,
    gate: Checkpoint,
    uri: str,
    *,
    answer: str = "allow",
    reason: str = "",
    **members: Any,  # noqa: ANN401 – members of an event
) -> Told:
    """A gateway saw one thing, with the answer that it showed."""
    told: Mapping[str, Any] = {
        "suyuan:gateway": gate.gateway,
        "suyuan:device": "reader-1",
        "suyuan:readPointAntenna": 1,
        "suyuan:clockState": "synchronised",
        "suyuan:answer": answer,
        "suyuan:reason": reason or "not listed",
        "suyuan:listAgeSeconds": 420,
    }
    return Told(at, gate.gateway, observed(at, step, gate.read_point, [uri], **{**told, **members}))
