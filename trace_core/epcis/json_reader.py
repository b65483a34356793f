"""One EPCIS event in JSON → event value. Tables say which member is read how; errors carry a JSON pointer.

Source: EPCIS 2.0.1 section 10 and its JSON schema.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from trace_core.epcis import cbv
from trace_core.epcis.event import (
    EVENT_TYPES,
    Action,
    BizTransaction,
    Destination,
    ErrorDeclaration,
    Event,
    Extensions,
    ExtensionValue,
    PersistentDisposition,
    QuantityElement,
    SensorElement,
    SensorMetadata,
    SensorReport,
    Source,
)
from trace_core.epcis.json_values import (
    Fields,
    add_extension,
    build,
    closed,
    each,
    one_of,
    opened,
    read_boolean,
    read_extensions,
    read_number,
    read_object,
    read_text,
    read_time,
    read_uri,
    read_uri_or_uris,
    read_uris,
    require,
    some_of,
)
from trace_core.epcis.jsonld import Context, escape
from trace_core.errors import EventError


def read_event(obj: object, context: Context, where: str) -> Event:
    """The event in `obj`, whose names mean what `context` says. Raises `EventError` with a JSON pointer."""
    members = read_object(obj, where)
    if "@context" in members:
        context = context.extended(members["@context"], f"{where}/@context")
    kind = _kind(members.get("type"), context, where)
    fields = _EVENT_FIELDS[kind.type]
    values: dict[str, object] = {}
    extensions: dict[str, ExtensionValue] = {}
    for key, value in members.items():
        field = fields.get(key)
        if field is not None:
            values[field[0]] = field[1](value, context, f"{where}/{key}")
        elif key not in _NOT_FIELDS:
            add_extension(extensions, key, value, context, f"{where}/{escape(key)}")
    require(members, _REQUIRED[kind.type], where)
    _require_objects(members, kind.type, where)
    for attribute in ("read_point", "biz_location"):
        place = values.get(attribute)
        if isinstance(place, tuple):
            values[attribute], values[f"{attribute}_extensions"] = place
    values["extensions"] = extensions
    make: Callable[..., Event] = kind
    return build(make, where, values)


def _kind(value: object, context: Context, where: str) -> type[Event]:
    if isinstance(value, str):
        kind = EVENT_TYPES.get(value) or EVENT_TYPES.get(context.iri(value).removeprefix("https://ref.gs1.org/epcis/"))
        if kind is not None:
            return kind
    what = "the event has no type" if value is None else f"{value!r:.200} is no event type"
    raise EventError(what, where=f"{where}/type", remedy=f"use one of {', '.join(EVENT_TYPES)}")


def _require_objects(members: Mapping[str, object], kind: str, where: str) -> None:
    """An event names what it is about; an empty list is a statement, no list at all is an omission."""
    names = _OBJECT_MEMBERS[kind]
    # taking everything out of a parent, or off a transaction, needs no list (EPCIS 7.4.3 to 7.4.6)
    if members.get("action") == Action.DELETE and kind != "ObjectEvent":
        return
    if not any(name in members for name in names):
        raise EventError("the event names no objects", where=where, remedy=f"add one of {', '.join(names)}")


def _action(value: object, _: Context, where: str) -> Action:
    if not isinstance(value, str) or value not in Action.__members__:
        raise EventError(f"{value!r:.100} is no action", where=where, remedy="use ADD, OBSERVE or DELETE")
    return Action(value)


def _place(value: object, context: Context, where: str) -> tuple[str, Extensions]:
    """readPoint or bizLocation: its id and what else it says."""
    members = read_object(value, where)
    require(members, ("id",), where)
    rest = {key: item for key, item in members.items() if key != "id"}
    return read_uri(members["id"], context, f"{where}/id"), read_extensions(rest, context, where, 1)


def _ilmd(value: object, context: Context, where: str) -> Extensions:
    return read_extensions(read_object(value, where), context, where, 1)


_NOT_FIELDS = frozenset({"type", "@context"})
_QUANTITIES = each(
    closed(
        QuantityElement,
        {"epcClass": ("epc_class", read_uri), "quantity": ("quantity", read_number), "uom": ("uom", read_text)},
        "epcClass",
    )
)
_DISPOSITION = one_of(cbv.DISPOSITIONS)
_SOURCE_TYPE = one_of(cbv.SOURCE_DESTINATION_TYPES)
_TRANSACTION_TYPE = one_of(cbv.BIZ_TRANSACTION_TYPES)

_METADATA: Fields = {
    "time": ("time", read_time),
    "startTime": ("start_time", read_time),
    "endTime": ("end_time", read_time),
    "deviceID": ("device_id", read_uri),
    "deviceMetadata": ("device_metadata", read_uri),
    "rawData": ("raw_data", read_uri),
    "dataProcessingMethod": ("data_processing_method", read_uri),
    "bizRules": ("biz_rules", read_uri),
}
_REPORT: Fields = {
    "type": ("type", one_of(cbv.MEASUREMENTS)),
    "exception": ("exception", one_of(cbv.SENSOR_EXCEPTIONS)),
    "deviceID": ("device_id", read_uri),
    "deviceMetadata": ("device_metadata", read_uri),
    "rawData": ("raw_data", read_uri),
    "dataProcessingMethod": ("data_processing_method", read_uri),
    "bizRules": ("biz_rules", read_uri),
    "time": ("time", read_time),
    "microorganism": ("microorganism", read_uri),
    "chemicalSubstance": ("chemical_substance", read_uri),
    "value": ("value", read_number),
    "component": ("component", one_of(cbv.COMPONENTS)),
    "stringValue": ("string_value", read_text),
    "booleanValue": ("boolean_value", read_boolean),
    "hexBinaryValue": ("hex_binary_value", read_text),
    "uriValue": ("uri_value", read_uri),
    "minValue": ("min_value", read_number),
    "maxValue": ("max_value", read_number),
    "meanValue": ("mean_value", read_number),
    "sDev": ("s_dev", read_number),
    "percRank": ("perc_rank", read_number),
    "percValue": ("perc_value", read_number),
    "uom": ("uom", read_text),
    "coordinateReferenceSystem": ("coordinate_reference_system", read_uri),
}
_SENSOR_ELEMENT: Fields = {
    "sensorMetadata": ("sensor_metadata", opened(SensorMetadata, _METADATA)),
    "sensorReport": ("sensor_report", each(opened(SensorReport, _REPORT, "type"))),
}
_ERROR_DECLARATION: Fields = {
    "declarationTime": ("declaration_time", read_time),
    "reason": ("reason", one_of(cbv.ERROR_REASONS)),
    "correctiveEventIDs": ("corrective_event_ids", read_uris),
}
_PERSISTENT: Fields = {
    "set": ("set", some_of(cbv.DISPOSITIONS)),
    "unset": ("unset", some_of(cbv.DISPOSITIONS)),
}
_TRANSACTION: Fields = {"type": ("type", _TRANSACTION_TYPE), "bizTransaction": ("biz_transaction", read_uri)}

_COMMON: Fields = {
    "eventTime": ("event_time", read_time),
    "recordTime": ("record_time", read_time),
    "eventTimeZoneOffset": ("event_time_zone_offset", read_text),
    "eventID": ("event_id", read_uri),
    "certificationInfo": ("certification_info", read_uri_or_uris),
    "errorDeclaration": ("error_declaration", opened(ErrorDeclaration, _ERROR_DECLARATION, "declarationTime")),
    "bizStep": ("biz_step", one_of(cbv.BIZ_STEPS)),
    "disposition": ("disposition", _DISPOSITION),
    "persistentDisposition": ("persistent_disposition", closed(PersistentDisposition, _PERSISTENT)),
    "readPoint": ("read_point", _place),
    "bizLocation": ("biz_location", _place),
    "bizTransactionList": ("biz_transaction_list", each(closed(BizTransaction, _TRANSACTION, "bizTransaction"))),
    "sourceList": (
        "source_list",
        each(closed(Source, {"type": ("type", _SOURCE_TYPE), "source": ("source", read_uri)}, "type", "source")),
    ),
    "destinationList": (
        "destination_list",
        each(
            closed(
                Destination,
                {"type": ("type", _SOURCE_TYPE), "destination": ("destination", read_uri)},
                "type",
                "destination",
            )
        ),
    ),
    "sensorElementList": ("sensor_element_list", each(opened(SensorElement, _SENSOR_ELEMENT, "sensorReport"))),
}
_ACTION: Fields = {"action": ("action", _action)}
_OBJECTS: Fields = {"epcList": ("epc_list", read_uris), "quantityList": ("quantity_list", _QUANTITIES)}
_CHILDREN: Fields = {
    "parentID": ("parent_id", read_uri),
    "childEPCs": ("child_epcs", read_uris),
    "childQuantityList": ("child_quantity_list", _QUANTITIES),
}
_TRANSFORMED: Fields = {
    "inputEPCList": ("input_epc_list", read_uris),
    "inputQuantityList": ("input_quantity_list", _QUANTITIES),
    "outputEPCList": ("output_epc_list", read_uris),
    "outputQuantityList": ("output_quantity_list", _QUANTITIES),
    "transformationID": ("transformation_id", read_uri),
}
_EVENT_FIELDS: Mapping[str, Fields] = {
    "ObjectEvent": {**_COMMON, **_ACTION, **_OBJECTS, "ilmd": ("ilmd", _ilmd)},
    "AggregationEvent": {**_COMMON, **_ACTION, **_CHILDREN},
    "TransactionEvent": {**_COMMON, **_ACTION, "parentID": ("parent_id", read_uri), **_OBJECTS},
    "TransformationEvent": {**_COMMON, **_TRANSFORMED, "ilmd": ("ilmd", _ilmd)},
    "AssociationEvent": {**_COMMON, **_ACTION, **_CHILDREN},
}
_TIMES = ("eventTime", "eventTimeZoneOffset")
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "ObjectEvent": (*_TIMES, "action"),
    "AggregationEvent": (*_TIMES, "action"),
    "TransactionEvent": (*_TIMES, "action", "bizTransactionList"),
    "TransformationEvent": _TIMES,
    "AssociationEvent": (*_TIMES, "action", "parentID"),
}
_OBJECT_MEMBERS: Mapping[str, tuple[str, ...]] = {
    "ObjectEvent": ("epcList", "quantityList", "sensorElementList"),
    "AggregationEvent": ("childEPCs", "childQuantityList"),
    "TransactionEvent": ("epcList", "quantityList"),
    "TransformationEvent": ("inputEPCList", "inputQuantityList", "outputEPCList", "outputQuantityList"),
    "AssociationEvent": ("childEPCs", "childQuantityList"),
}
