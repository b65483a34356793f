"""Characters of 6 bits that end with a zero: letters, digits, `#`, `-` and `/` (TDS 2.3, annex G).

One rule: a URN shows `#` and `/` as %23 and %2F and everything else as it is.
"""

from __future__ import annotations

import re
from typing import Final

from trace_core.errors import IdentifierError
from trace_core.ids.epc.bits import BitReader, BitWriter
from trace_core.ids.gs1 import CHARSET_39

CHARACTER_BITS: Final = 6

_SHOWN_AS: Final = {"#": "%23", "/": "%2F"}
_CODE_OF: Final = {_SHOWN_AS.get(c, c): ord(c) & 0x3F for c in CHARSET_39}
_TEXT_OF: Final = {code: shown for shown, code in _CODE_OF.items()}
_CHARACTER: Final = re.compile("%..|.", re.DOTALL)


def read_terminated(reader: BitReader, longest: int) -> str:
    """Up to `longest` characters, possibly none, as a URN shows them, and the zero behind them."""
    shown: list[str] = []
    while code := reader.take(CHARACTER_BITS):
        if len(shown) == longest:
            raise IdentifierError(f"a text has up to {longest} characters")
        shown.append(character(code))
    return "".join(shown)


def write_terminated(writer: BitWriter, text: str, longest: int) -> None:
    """The reverse of `read_terminated`."""
    for code in (*codes(text, longest), 0):
        writer.put(code, CHARACTER_BITS)


def character(code: int) -> str:
    """One character as a URN shows it."""
    shown = _TEXT_OF.get(code)
    if shown is None:
        raise IdentifierError(f"{code:#04x} stands for no character of 6 bits")
    return shown


def codes(text: str, longest: int) -> list[int]:
    """The reverse of `character`, for up to `longest` of them."""
    pieces = _CHARACTER.findall(text[: 3 * longest + 1])
    if len(pieces) > longest:
        raise IdentifierError(f"a text has up to {longest} characters")
    found = [_CODE_OF.get(piece) for piece in pieces]
    if None in found:
        raise IdentifierError("a text has capital letters, digits, -, and # and / escaped as a URN asks")
    return [code for code in found if code is not None]
