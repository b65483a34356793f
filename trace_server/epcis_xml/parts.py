"""The parts of an event in XML: objects, quantities, places, transactions, parties, master data, declarations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

from trace_core.epcis import cbv
from trace_core.epcis.event import (
    Action,
    BizTransaction,
    Destination,
    ErrorDeclaration,
    Extensions,
    ExtensionValue,
    PersistentDisposition,
    QuantityElement,
    SensorElement,
    Source,
)
from trace_core.errors import EventError
from trace_server.epcis_xml import extensions, sensors
from trace_server.epcis_xml.content import build, expected, read_number, read_term, read_text, read_time, read_uri, term
from trace_server.epcis_xml.parsing import Element, path_of
from trace_server.epcis_xml.schema import EPCIS_1, EPCIS_2, QUERY_1

Built = TypeVar("Built")

EXTENSION: Final = "extension"


def home_of(element: Element) -> str:
    """Namespace for fields without one: 1.2 allows them inside `extension`."""
    root = element.getroottree().getroot()
    return EPCIS_1 if str(root.tag).startswith((f"{{{EPCIS_1}}}", f"{{{QUERY_1}}}")) else EPCIS_2


def read_action(element: Element) -> Action:
    text = read_text(element)
    if text not in Action.__members__:
        raise EventError(f"{text!r:.100} is no action", where=path_of(element), remedy="use ADD, OBSERVE or DELETE")
    return Action(text)


def uris_of(tag: str) -> Callable[[Element], tuple[str, ...]]:
    def read(element: Element) -> tuple[str, ...]:
        return tuple(read_uri(expected(child, tag)) for child in element)

    return read


def each(tag: str, reader: Callable[[Element], Built]) -> Callable[[Element], tuple[Built, ...]]:
    def read(element: Element) -> tuple[Built, ...]:
        return tuple(reader(expected(child, tag)) for child in element if child.tag != EXTENSION)

    return read


def read_quantity(element: Element) -> QuantityElement:
    values: dict[str, Any] = {}
    for child in element:
        if child.tag == "epcClass":
            values["epc_class"] = read_uri(child)
        elif child.tag == "quantity":
            if child.get(extensions.NIL) not in ("true", "1"):
                values["quantity"] = read_number(child)
        else:
            values["uom"] = read_text(expected(child, "uom"))
    if "epc_class" not in values:
        raise EventError("epcClass is missing", where=path_of(element), remedy="add epcClass")
    return build(QuantityElement, element, values)


def read_biz_transaction(element: Element) -> BizTransaction:
    values = {"biz_transaction": read_uri(element), "type": _type(element, cbv.BIZ_TRANSACTION_TYPES)}
    return build(BizTransaction, element, values)


def read_source(element: Element) -> Source:
    return build(Source, element, {"type": _required_type(element), "source": read_uri(element)})


def read_destination(element: Element) -> Destination:
    return build(Destination, element, {"type": _required_type(element), "destination": read_uri(element)})


def _type(element: Element, vocabulary: cbv.Vocabulary) -> str | None:
    text = element.get("type")
    return None if text is None else term(text, element, vocabulary, "type")


def _required_type(element: Element) -> str:
    found = _type(element, cbv.SOURCE_DESTINATION_TYPES)
    if found is None:
        raise EventError("type is missing", where=path_of(element), remedy="add the attribute type")
    return found


def read_place(element: Element) -> tuple[str, Extensions]:
    ids = [child for child in element if child.tag == "id"]
    if len(ids) != 1:
        raise EventError("one id is expected", where=path_of(element), remedy="add id")
    rest = [child for child in element if child.tag not in ("id", EXTENSION)]
    inner = [one for child in element if child.tag == EXTENSION for one in child]
    return read_uri(ids[0]), extensions.read_all([*rest, *inner], homeless=home_of(element))


def read_ilmd(element: Element) -> Extensions:
    rest = [child for child in element if child.tag != EXTENSION]
    inner = [one for child in element if child.tag == EXTENSION for one in child]
    found: dict[str, ExtensionValue] = extensions.read_attributes(element)
    return found | extensions.read_all([*rest, *inner], homeless=home_of(element))


def read_persistent(element: Element) -> PersistentDisposition:
    found: dict[str, list[str]] = {"set": [], "unset": []}
    for child in element:
        if child.tag not in found:
            raise EventError(
                f"{child.tag!r:.100} does not belong here", where=path_of(child), remedy="use set or unset"
            )
        found[child.tag].append(read_term(child, cbv.DISPOSITIONS))
    return build(PersistentDisposition, element, {name: tuple(uris) for name, uris in found.items()})


def read_error_declaration(element: Element) -> ErrorDeclaration:
    values: dict[str, Any] = {}
    others: list[Element] = []
    for child in element:
        if child.tag == "declarationTime":
            values["declaration_time"] = read_time(child)
        elif child.tag == "reason":
            values["reason"] = read_term(child, cbv.ERROR_REASONS)
        elif child.tag == "correctiveEventIDs":
            values["corrective_event_ids"] = uris_of("correctiveEventID")(child)
        elif child.tag == EXTENSION:
            others += list(child)
        else:
            others.append(child)
    if "declaration_time" not in values:
        raise EventError("declarationTime is missing", where=path_of(element), remedy="add declarationTime")
    values["extensions"] = extensions.read_all(others, homeless=home_of(element))
    return build(ErrorDeclaration, element, values)


def read_sensor_elements(element: Element) -> tuple[SensorElement, ...]:
    home = home_of(element)
    return tuple(
        sensors.read_sensor_element(expected(child, "sensorElement"), home)
        for child in element
        if child.tag != EXTENSION
    )


def read_one_class(element: Element) -> tuple[QuantityElement, ...]:
    """The class of a QuantityEvent of 1.x, with the quantity beside it (EPCIS 1.1 §7.4.5: an ObjectEvent since)."""
    quantity = element.getparent().find("quantity")
    values = {"epc_class": read_uri(element), "quantity": None if quantity is None else read_number(quantity)}
    return (build(QuantityElement, element, values),)
