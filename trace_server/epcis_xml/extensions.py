"""Extension fields and master data: XML ↔ the values of `trace_core.epcis`, without loss in either direction.

    <a:f>text</a:f>                 "text"
    <a:f xsi:type="xsd:integer">    int, float or bool; other types stay text
    <a:f xsi:nil="true"/>           None
    <a:f a:x="1"><a:y>2</a:y></a:f> {"{a}x": "1", "{a}y": "2"}: attributes and children alike
    <a:f>…</a:f><a:f>…</a:f>        a tuple; one element is a tuple when it says suyuan:list="true"
    text beside attributes          under the name "#text"

What JSON can say and XML cannot (names that are no XML names, lists in lists, control characters) is carried as
JSON in the attribute `suyuan:json` of an element `suyuan:more`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from lxml import etree

from trace_core.epcis.event import SUYUAN_NAMESPACE, Extensions, ExtensionValue
from trace_core.epcis.json_values import MAX_DEPTH
from trace_core.errors import EventError
from trace_server.epcis_xml.parsing import Element, path_of
from trace_server.epcis_xml.schema import XSI

XSD: Final = "http://www.w3.org/2001/XMLSchema"
TYPE: Final = f"{{{XSI}}}type"
NIL: Final = f"{{{XSI}}}nil"
MORE: Final = f"{{{SUYUAN_NAMESPACE}}}more"
LIST: Final = f"{{{SUYUAN_NAMESPACE}}}list"
JSON: Final = f"{{{SUYUAN_NAMESPACE}}}json"
TEXT: Final = "#text"
_MASTER_DATA: Final = "urn:epcglobal:cbv:mda"
_ALIASES: Final[Mapping[str, str]] = {
    _MASTER_DATA: f"{_MASTER_DATA}:",
    "http://www.w3.org/2000/01/rdf-schema#/": "http://www.w3.org/2000/01/rdf-schema#",
}
"""Namespaces as XML writes them → as JSON-LD does: the same fields must have the same names."""

_RESERVED: Final = frozenset({XSI, "http://www.w3.org/2000/xmlns/", "http://www.w3.org/XML/1998/namespace", *_ALIASES})
"""Namespaces in which no field can stand."""
_INTEGER_TYPES = (
    "integer int long short byte nonNegativeInteger positiveInteger nonPositiveInteger negativeInteger unsignedLong "
    "unsignedInt unsignedShort unsignedByte"
)
_INTEGERS = frozenset(_INTEGER_TYPES.split())
_FLOATS = frozenset({"double", "float", "decimal"})
_INTEGER = re.compile(r"[+-]?[0-9]{1,300}\Z")
_FLOAT = re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[Ee][+-]?[0-9]{1,3})?\Z")
_LETTERS = r"A-Za-z_\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u4e00-\u9fff"
_NAME = re.compile(rf"[{_LETTERS}][{_LETTERS}0-9.\-]{{0,500}}\Z")
"""XML names, less the rarer alphabets: those travel as JSON."""
_JSON_NAME = re.compile(r"(?:\{[^\s{}\x00-\x1f\x7f]+\}[^\s{}:\x00-\x1f\x7f]+|[^\s{}:\x00-\x1f\x7f]+)\Z")
"""Names as a JSON-LD reader gives them: with a namespace in braces, or without one and then without a colon."""
_NAMESPACE = re.compile(r"[^\s{}<>\"\x00-\x20\x7f-\x9f\ud800-\udfff\ufffe\uffff]+\Z")
_BAD_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def name_of(tag: str) -> str:
    """Expanded name of an element or attribute, in the namespace that JSON-LD gives it."""
    if tag.startswith("{"):
        namespace, _, local = tag[1:].partition("}")
        return f"{{{_ALIASES.get(namespace, namespace)}}}{local}"
    return tag


def read_all(elements: Iterable[Element], depth: int = 1, *, homeless: str = "") -> dict[str, ExtensionValue]:
    """Fields of the `elements`; those of one name become a tuple. `homeless`: namespace of names without one."""
    found: dict[str, list[ExtensionValue]] = {}
    more: dict[str, ExtensionValue] = {}
    for element in elements:
        if element.tag == MORE:
            more.update(read_json(element))
            continue
        name = name_of(element.tag)
        if homeless and not name.startswith("{"):
            name = f"{{{homeless}}}{name}"
        values = found.setdefault(name, [])
        value = _value(element, depth)
        if element.get(LIST) == "true":
            values.append((value,))
        else:
            values.append(value)
    return {name: values[0] if len(values) == 1 else tuple(values) for name, values in found.items()} | more


def read_attributes(element: Element) -> dict[str, ExtensionValue]:
    """Attributes with a namespace, as sensor elements carry their extensions."""
    found: dict[str, ExtensionValue] = {
        name_of(name): str(value)
        for name, value in element.attrib.items()
        if name.startswith("{") and not name.startswith(f"{{{XSI}}}") and name != JSON
    }
    return found | read_json(element)


def read_json(element: Element) -> dict[str, ExtensionValue]:
    """What stands in `suyuan:json`: expanded name → value. Raises `EventError`."""
    text = element.get(JSON)
    if text is None:
        return {}
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise EventError(f"no JSON: {error}"[:200], where=path_of(element, "suyuan:json")) from error
    found = _frozen(value, element, 0)
    if not isinstance(found, dict):
        raise EventError("a JSON object is expected", where=path_of(element, "suyuan:json"))
    return found


def write_all(parent: Element, extensions: Extensions) -> None:
    """Append `extensions` to `parent` as elements, in their order; what XML cannot say comes last."""
    more: dict[str, ExtensionValue] = {}
    for name, value in extensions.items():
        if name == TEXT and isinstance(value, str) and value == value.strip() != "" and not _BAD_TEXT.search(value):
            parent.text = value
        elif not (_is_name(name) and _is_plain(value)):
            more[name] = value
        elif isinstance(value, tuple | list):
            for item in value:
                element = _write(parent, name, item)
                if len(value) == 1:
                    element.set(LIST, "true")
        else:
            _write(parent, name, value)
    if more:
        etree.SubElement(parent, MORE).set(JSON, _json(more))


def write_attributes(element: Element, extensions: Extensions, unwritable: Mapping[str, str] | None = None) -> None:
    """Set `extensions` as attributes; those that are no text, and `unwritable` ones, go into `suyuan:json`."""
    more: dict[str, ExtensionValue] = dict(unwritable or {})
    for name, value in extensions.items():
        if isinstance(value, str) and name.startswith("{") and _is_name(name) and not _BAD_TEXT.search(value):
            element.set(name, value)
        else:
            more[name] = value
    if more:
        element.set(JSON, _json(more))


def is_text(value: str) -> bool:
    """True when XML can hold every character."""
    return not _BAD_TEXT.search(value)


def is_prefix(prefix: str, namespace: str) -> bool:
    """True when XML can declare `prefix` for `namespace`."""
    return bool(_NAME.match(prefix)) and bool(_NAMESPACE.match(namespace)) and namespace not in _RESERVED


def _value(element: Element, depth: int) -> ExtensionValue:
    if depth > MAX_DEPTH:
        raise EventError(
            "the extension is nested too deeply", where=path_of(element), remedy=f"at most {MAX_DEPTH} levels"
        )
    attributes = {name: str(value) for name, value in element.attrib.items() if name not in _CONTROL}
    if len(element) == 0 and not attributes:
        if element.get(NIL) in ("true", "1"):
            return None
        return _typed(element.text or "", element)
    members: dict[str, ExtensionValue] = {name_of(name): value for name, value in attributes.items()}
    for name, value in read_all(element, depth + 1).items():
        if name in members:
            raise EventError(f"{name!r:.200} is an attribute and a child", where=path_of(element))
        members[name] = value
    text = "".join([element.text or "", *[child.tail or "" for child in element]])
    if text.strip():
        members[TEXT] = text if len(element) == 0 else text.strip()
    return members


_CONTROL: Final = frozenset({TYPE, NIL, LIST})


def _typed(text: str, element: Element) -> ExtensionValue:
    prefix, _, kind = element.get(TYPE, "").rpartition(":")
    if not kind or element.nsmap.get(prefix or None) != XSD:
        return text
    bare = text.strip()
    if kind == "boolean" and bare in ("true", "false", "1", "0"):
        return bare in ("true", "1")
    if kind in _INTEGERS and _INTEGER.match(bare):
        return int(bare)
    if kind in _FLOATS and _FLOAT.match(bare):
        number = float(bare)
        return number if abs(number) != float("inf") else text
    return text


def _write(parent: Element, name: str, value: ExtensionValue) -> Element:
    element = etree.SubElement(parent, name)
    if isinstance(value, Mapping):
        write_all(element, value)
    elif isinstance(value, str):
        element.text = value
    elif value is None:
        element.set(NIL, "true")
    else:
        kind = "boolean" if isinstance(value, bool) else "integer" if isinstance(value, int) else "double"
        element.set(TYPE, f"xsd:{kind}")
        element.text = str(value).lower() if kind == "boolean" else repr(value)
    return element


def _is_name(name: str) -> bool:
    namespace, brace, local = name[1:].partition("}") if name.startswith("{") else ("", "}", name)
    reserved = namespace in _RESERVED or name == MORE
    return (
        bool(brace)
        and not reserved
        and bool(_NAME.match(local))
        and (not name.startswith("{") or bool(_NAMESPACE.match(namespace)))
    )


def _is_plain(value: ExtensionValue, *, listed: bool = False) -> bool:
    """True when the value reads back as it is written."""
    if isinstance(value, str):
        return not _BAD_TEXT.search(value)
    if isinstance(value, Mapping):
        # an empty object reads as "", one with a text alone as that text
        return bool(value) and set(value) != {TEXT} and not isinstance(value.get(TEXT), (list, tuple, Mapping))
    if isinstance(value, list | tuple):
        # the mark of a lone item is an attribute, which an element of a simple type cannot have
        is_marked = len(value) > 1 or (len(value) == 1 and isinstance(value[0], (str, Mapping)))
        return not listed and is_marked and all(_is_plain(item, listed=True) for item in value)
    return value is None or isinstance(value, (int, float))


def _frozen(value: object, element: Element, depth: int) -> ExtensionValue:
    if depth > MAX_DEPTH:
        raise EventError("the extension is nested too deeply", where=path_of(element, "suyuan:json"))
    if isinstance(value, dict):
        for name in value:
            if not _JSON_NAME.match(name) or name == "@context":
                raise EventError(f"{name!r:.200} is no name", where=path_of(element, "suyuan:json"))
        return {name: _frozen(item, element, depth + 1) for name, item in value.items()}
    if isinstance(value, list):
        return tuple(_frozen(item, element, depth + 1) for item in value)
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise TypeError(type(value))


def _json(value: Mapping[str, ExtensionValue]) -> str:
    default: Callable[[Any], Any] = dict
    return json.dumps(value, ensure_ascii=True, default=default, separators=(",", ":"))


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")
