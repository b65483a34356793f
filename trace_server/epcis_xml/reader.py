"""EPCIS XML, 2.0 and 1.2 → the events of `trace_core.epcis`. Tables say which element is read how.

EPCIS 1.2 hides its later fields in `extension` and `baseExtension`, nested; here they are all fields of the event.
The reader takes elements in any order: order is the schema's business (`schema.complaints`).
Source: EPCIS 2.0.1 section 9.5 and the XML schemas; EPCIS 1.2 section 9.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from trace_core.epcis import cbv
from trace_core.epcis.event import EVENT_TYPES, SUYUAN_NAMESPACE, Action, Event, ObjectEvent
from trace_core.errors import EventError
from trace_server.epcis_xml import extensions, parts
from trace_server.epcis_xml.content import Field, build, read_term, read_text, read_time, read_uri
from trace_server.epcis_xml.parsing import Element, path_of
from trace_server.epcis_xml.parts import EXTENSION
from trace_server.epcis_xml.schema import QUERY_1, QUERY_2, version_of

CERTIFICATION: Final = f"{{{SUYUAN_NAMESPACE}}}certificationInfo"
"""The XML schema has room for one; further ones stand in `baseExtension`."""


@dataclass(frozen=True, slots=True)
class XmlDocument:
    """A document whose frame is sound; its events are not read yet."""

    version: str
    items: tuple[Element, ...]
    """Event elements, in the order of the document."""
    header: Element | None
    """EPCISHeader: Standard Business Document Header and master data."""


def open_xml(root: Element) -> XmlDocument:
    """Find the events of an EPCISDocument or EPCISQueryDocument. Raises `EventError` when there is no place for any."""
    version = version_of(root)
    body = root.find("EPCISBody")
    if body is None:
        raise EventError("EPCISBody is missing", where=path_of(root), remedy="put EventList into EPCISBody")
    holder = body
    for namespace in (QUERY_2, QUERY_1):
        results = body.find(f"{{{namespace}}}QueryResults/resultsBody")
        holder = results if results is not None else holder
    event_list = holder.find("EventList")
    items = () if event_list is None else tuple(_events(event_list, 0))
    return XmlDocument(version, items, root.find("EPCISHeader"))


def events_from_xml(root: Element) -> list[Event]:
    """Events of a document in order. Raises `EventError`, `where` an XPath, at the first thing wrong."""
    return [read_event(element) for element in open_xml(root).items]


def read_event(element: Element) -> Event:
    """The event in `element`. Raises `EventError` with an XPath."""
    kind, members = _members(element)
    fields = _FIELDS[kind]
    values: dict[str, Any] = {}
    certificates: list[str] = []
    for name, found in members.named.items():
        if len(found) > 1 and name != "certificationInfo":
            raise EventError(f"{name} is given twice", where=path_of(found[1]), remedy="keep one")
        attribute, read = fields[name]
        if name == "certificationInfo":
            certificates += [read_uri(one) for one in found]
        else:
            values[attribute] = read(found[0])
    for name in _REQUIRED[kind]:
        if name not in members.named:
            raise EventError(f"{name} is missing", where=path_of(element), remedy=f"add {name}")
    certificates += [read_uri(one) for one in members.others if one.tag == CERTIFICATION]
    if certificates:
        values["certification_info"] = tuple(certificates)
    for place in ("read_point", "biz_location"):
        if place in values:
            values[place], values[f"{place}_extensions"] = values[place]
    rest = [one for one in members.others if one.tag != CERTIFICATION]
    home = parts.home_of(element)
    values["extensions"] = extensions.read_attributes(element) | extensions.read_all(rest, homeless=home)
    make: Callable[..., Event] = EVENT_TYPES.get(kind, ObjectEvent)
    return build(make, element, values)


def _events(holder: Element, depth: int) -> Iterator[Element]:
    """Events of a list; 1.2 puts the younger types into `extension`, once or twice."""
    for child in holder:
        if child.tag == EXTENSION and depth < 2:
            yield from _events(child, depth + 1)
        elif child.tag in _FIELDS:
            yield child
        elif not str(child.tag).startswith("{"):
            raise EventError(
                f"{child.tag!r:.100} is no event type", where=path_of(child), remedy=f"use {', '.join(EVENT_TYPES)}"
            )


@dataclass(frozen=True, slots=True)
class _Members:
    """What an event says: elements of the standard by name, and the others."""

    named: Mapping[str, list[Element]]
    others: list[Element]


def _members(element: Element) -> tuple[str, _Members]:
    kind = str(element.tag)
    if kind not in _FIELDS:
        raise EventError(f"{kind!r:.200} is no event type", where=path_of(element))
    return kind, _sorted(element, _FIELDS[kind])


def _sorted(element: Element, fields: Mapping[str, Field]) -> _Members:
    named: dict[str, list[Element]] = {}
    others: list[Element] = []
    _sort(element, fields, named, others, 0)
    return _Members(named, others)


def _sort(
    holder: Element, fields: Mapping[str, Field], named: dict[str, list[Element]], others: list[Element], depth: int
) -> None:
    for child in holder:
        tag = str(child.tag)
        if tag in (EXTENSION, "baseExtension") and depth < _EXTENSION_LEVELS:
            _sort(child, fields, named, others, depth + 1)
        elif tag in fields:
            named.setdefault(tag, []).append(child)
        elif tag.startswith("{") or depth > 0:
            others.append(child)
        else:
            raise EventError(
                f"{tag!r:.100} is no field of this event",
                where=path_of(child),
                remedy="check the spelling; fields of your own need a namespace",
            )


_EXTENSION_LEVELS: Final = 3


_COMMON: Mapping[str, Field] = {
    "eventTime": ("event_time", read_time),
    "recordTime": ("record_time", read_time),
    "eventTimeZoneOffset": ("event_time_zone_offset", read_text),
    "eventID": ("event_id", read_uri),
    "errorDeclaration": ("error_declaration", parts.read_error_declaration),
    "certificationInfo": ("certification_info", read_uri),
    "bizStep": ("biz_step", lambda element: read_term(element, cbv.BIZ_STEPS)),
    "disposition": ("disposition", lambda element: read_term(element, cbv.DISPOSITIONS)),
    "persistentDisposition": ("persistent_disposition", parts.read_persistent),
    "readPoint": ("read_point", parts.read_place),
    "bizLocation": ("biz_location", parts.read_place),
    "bizTransactionList": ("biz_transaction_list", parts.each("bizTransaction", parts.read_biz_transaction)),
    "sourceList": ("source_list", parts.each("source", parts.read_source)),
    "destinationList": ("destination_list", parts.each("destination", parts.read_destination)),
    "sensorElementList": ("sensor_element_list", parts.read_sensor_elements),
}
_QUANTITIES = parts.each("quantityElement", parts.read_quantity)
_ACTION: Mapping[str, Field] = {"action": ("action", parts.read_action)}
_OBJECTS: Mapping[str, Field] = {
    "epcList": ("epc_list", parts.uris_of("epc")),
    "quantityList": ("quantity_list", _QUANTITIES),
}
_PARENT: Mapping[str, Field] = {"parentID": ("parent_id", read_uri)}
_CHILDREN: Mapping[str, Field] = {
    **_PARENT,
    "childEPCs": ("child_epcs", parts.uris_of("epc")),
    "childQuantityList": ("child_quantity_list", _QUANTITIES),
}
_ILMD: Mapping[str, Field] = {"ilmd": ("ilmd", parts.read_ilmd)}
_FIELDS: Mapping[str, Mapping[str, Field]] = {
    "ObjectEvent": {**_COMMON, **_ACTION, **_OBJECTS, **_ILMD},
    "AggregationEvent": {**_COMMON, **_ACTION, **_CHILDREN},
    "TransactionEvent": {**_COMMON, **_ACTION, **_PARENT, **_OBJECTS},
    "TransformationEvent": {
        **_COMMON,
        "inputEPCList": ("input_epc_list", parts.uris_of("epc")),
        "inputQuantityList": ("input_quantity_list", _QUANTITIES),
        "outputEPCList": ("output_epc_list", parts.uris_of("epc")),
        "outputQuantityList": ("output_quantity_list", _QUANTITIES),
        "transformationID": ("transformation_id", read_uri),
        **_ILMD,
    },
    "AssociationEvent": {**_COMMON, **_ACTION, **_CHILDREN},
    # of 1.x: an ObjectEvent that observes a quantity, since 1.1
    "QuantityEvent": {
        **_COMMON,
        "epcClass": ("quantity_list", parts.read_one_class),
        "quantity": ("action", lambda _: Action.OBSERVE),
    },
}
_TIMES = ("eventTime", "eventTimeZoneOffset")
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "ObjectEvent": (*_TIMES, "action"),
    "AggregationEvent": (*_TIMES, "action"),
    "TransactionEvent": (*_TIMES, "action", "bizTransactionList"),
    "TransformationEvent": _TIMES,
    "AssociationEvent": (*_TIMES, "action", "parentID"),
    "QuantityEvent": (*_TIMES, "epcClass", "quantity"),
}
