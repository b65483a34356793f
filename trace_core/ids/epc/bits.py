"""Bits from the left, in and out.

One rule: what stands behind the memory reads as zeros, and the reader remembers that it was asked for. So what
a field says never depends on how many words of filling a reader hands over, and a cut tag is still found out.
"""

from __future__ import annotations

from typing import Final

_WORD_BITS: Final = 16


class BitReader:
    """Takes fields off the left end of `memory`."""

    __slots__ = ("_value", "left")

    def __init__(self, memory: bytes) -> None:
        self.left = 8 * len(memory)
        """Bits behind the last field; negative when it ended behind the memory. Set it to an older value to go back."""
        self._value = int.from_bytes(memory, "big")

    def take(self, bits: int) -> int:
        """The next `bits` bits as a number."""
        left = self.left = self.left - bits
        shifted = self._value >> left if left >= 0 else self._value << -left
        return shifted & (1 << bits) - 1

    @property
    def is_overrun(self) -> bool:
        """Whether more was taken than the memory holds."""
        return self.left < 0

    @property
    def is_spent(self) -> bool:
        """Whether nothing but zeros is left."""
        return self.left <= 0 or not self._value & (1 << self.left) - 1

    def rest(self) -> str:
        """The bits left, as 0 and 1 up to the last 1."""
        if self.is_spent:
            return ""
        return f"{self._value & (1 << self.left) - 1:0{self.left}b}".rstrip("0")


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
