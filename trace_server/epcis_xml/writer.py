"""Events → EPCIS 2.0 XML, elements in the order of the schema. What it writes, `reader` reads as the same events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypeVar

from lxml import etree

from trace_core.epcis import cbv
from trace_core.epcis.event import (
    SUYUAN_NAMESPACE,
    AggregationEvent,
    AssociationEvent,
    ErrorDeclaration,
    Event,
    Extensions,
    ObjectEvent,
    PersistentDisposition,
    QuantityElement,
    TransactionEvent,
    TransformationEvent,
)
from trace_core.epcis.json_writer import write_time
from trace_server.epcis_xml import extensions
from trace_server.epcis_xml.content import NOT_PREFIXES, decimal_text
from trace_server.epcis_xml.parsing import Element
from trace_server.epcis_xml.reader import CERTIFICATION
from trace_server.epcis_xml.schema import EPCIS_2, QUERY_2, XSI
from trace_server.epcis_xml.sensors import write_sensor_element

Item = TypeVar("Item")

_USED: Final[Mapping[str, str]] = {
    "epcis": EPCIS_2,
    "xsi": XSI,
    "xsd": extensions.XSD,
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "suyuan": SUYUAN_NAMESPACE,
}


class CbvFormat(StrEnum):
    """How vocabulary terms are spelled (header GS1-CBV-XML-Format)."""

    WEB_URI = "Always_Web_URI"
    URN = "Always_URN"


def write_document(
    events: Sequence[Event],
    *,
    created: datetime,
    prefixes: Mapping[str, str] | None = None,
    cbv_format: CbvFormat = CbvFormat.WEB_URI,
) -> bytes:
    """An EPCISDocument of `events`. `prefixes`: prefix → namespace to declare; others are declared where used."""
    root = etree.Element(f"{{{EPCIS_2}}}EPCISDocument", nsmap=_namespaces(prefixes or {}, {}))
    root.set("schemaVersion", "2.0")
    root.set("creationDate", write_time(created))
    event_list = etree.SubElement(etree.SubElement(root, "EPCISBody"), "EventList")
    for event in events:
        write_event(event_list, event, cbv_format)
    return _bytes(root)


def write_query_document(
    events: Sequence[Event],
    *,
    created: datetime,
    query: str = "SimpleEventQuery",
    prefixes: Mapping[str, str] | None = None,
    cbv_format: CbvFormat = CbvFormat.WEB_URI,
) -> bytes:
    """An EPCISQueryDocument whose results are `events`."""
    root = etree.Element(f"{{{QUERY_2}}}EPCISQueryDocument", nsmap=_namespaces(prefixes or {}, {"epcisq": QUERY_2}))
    root.set("schemaVersion", "2.0")
    root.set("creationDate", write_time(created))
    results = etree.SubElement(etree.SubElement(root, "EPCISBody"), f"{{{QUERY_2}}}QueryResults")
    etree.SubElement(results, "queryName").text = query
    event_list = etree.SubElement(etree.SubElement(results, "resultsBody"), "EventList")
    for event in events:
        write_event(event_list, event, cbv_format)
    return _bytes(root)


def write_event(parent: Element, event: Event, cbv_format: CbvFormat = CbvFormat.WEB_URI) -> None:
    """Append `event` to an EventList."""
    _Writer(etree.SubElement(parent, event.type), cbv_format).event(event)


class _Writer:
    """Writes one event into its element."""

    def __init__(self, element: Element, cbv_format: CbvFormat) -> None:
        self._element = element
        self._urns = cbv_format is CbvFormat.URN

    def event(self, event: Event) -> None:
        put = self._put
        put("eventTime", write_time(event.event_time))
        put("recordTime", None if event.record_time is None else write_time(event.record_time))
        put("eventTimeZoneOffset", event.event_time_zone_offset)
        put("eventID", event.event_id)
        if event.error_declaration is not None:
            self._error_declaration(event.error_declaration)
        self._certification(event.certification_info)
        if isinstance(event, TransformationEvent):
            self._transformation(event)
        elif isinstance(event, AggregationEvent | AssociationEvent):
            self._children(event)
        elif isinstance(event, TransactionEvent):
            self._transactions(event)
            put("parentID", event.parent_id)
            self._uris("epcList", "epc", event.epc_list)
            put("action", event.action.value)
            self._where(event)
            self._quantities("quantityList", event.quantity_list)
        else:
            self._uris("epcList", "epc", event.epc_list)
            put("action", event.action.value)
            self._where(event)
            self._transactions(event)
            self._quantities("quantityList", event.quantity_list)
        self._rest(event)

    def _transformation(self, event: TransformationEvent) -> None:
        self._uris("inputEPCList", "epc", event.input_epc_list)
        self._quantities("inputQuantityList", event.input_quantity_list)
        self._uris("outputEPCList", "epc", event.output_epc_list)
        self._quantities("outputQuantityList", event.output_quantity_list)
        self._put("transformationID", event.transformation_id)
        self._where(event)
        self._transactions(event)

    def _children(self, event: AggregationEvent | AssociationEvent) -> None:
        associated = isinstance(event, AssociationEvent)
        self._put("parentID", event.parent_id)
        self._uris("childEPCs", "epc", event.child_epcs)
        if associated:
            self._quantities("childQuantityList", event.child_quantity_list)
        self._put("action", event.action.value)
        self._where(event)
        self._transactions(event)
        if not associated:
            self._quantities("childQuantityList", event.child_quantity_list)

    def _where(self, event: Event) -> None:
        self._put("bizStep", self._term(cbv.BIZ_STEPS, event.biz_step))
        self._put("disposition", self._term(cbv.DISPOSITIONS, event.disposition))
        self._place("readPoint", event.read_point, event.read_point_extensions)
        self._place("bizLocation", event.biz_location, event.biz_location_extensions)

    def _transactions(self, event: Event) -> None:
        def write(parent: Element, one: Any) -> None:  # noqa: ANN401 – a BizTransaction
            self._typed(parent, "bizTransaction", one.biz_transaction, self._term(cbv.BIZ_TRANSACTION_TYPES, one.type))

        self._list("bizTransactionList", event.biz_transaction_list, write)

    def _rest(self, event: Event) -> None:
        """What stands last in every type: parties, sensors, dispositions, master data, extensions."""
        kinds = cbv.SOURCE_DESTINATION_TYPES
        self._list(
            "sourceList",
            event.source_list,
            lambda parent, one: self._typed(parent, "source", one.source, self._term(kinds, one.type)),
        )
        self._list(
            "destinationList",
            event.destination_list,
            lambda parent, one: self._typed(parent, "destination", one.destination, self._term(kinds, one.type)),
        )
        self._list("sensorElementList", event.sensor_element_list, write_sensor_element)
        if event.persistent_disposition is not None:
            self._persistent(event.persistent_disposition)
        if isinstance(event, ObjectEvent | TransformationEvent) and event.ilmd:
            extensions.write_all(etree.SubElement(self._element, "ilmd"), event.ilmd)
        extensions.write_all(self._element, event.extensions)

    def _certification(self, uris: Sequence[str]) -> None:
        if not uris:
            return
        self._put("certificationInfo", uris[0])
        if len(uris) > 1:
            more = etree.SubElement(self._element, "baseExtension")
            for uri in uris[1:]:
                etree.SubElement(more, CERTIFICATION).text = uri

    def _persistent(self, item: PersistentDisposition) -> None:
        element = etree.SubElement(self._element, "persistentDisposition")
        for name, uris in (("unset", item.unset), ("set", item.set)):
            for uri in uris:
                etree.SubElement(element, name).text = self._term(cbv.DISPOSITIONS, uri)

    def _error_declaration(self, item: ErrorDeclaration) -> None:
        element = etree.SubElement(self._element, "errorDeclaration")
        etree.SubElement(element, "declarationTime").text = write_time(item.declaration_time)
        if item.reason is not None:
            etree.SubElement(element, "reason").text = self._term(cbv.ERROR_REASONS, item.reason)
        if item.corrective_event_ids:
            ids = etree.SubElement(element, "correctiveEventIDs")
            for uri in item.corrective_event_ids:
                etree.SubElement(ids, "correctiveEventID").text = uri
        extensions.write_all(element, item.extensions)

    def _put(self, name: str, text: str | None) -> None:
        if text is not None:
            etree.SubElement(self._element, name).text = text

    def _uris(self, name: str, each: str, uris: Iterable[str]) -> None:
        def write(parent: Element, uri: str) -> None:
            etree.SubElement(parent, each).text = uri

        self._list(name, tuple(uris), write)

    def _quantities(self, name: str, elements: Sequence[QuantityElement]) -> None:
        def write(parent: Element, one: QuantityElement) -> None:
            element = etree.SubElement(parent, "quantityElement")
            etree.SubElement(element, "epcClass").text = one.epc_class
            if one.quantity is not None:
                etree.SubElement(element, "quantity").text = decimal_text(one.quantity)
            if one.uom is not None:
                etree.SubElement(element, "uom").text = one.uom

        self._list(name, elements, write)

    def _list(self, name: str, items: Sequence[Item], write: Callable[[Element, Item], None]) -> None:
        if items:
            parent = etree.SubElement(self._element, name)
            for item in items:
                write(parent, item)

    def _place(self, name: str, uri: str | None, extra: Extensions) -> None:
        if uri is not None:
            element = etree.SubElement(self._element, name)
            etree.SubElement(element, "id").text = uri
            extensions.write_all(element, extra)

    def _typed(self, parent: Element, name: str, value: str, kind: str | None) -> None:
        element = etree.SubElement(parent, name)
        element.text = value
        if kind is not None:
            element.set("type", kind)

    def _term(self, vocabulary: cbv.Vocabulary, uri: str | None) -> str | None:
        return vocabulary.urn(uri) if uri is not None and self._urns else uri


def _namespaces(prefixes: Mapping[str, str], more: Mapping[str, str]) -> dict[str, str]:
    """Prefixes to declare at the root: those of the sender where XML can hold them, and ours."""
    taken = {**_USED, **more}
    wanted = {
        prefix: uri
        for prefix, uri in prefixes.items()
        if prefix not in taken
        and prefix not in NOT_PREFIXES
        and not prefix.lower().startswith("xml")
        and extensions.is_prefix(prefix, uri)
    }
    return {**wanted, **taken}


def _bytes(root: Element) -> bytes:
    result: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return result
