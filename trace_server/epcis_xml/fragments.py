"""Single events out of a document: as a document of their own, with the prefixes they use."""

from __future__ import annotations

import copy

from lxml import etree

from trace_core.epcis.jsonld import STANDARD_PREFIXES
from trace_server.epcis_xml import extensions
from trace_server.epcis_xml.content import NOT_PREFIXES
from trace_server.epcis_xml.parsing import Element
from trace_server.epcis_xml.parts import home_of
from trace_server.epcis_xml.schema import EPCIS_1, EPCIS_2, QUERY_1, QUERY_2, XSI

_OURS = frozenset({EPCIS_1, EPCIS_2, QUERY_1, QUERY_2, XSI, extensions.XSD})


def alone(event: Element) -> bytes:
    """`event` as an EPCISDocument of the same version, that says nothing else."""
    root = event.getroottree().getroot()
    home = home_of(event)
    made = etree.Element(f"{{{home}}}EPCISDocument", nsmap={"epcis": home})
    made.set("schemaVersion", "1.2" if home == EPCIS_1 else "2.0")
    made.set("creationDate", root.get("creationDate", "1970-01-01T00:00:00Z"))
    holder = etree.SubElement(etree.SubElement(made, "EPCISBody"), "EventList")
    # 1.2 has the younger types one or two levels down
    for _ in range(sum(1 for parent in event.iterancestors("extension"))):
        holder = etree.SubElement(holder, "extension")
    own = copy.deepcopy(event)
    own.tail = None
    holder.append(own)
    result: bytes = etree.tostring(made, encoding="UTF-8")
    return result


def text_of(element: Element) -> str:
    """`element` as XML text."""
    return str(etree.tostring(element, encoding="unicode", with_tail=False))


def prefixes_of(event: Element) -> dict[str, str]:
    """Prefix → namespace of the fields in `event` that are not the standard's, as JSON-LD names them."""
    used: dict[str, str] = {}
    for element in event.iter():
        for name in (element.tag, *element.attrib):
            if name.startswith("{"):
                _note(used, element, name[1:].partition("}")[0])
    return used


def _note(used: dict[str, str], element: Element, namespace: str) -> None:
    if namespace in _OURS:
        return
    prefix = next((prefix for prefix, uri in element.nsmap.items() if prefix and uri == namespace), None)
    if prefix is None or prefix in NOT_PREFIXES or prefix in STANDARD_PREFIXES:
        return
    meant = extensions.name_of(f"{{{namespace}}}x")[1:-2]
    if meant not in STANDARD_PREFIXES.values():
        used.setdefault(prefix, meant)
