"""Bits from the left, in and out.

One rule: what stands behind the memory reads as zeros, and the reader remembers that it was asked for. So what
a field says never depends on how many words of filling a reader hands over, and a cut tag is still found out.
"""

from __future__ import annotations

from typing import Final

_BEYOND: Final = 1024
"""Zero bits behind the memory; longer than all that is read between two looks at `is_overrun`."""
_WORD_BITS: Final = 16


class BitReader:
    """Takes fields off the left end of `memory`."""

    __slots__ = ("_left", "_value")

    def __init__(self, memory: bytes) -> None:
        self._left = 8 * len(memory) + _BEYOND
        self._value = int.from_bytes(memory, "big") << _BEYOND

    def take(self, bits: int) -> int:
        """The next `bits` bits as a number."""
        self._left -= bits
        found = self._value >> self._left
        self._value ^= found << self._left
        return found

    @property
    def is_overrun(self) -> bool:
        """Whether more was taken than the memory holds."""
        return self._left < _BEYOND

    @property
    def is_spent(self) -> bool:
        """Whether nothing but zeros is left."""
        return not self._value

    def copy(self) -> BitReader:
        """Another reader at the same place."""
        twin = BitReader.__new__(BitReader)
        twin._left, twin._value = self._left, self._value
        return twin

    def skip_to(self, other: BitReader) -> None:
        """Goes where `other`, a copy of this reader, has got to."""
        self._left, self._value = other._left, other._value

    def rest(self) -> str:
        """The bits left, as 0 and 1 up to the last 1."""
        return f"{self._value:0{self._left}b}".rstrip("0") if self._value else ""


class BitWriter:
    """Puts fields behind each other."""

    __slots__ = ("_bits", "_value")

    def __init__(self) -> None:
        self._bits = 0
        self._value = 0

    def put(self, value: int, bits: int) -> None:
        """`value` (below 2^bits) in `bits` bits."""
        self._value = self._value << bits | value
        self._bits += bits

    def memory(self) -> bytes:
        """All of it in whole 16 bit words, filled up with zeros."""
        spare = -self._bits % _WORD_BITS
        return (self._value << spare).to_bytes((self._bits + spare) // 8, "big")
