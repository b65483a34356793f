"""Mercury serial frames.

    command   FF  Len  opcode  data                  CRC hi  CRC lo     Len + 5 bytes
    reply     FF  Len  opcode  status u16  data      CRC hi  CRC lo     Len + 7 bytes

CRC "Mercury" over Len … last data byte (see `_checks.mercury`). Integers are big endian.

Streamed tag, data of a reply to opcode 22:

    option 10 │ search flags u16 │ metadata flags u16 │ response type │ metadata, lowest flag first │
    bits u16 of what follows │ PC u16 │ [XPC] │ EPC │ CRC-16/GENIBUS u16 over PC … EPC

Source: MercuryAPI 1.35.2.72 C sources (serial_reader_l3.c, serial_reader_imp.h, tmr_status.h, tmr_tag_data.h).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from trace_core.errors import FrameError
from trace_core.readers._base import FieldTag, TagRead
from trace_core.readers._checks import ends_with_genibus, genibus, mercury
from trace_core.readers._framing import MORE
from trace_core.readers._gen2 import epc_of, pc_and_epc

HEADER = 0xFF
COMMAND_OVERHEAD = 5
REPLY_OVERHEAD = 7
MAX_DATA = 255
STREAM_HEAD = 6
"""Bytes of a streamed frame's data before the metadata."""


class Op(IntEnum):
    VERSION = 0x03
    BOOT = 0x04
    BAUD = 0x06
    PROGRAM = 0x0C
    READ_SINGLE = 0x21
    READ_MULTIPLE = 0x22
    """Also the opcode of everything that a streaming module sends."""
    WRITE_TAG = 0x24
    FETCH = 0x29
    CLEAR = 0x2A
    STREAM = 0x2F
    GET_ANTENNAS = 0x61
    GET_POWER = 0x62
    GET_PROTOCOL = 0x63
    GET_GPIO = 0x66
    GET_REGION = 0x67
    GET_POWER_MODE = 0x68
    GET_OPTION = 0x6A
    GET_PROTOCOL_OPTION = 0x6B
    PROTOCOLS = 0x70
    REGIONS = 0x71
    TEMPERATURE = 0x72
    SET_ANTENNAS = 0x91
    SET_POWER = 0x92
    SET_PROTOCOL = 0x93
    SET_GPIO = 0x96
    SET_REGION = 0x97
    SET_POWER_MODE = 0x98
    SET_OPTION = 0x9A
    SET_PROTOCOL_OPTION = 0x9B


OPS = frozenset(int(op) for op in Op)


class Status(IntEnum):
    OK = 0x0000
    BAD_LENGTH = 0x0100
    BAD_OPCODE = 0x0101
    """Also: the bootloader runs and does not know this opcode, or the application runs already."""
    BAD_VALUE = 0x0102
    POWER_TOO_HIGH = 0x0103
    BAD_PARAMETER = 0x0105
    POWER_TOO_LOW = 0x0106
    BAD_BAUD = 0x010A
    BAD_REGION = 0x010B
    NO_TAG = 0x0400
    WRITE_FAILED = 0x0420
    TOO_HOT = 0x0504
    RETURN_LOSS = 0x0505


class Response(IntEnum):
    """Third field of a streamed frame."""

    END = 0
    TAG = 1
    STATUS = 2


REGIONS = {"NA": 0x01, "EU": 0x02, "PRC": 0x06, "EU3": 0x08, "AU": 0x0B, "NA2": 0x0D, "NA3": 0x0E, "OPEN": 0xFF}
GEN2 = b"\x00\x05"

COUNT, RSSI, ANTENNA, DATA = 0x0001, 0x0002, 0x0004, 0x0080
METADATA_BYTES = {
    COUNT: 1, RSSI: 1, ANTENNA: 1, 0x0008: 3, 0x0010: 4, 0x0020: 2, 0x0040: 1, DATA: 2, 0x0100: 1, 0x0200: 1,
    0x0400: 1, 0x0800: 1,
}  # fmt: skip
"""Flag → size of its field in bytes; `DATA` is a bit count and as many bits."""
KNOWN_FLAGS = 0x0FFF
ALL_METADATA = 0x01FF


@dataclass(frozen=True, slots=True)
class Frame:
    """A command (`status` None) or a reply."""

    op: int
    data: bytes = b""
    status: int | None = None

    def to_bytes(self) -> bytes:
        """Bytes on the wire. Raises `ValueError` when the data are too long: our own mistake."""
        if len(self.data) > MAX_DATA:
            raise ValueError(f"{len(self.data)} bytes of data")
        status = b"" if self.status is None else self.status.to_bytes(2, "big")
        body = bytes((len(self.data), self.op)) + status + self.data
        return bytes((HEADER,)) + body + mercury(body).to_bytes(2, "big")

    @classmethod
    def command_from(cls, data: bytes) -> Frame:
        """Exactly one command. Raises `FrameError`."""
        _require(data, COMMAND_OVERHEAD)
        return cls(data[2], bytes(data[3:-2]))

    @classmethod
    def reply_from(cls, data: bytes) -> Frame:
        """Exactly one reply. Raises `FrameError`."""
        _require(data, REPLY_OVERHEAD)
        return cls(data[2], bytes(data[5:-2]), data[3] << 8 | data[4])


def _require(data: bytes, overhead: int) -> None:
    if len(data) < overhead or data[0] != HEADER or data[1] + overhead != len(data) or not is_intact(data):
        raise FrameError("no Mercury frame", where=data[:32].hex())


def measure_command(buffer: bytes, position: int) -> int:
    """See `_framing.Measure`. A run of FF wakes the module, so FF FF begins no command; none is so long."""
    if buffer[position] != HEADER:
        return 0
    if position + 1 >= len(buffer):
        return MORE
    return buffer[position + 1] + COMMAND_OVERHEAD if buffer[position + 1] != HEADER else 0


def measure_reply(buffer: bytes, position: int) -> int:
    """See `_framing.Measure`."""
    if buffer[position] != HEADER:
        return 0
    if position + 2 >= len(buffer):
        return MORE
    return buffer[position + 1] + REPLY_OVERHEAD if buffer[position + 2] in OPS else 0


def is_intact(raw: bytes) -> bool:
    return mercury(raw[1:-2]) == raw[-2] << 8 | raw[-1]


def read_streamed(data: bytes) -> TagRead | str:
    """Data of a streamed tag → the read, or a stable word that says what is wrong with it."""
    if len(data) < STREAM_HEAD:
        return "short"
    found = read_record(data, STREAM_HEAD, data[3] << 8 | data[4])
    if isinstance(found, str):
        return found
    read, end = found
    return read if end == len(data) else "length"


def read_record(data: bytes, position: int, flags: int) -> tuple[TagRead, int] | str:
    """Metadata and tag that begin at `position` → the read and where it ends, or what is wrong with it.

    The fields follow their flags: what stands where differs with every set of flags.
    """
    if flags & ~KNOWN_FLAGS:
        return "metadata"
    count, rssi, antenna = 1, None, None
    for flag, size in METADATA_BYTES.items():
        if not flags & flag:
            continue
        field = data[position : position + size]
        position += size
        if len(field) < size:
            return "short"
        if flag == COUNT:
            count = field[0]
        elif flag == RSSI:
            rssi = float(int.from_bytes(field, "big", signed=True))
        elif flag == ANTENNA:
            antenna = field[0] >> 4 or None
        elif flag == DATA:
            position += ((field[0] << 8 | field[1]) + 7) // 8
    bits = int.from_bytes(data[position : position + 2], "big")
    tag, end = data[position + 2 : position + 2 + bits // 8], position + 2 + bits // 8
    if bits % 16 or end > len(data):
        return "length"
    epc = _epc(tag)
    return epc if isinstance(epc, str) else (TagRead(epc, antenna, rssi, count=max(1, count)), end)


def _epc(tag: bytes) -> bytes | str:
    """PC, XPC, EPC, CRC → EPC, or what is wrong with it."""
    if len(tag) < 6 or not ends_with_genibus(tag):
        return "tag_crc"
    epc = epc_of(tag[:-2])
    return "pc_length" if epc is None else epc


def record(tag: FieldTag, flags: int, since_ms: int) -> bytes:
    """Metadata and tag as a module sends them, `since_ms` after the begin of its cycle."""
    port = tag.antenna & 0x0F
    values = {
        COUNT: 1, RSSI: max(-128, min(127, round(tag.rssi_dbm))) & 0xFF, ANTENNA: port << 4 | port,
        0x0008: 923_200, 0x0010: since_ms & 0xFFFFFFFF, 0x0040: 5, 0x0100: 0x0F,
    }  # fmt: skip
    metadata = b"".join(
        values.get(flag, 0).to_bytes(size, "big") for flag, size in METADATA_BYTES.items() if flags & flag
    )
    body = pc_and_epc(tag.epc)
    body += genibus(body).to_bytes(2, "big")
    return metadata + (8 * len(body)).to_bytes(2, "big") + body
