"""One spelling for every GS1 identifier: the canonical, constrained Digital Link URI.

Keeps one rule: two URIs that name the same thing at the same level give the same text, and only then.
Source: CBV 2.0 section 8.9 (event hash), TDS 2.3 section 6.3 (EPC URNs), Digital Link URI Syntax 1.4.
Departure: a class pattern such as `urn:epc:idpat:sgtin:…*` becomes the link of its class, as CBV 2.0 asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from hashlib import sha256
from urllib.parse import quote, unquote_to_bytes

CANONICAL_DOMAIN = "https://id.gs1.org/"
_URN = "urn:epc:"
_SAFE = "!'()*"
"""Left as they are beside letters, digits and `-._~`; the CBV 2.0 event hash values fix this set."""

_GS1_82 = frozenset(b"!\"%&'()*+,-./:;<=>?_" + bytes(range(0x30, 0x3A)) + bytes(range(0x41, 0x5B)))
_GS1_82 |= frozenset(range(0x61, 0x7B))
_GS1_39 = frozenset(b"#-/" + bytes(range(0x30, 0x3A)) + bytes(range(0x41, 0x5B)))
_DIGITS = frozenset(b"0123456789")
_PATTERN = "*"
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")

Assemble = Callable[[str], str | None]


def canonical_uri(uri: str) -> str:
    """`https://id.gs1.org/…` for an EPC URN, a class or pattern URN, or a Digital Link on any domain.

    Keeps the finest level only (a serial drops the lot), drops CPV and query. Everything else, also a URN of
    the right scheme whose parts do not fit, comes back unchanged. Never raises on a string. Check digits of
    Digital Links are taken as they are: see `trace_core.ids.gs1` to verify them.
    """
    if uri.startswith(_URN):
        parts = uri.split(":", 4)
        if len(parts) == 5:
            assemble = _URNS.get((parts[2], parts[3]))
            if assemble is not None and uri.isascii():
                return assemble(parts[4]) or uri
        return uri
    if uri[:4].lower() == "http":
        return _canonical_link(uri) or uri
    return uri


def object_key(uri: str) -> bytes:
    """The 16 bytes under which an object is stored: first half of the SHA-256 of its canonical URI."""
    return canonical_key(canonical_uri(uri))


def canonical_key(canonical: str) -> bytes:
    """As `object_key`, for a URI that is known to be canonical already."""
    # A lone surrogate can only come from a caller that skipped the parser; it must not stop a whole batch.
    return sha256(canonical.encode("utf-8", "surrogatepass")).digest()[:16]


def _check_digit(digits: str) -> str:
    """Modulo 10, weights 3 and 1 from the right (GS1 General Specifications 7.9.1); `digits` are ASCII digits."""
    # bytes sums run in C; 48 is the code of "0", and 48 × (3·m + n) falls out below
    raw = digits.encode()
    heavy, light = raw[-1::-2], raw[-2::-2]
    total = 3 * (sum(heavy) - 48 * len(heavy)) + sum(light) - 48 * len(light)
    return str(-total % 10)


def _text(escaped: str, limit: int, allowed: frozenset[int] = _GS1_82) -> str | None:
    """Canonical percent-encoding of `escaped`, or None when it has no or too many or foreign characters."""
    if escaped.isalnum() and allowed is _GS1_82:
        return escaped if len(escaped) <= limit else None
    if _BAD_PERCENT.search(escaped):
        return None
    raw = unquote_to_bytes(escaped)
    if not 0 < len(raw) <= limit or not allowed.issuperset(raw):
        return None
    return quote(raw, safe=_SAFE)


def _joined(prefix: str, reference: str, length: int) -> str | None:
    """Company prefix and reference, when they are digits and make `length` together."""
    digits = prefix + reference
    return digits if len(digits) == length and 6 <= len(prefix) <= 12 and digits.isdigit() else None


def _gtin(prefix: str, reference: str) -> str | None:
    if _joined(prefix, reference, 13) is None:
        return None
    digits = reference[0] + prefix + reference[1:]
    return digits + _check_digit(digits)


def _keyed(prefix: str, reference: str, length: int) -> str | None:
    digits = _joined(prefix, reference, length)
    return None if digits is None else digits + _check_digit(digits)


def _item(qualifier: str, limit: int) -> Assemble:
    """prefix.indicator+item.text → 01/GTIN/qualifier/text."""
    middle = f"/{qualifier}/"

    def assemble(rest: str) -> str | None:
        parts = rest.split(".", 2)
        if len(parts) != 3:
            return None
        gtin, text = _gtin(parts[0], parts[1]), _text(parts[2], limit)
        return f"{CANONICAL_DOMAIN}01/{gtin}{middle}{text}" if gtin and text else None

    return assemble


def _plain(ai: str, length: int) -> Assemble:
    """prefix.reference → ai/digits+check."""

    def assemble(rest: str) -> str | None:
        prefix, _, reference = rest.partition(".")
        key = _keyed(prefix, reference, length)
        return f"{CANONICAL_DOMAIN}{ai}/{key}" if key else None

    return assemble


def _serialised(ai: str, limit: int, lead: str = "", *, allowed: frozenset[int] = _GS1_82) -> Assemble:
    """prefix.reference.serial → ai/lead+12 digits+check+serial."""

    def assemble(rest: str) -> str | None:
        parts = rest.split(".", 2)
        if len(parts) != 3:
            return None
        key, serial = _keyed(parts[0], parts[1], 12), _text(parts[2], limit, allowed)
        return f"{CANONICAL_DOMAIN}{ai}/{lead}{key}{serial}" if key and serial else None

    return assemble


def _alphanumeric(ai: str, limit: int) -> Assemble:
    """prefix.text → ai/prefix+text."""

    def assemble(rest: str) -> str | None:
        prefix, _, reference = rest.partition(".")
        if not (prefix.isdigit() and 6 <= len(prefix) <= 12):
            return None
        text = _text(reference, limit - len(prefix))
        return f"{CANONICAL_DOMAIN}{ai}/{prefix}{text}" if text else None

    return assemble


def _sscc(rest: str) -> str | None:
    prefix, _, reference = rest.partition(".")
    if _joined(prefix, reference, 17) is None or not reference:
        return None
    digits = reference[0] + prefix + reference[1:]
    return f"{CANONICAL_DOMAIN}00/{digits}{_check_digit(digits)}"


def _sgln(rest: str) -> str | None:
    parts = rest.split(".", 2)
    if len(parts) != 3:
        return None
    gln, extension = _keyed(parts[0], parts[1], 12), _text(parts[2], 20)
    if gln is None or extension is None:
        return None
    # an extension of 0 means none (TDS 6.3.3)
    return f"{CANONICAL_DOMAIN}414/{gln}" + ("" if extension == "0" else f"/254/{extension}")


def _trade_item_piece(rest: str) -> tuple[str, str] | None:
    """prefix.item.piece.total.serial → (8006/GTIN+piece+total, serial as written)."""
    parts = rest.split(".", 4)
    if len(parts) != 5 or not (len(parts[2]) == len(parts[3]) == 2 and (parts[2] + parts[3]).isdigit()):
        return None
    gtin = _gtin(parts[0], parts[1])
    return None if gtin is None else (f"{CANONICAL_DOMAIN}8006/{gtin}{parts[2]}{parts[3]}", parts[4])


def _itip(rest: str) -> str | None:
    found = _trade_item_piece(rest)
    serial = None if found is None else _text(found[1], 20)
    return f"{found[0]}/21/{serial}" if found and serial else None


def _itip_class(rest: str) -> str | None:
    found = _trade_item_piece(rest)
    return found[0] if found and found[1] == _PATTERN else None


def _component(rest: str) -> tuple[str, str] | None:
    """prefix.part.serial → (8010/prefix+part, serial as written)."""
    head, _, serial = rest.rpartition(".")
    prefix, _, reference = head.partition(".")
    if not (prefix.isdigit() and 6 <= len(prefix) <= 12):
        return None
    text = _text(reference, 30 - len(prefix), _GS1_39)
    return None if text is None else (f"{CANONICAL_DOMAIN}8010/{prefix}{text}", serial)


def _cpi(rest: str) -> str | None:
    found = _component(rest)
    if found is None or not (found[1].isdigit() and len(found[1]) <= 12):
        return None
    return f"{found[0]}/8011/{found[1]}"


def _cpi_class(rest: str) -> str | None:
    found = _component(rest)
    return found[0] if found and found[1] == _PATTERN else None


def _class_of_items(rest: str) -> str | None:
    """prefix.item.* → 01/GTIN."""
    parts = rest.split(".")
    if len(parts) != 3 or parts[2] != _PATTERN:
        return None
    gtin = _gtin(parts[0], parts[1])
    return f"{CANONICAL_DOMAIN}01/{gtin}" if gtin else None


def _class_of(ai: str, lead: str = "") -> Assemble:
    """prefix.reference.* → ai/lead+12 digits+check."""

    def assemble(rest: str) -> str | None:
        parts = rest.split(".")
        if len(parts) != 3 or parts[2] != _PATTERN:
            return None
        key = _keyed(parts[0], parts[1], 12)
        return f"{CANONICAL_DOMAIN}{ai}/{lead}{key}" if key else None

    return assemble


_URNS: Mapping[tuple[str, str], Assemble] = {
    ("id", "sgtin"): _item("21", 20),
    ("id", "sscc"): _sscc,
    ("id", "sgln"): _sgln,
    ("id", "grai"): _serialised("8003", 16, "0"),
    ("id", "giai"): _alphanumeric("8004", 30),
    ("id", "gsrn"): _plain("8018", 17),
    ("id", "gsrnp"): _plain("8017", 17),
    ("id", "gdti"): _serialised("253", 17),
    ("id", "cpi"): _cpi,
    ("id", "sgcn"): _serialised("255", 12, allowed=_DIGITS),
    ("id", "ginc"): _alphanumeric("401", 30),
    ("id", "gsin"): _plain("402", 16),
    ("id", "itip"): _itip,
    ("id", "upui"): _item("235", 28),
    ("id", "pgln"): _plain("417", 12),
    ("class", "lgtin"): _item("10", 20),
    ("idpat", "sgtin"): _class_of_items,
    ("idpat", "upui"): _class_of_items,
    ("idpat", "grai"): _class_of("8003", "0"),
    ("idpat", "gdti"): _class_of("253"),
    ("idpat", "sgcn"): _class_of("255"),
    ("idpat", "cpi"): _cpi_class,
    ("idpat", "itip"): _itip_class,
}

_KEY_NAMES: Mapping[str, str] = {
    "gtin": "01", "itip": "8006", "cpid": "8010", "gln": "414", "party": "417", "gsrnp": "8017", "gsrn": "8018",
    "gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401", "gsin": "402", "grai": "8003", "giai": "8004",
}  # fmt: skip
"""Path names of Digital Link 1.0 that are still on labels."""
_QUALIFIER_NAMES: Mapping[str, str] = {
    "cpv": "22", "lot": "10", "ser": "21", "tpx": "235", "glnx": "254", "cpsn": "8011", "srin": "8019",
}  # fmt: skip

_DIGIT_KEYS: Mapping[str, int] = {"00": 18, "402": 17, "414": 13, "417": 13, "8006": 18, "8017": 18, "8018": 18}
"""Keys of a fixed number of digits."""
_TAILED_KEYS: Mapping[str, tuple[int, int, frozenset[int]]] = {
    "253": (13, 17, _GS1_82),
    "255": (13, 12, _DIGITS),
    "8003": (14, 16, _GS1_82),
}
"""Keys of so many digits and then up to so many characters, possibly none."""
_TEXT_KEYS: Mapping[str, frozenset[int]] = {"401": _GS1_82, "8004": _GS1_82, "8010": _GS1_39}
"""Keys that start with a company prefix and go on as text, 30 characters at most."""
_ITEM_QUALIFIERS = {"22": (20, _GS1_82), "10": (20, _GS1_82), "21": (20, _GS1_82)}
_QUALIFIERS: Mapping[str, Mapping[str, tuple[int, frozenset[int]]]] = {
    "01": {**_ITEM_QUALIFIERS, "235": (28, _GS1_82)},
    "8006": _ITEM_QUALIFIERS,
    "414": {"254": (20, _GS1_82)},
    "8010": {"8011": (12, _DIGITS)},
    "8017": {"8019": (10, _DIGITS)},
    "8018": {"8019": (10, _DIGITS)},
}
_MAX_QUALIFIERS = 4


def _canonical_link(uri: str) -> str | None:
    """The canonical form of a Digital Link; None when `uri` is another kind of web address."""
    scheme, separator, rest = uri.partition("://")
    if not separator or scheme.lower() not in {"http", "https"} or not uri.isascii():
        return None
    domain, *segments = rest.partition("#")[0].partition("?")[0].split("/")
    if segments and not segments[-1]:
        segments.pop()
    if not domain:
        return None
    # a resolver may sit under a path of its own, so the key is the first segment from which all the rest fits
    for index in range(max(0, len(segments) - 2 * (1 + _MAX_QUALIFIERS)), len(segments) - 1):
        ai = _KEY_NAMES.get(segments[index], segments[index])
        key = _key(ai, segments[index + 1])
        if key is not None:
            tail = _finest(ai, segments[index + 2 :])
            if tail is not None:
                return f"{CANONICAL_DOMAIN}{ai}/{key}{tail}"
    return None


def _key(ai: str, value: str) -> str | None:
    if ai == "01":
        return value.zfill(14) if value.isdigit() and len(value) in {8, 12, 13, 14} else None
    if ai in _DIGIT_KEYS:
        return value if value.isdigit() and len(value) == _DIGIT_KEYS[ai] else None
    if ai in _TAILED_KEYS:
        length, limit, allowed = _TAILED_KEYS[ai]
        digits, tail = value[:length], value[length:]
        text = _text(tail, limit, allowed) if tail else ""
        return digits + text if len(digits) == length and digits.isdigit() and text is not None else None
    if ai in _TEXT_KEYS:
        return _text(value, 30, _TEXT_KEYS[ai]) if value[:4].isdigit() and len(value) > 4 else None
    return None


def _finest(ai: str, segments: list[str]) -> str | None:
    """Path after the key, finest level only; None when a segment does not belong there."""
    allowed = _QUALIFIERS.get(ai, {})
    found: dict[str, str] = {}
    for name, value in zip(segments[::2], segments[1::2], strict=False):
        qualifier = _QUALIFIER_NAMES.get(name, name)
        if qualifier not in allowed or qualifier in found:
            return None
        text = _text(value, *allowed[qualifier])
        if text is None:
            return None
        found[qualifier] = text
    if len(segments) % 2:
        return None
    # a variant (22) narrows a class, never an instance; a serial makes the lot redundant
    for qualifier in ("21", "235", "10", "254", "8011", "8019"):
        if qualifier in found:
            return f"/{qualifier}/{found[qualifier]}"
    return ""
