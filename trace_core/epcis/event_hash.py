"""The CBV 2.0 event hash: one name for an event, whoever writes it down and however.

    pre-hash string = fields in the order below, each `name=value`, values canonical, lists sorted,
                      then everything that has no place in that order, sorted, nested names written out
    event hash      = ni:///sha-256;<hex SHA-256 of the UTF-8 pre-hash string>?ver=CBV2.0

recordTime, eventID, errorDeclaration and certificationInfo take no part.
Source: CBV 2.0 section 8.9; where its text leaves room, the published hash values decide.

The standard joins the fields without anything between them, so that two different events can be written that share a
hash (an EPC `https://x.example/Aepc=https://x.example/B`). An event is therefore *stored* under another key: of its
sender and of the same parts held apart by `CUT`, see `Prepared.key_for` and docs/adr/0011-event-identity.md.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256

from trace_core.epcis.event import (
    AggregationEvent,
    AssociationEvent,
    Event,
    QuantityElement,
    TransformationEvent,
)
from trace_core.epcis.hash_text import (
    CUT,
    canonical_text,
    extension_texts,
    is_flat,
    nested_text,
    number_text,
    time_text,
)
from trace_core.epcis.sensor import SensorElement, SensorMetadata, SensorReport
from trace_core.ids.canonical import canonical_key, canonical_uri


class Role(IntEnum):
    """How an object takes part in an event."""

    OBJECT = 1
    PARENT = 2
    CHILD = 3
    INPUT = 4
    OUTPUT = 5


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """One object (or class of objects) named by an event."""

    role: Role
    uri: str
    """Canonical."""
    key: bytes
    """16 bytes, see `trace_core.ids.canonical.object_key`."""
    is_class: bool = False
    """True for quantity elements: `uri` names a class or lot."""
    quantity: float | None = None
    uom: str | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """An event with everything that storing it needs, each identifier made canonical once."""

    event: Event
    objects: tuple[ObjectRef, ...]
    """In the order of the event: parent, instances, classes; inputs before outputs. An instance that a list names
    twice, also in two spellings, is here once."""
    read_point: str | None
    """Canonical."""
    biz_location: str | None
    """Canonical."""
    digest: bytes
    """SHA-256 of the pre-hash string."""
    exact: bytes
    """The digest and where the string is cut into its parts: equal only for events that say the same."""

    def key_for(self, source: str) -> bytes:
        """16 bytes under which the event of the sender `source` is stored: nobody can take another's key."""
        return sha256(b"%b\0%b" % (source.encode(), self.exact)).digest()[:16]

    @property
    def event_hash(self) -> str:
        return _named(self.digest)


@dataclass(frozen=True, slots=True)
class _Group:
    """One list of objects of an event, canonical."""

    role: Role
    epcs: tuple[str, ...]
    classes: tuple[tuple[str, QuantityElement], ...]


def prepare(event: Event) -> Prepared:
    """Canonical identifiers, object keys and hash of `event`. Never raises on an event that exists."""
    parent, groups = _parent(event), _groups(event)
    read_point, biz_location = _place(event.read_point), _place(event.biz_location)
    parts = _parts(event, parent, groups, read_point, biz_location, "")
    digest = _digest("".join(parts))
    if _is_plain(event, groups):  # the digest vouches for the text, the lengths say how it falls apart
        exact = b"p" + digest + array("I", map(len, parts)).tobytes()
    else:
        exact = b"c" + _digest(CUT.join(_parts(event, parent, groups, read_point, biz_location, CUT)))
    objects: list[ObjectRef] = []
    if parent is not None:
        objects.append(ObjectRef(Role.PARENT, parent, canonical_key(parent)))
    for group in groups:
        role = group.role
        objects.extend([ObjectRef(role, uri, canonical_key(uri)) for uri in dict.fromkeys(group.epcs)])
        for uri, element in group.classes:
            objects.append(ObjectRef(role, uri, canonical_key(uri), True, element.quantity, element.uom))
    return Prepared(event, tuple(objects), read_point, biz_location, digest, exact)


def pre_hash(event: Event) -> str:
    """The string that is hashed."""
    places = (_place(event.read_point), _place(event.biz_location))
    return "".join(_parts(event, _parent(event), _groups(event), *places, ""))


def event_hash(event: Event) -> str:
    """`ni:///sha-256;<64 hex digits>?ver=CBV2.0`."""
    return _named(_digest(pre_hash(event)))


def event_key(event: Event, source: str) -> bytes:
    """16 bytes, see `Prepared.key_for`."""
    return prepare(event).key_for(source)


def _digest(text: str) -> bytes:
    # the parser refuses lone surrogates; an event built by hand must not stop a whole batch
    return sha256(text.encode("utf-8", "surrogatepass")).digest()


def _named(digest: bytes) -> str:
    return f"ni:///sha-256;{digest.hex()}?ver=CBV2.0"


def _parent(event: Event) -> str | None:
    parent = getattr(event, "parent_id", None)
    return None if parent is None else canonical_uri(parent)


def _place(uri: str | None) -> str | None:
    return None if uri is None else canonical_uri(uri)


def _groups(event: Event) -> tuple[_Group, ...]:
    if isinstance(event, TransformationEvent):
        return (
            _group(Role.INPUT, event.input_epc_list, event.input_quantity_list),
            _group(Role.OUTPUT, event.output_epc_list, event.output_quantity_list),
        )
    if isinstance(event, (AggregationEvent, AssociationEvent)):
        return (_group(Role.CHILD, event.child_epcs, event.child_quantity_list),)
    return (_group(Role.OBJECT, event.epc_list, event.quantity_list),)


def _group(role: Role, epcs: Iterable[str], elements: Iterable[QuantityElement]) -> _Group:
    return _Group(
        role,
        tuple([canonical_uri(epc) for epc in epcs]),
        tuple([(canonical_uri(element.epc_class), element) for element in elements]),
    )


_LIST_NAMES = {
    Role.OBJECT: ("epcList", "quantityList"),
    Role.CHILD: ("childEPCs", "childQuantityList"),
    Role.INPUT: ("inputEPCList", "inputQuantityList"),
    Role.OUTPUT: ("outputEPCList", "outputQuantityList"),
}


def _is_plain(event: Event, groups: Sequence[_Group]) -> bool:
    """Whether no part of the pre-hash string is itself joined of values: then parts need no cuts inside them."""
    for group in groups:
        if group.classes:
            return False
    if event.biz_transaction_list or event.source_list or event.destination_list or _has_inner(event):
        return False
    return is_flat(event.extensions)


def _has_inner(event: Event) -> bool:
    """Whether a field of the event holds extensions, master data or sensor values."""
    return bool(
        event.sensor_element_list
        or event.read_point_extensions
        or event.biz_location_extensions
        or getattr(event, "ilmd", None)
    )


def _parts(
    event: Event,
    parent: str | None,
    groups: Sequence[_Group],
    read_point: str | None,
    biz_location: str | None,
    cut: str,
) -> list[str]:
    """The pieces of the pre-hash string, with `cut` between the values inside a piece."""
    parts = [
        f"eventType={event.type}eventTime={time_text(event.event_time)}"
        f"eventTimeZoneOffset={event.event_time_zone_offset}"
    ]
    if parent is not None:
        parts.append(f"parentID={parent}")
    for group in groups:
        _add_objects(parts, group, cut)
    if isinstance(event, TransformationEvent):
        if event.transformation_id is not None:
            parts.append(f"transformationID={canonical_text(event.transformation_id)}")
    else:
        parts.append(f"action={event.action.value}")
    if event.biz_step is not None:
        parts.append(f"bizStep={canonical_text(event.biz_step)}")
    if event.disposition is not None:
        parts.append(f"disposition={canonical_text(event.disposition)}")
    if event.persistent_disposition is not None:
        parts.append("persistentDisposition")
        parts += sorted([f"set={canonical_text(item)}" for item in event.persistent_disposition.set])
        parts += sorted([f"unset={canonical_text(item)}" for item in event.persistent_disposition.unset])
    if read_point is not None:
        parts.append(f"readPointid={read_point}")
    if biz_location is not None:
        parts.append(f"bizLocationid={biz_location}")
    _add_context(parts, event, cut)
    parts += _without_place(event, cut)
    return parts


def _add_objects(parts: list[str], group: _Group, cut: str) -> None:
    epc_list, quantity_list = _LIST_NAMES[group.role]
    if group.epcs:
        parts.append(epc_list)
        parts += [f"epc={epc}" for epc in sorted(group.epcs)]
    if group.classes:
        parts.append(quantity_list)
        parts += sorted([_quantity(uri, element, cut) for uri, element in group.classes])


def _quantity(uri: str, element: QuantityElement, cut: str) -> str:
    quantity = "" if element.quantity is None else f"{cut}quantity={number_text(element.quantity)}"
    uom = "" if element.uom is None else f"{cut}uom={canonical_text(element.uom)}"
    return f"quantityElementepcClass={uri}{quantity}{uom}"


def _add_context(parts: list[str], event: Event, cut: str) -> None:
    """Business transactions, sources, destinations, sensors: each list sorted."""
    if event.biz_transaction_list:
        parts.append("bizTransactionList")
        parts += sorted([_typed("bizTransaction", t.biz_transaction, t.type, cut) for t in event.biz_transaction_list])
    if event.source_list:
        parts.append("sourceList")
        parts += sorted([_typed("source", s.source, s.type, cut) for s in event.source_list])
    if event.destination_list:
        parts.append("destinationList")
        parts += sorted([_typed("destination", d.destination, d.type, cut) for d in event.destination_list])
    if event.sensor_element_list:
        parts += sorted([_sensor_element(element, cut) for element in event.sensor_element_list])


def _typed(name: str, value: str, kind: str | None, cut: str) -> str:
    head = "" if kind is None else f"type={canonical_text(kind)}{cut}"
    return f"{head}{name}={canonical_text(value)}"


def _sensor_element(element: SensorElement, cut: str) -> str:
    metadata = "" if element.sensor_metadata is None else _sensor_metadata(element.sensor_metadata, cut)
    reports = sorted([_sensor_report(report, cut) for report in element.sensor_report])
    return nested_text("sensorElement", [metadata, *reports] if metadata else reports, cut)


def _sensor_metadata(item: SensorMetadata, cut: str) -> str:
    times = (("time", item.time), ("startTime", item.start_time), ("endTime", item.end_time))
    texts = (
        ("deviceID", item.device_id),
        ("deviceMetadata", item.device_metadata),
        ("rawData", item.raw_data),
        ("dataProcessingMethod", item.data_processing_method),
        ("bizRules", item.biz_rules),
    )
    inner = [f"{name}={time_text(time)}" for name, time in times if time is not None]
    inner += [f"{name}={canonical_text(text)}" for name, text in texts if text]
    return nested_text("sensorMetadata", inner, cut) if inner else ""


def _sensor_report(item: SensorReport, cut: str) -> str:
    time = None if item.time is None else time_text(item.time)
    boolean = None if item.boolean_value is None else str(item.boolean_value).lower()
    texts = (
        ("type", canonical_text(item.type)),
        ("exception", _optional(item.exception)),
        ("deviceID", _optional(item.device_id)),
        ("deviceMetadata", _optional(item.device_metadata)),
        ("rawData", _optional(item.raw_data)),
        ("dataProcessingMethod", _optional(item.data_processing_method)),
        ("time", time),
        ("microorganism", _optional(item.microorganism)),
        ("chemicalSubstance", _optional(item.chemical_substance)),
        ("value", _optional_number(item.value)),
        ("component", _optional(item.component)),
        ("stringValue", _optional(item.string_value)),
        ("booleanValue", boolean),
        ("hexBinaryValue", _optional(item.hex_binary_value)),
        ("uriValue", _optional(item.uri_value)),
        ("minValue", _optional_number(item.min_value)),
        ("maxValue", _optional_number(item.max_value)),
        ("meanValue", _optional_number(item.mean_value)),
        ("sDev", _optional_number(item.s_dev)),
        ("percRank", _optional_number(item.perc_rank)),
        ("percValue", _optional_number(item.perc_value)),
        ("uom", _optional(item.uom)),
        ("coordinateReferenceSystem", _optional(item.coordinate_reference_system)),
    )
    return nested_text("sensorReport", [f"{name}={text}" for name, text in texts if text], cut)


def _optional(text: str | None) -> str | None:
    return None if text is None else canonical_text(text)


def _optional_number(number: float | None) -> str | None:
    return None if number is None else number_text(number)


def _without_place(event: Event, cut: str) -> list[str]:
    """Extensions and master data: under the names of the fields they stand in, sorted as a whole."""
    found = extension_texts(event.extensions, cut)
    if not _has_inner(event):
        return sorted(found)
    for name, extensions in (
        ("readPoint", event.read_point_extensions),
        ("bizLocation", event.biz_location_extensions),
        ("ilmd", getattr(event, "ilmd", None)),
    ):
        if extensions:
            found.append(nested_text(name, sorted(extension_texts(extensions, cut)), cut))
    for element in event.sensor_element_list:
        inner = _sensor_leftovers(element, cut)
        if inner:
            # the standard does not say which of several elements a leftover belongs to; the exact form does
            owner = f"{cut}{_sensor_element(element, cut)}" if cut else ""
            found.append(nested_text(f"sensorElement{owner}", sorted(inner), cut))
    return sorted(found)


def _sensor_leftovers(element: SensorElement, cut: str) -> list[str]:
    found = extension_texts(element.extensions, cut)
    if element.sensor_metadata is not None and element.sensor_metadata.extensions:
        inner = sorted(extension_texts(element.sensor_metadata.extensions, cut))
        found.append(nested_text("sensorMetadata", inner, cut))
    for report in element.sensor_report:
        inner = extension_texts(report.extensions, cut)
        if report.biz_rules is not None:
            # in the JSON schema but not in the order of CBV
            inner.append(f"bizRules={canonical_text(report.biz_rules)}")
        if inner:
            owner = f"{cut}{_sensor_report(report, cut)}" if cut else ""
            found.append(nested_text(f"sensorReport{owner}", sorted(inner), cut))
    return found
