"""Text of elements and attributes → values: times, numbers, URIs and vocabulary terms, with the place in errors.

URIs may be written short with a prefix, as JSON-LD does: `gs1:Temperature`, `cbv:BizStep-receiving`, or a prefix that
the document declares as a namespace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, TypeAlias, TypeVar

from trace_core.epcis import cbv
from trace_core.epcis.json_values import one_of
from trace_core.epcis.json_values import read_time as time_from_text
from trace_core.epcis.jsonld import STANDARD, STANDARD_PREFIXES, Context
from trace_core.errors import EventError
from trace_server.epcis_xml.parsing import Element, path_of

Read: TypeAlias = Callable[[Element], Any]
Field: TypeAlias = tuple[str, Read]
"""(attribute of the event, reader of the element)."""
Built = TypeVar("Built")

NOT_PREFIXES: Final = frozenset({"xml", "urn", "http", "https", "ni", "geo", "tag", "data", "mailto"})
"""As prefixes these would change what URIs mean."""
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[Ee][+-]?[0-9]{1,3})?\Z")


def build(kind: Callable[..., Built], element: Element, values: Mapping[str, Any]) -> Built:
    """Construct, with the place of a refused member made absolute."""
    try:
        return kind(**values)
    except EventError as error:
        where = f"{path_of(element)}/{error.where}" if error.where else path_of(element)
        raise EventError(error.what, where=where, remedy=error.remedy) from error


def expected(child: Element, tag: str) -> Element:
    """`child`, which is a `tag`. Raises `EventError`."""
    if child.tag != tag:
        raise EventError(f"{child.tag!r:.100} does not belong here", where=path_of(child), remedy=f"use {tag}")
    return child


def read_text(element: Element) -> str:
    """The text of an element without children, trimmed."""
    if len(element):
        raise EventError("text is expected", where=path_of(element), remedy="put no elements here")
    return (element.text or "").strip()


def read_time(element: Element) -> datetime:
    """An xsd:dateTime with its offset as aware UTC."""
    return time_from_text(read_text(element), STANDARD, path_of(element))


def read_uri(element: Element) -> str:
    """A URI, written in full or with a prefix."""
    return uri(read_text(element), element)


def read_number(element: Element) -> float:
    """A decimal; whole numbers without a point are int."""
    return number(read_text(element), element)


def read_term(element: Element, vocabulary: cbv.Vocabulary) -> str:
    """A term of `vocabulary` as URN, web URI or with a prefix, or a URI of one's own."""
    return term(read_text(element), element, vocabulary)


def time(text: str, element: Element, attribute: str = "") -> datetime:
    """As `read_time`, for an attribute."""
    return time_from_text(text.strip(), STANDARD, path_of(element, attribute))


def uri(text: str, element: Element) -> str:
    """`text` made absolute."""
    text = text.strip()
    prefix, colon, rest = text.partition(":")
    if not colon or rest.startswith("//") or prefix in NOT_PREFIXES:
        return text
    namespace = element.nsmap.get(prefix) or STANDARD_PREFIXES.get(prefix)
    return text if namespace is None else namespace + rest


def number(text: str, element: Element, attribute: str = "") -> float:
    """A finite number; int when it has neither point nor exponent."""
    text = text.strip()
    if not _DECIMAL.match(text):
        raise EventError(f"{text!r:.100} is no number", where=path_of(element, attribute))
    return int(text) if text.lstrip("+-").isdigit() else float(text)


def boolean(text: str, element: Element, attribute: str = "") -> bool:
    """xsd:boolean."""
    if text.strip() not in ("true", "false", "1", "0"):
        raise EventError("true or false is expected", where=path_of(element, attribute))
    return text.strip() in ("true", "1")


def term(text: str, element: Element, vocabulary: cbv.Vocabulary, attribute: str = "") -> str:
    """As `read_term`, for an attribute."""
    absolute = uri(text, element)
    if ":" not in absolute:
        # a short name is the spelling of JSON; here it is no URI
        raise EventError(
            f"{text!r:.100} is no URI of a {vocabulary.title}",
            where=path_of(element, attribute),
            remedy=f"write {vocabulary.urn_prefix or vocabulary.prefix}name",
        )
    found = _TERMS[vocabulary.title](absolute, _NO_PREFIXES, path_of(element, attribute))
    return str(found)


def decimal_text(value: float) -> str:
    """`value` as xsd:decimal: no exponent."""
    return str(value) if isinstance(value, int) else format(Decimal(repr(value)), "f")


_NO_PREFIXES: Final = Context({})
_TERMS: Final = {
    vocabulary.title: one_of(vocabulary)
    for vocabulary in (
        cbv.BIZ_STEPS,
        cbv.DISPOSITIONS,
        cbv.BIZ_TRANSACTION_TYPES,
        cbv.SOURCE_DESTINATION_TYPES,
        cbv.ERROR_REASONS,
        cbv.SENSOR_EXCEPTIONS,
        cbv.COMPONENTS,
        cbv.MEASUREMENTS,
    )
}
