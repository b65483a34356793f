"""EPC patterns of MATCH_ parameters: pure identity URNs with `*`, Digital Links, any other URI.

A Digital Link does not say how long its company prefix is; the pattern does, so the pattern decides.
Source: EPCIS 2.0 section 8.2.7.1.1, TDS 2.0 section 6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from trace_core.ids.canonical import CANONICAL_DOMAIN, canonical_uri

IDPAT: Final = "urn:epc:idpat:"
_SAFE: Final = "!'()*"


@dataclass(frozen=True, slots=True)
class _Shape:
    """How a canonical link of one scheme falls apart: `key`, of which the company prefix is a part, and what follows.

    `parts`: how many a URN of the scheme has. `has_indicator`: the key begins with a digit that belongs to the
    reference.
    """

    link: re.Pattern[str]
    parts: int
    has_indicator: bool = False


def _shape(path: str, parts: int, *, has_indicator: bool = False) -> _Shape:
    return _Shape(re.compile(re.escape(CANONICAL_DOMAIN) + path + r"\Z"), parts, has_indicator)


_SHAPES: Final[Mapping[str, _Shape]] = {
    "sgtin": _shape(r"01/(?P<key>\d{13})\d/21/(.+)", 3, has_indicator=True),
    "lgtin": _shape(r"01/(?P<key>\d{13})\d/10/(.+)", 3, has_indicator=True),
    "upui": _shape(r"01/(?P<key>\d{13})\d/235/(.+)", 3, has_indicator=True),
    "itip": _shape(r"8006/(?P<key>\d{13})\d(\d\d)(\d\d)/21/(.+)", 5, has_indicator=True),
    "sscc": _shape(r"00/(?P<key>\d{17})\d", 2, has_indicator=True),
    "sgln": _shape(r"414/(?P<key>\d{12})\d(?:/254/(.+))?", 3),
    "pgln": _shape(r"417/(?P<key>\d{12})\d", 2),
    "grai": _shape(r"8003/0(?P<key>\d{12})\d(.*)", 3),
    "giai": _shape(r"8004/(?P<key>.+)", 2),
    "gsrn": _shape(r"8018/(?P<key>\d{17})\d", 2),
    "gsrnp": _shape(r"8017/(?P<key>\d{17})\d", 2),
    "gdti": _shape(r"253/(?P<key>\d{12})\d(.*)", 3),
    "sgcn": _shape(r"255/(?P<key>\d{12})\d(.*)", 3),
    "cpi": _shape(r"8010/(?P<key>[^/]+)/8011/(.+)", 3),
    "ginc": _shape(r"401/(?P<key>.+)", 2),
    "gsin": _shape(r"402/(?P<key>\d{16})\d", 2),
}


def pattern(text: str) -> Callable[[str], bool]:
    """A test of canonical URIs."""
    same = canonical_uri(text)
    if text.startswith(IDPAT):
        scheme, _, rest = text[len(IDPAT) :].partition(":")
        by_parts = _by_parts(scheme, rest.split("."))
        return lambda uri: uri == same or by_parts(uri)
    if text.startswith("http") and text.endswith("/*"):
        start = canonical_uri(text[:-1] + "0")[:-1]
        return lambda uri: uri.startswith(start) and len(uri) > len(start)
    return lambda uri: uri == same


def is_exact(text: str) -> bool:
    """True when `text` names one thing, so that its key can be looked up."""
    return not text.startswith(IDPAT) and not text.endswith("/*")


def _by_parts(scheme: str, parts: list[str]) -> Callable[[str], bool]:
    shape = _SHAPES.get(scheme)
    if shape is None:
        wanted = f"urn:epc:id:{scheme}:"
        return lambda uri: uri.startswith(wanted) and _same(parts, uri[len(wanted) :].split("."))
    return lambda uri: _keyed(shape, parts, uri)


def _keyed(shape: _Shape, parts: list[str], uri: str) -> bool:
    found = shape.link.match(uri)
    if found is None or len(parts) != shape.parts:
        return False
    if parts[0] == "*":
        return all(part == "*" for part in parts)
    key, length = found["key"], len(parts[0])
    if shape.has_indicator:
        prefix, reference = key[1 : 1 + length], key[0] + key[1 + length :]
    else:
        prefix, reference = key[:length], key[length:]
    # an SGLN without extension has the extension 0 in its URN
    rest = ["0" if text is None else text for text in found.groups()[1:]]
    return _same([parts[0], *map(_escaped, parts[1:])], [prefix, reference, *rest])


def _escaped(part: str) -> str:
    """`part` percent-encoded as in a canonical link."""
    return part if part == "*" or "%" in part else quote(part, safe=_SAFE)


def _same(wanted: list[str], have: list[str]) -> bool:
    return len(wanted) == len(have) and all(want in ("*", part) for want, part in zip(wanted, have, strict=True))
