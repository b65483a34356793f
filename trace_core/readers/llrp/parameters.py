"""LLRP parameters: the two forms, their lengths, and how a body of them is cut.

    TLV   0 0 0 0 0 0 │ type, 10 bits │ length u16, header included │ body
    TV    1 │ type, 7 bits │ value, fixed length by type

All integers are big endian. An unknown TLV is skipped by its length; an unknown TV has no known length, so what
follows it in the same parent cannot be read.
Source: EPCglobal LLRP 1.0.1 §16 and LLRP 1.1 §17 (binary encoding).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import IntEnum

from trace_core.errors import FrameError

TLV_HEADER = 4
TV_BIT = 0x80
MAX_TLV = 0xFFFF
"""Bytes of a TLV: its length is a u16."""


class Tv(IntEnum):
    """Parameters with a fixed length."""

    ANTENNA_ID = 1
    FIRST_SEEN_UTC = 2
    FIRST_SEEN_UPTIME = 3
    LAST_SEEN_UTC = 4
    LAST_SEEN_UPTIME = 5
    PEAK_RSSI = 6
    CHANNEL_INDEX = 7
    SEEN_COUNT = 8
    ROSPEC_ID = 9
    INVENTORY_SPEC_ID = 10
    C1G2_CRC = 11
    C1G2_PC = 12
    EPC_96 = 13
    SPEC_INDEX = 14
    CLIENT_REQUEST_RESULT = 15
    ACCESS_SPEC_ID = 16
    OP_SPEC_ID = 17
    SINGULATION_DETAILS = 18
    C1G2_XPC_W1 = 19
    C1G2_XPC_W2 = 20


TV_LENGTH: dict[int, int] = {
    Tv.ANTENNA_ID: 2,
    Tv.FIRST_SEEN_UTC: 8,
    Tv.FIRST_SEEN_UPTIME: 8,
    Tv.LAST_SEEN_UTC: 8,
    Tv.LAST_SEEN_UPTIME: 8,
    Tv.PEAK_RSSI: 1,
    Tv.CHANNEL_INDEX: 2,
    Tv.SEEN_COUNT: 2,
    Tv.ROSPEC_ID: 4,
    Tv.INVENTORY_SPEC_ID: 2,
    Tv.C1G2_CRC: 2,
    Tv.C1G2_PC: 2,
    Tv.EPC_96: 12,
    Tv.SPEC_INDEX: 2,
    Tv.CLIENT_REQUEST_RESULT: 2,
    Tv.ACCESS_SPEC_ID: 4,
    Tv.OP_SPEC_ID: 2,
    Tv.SINGULATION_DETAILS: 4,
    Tv.C1G2_XPC_W1: 2,
    Tv.C1G2_XPC_W2: 2,
}
"""Bytes of the value, without the type byte. Every TV of LLRP 1.0.1 and 1.1 is here."""


class Tlv(IntEnum):
    """Parameters with a length of their own, as far as either end makes or reads them."""

    UTC_TIMESTAMP = 128
    UPTIME = 129
    GENERAL_CAPABILITIES = 137
    RECEIVE_SENSITIVITY_ENTRY = 139
    ANTENNA_AIR_PROTOCOLS = 140
    GPIO_CAPABILITIES = 141
    GPO_WRITE_DATA = 219
    LLRP_CAPABILITIES = 142
    REGULATORY_CAPABILITIES = 143
    UHF_BAND_CAPABILITIES = 144
    TRANSMIT_POWER_ENTRY = 145
    FREQUENCY_INFORMATION = 146
    FREQUENCY_HOP_TABLE = 147
    FIXED_FREQUENCY_TABLE = 148
    ROSPEC = 177
    RO_BOUNDARY = 178
    RO_START_TRIGGER = 179
    PERIODIC_TRIGGER = 180
    GPI_TRIGGER = 181
    RO_STOP_TRIGGER = 182
    AI_SPEC = 183
    AI_STOP_TRIGGER = 184
    TAG_OBSERVATION_TRIGGER = 185
    INVENTORY_SPEC = 186
    RF_SURVEY_SPEC = 187
    LLRP_CONFIGURATION_STATE = 217
    IDENTIFICATION = 218
    KEEPALIVE_SPEC = 220
    ANTENNA_PROPERTIES = 221
    ANTENNA_CONFIGURATION = 222
    RF_RECEIVER = 223
    RF_TRANSMITTER = 224
    EVENTS_AND_REPORTS = 226
    RO_REPORT_SPEC = 237
    TAG_REPORT_SELECTOR = 238
    ACCESS_REPORT_SPEC = 239
    TAG_REPORT_DATA = 240
    EPC_DATA = 241
    RF_SURVEY_REPORT = 242
    READER_EVENT_SPEC = 244
    EVENT_STATE = 245
    READER_EVENT_DATA = 246
    ROSPEC_EVENT = 249
    BUFFER_LEVEL_WARNING = 250
    BUFFER_OVERFLOW = 251
    READER_EXCEPTION = 252
    AISPEC_EVENT = 254
    ANTENNA_EVENT = 255
    CONNECTION_ATTEMPT = 256
    CONNECTION_CLOSED = 257
    LLRP_STATUS = 287
    FIELD_ERROR = 288
    PARAMETER_ERROR = 289
    C1G2_CAPABILITIES = 327
    C1G2_RF_MODE_TABLE = 328
    C1G2_RF_MODE_ENTRY = 329
    C1G2_INVENTORY_COMMAND = 330
    C1G2_RF_CONTROL = 335
    C1G2_SINGULATION_CONTROL = 336
    C1G2_REPORT_SELECTOR = 348
    CUSTOM = 1023


def tlv(kind: int, *parts: bytes) -> bytes:
    """One TLV parameter. Raises `ValueError` when it would be longer than its length field can say."""
    body = b"".join(parts)
    length = TLV_HEADER + len(body)
    if length > MAX_TLV:
        raise ValueError(f"parameter {kind} of {length} bytes")
    return kind.to_bytes(2, "big") + length.to_bytes(2, "big") + body


def tv(kind: int, value: int | bytes) -> bytes:
    """One TV parameter; an int is put into as many bytes as the type has, two's complement when negative."""
    size = TV_LENGTH[kind]
    if isinstance(value, int):
        value = value.to_bytes(size, "big", signed=value < 0)
    if len(value) != size:
        raise ValueError(f"parameter {kind} has {size} bytes, not {len(value)}")
    return bytes((TV_BIT | kind,)) + value


def tlv_end(data: bytes, position: int, end: int) -> int:
    """Where the TLV at `position` ends, at most `end`; 0 when no TLV can begin there. Needs four bytes there."""
    if data[position] > 0x03 or (data[position] == 0 and data[position + 1] < TV_BIT):
        return 0
    length = data[position + 2] << 8 | data[position + 3]
    following = position + length
    return following if length >= TLV_HEADER and following <= end else 0


def parameters(data: bytes, position: int = 0) -> Iterator[tuple[int, bytes]]:
    """(type, value) of each parameter from `position` to the end; TV types are 1 to 127, TLV types 128 to 1023.

    Raises `FrameError` at a length that does not fit, or at a TV of unknown type: what follows is unreadable.
    """
    end = len(data)
    while position < end:
        first = data[position]
        if first & TV_BIT:
            kind = first & 0x7F
            size = TV_LENGTH.get(kind)
            if size is None or position + 1 + size > end:
                raise FrameError(f"TV parameter {kind} of unknown or wrong length", where=f"offset {position}")
            yield kind, data[position + 1 : position + 1 + size]
            position += 1 + size
            continue
        following = tlv_end(data, position, end) if position + TLV_HEADER <= end else 0
        if not following:
            raise FrameError("a parameter's length does not fit its parent", where=f"offset {position}")
        yield first << 8 | data[position + 1], data[position + TLV_HEADER : following]
        position = following


def one(items: Sequence[tuple[int, bytes]], kind: int) -> bytes:
    """The value of the only parameter of this type. Raises `FrameError` when it is missing or repeated."""
    found = [value for this, value in items if this == kind]
    if len(found) != 1:
        raise FrameError(f"{len(found)} parameters of type {kind} where one is required")
    return found[0]


def at_most_one(items: Sequence[tuple[int, bytes]], kind: int) -> bytes | None:
    """Like `one`, but None when it is missing."""
    return one(items, kind) if any(this == kind for this, _ in items) else None


def at_least(value: bytes, size: int) -> bytes:
    """`value` itself. Raises `FrameError` when it is shorter than its fixed fields."""
    if len(value) < size:
        raise FrameError(f"a parameter of {len(value)} bytes where {size} are needed")
    return value


def u16(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 2], "big")


def u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")
