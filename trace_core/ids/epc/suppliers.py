"""Schemes of owners that have a CAGE code or DoDAAC instead of a GS1 prefix (TDS 2.3, section 14.6).

    ADI-var   8 bits  6       36          6 each       6     6 each         6
              header  filter  owner code  part number  zero  serial number  zero
    USDOD-96  8 bits  4       48          36
              header  filter  owner code  serial number

An owner code has six characters, or five with a space in front, without I and O. A serial number of ADI may start
with `#`, where there is no part number.
"""

from __future__ import annotations

import re
from typing import Final

from trace_core.errors import IdentifierError
from trace_core.ids.epc.bits import BitReader, BitWriter
from trace_core.ids.epc.fields import number
from trace_core.ids.epc.six_bit import CHARACTER_BITS, read_terminated, write_terminated
from trace_core.ids.epc.tag import Epc

_OWNER: Final = re.compile("[0-9A-HJ-NP-Z]{5,6}")
_OWNER_CHARACTERS: Final = 6
_LONGEST_PART: Final = 32
_LONGEST_SERIAL: Final = 30


class Aerospace:
    """Codec of ADI-var."""

    name: Final = "adi-var"
    header: Final = 0x3B

    def decode(self, epc: bytes) -> Epc:
        """See `Scheme.decode`."""
        reader = BitReader(epc)
        reader.take(8)
        filter_value = reader.take(6)
        owner = _read_owner([_ascii(reader.take(CHARACTER_BITS)) for _ in range(_OWNER_CHARACTERS)])
        part = read_terminated(reader, _LONGEST_PART)
        serial = read_terminated(reader, _LONGEST_SERIAL)
        _require_serial(part, serial)
        if reader.is_overrun or not reader.is_spent:
            raise IdentifierError("the identifier is cut, or bits follow it", where=self.name)
        return Epc(self.name, filter_value, f"urn:epc:id:adi:{owner}.{part}.{serial}")

    def encode(self, fields: str) -> bytes:
        """See `UrnScheme.encode`."""
        filter_text, owner, part, serial = _split(fields, 4, self.name)
        _require_serial(part, serial)
        writer = BitWriter()
        writer.put(self.header, 8)
        writer.put(number(filter_text, 64), 6)
        for code in _owner_codes(owner):
            writer.put(code & 0x3F, CHARACTER_BITS)
        write_terminated(writer, part, _LONGEST_PART)
        write_terminated(writer, serial, _LONGEST_SERIAL)
        return writer.memory()


class Defense:
    """Codec of USDOD-96."""

    name: Final = "usdod-96"
    header: Final = 0x2F

    def decode(self, epc: bytes) -> Epc:
        """See `Scheme.decode`."""
        reader = BitReader(epc)
        reader.take(8)
        filter_value = reader.take(4)
        owner = _read_owner([reader.take(8) for _ in range(_OWNER_CHARACTERS)])
        serial = reader.take(36)
        if reader.is_overrun or not reader.is_spent:
            raise IdentifierError("96 bits stand here, then nothing but zeros", where=self.name)
        return Epc(self.name, filter_value, f"urn:epc:id:usdod:{owner}.{serial}")

    def encode(self, fields: str) -> bytes:
        """See `UrnScheme.encode`."""
        filter_text, owner, serial = _split(fields, 3, self.name)
        writer = BitWriter()
        writer.put(self.header, 8)
        writer.put(number(filter_text, 16), 4)
        for code in _owner_codes(owner):
            writer.put(code, 8)
        writer.put(number(serial, 1 << 36), 36)
        return writer.memory()


def _ascii(code: int) -> int:
    """A character of 6 bits as ASCII: those below 32 are letters."""
    return code if code >= 0x20 else code | 0x40


def _read_owner(characters: list[int]) -> str:
    text = bytes(characters).decode("latin-1")
    owner = text[1:] if text[0] == " " else text
    if _OWNER.fullmatch(owner) is None:
        raise IdentifierError("an owner code has 5 or 6 digits and capital letters without I and O")
    return owner


def _owner_codes(owner: str) -> bytes:
    if _OWNER.fullmatch(owner) is None:
        raise IdentifierError("an owner code has 5 or 6 digits and capital letters without I and O")
    return owner.rjust(_OWNER_CHARACTERS).encode("ascii")


def _split(fields: str, count: int, name: str) -> list[str]:
    parts = fields.split(".")
    if len(parts) != count:
        raise IdentifierError(f"a {name} tag URI has {count} dotted parts", where=name)
    return parts


def _require_serial(part: str, serial: str) -> None:
    behind = serial.removeprefix("%23") if not part else serial
    if not behind or "%23" in part + behind:
        raise IdentifierError("a serial number stands here; # is its first character where there is no part number")
