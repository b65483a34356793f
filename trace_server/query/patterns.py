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
    """How a canonical link of one scheme falls apart: `digits` of the key, indicator in front, text behind."""

    link: re.Pattern[str]
    has_indicator: bool = False


def _shape(path: str, *, has_indicator: bool = False) -> _Shape:
    return _Shape(re.compile(re.escape(CANONICAL_DOMAIN) + path + r"\Z"), has_indicator)


_SHAPES: Final[Mapping[str, _Shape]] = {
    "sgtin": _shape(r"01/(?P<key>\d{13})\d/21/(?P<rest>.+)", has_indicator=True),
    "lgtin": _shape(r"01/(?P<key>\d{13})\d/10/(?P<rest>.+)", has_indicator=True),
    "upui": _shape(r"01/(?P<key>\d{13})\d/235/(?P<rest>.+)", has_indicator=True),
    "sscc": _shape(r"00/(?P<key>\d{17})\d(?P<rest>)", has_indicator=True),
    "sgln": _shape(r"414/(?P<key>\d{12})\d(?:/254/(?P<rest>.+))?"),
    "pgln": _shape(r"417/(?P<key>\d{12})\d(?P<rest>)"),
    "grai": _shape(r"8003/0(?P<key>\d{12})\d(?P<rest>.*)"),
    "giai": _shape(r"8004/(?P<key>\d{6,12})(?P<rest>.*)"),
    "gsrn": _shape(r"8018/(?P<key>\d{17})\d(?P<rest>)"),
    "gsrnp": _shape(r"8017/(?P<key>\d{17})\d(?P<rest>)"),
    "gdti": _shape(r"253/(?P<key>\d{12})\d(?P<rest>.*)"),
    "sgcn": _shape(r"255/(?P<key>\d{12})\d(?P<rest>.*)"),
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
    if scheme == "giai":
        return lambda uri: _giai(shape, parts, uri)
    return lambda uri: _keyed(shape, parts, uri)


def _keyed(shape: _Shape, parts: list[str], uri: str) -> bool:
    found = shape.link.match(uri)
    if found is None:
        return False
    if parts[0] == "*":
        return all(part == "*" for part in parts)
    key, rest, length = found["key"], found["rest"], len(parts[0])
    if shape.has_indicator:
        prefix, reference = key[1 : 1 + length], key[0] + key[1 + length :]
    else:
        prefix, reference = key[:length], key[length:]
    have = [prefix, reference]
    if len(parts) > 2:
        # an SGLN without extension has the extension 0 in its URN
        have.append("0" if rest is None else rest)
    return _same([*parts[:2], *(_escaped(part) for part in parts[2:])], have)


def _giai(shape: _Shape, parts: list[str], uri: str) -> bool:
    if shape.link.match(uri) is None:
        return False
    text = uri[len(f"{CANONICAL_DOMAIN}8004/") :]
    if parts[0] == "*":
        return True
    return text.startswith(parts[0]) and _same(parts[1:], [text[len(parts[0]) :]])


def _escaped(part: str) -> str:
    """`part` percent-encoded as in a canonical link."""
    return part if part == "*" or "%" in part else quote(part, safe=_SAFE)


def _same(wanted: list[str], have: list[str]) -> bool:
    return len(wanted) == len(have) and all(want in ("*", part) for want, part in zip(wanted, have, strict=True))
