"""Check values of reader frames and tags, named as the CRC catalogue names them. All run at the speed of `binascii`.

`binascii.crc_hqx` is CRC-16 with polynomial 1021, most significant bit first; the others are got from it.
"""

from __future__ import annotations

import binascii

GENIBUS_RESIDUE = 0x1D0F
"""What CRC-16 (polynomial 1021, init FFFF) leaves over data followed by its own complemented CRC."""

_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_AUGMENTED_INIT = binascii.crc_hqx(b"\0\0", 0xFFFF)


def neg8(data: bytes) -> int:
    """Two's complement of the low byte of the sum; `b"123456789"` gives 23."""
    return -sum(data) & 0xFF


def mcrf4xx(data: bytes) -> bytes:
    """CRC-16/MCRF4XX as it is sent, low byte first; `b"123456789"` gives 6F91, sent as 91 6F."""
    mirrored = binascii.crc_hqx(data.translate(_MIRRORED), 0xFFFF)
    return bytes((_MIRRORED[mirrored >> 8], _MIRRORED[mirrored & 0xFF]))


def ends_with_mcrf4xx(data: bytes) -> bool:
    """Whether the last two bytes are the CRC-16/MCRF4XX of all before them."""
    return not binascii.crc_hqx(data.translate(_MIRRORED), 0xFFFF)


def mercury(data: bytes) -> int:
    """ThingMagic's CRC-16 over at least two bytes; `b"123456789"` gives A69D.

    Polynomial 1021 and init FFFF, but bits are shifted into the low end of the register and no 16 zero bits follow:
    the last two bytes are not divided, only added.
    """
    return binascii.crc_hqx(data[:-2], _AUGMENTED_INIT) ^ (data[-2] << 8 | data[-1])


def genibus(data: bytes) -> int:
    """CRC-16/GENIBUS, the CRC of a Gen2 tag over PC and EPC; `b"123456789"` gives D64E."""
    return binascii.crc_hqx(data, 0xFFFF) ^ 0xFFFF


def ends_with_genibus(data: bytes) -> bool:
    """Whether the last two bytes are the CRC-16/GENIBUS of all before them, high byte first."""
    return binascii.crc_hqx(data, 0xFFFF) == GENIBUS_RESIDUE
