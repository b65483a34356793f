"""Chafon frames. They have no header: a frame is found by its length and its check.

    command   Len  Adr  Cmd    data            CRC lo  CRC hi
    reply     Len  Adr  reCmd  Status  data    CRC lo  CRC hi

Len counts the bytes after it. CRC-16/MCRF4XX over Len … last data byte.

Inventory reply, data:

    R18    Num │ Num × (length, EPC)
    R288   antenna mask │ Num │ Num × (length, EPC, RSSI raw); length bit 7: 12 bytes of TID follow the EPC

Source: UHFReader18 and UHFReader288 drivers (wabson/chafon-rfid, loblik/uhfreader18), UR-series manual 1.14.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from trace_core.errors import FrameError
from trace_core.readers._base import TagRead
from trace_core.readers._checks import ends_with_mcrf4xx, mcrf4xx
from trace_core.readers._framing import MORE

ANYONE = 0xFF
MIN_COMMAND = 4
"""Len of a command without data."""
MIN_REPLY = 5
TID_BYTES = 12


class Command(IntEnum):
    INVENTORY = 0x01
    READ = 0x02
    WRITE = 0x03
    WRITE_EPC = 0x04
    SINGLE = 0x0F
    INFO = 0x21
    FREQUENCY = 0x22
    ADDRESS = 0x24
    SCAN_TIME = 0x25
    BAUD = 0x28
    POWER = 0x2F
    PULSE = 0x33
    SET_WORK_MODE = 0x35
    GET_WORK_MODE = 0x36
    ANTENNAS = 0x3F
    BUZZER = 0x40
    CHECK_ANTENNAS = 0x66
    MODE_288 = 0x76
    STOP = 0x93
    PUSHED = 0xEE
    """Only in replies: what a free-running reader sends unasked."""


TAG_REPLIES = frozenset({Command.INVENTORY, Command.SINGLE})
COMMANDS = frozenset(int(command) for command in Command)


class Status(IntEnum):
    OK = 0x00
    FINISHED = 0x01
    TIMEOUT = 0x02
    MORE_FOLLOW = 0x03
    BUFFER_FULL = 0x04
    STATISTICS = 0x26
    HEARTBEAT = 0x28
    ANTENNA_FAULT = 0xF8
    NO_TAG = 0xFB
    BAD_LENGTH = 0xFD
    BAD_COMMAND = 0xFE
    BAD_PARAMETER = 0xFF


@dataclass(frozen=True, slots=True)
class Band:
    """Channel n is `base_khz + n * step_khz`."""

    number: int
    base_khz: int
    step_khz: int
    last: int


BANDS = {
    "CN900": Band(1, 920_125, 250, 19),
    "US": Band(2, 902_750, 500, 49),
    "KR": Band(3, 917_100, 200, 31),
    "EU": Band(4, 865_100, 200, 14),
    "CN800": Band(8, 840_125, 250, 19),
    "EU3": Band(9, 865_700, 600, 3),
    "US3": Band(12, 902_000, 500, 52),
}


def band_bytes(band: Band) -> bytes:
    """dmaxfre, dminfre of the whole band: two bits of its number on top of each, channel below."""
    return bytes((band.number >> 2 << 6 | band.last, (band.number & 3) << 6))


@dataclass(frozen=True, slots=True)
class Frame:
    """A command (`status` None) or a reply."""

    address: int
    command: int
    data: bytes = b""
    status: int | None = None

    def to_bytes(self) -> bytes:
        """Bytes on the wire. Raises `ValueError` when the data are too long: our own mistake."""
        status = b"" if self.status is None else bytes((self.status,))
        body = bytes((self.address, self.command)) + status + self.data
        if len(body) + 2 > 0xFF:
            raise ValueError(f"{len(self.data)} bytes of data")
        body = bytes((len(body) + 2,)) + body
        return body + mcrf4xx(body)

    @classmethod
    def command_from(cls, data: bytes) -> Frame:
        """Exactly one command. Raises `FrameError`."""
        _require(data, MIN_COMMAND)
        return cls(data[1], data[2], bytes(data[3:-2]))

    @classmethod
    def reply_from(cls, data: bytes) -> Frame:
        """Exactly one reply. Raises `FrameError`."""
        _require(data, MIN_REPLY)
        return cls(data[1], data[2], bytes(data[4:-2]), data[3])


def _require(data: bytes, shortest: int) -> None:
    if len(data) <= shortest or data[0] + 1 != len(data) or not ends_with_mcrf4xx(data):
        raise FrameError("no Chafon frame", where=data[:32].hex())


def measure_command(buffer: bytes, position: int) -> int:
    """See `_framing.Measure`. Any command: a simulated reader must refuse those that it does not know."""
    return buffer[position] + 1 if buffer[position] >= MIN_COMMAND else 0


def measure_reply(buffer: bytes, position: int) -> int:
    """See `_framing.Measure`. The command is one that exists; any status, a new one must be seen."""
    if buffer[position] < MIN_REPLY:
        return 0
    if position + 2 >= len(buffer):
        return MORE
    return buffer[position] + 1 if buffer[position + 2] in COMMANDS else 0


def looks_like_tags(buffer: bytes, position: int) -> bool:
    """Whether a reply with tags may begin there: without a header nearly every byte of noise may begin some frame."""
    head = buffer[position + 2 : position + 4]
    return len(head) == 2 and head[0] in TAG_REPLIES and Status.FINISHED <= head[1] <= Status.BUFFER_FULL


is_intact = ends_with_mcrf4xx


def read_r18(data: bytes) -> list[TagRead] | None:
    """Num, then records; None when they do not fill `data` exactly."""
    if not data:
        return [] if data == b"" else None
    reads = [read for read, _ in _records(data[1:], data[0], tail=0, antenna=None)]
    return reads if _fills(data[1:], data[0], tail=0) else None


def read_r288(data: bytes) -> list[TagRead] | None:
    """Antenna mask, Num, then records; None when they do not fill `data` exactly or the mask is none."""
    if not data:
        return []
    antenna = data[0].bit_length()
    if len(data) < 2 or (data[0] and data[0] != 1 << antenna - 1):
        return None
    if not _fills(data[2:], data[1], tail=1):
        return None
    return [read for read, _ in _records(data[2:], data[1], tail=1, antenna=antenna or None)]


def record_288(epc: bytes, tid: bytes | None = None) -> bytes:
    """length, EPC, RSSI of one tag, as a reader sends it; a TID follows the EPC when there is one."""
    return bytes((len(epc) | (0x80 if tid else 0),)) + epc + (tid or b"") + b"\x5c"


def _fills(data: bytes, count: int, *, tail: int) -> bool:
    ends = [end for _, end in _records(data, count, tail=tail, antenna=None)]
    return len(ends) == count and (ends[-1] if ends else 0) == len(data)


def _records(data: bytes, count: int, *, tail: int, antenna: int | None) -> Iterator[tuple[TagRead, int]]:
    """Reads and where each record ends; stops at the first that cannot be."""
    position = 0
    for _ in range(count):
        if position >= len(data):
            return
        size = data[position] & 0x7F
        with_tid = bool(data[position] & 0x80) and tail == 1
        start = position + 1
        stop = start + size
        position = stop + (TID_BYTES if with_tid else 0) + tail
        if size % 2 or not 0 < size <= 62 or (data[start - 1] & 0x80 and not with_tid) or position > len(data):
            return
        tid = data[stop : stop + TID_BYTES] if with_tid else None
        yield TagRead(data[start:stop], antenna, tid=tid), position
