"""The EPC memory of a Gen2 tag as readers send it: PC, XPC words, EPC.

    PC u16 │ [XPC_W1 u16 [XPC_W2 u16] when PC bit 9] │ EPC

The high 5 bits of the PC are the length in words. Source: Gen2 (ISO/IEC 18000-63).
"""

from __future__ import annotations

MAX_EPC = 62
"""Bytes: 31 words, all that the length bits can say."""

_PC_XPC = 0x02
_XPC_EXTENDED = 0x80


def epc_of(field: bytes) -> bytes | None:
    """PC, XPC and EPC → EPC; None when the PC says another length than there is, or none."""
    size = len(field) - 2
    if size < 2:
        return None
    extra = 0
    if field[0] & _PC_XPC:
        extra = 4 if size >= 4 and field[2] & _XPC_EXTENDED else 2
    # Gen2 lets the length bits count the XPC words or not, by tag generation; both are taken.
    if size - extra <= 0 or 2 * (field[0] >> 3) not in (size, size - extra):
        return None
    return field[2 + extra :]


def pc_and_epc(epc: bytes) -> bytes:
    """`epc` behind the PC word that fits it. Raises `ValueError` unless it has 1 to 31 words."""
    if len(epc) % 2 or not 0 < len(epc) <= MAX_EPC:
        raise ValueError(f"an EPC has 1 to 31 words, not {len(epc)} bytes")
    return bytes((len(epc) << 2, 0)) + epc
