"""How single values are spelled in the pre-hash string of an event (CBV 2.0 section 8.9.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from trace_core.epcis.cbv import web_uri
from trace_core.epcis.event import Extensions, ExtensionValue
from trace_core.ids.canonical import canonical_uri

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?\Z")
# a text such as 12E45 is left alone: it is rather a part of a tag's memory in hex than a number
_COMMENT = "{http://www.w3.org/2000/01/rdf-schema#}comment"
"""A remark for the reader; the published algorithm leaves it out."""
_EXACT_DIGITS = 15
"""Decimal digits that a double carries without loss."""


def time_text(moment: datetime) -> str:
    """UTC in milliseconds, rounded half to even, such as `2026-01-31T00:30:00.000Z`."""
    utc = moment.astimezone(UTC)
    micro = utc.microsecond
    rounded = round(micro, -3)
    if rounded != micro:
        utc += timedelta(microseconds=rounded - micro)
    return f"{utc.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def number_text(number: float) -> str:
    """Without trailing zeros: `26`, `0.05`."""
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    return str(number)


def canonical_text(text: str) -> str:
    """A string value: trimmed, numbers without idle zeros, CBV terms and identifiers as web URIs."""
    text = text.strip()
    if ":" in text:
        return canonical_uri(web_uri(text))
    if _NUMBER.match(text):
        return _plain_number(text)
    return text


def extension_texts(extensions: Extensions) -> list[str]:
    """One string for each value: name, `=` and value, or name and the sorted strings of what is nested."""
    return [part for name, value in extensions.items() if name != _COMMENT for part in _named(name, value)]


def _named(name: str, value: ExtensionValue) -> Iterator[str]:
    if value is None:
        yield name
    elif isinstance(value, str):
        text = canonical_text(value)
        yield f"{name}={text}" if text else name
    elif isinstance(value, bool):
        yield f"{name}={str(value).lower()}"
    elif isinstance(value, (int, float)):
        yield f"{name}={number_text(value)}"
    elif isinstance(value, Mapping):
        yield name + "".join(sorted(extension_texts(value)))
    else:
        for item in value:
            yield from _named(name, item)


def _plain_number(text: str) -> str:
    """Drop sign `+`, leading and trailing zeros; digits beyond a double's reach are kept as they are."""
    sign = "-" if text[0] == "-" else ""
    whole, _, fraction = text.lstrip("+-").partition(".")
    whole, fraction = whole.lstrip("0") or "0", fraction.rstrip("0")
    if whole == "0" and not fraction:
        return "0"
    if fraction and len(whole) + len(fraction) <= _EXACT_DIGITS:
        # the published algorithm goes through a double, which writes 0.00001 as 1e-05
        return str(float(f"{sign}{whole}.{fraction}"))
    return f"{sign}{whole}.{fraction}" if fraction else sign + whole
