"""Sensor elements in XML: everything is an attribute there, extensions too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from lxml import etree

from trace_core.epcis import cbv
from trace_core.epcis.event import SensorElement, SensorMetadata, SensorReport
from trace_core.epcis.json_writer import write_time
from trace_core.errors import EventError
from trace_server.epcis_xml import content, extensions
from trace_server.epcis_xml.content import build
from trace_server.epcis_xml.parsing import Element, path_of

Read: TypeAlias = Callable[[str, Element, str], Any]
Attributes: TypeAlias = Mapping[str, tuple[str, Read]]


def read_sensor_element(element: Element, home: str) -> SensorElement:
    """`home`: namespace of fields without one."""
    metadata: SensorMetadata | None = None
    reports: list[SensorReport] = []
    others: list[Element] = []
    for child in element:
        if child.tag == "sensorMetadata":
            if metadata is not None:
                raise EventError("sensorMetadata is given twice", where=path_of(child), remedy="keep one")
            metadata = build(SensorMetadata, child, _attributes(child, _METADATA))
        elif child.tag == "sensorReport":
            reports.append(_report(child))
        elif child.tag == "extension":
            others += list(child)
        elif str(child.tag).startswith("{"):
            others.append(child)
        else:
            raise EventError(f"{child.tag!r:.100} does not belong here", where=path_of(child))
    values = {
        "sensor_report": tuple(reports),
        "sensor_metadata": metadata,
        "extensions": extensions.read_all(others, homeless=home),
    }
    return build(SensorElement, element, values)


def write_sensor_element(parent: Element, item: SensorElement) -> None:
    """Append `item` to a sensorElementList."""
    element = etree.SubElement(parent, "sensorElement")
    if item.sensor_metadata is not None:
        _write(etree.SubElement(element, "sensorMetadata"), item.sensor_metadata, _METADATA)
    for report in item.sensor_report:
        _write(etree.SubElement(element, "sensorReport"), report, _REPORT)
    extensions.write_all(element, item.extensions)


def _report(element: Element) -> SensorReport:
    values = _attributes(element, _REPORT)
    if "type" not in values:
        raise EventError("type is missing", where=path_of(element), remedy='say what was measured: type="gs1:…"')
    return build(SensorReport, element, values)


def _attributes(element: Element, fields: Attributes) -> dict[str, Any]:
    if len(element) or (element.text or "").strip():
        raise EventError("this element has attributes only", where=path_of(element))
    values: dict[str, Any] = {}
    carried = extensions.read_attributes(element)
    for name, text in element.attrib.items():
        field = fields.get(name)
        if field is not None:
            values[field[0]] = field[1](text, element, name)
        elif not name.startswith("{"):
            raise EventError(
                f"{name!r:.100} is no attribute of a {element.tag}",
                where=path_of(element, name),
                remedy="check the spelling; attributes of your own need a namespace",
            )
    for name in [name for name in carried if name in fields]:
        # text that XML cannot hold
        values[fields[name][0]] = carried.pop(name)
    return {**values, "extensions": carried}


def _write(element: Element, item: SensorMetadata | SensorReport, fields: Attributes) -> None:
    unwritable: dict[str, str] = {}
    for name, (attribute, _) in fields.items():
        value = getattr(item, attribute)
        if value is None:
            continue
        if isinstance(value, bool):
            text = str(value).lower()
        elif isinstance(value, (int, float)):
            text = repr(value)
        else:
            text = value if isinstance(value, str) else write_time(value)
        if extensions.is_text(text):
            element.set(name, text)
        else:
            unwritable[name] = text
    extensions.write_attributes(element, item.extensions, unwritable)


def _uri(text: str, element: Element, _: str) -> str:
    return content.uri(text, element)


def _text(text: str, _: Element, __: str) -> str:
    return text


def _term(vocabulary: cbv.Vocabulary) -> Read:
    def read(text: str, element: Element, attribute: str) -> str:
        return content.term(text, element, vocabulary, attribute)

    return read


_SHARED: Final[Attributes] = {
    "deviceID": ("device_id", _uri),
    "deviceMetadata": ("device_metadata", _uri),
    "rawData": ("raw_data", _uri),
    "dataProcessingMethod": ("data_processing_method", _uri),
    "bizRules": ("biz_rules", _uri),
}
_METADATA: Final[Attributes] = {
    "time": ("time", content.time),
    "startTime": ("start_time", content.time),
    "endTime": ("end_time", content.time),
    **_SHARED,
}
_REPORT: Final[Attributes] = {
    "type": ("type", _term(cbv.MEASUREMENTS)),
    "exception": ("exception", _term(cbv.SENSOR_EXCEPTIONS)),
    **_SHARED,
    "time": ("time", content.time),
    "microorganism": ("microorganism", _uri),
    "chemicalSubstance": ("chemical_substance", _uri),
    "value": ("value", content.number),
    "component": ("component", _term(cbv.COMPONENTS)),
    "stringValue": ("string_value", _text),
    "booleanValue": ("boolean_value", content.boolean),
    "hexBinaryValue": ("hex_binary_value", _text),
    "uriValue": ("uri_value", _uri),
    "minValue": ("min_value", content.number),
    "maxValue": ("max_value", content.number),
    "meanValue": ("mean_value", content.number),
    "sDev": ("s_dev", content.number),
    "percRank": ("perc_rank", content.number),
    "percValue": ("perc_value", content.number),
    "uom": ("uom", _text),
    "coordinateReferenceSystem": ("coordinate_reference_system", _uri),
}
