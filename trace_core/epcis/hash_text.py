"""How single values are spelled in the pre-hash string of an event (CBV 2.0 section 8.9.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from trace_core.epcis.cbv import web_uri
from trace_core.epcis.event import Extensions, ExtensionValue
from trace_core.ids.canonical import canonical_uri

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?\Z")
_NUMBER_STARTS = frozenset("+-0123456789")
# a text such as 12E45 is left alone: it is rather a part of a tag's memory in hex than a number
_COMMENT = "{http://www.w3.org/2000/01/rdf-schema#}comment"
"""A remark for the reader; the published algorithm leaves it out."""
_EXACT_DIGITS = 15
"""Decimal digits that a double carries without loss."""
CUT, OPEN, CLOSE = "\x1f", "\x1d", "\x1e"
"""Between two values, and around the values inside a named part, in the exact form of an event. No XML document can
hold these characters (XML 1.0 section 2.2), and the capture path refuses JSON strings that do."""
_LEAVES = frozenset({str, int, float, bool, type(None)})


def time_text(moment: datetime) -> str:
    """UTC in milliseconds, rounded half to even, such as `2026-01-31T00:30:00.000Z`."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
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
    if text[:1] in _NUMBER_STARTS and _NUMBER.match(text):
        return _plain_number(text)
    return text


def extension_texts(extensions: Extensions, cut: str = "") -> list[str]:
    """One string for each value: name, `=` and value, or name and the sorted strings of what is nested.

    With `cut`, what the standard joins is held apart (`nested_text`), also a name from its value.
    """
    found: list[str] = []
    for name, value in extensions.items():
        if name == _COMMENT:
            continue
        if type(value) is str:  # nearly all
            text = canonical_text(value)
            found.append(f"{name}{cut}={text}" if text else name)
        elif type(value) is int or type(value) is float:
            found.append(f"{name}{cut}={number_text(value)}")
        else:
            found.extend(_named(name, value, cut))
    return found


def nested_text(name: str, inner: Sequence[str], cut: str) -> str:
    """`name` and the strings inside it: joined as the standard does, or enclosed and held apart by `cut`."""
    if not cut:
        return name + "".join(inner)
    return f"{name}{OPEN}{cut.join(inner)}{CLOSE}"


def is_flat(extensions: Extensions) -> bool:
    """Whether no value is nested or repeated and no name holds a `=` that could pass for the one behind it."""
    return _LEAVES.issuperset(map(type, extensions.values())) and "=" not in "".join(extensions)


def _named(name: str, value: ExtensionValue, cut: str) -> Iterator[str]:
    if value is None:
        yield name
    elif isinstance(value, str):
        text = canonical_text(value)
        yield f"{name}{cut}={text}" if text else name
    elif isinstance(value, bool):
        yield f"{name}{cut}={str(value).lower()}"
    elif isinstance(value, (int, float)):
        yield f"{name}{cut}={number_text(value)}"
    elif isinstance(value, Mapping):
        yield nested_text(name, sorted(extension_texts(value, cut)), cut)
    else:
        for item in value:
            yield from _named(name, item, cut)


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
