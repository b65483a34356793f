"""Master data in EPCIS XML: the vocabulary lists of an EPCISMasterDataDocument or of an EPCISHeader, 1.2 and 2.0.

Source: EPCIS 2.0.1 section 9.5 (header and master data document), EPCIS 1.2 section 9.4.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lxml import etree

from trace_core.errors import EventError
from trace_server.epcis_xml.parsing import Element, parse, path_of

ROOTS: Final = frozenset(
    {
        "{urn:epcglobal:epcis-masterdata:xsd:1}EPCISMasterDataDocument",
        "{urn:epcglobal:epcis-masterdata:xsd:2}EPCISMasterDataDocument",
        "{urn:epcglobal:epcis:xsd:1}EPCISDocument",
        "{urn:epcglobal:epcis:xsd:2}EPCISDocument",
    }
)
_LISTS: Final = ("EPCISBody/VocabularyList", "EPCISHeader/extension/EPCISMasterData/VocabularyList")
_HEADER_2: Final = "EPCISHeader/EPCISMasterData/VocabularyList"


@dataclass(frozen=True, slots=True)
class XmlVocabularyElement:
    """One element as written: attributes in order as (id, text or XML text), children by id."""

    vocabulary: str
    uri: str
    attributes: tuple[tuple[str, str], ...]
    children: tuple[str, ...]


def read_vocabularies(raw: bytes) -> list[XmlVocabularyElement]:
    """Every vocabulary element of a document. Raises `EventError` with an XPath, `TooLarge`."""
    root = parse(raw)
    if root.tag not in ROOTS:
        raise EventError(
            f"{root.tag!r:.200} is no EPCIS document with master data", where="/", remedy="send EPCISMasterDataDocument"
        )
    lists = [found for path in (*_LISTS, _HEADER_2) for found in root.findall(path)]
    if not lists:
        raise EventError("there is no VocabularyList", where="/", remedy="put it into EPCISBody")
    return [element for one in lists for element in _elements(one)]


def _elements(vocabulary_list: Element) -> Iterator[XmlVocabularyElement]:
    for vocabulary in vocabulary_list.findall("Vocabulary"):
        kind = vocabulary.get("type", "").strip()
        if not kind:
            raise EventError("the vocabulary has no type", where=path_of(vocabulary), remedy="add type=…")
        for element in vocabulary.findall("VocabularyElementList/VocabularyElement"):
            yield _element(kind, element)


def _element(kind: str, element: Element) -> XmlVocabularyElement:
    uri = element.get("id", "").strip()
    if not uri:
        raise EventError("the element has no id", where=path_of(element), remedy="add id=…")
    attributes = []
    for attribute in element.findall("attribute"):
        name = attribute.get("id", "").strip()
        if not name:
            raise EventError("the attribute has no id", where=path_of(attribute), remedy="add id=…")
        attributes.append((name, _value(attribute)))
    children = tuple((child.text or "").strip() for child in element.findall("children/id"))
    if not all(children):
        raise EventError("a child has no id", where=path_of(element))
    return XmlVocabularyElement(kind, uri, tuple(attributes), children)


def _value(attribute: Element) -> str:
    """Text of a simple attribute; the inner XML of one that has a structure."""
    if not len(attribute):
        return (attribute.text or "").strip()
    parts = [etree.tostring(_alone(child), encoding="unicode") for child in attribute]
    return "".join(parts)


def _alone(child: Element) -> Element:
    """A copy that ends with its end tag and carries no namespaces but its own."""
    found = copy.deepcopy(child)
    found.tail = None
    etree.cleanup_namespaces(found)
    return found
