"""Six ways to put text into bits, and the choice of the shortest.

One rule: of the ways that can write a text the one with the fewest bits is taken, of equals the first row.

    3 bits     2–7 bits   as many as `_bits` says
    indicator  length     characters

Source: GS1 Tag Data Standard 2.3, sections 14.5.6 (variable-length alphanumeric) and tables B and E there.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, log2
from typing import Final, NamedTuple

from trace_core.errors import IdentifierError
from trace_core.ids.epc.bits import BitReader, BitWriter
from trace_core.ids.gs1 import CHARSET_39, CHARSET_82

_INDICATOR_BITS: Final = 3
_DIGITS: Final = "0123456789"
_UPPER: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
CODE_40: Final = "\0" + _UPPER + "-.:" + _DIGITS
"""URN Code 40: the index is a character's value; the first one only fills the last three up."""
_BASE_64: Final = _UPPER + _UPPER.lower() + _DIGITS + "-_"


def digit_bits(digits: int) -> int:
    """Bits for a number of so many digits (table B, column b): 1 → 4, 6 → 20."""
    return ceil(digits * log2(10))


def read_number(value: int, digits: int) -> str:
    """A number with its leading zeros. Raises `IdentifierError` for one that has too many digits."""
    text = f"{value:0{digits}d}" if digits else ""
    if len(text) > digits:
        raise IdentifierError(f"a number has more than {digits} digits")
    return text


def code_40_bits(length: int) -> int:
    """Bits for so many characters: 16 for every three that have begun."""
    return 16 * -(-length // 3)


def read_code_40(value: int, length: int) -> str:
    """Characters of URN Code 40: 1600 c₁ + 40 c₂ + c₃ + 1 in 16 bits."""
    shown = []
    for shift in range(code_40_bits(length) - 16, -1, -16):
        triple = (value >> shift & 0xFFFF) - 1
        if not 0 <= triple < 64000:
            raise IdentifierError("three characters of URN Code 40 have a value of 1 to 64000")
        shown += [CODE_40[triple // 1600], CODE_40[triple // 40 % 40], CODE_40[triple % 40]]
    text, filling = "".join(shown[:length]), "".join(shown[length:])
    if "\0" in text or filling.strip("\0"):
        raise IdentifierError("the text is shorter or longer than its length says")
    return text


def write_code_40(text: str) -> int:
    """The reverse of `read_code_40`, for characters of the set."""
    value = 0
    for start in range(0, len(text), 3):
        first, second, third = (CODE_40.index(c) for c in text[start : start + 3].ljust(3, "\0"))
        value = value << 16 | 1600 * first + 40 * second + third + 1
    return value


class _Way(NamedTuple):
    indicator: int
    characters: frozenset[str]
    bits: Callable[[int], int]
    read: Callable[[int, int], str]
    write: Callable[[str], int]


def _table(indicator: int, alphabet: dict[str, int], width: int) -> _Way:
    """Every character in `width` bits of its own."""
    shown = {code: character for character, code in alphabet.items()}
    mask = (1 << width) - 1

    def read(value: int, length: int) -> str:
        try:
            return "".join([shown[value >> shift & mask] for shift in range(width * (length - 1), -1, -width)])
        except KeyError as error:
            raise IdentifierError("a character code stands for no character") from error

    def write(text: str) -> int:
        value = 0
        for character in text:
            value = value << width | alphabet[character]
        return value

    return _Way(indicator, frozenset(alphabet), lambda length: width * length, read, write)


def _alphabet(characters: str) -> dict[str, int]:
    return {character: index for index, character in enumerate(characters)}


_ASCII: Final = {character: ord(character) for character in CHARSET_82 + CHARSET_39}
_WAYS: Final = (
    _Way(0, frozenset(_DIGITS), digit_bits, read_number, lambda text: int(text or "0")),
    _table(1, _alphabet(_DIGITS + "ABCDEF"), 4),
    _table(2, _alphabet(_DIGITS + "abcdef"), 4),
    _Way(5, frozenset(CODE_40[1:]), code_40_bits, read_code_40, write_code_40),
    _table(3, _alphabet(_BASE_64), 6),
    _table(4, _ASCII, 7),
)
WAY_OF: Final = {way.indicator: way for way in _WAYS}
"""Indicator → way to write a text (table E)."""


def read_text(reader: BitReader, length_bits: int) -> str:
    """Indicator, length in `length_bits` bits, characters. Raises `IdentifierError`."""
    way = WAY_OF.get(reader.take(_INDICATOR_BITS))
    if way is None:
        raise IdentifierError("an encoding indicator is 0 to 5")
    length = reader.take(length_bits)
    return way.read(reader.take(way.bits(length)), length)


def write_text(writer: BitWriter, text: str, length_bits: int) -> None:
    """The reverse of `read_text`, in as few bits as can be. Raises `IdentifierError`."""
    length = len(text)
    if length >> length_bits:
        raise IdentifierError(f"the tag has room for {(1 << length_bits) - 1} characters, not for {length}")
    able = [way for way in _WAYS if way.characters.issuperset(text)]
    if not able:
        raise IdentifierError("a character is in no GS1 set", where=ascii(text[:40])[1:-1])
    way = min(able, key=lambda way: way.bits(length))
    writer.put(way.indicator, _INDICATOR_BITS)
    writer.put(length, length_bits)
    writer.put(way.write(text), way.bits(length))
