"""Event value → one EPCIS event in JSON, in the order of the standard, with short names for standard terms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

from trace_core.epcis import cbv
from trace_core.epcis.event import (
    Action,
    AggregationEvent,
    AssociationEvent,
    BizTransaction,
    Destination,
    ErrorDeclaration,
    Event,
    Extensions,
    ExtensionValue,
    ObjectEvent,
    PersistentDisposition,
    QuantityElement,
    SensorElement,
    SensorMetadata,
    SensorReport,
    Source,
    TransactionEvent,
    TransformationEvent,
)
from trace_core.epcis.jsonld import Namer, schemes

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """Events in JSON and the prefixes that their names rest on."""

    bodies: list[dict[str, Any]]
    prefixes: Mapping[str, str]
    added: Mapping[str, str]


def write_events(events: Sequence[Event], prefixes: Mapping[str, str]) -> Written:
    """A URI may have a scheme that is a prefix here; such prefixes are given up, one round each, until none is left."""
    kept, avoid = dict(prefixes), set[str]()
    while True:
        namer = Namer(kept, avoid)
        bodies = [write_event(event, namer) for event in events]
        if not kept and not namer.added:
            return Written(bodies, kept, namer.added)
        found = namer.clashes.union(schemes(bodies))
        clashes = {scheme for scheme in found if scheme in kept or scheme in namer.added}
        if not clashes:
            return Written(bodies, kept, namer.added)
        avoid |= clashes
        kept = {prefix: namespace for prefix, namespace in kept.items() if prefix not in clashes}


def event_to_json(event: Event, prefixes: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The JSON object of one event. `prefixes`: prefix → namespace, as declared by the document around it.

    A namespace that has no prefix there is written out, or declared in a `@context` of the event's own.
    Raises `ValueError` when a URI of the event has one of `prefixes` as its scheme: it would be read as another.
    """
    declared = prefixes or {}
    written = write_events((event,), declared)
    if len(written.prefixes) < len(declared):
        raise ValueError(f"a URI of the event starts with one of the prefixes {', '.join(declared)}")
    (body,) = written.bodies
    return {"@context": dict(written.added), **body} if written.added else body


def write_event(event: Event, namer: Namer) -> Json:
    """The JSON object of `event` without `@context`; what is absent or empty is left out."""
    body: Json = {"type": event.type, "eventTime": write_time(event.event_time)}
    _put(body, "recordTime", event.record_time, write_time)
    body["eventTimeZoneOffset"] = event.event_time_zone_offset
    _put(body, "eventID", event.event_id)
    if len(event.certification_info) == 1:
        body["certificationInfo"] = event.certification_info[0]
    elif event.certification_info:
        body["certificationInfo"] = list(event.certification_info)
    if event.error_declaration is not None:
        body["errorDeclaration"] = _error_declaration(event.error_declaration, namer)
    _what(body, event)
    _put(body, "bizStep", event.biz_step, cbv.BIZ_STEPS.short)
    _put(body, "disposition", event.disposition, cbv.DISPOSITIONS.short)
    if event.persistent_disposition is not None:
        body["persistentDisposition"] = _persistent(event.persistent_disposition)
    _place(body, "readPoint", event.read_point, event.read_point_extensions, namer)
    _place(body, "bizLocation", event.biz_location, event.biz_location_extensions, namer)
    _each(body, "bizTransactionList", event.biz_transaction_list, _biz_transaction)
    _each(body, "sourceList", event.source_list, _source)
    _each(body, "destinationList", event.destination_list, _destination)
    _each(body, "sensorElementList", event.sensor_element_list, lambda element: _sensor_element(element, namer))
    if isinstance(event, (ObjectEvent, TransformationEvent)) and event.ilmd:
        body["ilmd"] = _extensions(event.ilmd, namer)
    body.update(_extensions(event.extensions, namer))
    return body


def write_time(moment: datetime) -> str:
    """UTC with `Z`; as many digits as the moment has."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _put(body: Json, name: str, value: Any, write: Callable[[Any], object] | None = None) -> None:  # noqa: ANN401
    if value is not None:
        body[name] = value if write is None else write(value)


def _each(body: Json, name: str, values: Sequence[Any], write: Callable[[Any], object]) -> None:
    if values:
        body[name] = [write(value) for value in values]


def _what(body: Json, event: Event) -> None:
    """The objects, and what happened to them."""
    if isinstance(event, TransformationEvent):
        _uris(body, "inputEPCList", event.input_epc_list)
        _each(body, "inputQuantityList", event.input_quantity_list, _quantity)
        _uris(body, "outputEPCList", event.output_epc_list)
        _each(body, "outputQuantityList", event.output_quantity_list, _quantity)
        _put(body, "transformationID", event.transformation_id)
        _state_emptiness(body, "outputEPCList", "inputEPCList", "inputQuantityList", "outputQuantityList")
        return
    if isinstance(event, (AggregationEvent, AssociationEvent)):
        _put(body, "parentID", event.parent_id)
        _uris(body, "childEPCs", event.child_epcs)
        _each(body, "childQuantityList", event.child_quantity_list, _quantity)
        if event.action != Action.DELETE:
            _state_emptiness(body, "childEPCs", "childQuantityList")
    else:
        if isinstance(event, TransactionEvent):
            _put(body, "parentID", event.parent_id)
        _uris(body, "epcList", event.epc_list)
        _each(body, "quantityList", event.quantity_list, _quantity)
        if isinstance(event, TransactionEvent) or not event.sensor_element_list:
            _state_emptiness(body, "epcList", "quantityList")
    body["action"] = event.action.value


def _state_emptiness(body: Json, name: str, *others: str) -> None:
    """An empty list says that there are no objects; no list at all would read as an omission."""
    if name not in body and not any(other in body for other in others):
        body[name] = []


def _uris(body: Json, name: str, values: Sequence[str]) -> None:
    if values:
        body[name] = list(values)


def _quantity(element: QuantityElement) -> Json:
    body: Json = {"epcClass": element.epc_class}
    _put(body, "quantity", element.quantity)
    _put(body, "uom", element.uom)
    return body


def _biz_transaction(item: BizTransaction) -> Json:
    body: Json = {}
    _put(body, "type", item.type, cbv.BIZ_TRANSACTION_TYPES.short)
    body["bizTransaction"] = item.biz_transaction
    return body


def _source(item: Source) -> Json:
    return {"type": cbv.SOURCE_DESTINATION_TYPES.short(item.type), "source": item.source}


def _destination(item: Destination) -> Json:
    return {"type": cbv.SOURCE_DESTINATION_TYPES.short(item.type), "destination": item.destination}


def _persistent(item: PersistentDisposition) -> Json:
    body: Json = {}
    _each(body, "set", item.set, cbv.DISPOSITIONS.short)
    _each(body, "unset", item.unset, cbv.DISPOSITIONS.short)
    return body


def _place(body: Json, name: str, uri: str | None, extensions: Extensions, namer: Namer) -> None:
    if uri is not None:
        body[name] = {"id": uri, **_extensions(extensions, namer)}


def _error_declaration(item: ErrorDeclaration, namer: Namer) -> Json:
    body: Json = {"declarationTime": write_time(item.declaration_time)}
    _put(body, "reason", item.reason, cbv.ERROR_REASONS.short)
    _uris(body, "correctiveEventIDs", item.corrective_event_ids)
    body.update(_extensions(item.extensions, namer))
    return body


def _sensor_element(element: SensorElement, namer: Namer) -> Json:
    body: Json = {}
    if element.sensor_metadata is not None:
        body["sensorMetadata"] = _sensor_metadata(element.sensor_metadata, namer)
    body["sensorReport"] = [_sensor_report(report, namer) for report in element.sensor_report]
    body.update(_extensions(element.extensions, namer))
    return body


def _sensor_metadata(item: SensorMetadata, namer: Namer) -> Json:
    body: Json = {}
    _put(body, "time", item.time, write_time)
    _put(body, "startTime", item.start_time, write_time)
    _put(body, "endTime", item.end_time, write_time)
    _put(body, "deviceID", item.device_id)
    _put(body, "deviceMetadata", item.device_metadata)
    _put(body, "rawData", item.raw_data)
    _put(body, "dataProcessingMethod", item.data_processing_method)
    _put(body, "bizRules", item.biz_rules)
    body.update(_extensions(item.extensions, namer))
    return body


def _sensor_report(item: SensorReport, namer: Namer) -> Json:
    body: Json = {"type": cbv.MEASUREMENTS.short(item.type)}
    _put(body, "exception", item.exception, cbv.SENSOR_EXCEPTIONS.short)
    _put(body, "deviceID", item.device_id)
    _put(body, "deviceMetadata", item.device_metadata)
    _put(body, "rawData", item.raw_data)
    _put(body, "dataProcessingMethod", item.data_processing_method)
    _put(body, "bizRules", item.biz_rules)
    _put(body, "time", item.time, write_time)
    _put(body, "microorganism", item.microorganism)
    _put(body, "chemicalSubstance", item.chemical_substance)
    _put(body, "value", item.value)
    _put(body, "component", item.component, cbv.COMPONENTS.short)
    _put(body, "stringValue", item.string_value)
    _put(body, "booleanValue", item.boolean_value)
    _put(body, "hexBinaryValue", item.hex_binary_value)
    _put(body, "uriValue", item.uri_value)
    for name, number in _numbers(item):
        _put(body, name, number)
    _put(body, "uom", item.uom)
    _put(body, "coordinateReferenceSystem", item.coordinate_reference_system)
    body.update(_extensions(item.extensions, namer))
    return body


def _numbers(item: SensorReport) -> tuple[tuple[str, float | None], ...]:
    return (
        ("minValue", item.min_value),
        ("maxValue", item.max_value),
        ("meanValue", item.mean_value),
        ("sDev", item.s_dev),
        ("percRank", item.perc_rank),
        ("percValue", item.perc_value),
    )


def _extensions(extensions: Extensions, namer: Namer) -> Json:
    return {namer.key(name): _extension(value, namer) for name, value in extensions.items()}


def _extension(value: ExtensionValue, namer: Namer) -> object:
    if isinstance(value, Mapping):
        return _extensions(value, namer)
    if isinstance(value, (list, tuple)):
        return [_extension(item, namer) for item in value]
    return value
