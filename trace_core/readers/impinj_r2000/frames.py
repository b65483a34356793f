"""R2000 frames.

    offset  0     1    2        3        4 … Len   Len+1
            A0    Len  address  command  data      NEG8

Len counts the bytes after it, check included. NEG8 is the two's complement of the sum of all bytes before it.

Tag frame (commands 89, 8A, 8B), data; Len is odd:

    FreqAnt │ PC u16 │ [XPC_W1 u16 [XPC_W2 u16] when PC bit 9] │ EPC │ RSSI [│ phase u16, if asked for]

FreqAnt: frequency index in the high 6 bits, antenna − 1 in the low 2. RSSI: dBm + 129 in the low 7 bits; bit 7 adds
4 to the antenna of an 8-port reader. Frames that end a round have a Len of 0A or 08, refusals of 04.

Buffer record (commands 90, 91), data:

    records u16 │ N │ PC u16 │ [XPC] │ EPC │ CRC-16/GENIBUS over PC … EPC │ RSSI │ FreqAnt │ times read

N counts PC … CRC. The tag's own CRC is what a tag frame lacks: one damaged tag frame in 256 passes NEG8.

Source: UHF RFID reader serial protocol V2.2 (IND903); V3.x as node-r2k and pyImpinj speak it; tag fields: Gen2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from trace_core.errors import FrameError
from trace_core.readers._base import BadBytes, TagRead
from trace_core.readers._checks import ends_with_genibus, neg8
from trace_core.readers._framing import MORE
from trace_core.readers._gen2 import epc_of, pc_and_epc

HEADER = 0xA0
ANYONE = 0xFF
"""Address that every reader answers, with its own."""
OVERHEAD = 5
RECORD_OVERHEAD = 15
"""Bytes of a buffer record's frame that are not EPC."""
MIN_LEN = 3
"""Len of a frame without data."""
RSSI_OFFSET = 129
"""The V2.2 table uses 130 below 5A (it skips a step); two drivers use 129 throughout. So: within 1 dB."""


class Command(IntEnum):
    READ_GPIO = 0x60
    WRITE_GPIO = 0x61
    SET_DETECTOR = 0x62
    GET_DETECTOR = 0x63
    SET_TEMPORARY_POWER = 0x66
    SET_IDENTIFIER = 0x67
    GET_IDENTIFIER = 0x68
    RESET = 0x70
    SET_BAUD = 0x71
    FIRMWARE = 0x72
    SET_ADDRESS = 0x73
    SET_ANTENNA = 0x74
    GET_ANTENNA = 0x75
    SET_POWER = 0x76
    GET_POWER = 0x77
    SET_REGION = 0x78
    GET_REGION = 0x79
    BEEPER = 0x7A
    TEMPERATURE = 0x7B
    BUFFER_INVENTORY = 0x80
    READ_TAG = 0x81
    WRITE_TAG = 0x82
    LOCK_TAG = 0x83
    KILL_TAG = 0x84
    SELECT_EPC = 0x85
    INVENTORY = 0x89
    FAST_SWITCH = 0x8A
    SESSION_INVENTORY = 0x8B
    GET_BUFFER = 0x90
    TAKE_BUFFER = 0x91
    COUNT_BUFFER = 0x92
    CLEAR_BUFFER = 0x93


class Code(IntEnum):
    """Result of a command. Which value of 42–4F is which is known from one maker's table only."""

    OK = 0x10
    FAILED = 0x11
    ANTENNA_MISSING = 0x22
    READ_FAILED = 0x32
    WRITE_FAILED = 0x33
    LOCK_FAILED = 0x34
    KILL_FAILED = 0x35
    NO_TAG = 0x36
    BUFFER_EMPTY = 0x38
    BAD_PARAMETER = 0x41
    BAD_ADDRESS = 0x46
    BAD_ANTENNA = 0x47
    BAD_POWER = 0x48
    BAD_REGION = 0x49
    BAD_BAUD = 0x4A
    BAD_BEEPER = 0x4B
    BAD_FREQUENCY = 0x4F


INVENTORIES = frozenset({Command.INVENTORY, Command.FAST_SWITCH, Command.SESSION_INVENTORY})
RECORDS = frozenset({Command.GET_BUFFER, Command.TAKE_BUFFER})
SHORT_LEN = 0x0C
"""Len up to which ends of rounds and refusals go."""
REPLIES: Mapping[int, tuple[int, int | None]] = (
    {int(command): (15, None) for command in Command}
    | {int(command): (3 + 9 + 62, 1) for command in INVENTORIES}
    | {int(command): (3 + 12 + 62, 1) for command in RECORDS}
    | {int(command): (255, None) for command in (Command.READ_TAG, Command.WRITE_TAG)}
)
"""Command → longest Len of its reply, and whether a Len over `SHORT_LEN` is even (0), odd (1) or either."""
REGIONS = {"FCC": 1, "ETSI": 2, "CHN": 3}


@dataclass(frozen=True, slots=True)
class Frame:
    """Any frame; commands and replies look the same."""

    address: int
    command: int
    data: bytes = b""

    def to_bytes(self) -> bytes:
        """Bytes on the wire. Raises `ValueError` when the data are too long: our own mistake."""
        if len(self.data) + MIN_LEN > 0xFF:
            raise ValueError(f"{len(self.data)} bytes of data")
        body = bytes((HEADER, len(self.data) + MIN_LEN, self.address, self.command)) + self.data
        return body + bytes((neg8(body),))

    @classmethod
    def from_bytes(cls, data: bytes) -> Frame:
        """Exactly one frame. Raises `FrameError`."""
        if len(data) < OVERHEAD or measure(data, 0) != len(data) or not is_intact(data):
            raise FrameError("no R2000 frame", where=data[:32].hex())
        return cls(data[2], data[3], bytes(data[4:-1]))


def measure(buffer: bytes, position: int) -> int:
    """Length of the frame at `position`, 0 or `MORE` (see `_framing.Measure`)."""
    if buffer[position] != HEADER:
        return 0
    if position + 1 >= len(buffer):
        return MORE
    length = buffer[position + 1]
    return length + 2 if length >= MIN_LEN else 0


def measure_reply(buffer: bytes, position: int) -> int:
    """As `measure`, for the host: with 8 bits of check, a frame that no reader sends is not waited for."""
    length = measure(buffer, position)
    if length <= 0:
        return length
    if position + 3 >= len(buffer):
        return MORE
    longest, parity = REPLIES.get(buffer[position + 3], (0, None))
    fits = length - 2 <= longest and (length - 2 <= SHORT_LEN or parity in (None, length % 2))
    return length if fits else 0


def is_intact(raw: bytes) -> bool:
    return not sum(raw) & 0xFF


def is_reply_intact(raw: bytes) -> bool:
    """As `is_intact`, for the host: a frame that lost a byte and took the next frame's first one can pass NEG8."""
    if sum(raw) & 0xFF:
        return False
    if raw[3] in RECORDS and len(raw) >= RECORD_OVERHEAD:
        return raw[6] == len(raw) - 11 and ends_with_genibus(raw[7:-4])
    if raw[3] in INVENTORIES and is_tag(raw):
        return any(epc_of(raw[5:-tail]) is not None for tail in (2, 4))
    return True


@dataclass(frozen=True, slots=True)
class TagLayout:
    """What the operator says of the reader: the frame does not tell."""

    ports: int = 4
    phase: bool = False
    first_byte_is_antenna: bool = True
    """False on readers of active tags that put the tag's battery there."""


def is_tag(raw: bytes) -> bool:
    """Whether an intact frame of an inventory is a tag frame; the others end or refuse a round."""
    length = raw[1]
    if length % 2 == 0 or length < MIN_LEN + 4:
        return False
    # V2.2 ends a fast switch with total u32 and time u32: a Len of 0B, as a tag frame with 32 bits of EPC.
    return raw[3] != Command.FAST_SWITCH or length != 0x0B or raw[5] >> 3 == 2


def read_tag(raw: bytes, layout: TagLayout) -> TagRead | BadBytes:
    """An intact tag frame → the read; `BadBytes` when PC and length disagree or a byte is out of range."""
    tail = 4 if layout.phase and raw[3] == Command.SESSION_INVENTORY else 2
    epc = epc_of(raw[5:-tail])
    if epc is None:
        return BadBytes("pc_length", raw)
    return _placed(raw, epc, (raw[4], raw[-tail]), layout)


def read_record(raw: bytes, layout: TagLayout) -> TagRead | BadBytes:
    """An intact buffer record → the read; `BadBytes` when the PC disagrees or a byte is out of range."""
    field = raw[7:-4]
    epc = epc_of(field[:-2])
    if epc is None:
        return BadBytes("pc_length", raw)
    return _placed(raw, epc, (raw[-3], raw[-4]), layout, count=raw[-2])


def _placed(
    raw: bytes, epc: bytes, freq_ant_rssi: tuple[int, int], layout: TagLayout, *, count: int = 1
) -> TagRead | BadBytes:
    freq_ant, rssi = freq_ant_rssi
    if rssi & 0x80 and layout.ports < 8:
        return BadBytes("rssi", raw)
    port = (freq_ant & 0x03) + 1 + (rssi & 0x80) // 32
    antenna = port if layout.first_byte_is_antenna else None
    return TagRead(epc, antenna, float((rssi & 0x7F) - RSSI_OFFSET), count=max(1, count))


def rssi_byte(antenna: int, rssi_dbm: float) -> int:
    """RSSI with the antenna's high bit; `antenna` from 1."""
    return max(0, min(0x7F, round(rssi_dbm) + RSSI_OFFSET)) | ((antenna - 1) & 4) << 5


def tag_frame(
    frame: tuple[int, int], epc: bytes, antenna: int, rssi_dbm: float, *, frequency: int = 1, phase: int | None = None
) -> bytes:
    """A tag frame of (address, command) with the PC word that fits `epc`; `antenna` from 1. Raises `ValueError`."""
    port = antenna - 1
    data = bytes((frequency << 2 | port & 3,)) + pc_and_epc(epc) + bytes((rssi_byte(antenna, rssi_dbm),))
    if phase is not None:
        data += phase.to_bytes(2, "big")
    return Frame(*frame, data).to_bytes()
