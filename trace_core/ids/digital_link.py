"""GS1 Digital Link: a GS1 key with its qualifiers and attributes as a web address.

    https://any.host/any/stem/01/09506000134352/10/ABC/21/123?17=261231&linkType=gs1:pip

One rule: a `DigitalLink` is valid once built. Uncompressed links only. Source: GS1 Digital Link URI Syntax 1.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import quote, unquote

from trace_core.errors import ConfigError, IdentifierError
from trace_core.ids.application_identifiers import FORMATS, NAMES, QUALIFIERS, REQUIRED_QUALIFIERS, require

CANONICAL_BASE: Final = "https://id.gs1.org"
LONGEST_URI: Final = 2048
"""Characters; a QR code of a usable size holds far fewer."""
MOST_PARAMETERS: Final = 64
"""Parts of a query string; there are fewer application identifiers that make sense together."""

Pair: TypeAlias = tuple[str, str]

_URI: Final = re.compile(
    r"(?P<base>https?://[A-Za-z0-9._-]{1,253}(?::(?P<port>[0-9]{1,5}))?)"
    r"(?P<path>/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)"
    r"(?:\?(?P<query>[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*))?"
    r"(?:#[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?",
    re.IGNORECASE,
)
_BASE: Final = re.compile(r"https?://[A-Za-z0-9._-]{1,253}(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~-]+)*/?", re.IGNORECASE)
_BAD_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_GTIN_DIGITS: Final = re.compile(r"[0-9]{8}|[0-9]{12,13}")


@dataclass(frozen=True, slots=True)
class DigitalLink:
    """The meaning of a Digital Link: pairs (application identifier, value), values as text without escapes.

    Raises `IdentifierError` for unknown identifiers, bad values or check digits, and qualifiers that do not
    belong to the key or stand in another order than the standard's.
    """

    primary: Pair
    """The key: ("01", 14 digits), ("00", 18 digits), …"""
    qualifiers: tuple[Pair, ...] = ()
    attributes: tuple[Pair, ...] = ()
    """Application identifiers in the query: best-before date, weight, …"""
    others: tuple[Pair, ...] = ()
    """Parameters of the query that are no application identifiers: (name, value), `linkType` for one."""

    def __post_init__(self) -> None:
        sequences = _require_path(self.primary, self.qualifiers)
        seen = {self.primary[0], *(ai for ai, _ in self.qualifiers)}
        if len(self.attributes) + len(self.others) > MOST_PARAMETERS:
            raise IdentifierError(f"a Digital Link has up to {MOST_PARAMETERS} parameters")
        for ai, value in self.attributes:
            if ai in seen:
                raise IdentifierError(f"({ai}) stands twice in the Digital Link")
            seen.add(ai)
            if any(ai in sequence for sequence in sequences):
                raise IdentifierError(f"({ai}) is a qualifier of the key", remedy="move it from the query to the path")
            require(ai, value)
        for name, value in self.others:
            if not name or name.isdigit() or not (name + value).isprintable():
                raise IdentifierError(
                    "a parameter is unnamed or has invisible characters", where=ascii(name[:40])[1:-1]
                )

    def value(self, ai: str) -> str | None:
        """Value of `ai` wherever it stands in the link, None when it does not."""
        for found, value in (self.primary, *self.qualifiers, *self.attributes):
            if found == ai:
                return value
        return None

    @property
    def path(self) -> str:
        """`/01/09506000134352/10/ABC`: key and qualifiers, escaped."""
        return "".join(f"/{ai}/{escape(value)}" for ai, value in (self.primary, *self.qualifiers))

    def canonical(self) -> str:
        """The one spelling of this key with its qualifiers, on the domain of GS1 and without a query.

        To compare objects at the level where EPCIS keeps them use `trace_core.ids.canonical.canonical_uri`.
        """
        return CANONICAL_BASE + self.path

    def build(self, base: str, extra_query: Iterable[Pair] = ()) -> str:
        """The link under `base` (`https://host` with or without a path) with attributes, others and `extra_query`.

        Raises `ConfigError` for a base that is no web address.
        """
        if _BASE.fullmatch(base) is None:
            raise ConfigError("the base of a Digital Link is http(s)://host/path", where=base)
        pairs = (*self.attributes, *self.others, *extra_query)
        query = "&".join(f"{escape(name)}={escape(value)}" for name, value in pairs)
        return base.rstrip("/") + self.path + (f"?{query}" if query else "")


def parse(uri: str) -> DigitalLink:
    """The meaning of `uri` on any host, below any path; escapes are undone once.

    A GTIN of 8, 12 or 13 digits is filled to 14. Raises `IdentifierError`, also for web addresses that are
    no Digital Links, for compressed ones, and for what a person cannot see: control characters, direction marks.
    """
    if len(uri) > LONGEST_URI:
        raise IdentifierError(f"a Digital Link has up to {LONGEST_URI} characters, not {len(uri)}")
    found = _URI.fullmatch(uri)
    if found is None or _BAD_ESCAPE.search(uri) or int(found["port"] or 0) > 0xFFFF:
        raise IdentifierError("this is no well-formed http(s) address", where=ascii(uri[:90])[1:-1])
    primary, *qualifiers = _path_pairs(found["path"])
    attributes, others = _query_pairs(found["query"] or "")
    return DigitalLink(primary, tuple(qualifiers), tuple(attributes), tuple(others))


def is_digital_link(uri: str) -> bool:
    """Whether `parse` takes `uri`."""
    try:
        parse(uri)
    except IdentifierError:
        return False
    return True


def escape(value: str) -> str:
    """`value` as a part of a path or query: all but letters, digits and `-._~` as %XX."""
    return quote(value, safe="")


def _path_pairs(path: str) -> list[Pair]:
    """Key and qualifiers; the key is the last one that the path holds, as what stands before it is a stem."""
    segments = path.split("/")[1:]
    for start in range(len(segments) - 2, -1, -2):
        ai = _number(segments[start])
        if ai in QUALIFIERS:
            names = map(_number, segments[start::2])
            values = map(_unescaped, segments[start + 1 :: 2])
            (_, key), *qualifiers = zip(names, values, strict=True)
            return [(ai, key.zfill(14) if ai == "01" and _GTIN_DIGITS.fullmatch(key) else key), *qualifiers]
    raise IdentifierError(
        "the address holds no GS1 key", where=ascii(path[:90])[1:-1], remedy="write …/01/<GTIN>, uncompressed"
    )


def _query_pairs(query: str) -> tuple[list[Pair], list[Pair]]:
    attributes: list[Pair] = []
    others: list[Pair] = []
    parts = [part for part in query.split("&") if part]
    if len(parts) > MOST_PARAMETERS:
        raise IdentifierError(f"a Digital Link has up to {MOST_PARAMETERS} parameters")
    for part in parts:
        name, _, value = part.replace("+", " ").partition("=")
        pair = (_unescaped(name), _unescaped(value))
        # a number that is no application identifier is refused later: it can only be a mistake
        (attributes if pair[0].isdigit() else others).append(pair)
    return attributes, others


def _require_path(primary: Pair, qualifiers: Sequence[Pair]) -> list[tuple[str, ...]]:
    """Checks key and qualifiers; returns the sequences of qualifiers that these ones can belong to."""
    key, value = primary
    if key not in QUALIFIERS:
        raise IdentifierError("this application identifier is no key", where=ascii(key[:8])[1:-1])
    require(key, value)
    given = tuple(ai for ai, _ in qualifiers)
    sequences = [s for s in QUALIFIERS[key] if tuple(ai for ai in s if ai in given) == given]
    if given and not sequences:
        raise IdentifierError(
            f"these qualifiers do not belong to ({key}), or not in this order", where=ascii("/".join(given)[:40])[1:-1]
        )
    needed = REQUIRED_QUALIFIERS.get(key)
    if needed is not None and needed not in given:
        raise IdentifierError(f"({key}) needs ({needed}) behind it")
    for ai, text in qualifiers:
        require(ai, text)
    return sequences


def _number(segment: str) -> str:
    return segment if segment in FORMATS else NAMES.get(segment, segment)


def _unescaped(part: str) -> str:
    try:
        return unquote(part, errors="strict")
    except UnicodeDecodeError as error:
        raise IdentifierError("an escape is no UTF-8", where=ascii(part[:90])[1:-1]) from error
