"""GS1 identification keys: check digits, normal forms, character sets.

One rule: what a function here returns is valid and has one spelling; everything else is an `IdentifierError`.
Source: GS1 General Specifications, sections 3 (application identifiers) and 7 (check digits, characters).
"""

from __future__ import annotations

from typing import Final

from trace_core.errors import IdentifierError

CHARSET_82: Final = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""GS1 AI encodable character set 82, in the order of the table (the index is a character's check value)."""
CHARSET_39: Final = "#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
"""GS1 AI encodable character set 39 (component/part identifiers)."""
CHARSET_64: Final = "-0123456789=ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
"""GS1 AI encodable character set 64, file-safe base 64 with padding (digital signatures)."""

PREFIX_LENGTHS: Final = range(6, 13)
"""Digits that a GS1 company prefix can have inside an EPC."""

_GTIN_LENGTHS: Final = (8, 12, 13, 14)
_CHUNK: Final = 10_000
_WEIGHTED: Final = bytes(
    (a + 3 * b + c + 3 * d) % 10 for a in range(10) for b in range(10) for c in range(10) for d in range(10)
)
"""Weighted sum mod 10 of every four digits; four is even, so all groups of a number share the table."""
_SET_82: Final = frozenset(CHARSET_82)
_DIGITS: Final = frozenset("0123456789")
_PAIR_ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_PAIR_WEIGHTS: Final = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83)
_PAIR_MODULUS: Final = 1021


def check_value(payload: int) -> int:
    """Check digit 0–9 of a payload of up to 20 digits given as an integer (leading zeros do not count).

    GS1 General specifications 7.9: weights 3, 1, 3 … from the right, complement to 10.
    """
    total = 0
    while payload:
        total += _WEIGHTED[payload % _CHUNK]
        payload //= _CHUNK  # two operators are faster than one divmod, and every tag read comes through here
    return -total % 10


def check_digit(digits: str) -> str:
    """The check digit that belongs behind `digits` (1 to 30 decimal digits without one)."""
    _require_digits(digits, "number", range(1, 31))
    return str(check_value(int(digits)))


def require_check_digit(code: str) -> str:
    """`code` itself (2 to 31 digits) when its last digit is right; raises `IdentifierError` if not."""
    _require_digits(code, "code", range(2, 32))
    _require_check(code, "code")
    return code


def gtin(text: str) -> str:
    """14 digits for a GTIN-8, -12, -13 or -14; shorter ones are filled with zeros on the left."""
    if len(text) not in _GTIN_LENGTHS or not _is_digits(text):
        raise IdentifierError("a GTIN has 8, 12, 13 or 14 digits", where=_shown(text), remedy="read it from the label")
    _require_check(text, "GTIN")
    return text.zfill(14)


gtin14 = gtin


def gln(text: str) -> str:
    """13 digits of a global location number (AI 410–417)."""
    return _numeric_key(text, "GLN", 13)


def sscc(text: str) -> str:
    """18 digits of a serial shipping container code (AI 00)."""
    return _numeric_key(text, "SSCC", 18)


def gsin(text: str) -> str:
    """17 digits of a global shipment identification number (AI 402)."""
    return _numeric_key(text, "GSIN", 17)


def gsrn(text: str) -> str:
    """18 digits of a global service relation number (AI 8017, 8018)."""
    return _numeric_key(text, "GSRN", 18)


def grai(text: str) -> str:
    """Global returnable asset identifier (AI 8003): 0, 12 digits, check digit, up to 16 characters of serial."""
    if len(text) < 14 or text[0] != "0":
        raise IdentifierError("a GRAI starts with 0 and 13 digits", where=_shown(text))
    return text[0] + _key_with_serial(text[1:], "GRAI", 16)


def gdti(text: str) -> str:
    """Global document type identifier (AI 253): 13 digits, up to 17 characters of serial."""
    return _key_with_serial(text, "GDTI", 17)


def gcn(text: str) -> str:
    """Global coupon number (AI 255): 13 digits, up to 12 digits of serial."""
    key = _key_with_serial(text, "GCN", 12)
    if not _is_digits(key):
        raise IdentifierError("a coupon's serial number has digits only", where=_shown(text))
    return key


def giai(text: str) -> str:
    """Global individual asset identifier (AI 8004): company prefix and reference, up to 30 characters."""
    return _prefixed_text(text, "GIAI", 30)


def ginc(text: str) -> str:
    """Global identification number for consignment (AI 401): company prefix and reference, up to 30 characters."""
    return _prefixed_text(text, "GINC", 30)


def cpid(text: str) -> str:
    """Component/part identifier (AI 8010): company prefix and reference, up to 30 characters of set 39."""
    if not 5 <= len(text) <= 30 or not _is_digits(text[:4]) or not set(text) <= set(CHARSET_39):
        raise IdentifierError("a CPID has 5 to 30 characters of GS1 set 39 after its prefix", where=_shown(text))
    return text


def gmn(text: str) -> str:
    """Global model number (AI 8013): up to 25 characters, the last two a check pair."""
    key = _prefixed_text(text, "GMN", 25)
    if key[-2:] != check_pair(key[:-2]):
        raise IdentifierError("the check characters of the GMN are wrong", where=_shown(text), remedy="read it again")
    return key


def check_pair(payload: str) -> str:
    """The two check characters behind `payload` (1 to 23 characters of set 82; GMN, AI 8013)."""
    if not 1 <= len(payload) <= len(_PAIR_WEIGHTS) or not set(payload) <= _SET_82:
        raise IdentifierError("a GMN has up to 23 characters of GS1 set 82 before its check", where=_shown(payload))
    total = sum(CHARSET_82.index(c) * w for c, w in zip(reversed(payload), _PAIR_WEIGHTS, strict=False))
    high, low = divmod(total % _PAIR_MODULUS, 32)
    return _PAIR_ALPHABET[high] + _PAIR_ALPHABET[low]


def lot(text: str) -> str:
    """A batch or lot number (AI 10): 1 to 20 characters of GS1 set 82, kept as it is."""
    return charset_82(text, "batch or lot number", 20)


def serial(text: str) -> str:
    """A serial number (AI 21): 1 to 20 characters of GS1 set 82, kept as it is."""
    return charset_82(text, "serial number", 20)


def charset_82(text: str, name: str, longest: int) -> str:
    """`text` when it has 1 to `longest` characters of GS1 set 82; `name` is used in the error."""
    if not 1 <= len(text) <= longest:
        raise IdentifierError(f"a {name} has 1 to {longest} characters, not {len(text)}", where=_shown(text))
    if not _SET_82.issuperset(text):
        raise IdentifierError(f"a {name} has characters of GS1 set 82 only", where=_shown(text))
    return text


def company_prefix(key: str, length: int) -> str:
    """The first `length` (6 to 12) digits of a key that starts with its company prefix; a GTIN's indicator goes first.

    The length is not in the key: it is known from the prefix's owner or from an EPC.
    """
    if length not in PREFIX_LENGTHS:
        raise IdentifierError(f"a company prefix has 6 to 12 digits, not {length}", where=_shown(key))
    start = 1 if len(key) in {14, 18} else 0
    prefix = key[start : start + length]
    if len(prefix) != length or not _is_digits(prefix):
        raise IdentifierError("the key does not start with a company prefix", where=_shown(key))
    return prefix


def _numeric_key(text: str, name: str, length: int) -> str:
    if len(text) != length or not _is_digits(text):
        raise IdentifierError(f"a {name} has {length} digits", where=_shown(text))
    _require_check(text, name)
    return text


def _key_with_serial(text: str, name: str, longest: int) -> str:
    _numeric_key(text[:13], name, 13)
    if len(text) > 13:
        charset_82(text[13:], f"{name} serial number", longest)
    return text


def _prefixed_text(text: str, name: str, longest: int) -> str:
    charset_82(text, name, longest)
    if len(text) < 5 or not _is_digits(text[:4]):
        raise IdentifierError(f"a {name} starts with a company prefix", where=_shown(text))
    return text


def _require_check(code: str, name: str) -> None:
    payload, given = divmod(int(code), 10)
    if check_value(payload) != given:
        raise IdentifierError(f"the check digit of the {name} is wrong", where=code, remedy="read the code again")


def _require_digits(text: str, name: str, lengths: range) -> None:
    if len(text) not in lengths or not _is_digits(text):
        raise IdentifierError(f"a {name} has {lengths[0]} to {lengths[-1]} digits", where=_shown(text))


def _is_digits(text: str) -> bool:
    # str.isdigit also takes digits of other scripts
    return text.isascii() and text.isdigit()


def _shown(text: str) -> str:
    """`text` as it may stand in a message: printable, short."""
    return ascii(text[:40])[1:-1]
