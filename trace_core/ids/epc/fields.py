"""What stands behind the company prefix and the reference of an EPC, in bits and in a URI.

One rule: for everything that either takes, `write` undoes `read` and `read` undoes `write`.
Source: GS1 Tag Data Standard 2.3, section 14.3 (coding methods) and annex A (characters).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Protocol

from trace_core.errors import IdentifierError
from trace_core.ids.gs1 import CHARSET_82

CHARACTER_BITS: Final = 7

_ESCAPED: Final = frozenset('"%&/<>?')
"""Characters of GS1 set 82 that a URN shows as %XX (TDS annex A)."""
_CODE_OF: Final = {(f"%{ord(c):02X}" if c in _ESCAPED else c): ord(c) for c in CHARSET_82}
_TEXT_OF: Final = {code: shown for shown, code in _CODE_OF.items()}
_SHOWN: Final = re.compile("%..|.", re.DOTALL)
_LONGEST_NUMBER: Final = 20
"""Digits looked at before a number is made of them; 2^62 has 19."""


class Tail(Protocol):
    """The bits behind the reference, down to the last one."""

    @property
    def bits(self) -> int: ...

    @property
    def parts(self) -> int:
        """How many dotted parts of the URI it is."""
        ...

    def read(self, value: int) -> str:
        """The dotted parts, each with its dot in front. Raises `IdentifierError` for bits that no URI has."""
        ...

    def write(self, parts: Sequence[str]) -> int:
        """The reverse of `read`, of the parts without dots; same errors."""
        ...


class Nothing:
    """`bits` reserved bits, all zero."""

    parts: Final = 0

    def __init__(self, bits: int) -> None:
        self.bits: Final = bits

    def read(self, value: int) -> str:
        if value:
            raise IdentifierError("reserved bits are set")
        return ""

    def write(self, parts: Sequence[str]) -> int:  # noqa: ARG002
        return 0


class Integer:
    """A number without leading zeros."""

    parts: Final = 1

    def __init__(self, bits: int) -> None:
        self.bits: Final = bits

    def read(self, value: int) -> str:
        return f".{value}"

    def write(self, parts: Sequence[str]) -> int:
        return number(parts[0], 1 << self.bits)


class NumericString:
    """Up to `longest` digits whose leading zeros count: a 1 is put in front."""

    parts: Final = 1

    def __init__(self, bits: int, longest: int) -> None:
        self.bits: Final = bits
        self._longest: Final = longest

    def read(self, value: int) -> str:
        text = str(value)
        if text[0] != "1" or not 2 <= len(text) <= self._longest + 1:
            raise IdentifierError("the serial number does not start with its marker 1")
        return "." + text[1:]

    def write(self, parts: Sequence[str]) -> int:
        (text,) = parts
        if not 1 <= len(text) <= self._longest or not (text.isascii() and text.isdigit()):
            raise IdentifierError(f"the serial number has 1 to {self._longest} digits")
        return int("1" + text)


class Text:
    """Characters of GS1 set 82."""

    parts: Final = 1

    def __init__(self, bits: int) -> None:
        self.bits: Final = bits
        self._longest: Final = bits // CHARACTER_BITS

    def read(self, value: int) -> str:
        return "." + read_text(value, self.bits, self._longest)

    def write(self, parts: Sequence[str]) -> int:
        return write_text(parts[0], self.bits, self._longest)


class Pieces:
    """Piece and total, two digits in 7 bits each, then a serial number."""

    parts: Final = 3

    def __init__(self, serial: Tail) -> None:
        self.bits: Final = 14 + serial.bits
        self._serial: Final = serial

    def read(self, value: int) -> str:
        width = self._serial.bits
        piece, total = value >> width + 7, value >> width & 0x7F
        if piece > 99 or total > 99:
            raise IdentifierError("piece and total have two digits")
        return f".{piece:02d}.{total:02d}" + self._serial.read(value & (1 << width) - 1)

    def write(self, parts: Sequence[str]) -> int:
        piece, total = padded(parts[0], 2), padded(parts[1], 2)
        return (piece << 7 | total) << self._serial.bits | self._serial.write(parts[2:])


def read_text(value: int, bits: int, longest: int) -> str:
    """Up to `longest` characters of 7 bits from the left of a field, rest zero, as a URN shows them."""
    shift = bits - CHARACTER_BITS
    shown = []
    while shift >= 0 and (code := value >> shift & 0x7F):
        character = _TEXT_OF.get(code)
        if character is None:
            raise IdentifierError(f"character code {code:#04x} is not in GS1 set 82")
        shown.append(character)
        shift -= CHARACTER_BITS
    if not 1 <= len(shown) <= longest:
        raise IdentifierError(f"the text has 1 to {longest} characters, not {len(shown)}")
    if value & (1 << shift + CHARACTER_BITS) - 1:
        raise IdentifierError("bits follow the end of the text")
    return "".join(shown)


def write_text(text: str, bits: int, longest: int) -> int:
    """The reverse of `read_text`."""
    if len(text) > 3 * longest:
        raise IdentifierError(f"the text has 1 to {longest} characters")
    pieces = _SHOWN.findall(text)
    if not 1 <= len(pieces) <= longest:
        raise IdentifierError(f"the text has 1 to {longest} characters, not {len(pieces)}")
    value = 0
    for piece in pieces:
        code = _CODE_OF.get(piece)
        if code is None:
            raise IdentifierError("a character is not in GS1 set 82, or not escaped as a URN asks")
        value = value << CHARACTER_BITS | code
    return value << bits - CHARACTER_BITS * len(pieces)


def number(text: str, limit: int) -> int:
    """A decimal number below `limit` without leading zeros."""
    is_number = text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER
    if not is_number or (text[0] == "0" and text != "0"):
        raise IdentifierError("a number without leading zeros stands here")
    value = int(text)
    if value >= limit:
        raise IdentifierError(f"the number is over {limit - 1}")
    return value


def padded(text: str, width: int) -> int:
    """A decimal number of exactly `width` digits; width 0 is the empty text."""
    if len(text) != width or (width and not (text.isascii() and text.isdigit())):
        raise IdentifierError(f"a number of {width} digits stands here")
    return int(text) if width else 0
