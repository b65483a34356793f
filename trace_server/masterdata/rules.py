"""Documents and parameters → values; what of the elements an answer shows. Values in, values out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from trace_core.epcis.jsonld import STANDARD
from trace_core.errors import EventError, InputError
from trace_core.ids.canonical import canonical_uri
from trace_server.epcis_xml.vocabularies import read_vocabularies
from trace_server.masterdata.model import MasterDataQuery, VocabularyElement

VTYPE = "urn:epcglobal:epcis:vtype:"
MAX_ELEMENTS = 5_000
"""Elements of one document."""
MAX_ATTRIBUTES = 200
MAX_TEXT = 4_096
_CBVMDA = "urn:epcglobal:cbv:mda:"
_FLAGS = {"true": True, "false": False}


def read_document(raw: bytes, *, is_xml: bool) -> list[VocabularyElement]:
    """Elements of a document in order. Raises `EventError` with the place, `TooLarge`."""
    found = _from_xml(raw) if is_xml else _from_json(raw)
    if not found:
        raise EventError("the document has no vocabulary element", where="/", remedy="add one, or do not send it")
    if len(found) > MAX_ELEMENTS:
        raise EventError(f"a document has up to {MAX_ELEMENTS} elements", where="/", remedy="send it in parts")
    for element in found:
        _check(element)
    return found


def parse_query(parameters: Mapping[str, str]) -> MasterDataQuery:
    """SimpleMasterDataQuery from its parameters; several values are joined by `|`. Raises `InputError`."""
    values: dict[str, Any] = {}
    equal: list[tuple[str, frozenset[str]]] = []
    for name, text in parameters.items():
        if name.startswith("EQATTR_"):
            equal.append((_attribute(name.removeprefix("EQATTR_")), frozenset(text.split("|"))))
        elif name in ("includeAttributes", "includeChildren"):
            if text not in _FLAGS:
                raise InputError("true or false is expected", where=name)
            values["include_attributes" if name == "includeAttributes" else "include_children"] = _FLAGS[text]
        elif name == "maxElementCount":
            if not (text.isascii() and text.isdigit() and len(text) < 8):
                raise InputError("a whole number is expected", where=name)
            values["max_elements"] = int(text)
        elif name in _SETS:
            member, read = _SETS[name]
            values[member] = frozenset(read(one) for one in text.split("|") if one)
        else:
            raise InputError("there is no such parameter", where=name[:100], remedy="see docs/reference/master-data.md")
    return MasterDataQuery(**values, equal=tuple(equal))


def matches(element: VocabularyElement, query: MasterDataQuery, below: frozenset[str]) -> bool:
    """Whether an element is in the answer; `below`: all canonical URIs under the query's WD_name."""
    uri = canonical_uri(element.uri)
    if query.vocabularies and element.vocabulary not in query.vocabularies:
        return False
    if (query.names and uri not in query.names) or (query.below and uri not in below):
        return False
    names = {name for name, _ in element.attributes}
    if query.has_attribute and not query.has_attribute & names:
        return False
    return all(
        any(name == wanted and value in values for name, value in element.attributes) for wanted, values in query.equal
    )


def element_json(element: VocabularyElement, query: MasterDataQuery) -> dict[str, Any]:
    """One element as EPCIS JSON has it, with as much of it as the query wants."""
    shown: dict[str, Any] = {"id": element.uri}
    if query.include_attributes:
        shown["attributes"] = [
            {"id": name, "attribute": value}
            for name, value in element.attributes
            if not query.attribute_names or name in query.attribute_names
        ]
    if query.include_children and element.children:
        shown["children"] = list(element.children)
    return shown


def vocabulary_list(elements: Iterable[VocabularyElement], query: MasterDataQuery) -> list[dict[str, Any]]:
    """The `vocabularyList` of an answer: elements by vocabulary, in the order they came."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for element in elements:
        grouped.setdefault(element.vocabulary, []).append(element_json(element, query))
    return [{"type": kind, "vocabularyElementList": found} for kind, found in sorted(grouped.items())]


def _from_xml(raw: bytes) -> list[VocabularyElement]:
    return [
        VocabularyElement(_vocabulary(one.vocabulary), one.uri, one.attributes, one.children)
        for one in read_vocabularies(raw)
    ]


def _from_json(raw: bytes) -> list[VocabularyElement]:
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise EventError(f"not JSON: {error}", where="/") from error
    lists = _lists(document)
    return [
        element
        for place, vocabularies in lists
        for number, vocabulary in enumerate(vocabularies)
        for element in _vocabulary_elements(vocabulary, f"{place}/{number}")
    ]


def _lists(document: object) -> list[tuple[str, list[Any]]]:
    if not isinstance(document, Mapping):
        raise EventError("a JSON object is expected", where="/")
    found = []
    for path in (
        ("epcisHeader", "epcisMasterData", "vocabularyList"),
        ("epcisBody", "vocabularyList"),
        ("vocabularyList",),
    ):
        value: object = document
        for name in path:
            value = value.get(name) if isinstance(value, Mapping) else None
        if isinstance(value, list):
            found.append(("/" + "/".join(path), value))
    if not found:
        raise EventError("there is no vocabularyList", where="/", remedy="put it into epcisHeader/epcisMasterData")
    return found


def _vocabulary_elements(vocabulary: object, where: str) -> list[VocabularyElement]:
    if not isinstance(vocabulary, Mapping) or not isinstance(vocabulary.get("type"), str):
        raise EventError("a vocabulary has a type", where=where)
    elements = vocabulary.get("vocabularyElementList", [])
    if not isinstance(elements, list):
        raise EventError("a list is expected", where=f"{where}/vocabularyElementList")
    kind = _vocabulary(vocabulary["type"])
    return [_json_element(kind, one, f"{where}/vocabularyElementList/{n}") for n, one in enumerate(elements)]


def _json_element(kind: str, element: object, where: str) -> VocabularyElement:
    if not isinstance(element, Mapping) or not isinstance(element.get("id"), str):
        raise EventError("an element has an id", where=where)
    attributes, children = element.get("attributes", []), element.get("children", [])
    if not isinstance(attributes, list) or not isinstance(children, list):
        raise EventError("attributes and children are lists", where=where)
    pairs = []
    for number, one in enumerate(attributes):
        if not isinstance(one, Mapping) or not isinstance(one.get("id"), str) or "attribute" not in one:
            raise EventError("an attribute has id and attribute", where=f"{where}/attributes/{number}")
        value = one["attribute"]
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
        pairs.append((_attribute(one["id"]), text))
    if not all(isinstance(child, str) and child for child in children):
        raise EventError("a child is a URI", where=f"{where}/children")
    return VocabularyElement(kind, element["id"], tuple(pairs), tuple(children))


def _check(element: VocabularyElement) -> None:
    texts = (
        element.vocabulary,
        element.uri,
        *element.children,
        *(part for pair in element.attributes for part in pair),
    )
    if len(element.attributes) > MAX_ATTRIBUTES or len(element.children) > MAX_ELEMENTS:
        raise EventError("the element has too many attributes or children", where=element.uri[:200])
    for text in texts:
        if len(text) > MAX_TEXT:
            raise EventError(f"a value has up to {MAX_TEXT} characters", where=element.uri[:200])
        if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise EventError("a value has characters that no database keeps", where=ascii(element.uri[:200])[1:-1])
    if ":" not in element.uri:
        raise EventError("an element is named by a URI", where=element.uri[:200])


def _vocabulary(name: str) -> str:
    """`BusinessLocation` is short for its URN."""
    return name if ":" in name else VTYPE + name


def _attribute(name: str) -> str:
    """Full name of an attribute: `cbvmda:lotNumber` and other prefixes of the standard context written out."""
    prefix, mark, local = name.partition(":")
    if mark and prefix == "cbvmda":
        return _CBVMDA + local
    return STANDARD.iri(name) if mark and prefix in ("gs1", "epcis", "cbv") else name


_SETS: dict[str, tuple[str, Any]] = {
    "vocabularyName": ("vocabularies", _vocabulary),
    "EQ_name": ("names", canonical_uri),
    "WD_name": ("below", canonical_uri),
    "HASATTR": ("has_attribute", _attribute),
    "attributeNames": ("attribute_names", _attribute),
}
