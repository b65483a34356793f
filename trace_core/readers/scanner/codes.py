"""What a scanner sends for a printed code: AIM symbology identifier, payload.

    ]d2 01 09506000134352 10 ABC123 <GS> 21 12345

`]`, code letter, modifier. The first FNC1 is not sent, the identifier stands for it; a later one is GS (1D) and ends
a value of variable length. One rule: an element string is taken only when every element is one that GS1 allows.

Source: GS1 General Specifications (element strings, symbology identifiers); ISO/IEC 15424.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from trace_core.errors import IdentifierError
from trace_core.ids import gs1
from trace_core.ids.application_identifiers import FORMATS, QUALIFIERS, require
from trace_core.ids.digital_link import CANONICAL_BASE, DigitalLink, Pair, parse
from trace_core.readers._base import CodeRead

GS: Final = "\x1d"
ELEMENT_STRINGS: Final = frozenset({"]C1", "]e0", "]d2", "]Q3", "]J1"})
"""GS1-128, GS1 DataBar and composite, GS1 DataMatrix, GS1 QR, GS1 DotCode."""
EAN: Final[Mapping[str, int]] = {"]E0": 13, "]E4": 8}
"""Identifier → digits; a UPC-A is sent as 13."""
MOST_ELEMENTS: Final = 64

_IDENTIFIER: Final = re.compile(r"\][A-Za-z][0-9A-Za-z]")
_FIXED: Final[Mapping[str, int]] = (
    {"00": 18, "04": 16, "20": 2, "41": 13}
    | {f"{n:02}": 14 for n in range(1, 4)}
    | {str(n): 6 for n in range(11, 20)}
    | {str(n): 6 for n in range(31, 37)}
)
"""First two digits of an identifier → length of its value: these need no GS."""


def symbology_of(line: str) -> str | None:
    """The AIM identifier at the begin of `line`, None when there is none."""
    return line[:3] if _IDENTIFIER.match(line) else None


def read_code(text: str, symbology: str | None, reader: str | None = None) -> CodeRead:
    """Payload and identifier → the read. Raises `IdentifierError` for an element string or EAN that cannot be."""
    if not text:
        raise IdentifierError("an empty code")
    if symbology in ELEMENT_STRINGS:
        uri = _link(elements(text))
    elif symbology is not None and symbology in EAN:
        if len(text) != EAN[symbology]:
            raise IdentifierError(f"a code {symbology} has {EAN[symbology]} digits", where=ascii(text[:20])[1:-1])
        uri = DigitalLink(("01", gs1.gtin(text))).canonical()
    else:
        uri = _digital_link(text)
    return CodeRead(text, symbology, uri, reader)


def elements(text: str) -> tuple[Pair, ...]:
    """Element string → pairs (application identifier, value). Raises `IdentifierError`.

    A GS behind a value of fixed length and at the very end is tolerated.
    """
    found: dict[str, str] = {}
    position = 0
    while position < len(text):
        if len(found) >= MOST_ELEMENTS:
            raise IdentifierError("more elements than make sense together")
        ai = next((text[position : position + n] for n in (2, 3, 4) if text[position : position + n] in FORMATS), "")
        if not ai:
            where = ascii(text[position : position + 4])[1:-1]
            raise IdentifierError("GS1 knows no such application identifier", where=where)
        begin = position + len(ai)
        if ai[:2] in _FIXED:
            end = begin + _FIXED[ai[:2]]
        else:
            end = text.find(GS, begin)
            end = len(text) if end < 0 else end
        value = text[begin:end]
        require(ai, value)
        if found.setdefault(ai, value) != value:
            raise IdentifierError(f"({ai}) stands twice with different values")
        position = end + (text[end : end + 1] == GS)
    return tuple(found.items())


def _link(pairs: Sequence[Pair]) -> str | None:
    """The Digital Link of the first GS1 key, its qualifiers, and the other elements as attributes."""
    primary = next((pair for pair in pairs if pair[0] in QUALIFIERS), None)
    if primary is None:
        return None
    values = dict(pairs)
    sequences = QUALIFIERS[primary[0]] or ((),)
    sequence = max(sequences, key=lambda names: sum(name in values for name in names))
    qualifiers = tuple((ai, values[ai]) for ai in sequence if ai in values)
    used = {primary[0], *sequence}
    try:
        link = DigitalLink(primary, qualifiers, tuple(pair for pair in pairs if pair[0] not in used))
    except IdentifierError:
        return None  # elements that are right one by one and do not belong together: still a code that was scanned
    return link.build(CANONICAL_BASE)


def _digital_link(text: str) -> str | None:
    if text[:4].lower() != "http":
        return None
    try:
        link = parse(text)
    except IdentifierError:
        return None  # any other web address
    return DigitalLink(link.primary, link.qualifiers, link.attributes).build(CANONICAL_BASE)
