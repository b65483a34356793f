"""What the simulated reader says of itself in GET_READER_CAPABILITIES and GET_READER_CONFIG.

Four antennas unless set otherwise, 10 to 33 dBm in steps of 1 dB, 16 channels from 920.625 to 924.375 MHz.
Source: LLRP 1.0.1 §9.2, §12.2, §16.2.3, §16.2.6; channels: the Chinese band for RFID, 920–925 MHz.
"""

from __future__ import annotations

from collections.abc import Sequence

from trace_core.readers.llrp.parameters import Tlv, tlv

MAKER = 32_473
"""The enterprise number that IANA keeps for examples (RFC 5612)."""
MODEL = 1
FIRMWARE = "simulated 1"
OUTPUTS = 4
"""General purpose outputs."""
COUNTRY = 156
"""China in ISO 3166-1."""
POWERS_DBM = tuple(range(10, 34))
CHANNELS_KHZ = tuple(range(920_625, 924_376, 250))
HOP_TABLE = 1
READER_ID = bytes.fromhex("00005EEF10000001")
"""EUI-64 in the range that is kept for documentation (RFC 7042)."""


def capabilities(requested: int, antennas: int) -> list[bytes]:
    """Parameters of the answer: 0 all, 1 general, 2 LLRP, 3 regulatory, 4 air protocol."""
    makers = (_general(antennas), _llrp(), _regulatory(), _air_protocol())
    return [makers[requested - 1]] if 1 <= requested <= len(makers) else list(makers)


def antenna_properties(number: int, *, connected: bool) -> bytes:
    """221: connected in the top bit, id u16, gain s16 in 1/100 dBi."""
    return tlv(Tlv.ANTENNA_PROPERTIES, bytes((0x80 if connected else 0,)), _u16s(number, 600))


def antenna_settings(number: int) -> bytes:
    """222 with the receiver, the transmitter and the session as they are without settings."""
    receiver = tlv(Tlv.RF_RECEIVER, _u16s(1))
    transmitter = tlv(Tlv.RF_TRANSMITTER, _u16s(HOP_TABLE, 1, len(POWERS_DBM)))
    control = tlv(Tlv.C1G2_RF_CONTROL, _u16s(0, 0))
    singulation = tlv(Tlv.C1G2_SINGULATION_CONTROL, b"\x40", _u16s(32), bytes(4))
    inventory = tlv(Tlv.C1G2_INVENTORY_COMMAND, b"\x00", control, singulation)
    return tlv(Tlv.ANTENNA_CONFIGURATION, _u16s(number), receiver, transmitter, inventory)


def identification() -> bytes:
    """218: kind u8 (0: MAC address), length u16, bytes."""
    return tlv(Tlv.IDENTIFICATION, b"\x00", _u16s(len(READER_ID)), READER_ID)


def _general(antennas: int) -> bytes:
    has_clock = 0x4000
    firmware = FIRMWARE.encode()
    parts = [_u16s(antennas, has_clock), _u32s(MAKER, MODEL), _u16s(len(firmware)), firmware]
    parts.append(tlv(Tlv.RECEIVE_SENSITIVITY_ENTRY, _u16s(1, 0)))
    parts.append(tlv(Tlv.GPIO_CAPABILITIES, _u16s(0, OUTPUTS)))
    parts += [tlv(Tlv.ANTENNA_AIR_PROTOCOLS, _u16s(n, 1), b"\x01") for n in range(1, antennas + 1)]
    return tlv(Tlv.GENERAL_CAPABILITIES, *parts)


def _llrp() -> bytes:
    warns_and_holds = 0x48
    limits = _u32s(8, 8, 1, 0, 0)  # ROSpecs, specs in each, inventories in each AISpec, no access specs
    return tlv(Tlv.LLRP_CAPABILITIES, bytes((warns_and_holds, 7)), _u16s(0), limits)


def _regulatory() -> bytes:
    powers = (tlv(Tlv.TRANSMIT_POWER_ENTRY, _u16s(i, 100 * dbm)) for i, dbm in enumerate(POWERS_DBM, 1))
    hops = tlv(Tlv.FREQUENCY_HOP_TABLE, bytes((HOP_TABLE, 0)), _u16s(len(CHANNELS_KHZ)), _u32s(*CHANNELS_KHZ))
    frequencies = tlv(Tlv.FREQUENCY_INFORMATION, b"\x80", hops)
    # Mode, flags (DR 64/3, conformant), Miller 4, PR-ASK, dense mask, 250 kbit/s, PIE 1.5, Tari 12.5 to 25 µs
    mode = _u32s(0) + bytes((0xC0, 2, 0, 2)) + _u32s(250_000, 1_500, 12_500, 25_000, 2_100)
    modes = tlv(Tlv.C1G2_RF_MODE_TABLE, tlv(Tlv.C1G2_RF_MODE_ENTRY, mode))
    band = tlv(Tlv.UHF_BAND_CAPABILITIES, *powers, frequencies, modes)
    return tlv(Tlv.REGULATORY_CAPABILITIES, _u16s(COUNTRY, 0), band)


def _air_protocol() -> bytes:
    return tlv(Tlv.C1G2_CAPABILITIES, b"\x00", _u16s(0))


def _u16s(*values: int) -> bytes:
    return b"".join(value.to_bytes(2, "big") for value in values)


def _u32s(*values: int) -> bytes:
    return b"".join(value.to_bytes(4, "big") for value in values)


def enabled_events(states: Sequence[tuple[int, bool]]) -> bytes:
    """244 as the reader has it."""
    parts = (tlv(Tlv.EVENT_STATE, _u16s(kind), bytes((0x80 if on else 0,))) for kind, on in states)
    return tlv(Tlv.READER_EVENT_SPEC, *parts)
