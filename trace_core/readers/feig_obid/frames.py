"""FEIG OBID i-scan frames. They have no header: a frame is found by its length and its check.

    short   Length      COM-ADR  control  [status]  data  CRC lo  CRC hi      Length 5 to 255
    long    02  Length u16  COM-ADR  control  [status]  data  CRC lo  CRC hi

Length counts the whole frame, CRC included. CRC-16/MCRF4XX over everything before it. Data are big endian. Only
replies have a status.

Inventory reply, data:  count │ count × (TR-type 03, DSFID, UID 8 bytes, E0 first)

Source: FEIG system manuals ID ISC.MR100/101, MR102, PR101, MR200, LRU3000; Siemens SIMATIC RF290R manual 09/2014.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from trace_core.errors import FrameError
from trace_core.readers._base import FieldTag, TagRead
from trace_core.readers._checks import ends_with_mcrf4xx, mcrf4xx
from trace_core.readers._framing import MORE, Measure

ANYONE = 0xFF
LONG = 0x02
MIN_COMMAND, MIN_REPLY = 5, 6
"""Length of a short frame without data."""
LONG_EXTRA = 2
MAX_SHORT = 255
MAX_LONG = 2_048
"""Bytes that are waited for; 200 tags in one reply."""
ISO_15693 = 0x03
UID_FIRST = 0xE0
UID_BYTES = 8
RECORD_BYTES = 2 + UID_BYTES


class Control(IntEnum):
    BAUD_DETECTION = 0x52
    CPU_RESET = 0x63
    VERSION = 0x65
    INFO = 0x66
    RF_RESET = 0x69
    READ_CONFIG = 0x80
    WRITE_CONFIG = 0x81
    ISO = 0xB0


class Iso(IntEnum):
    """First data byte of a command `Control.ISO`."""

    INVENTORY = 0x01
    READ_BLOCKS = 0x23
    WRITE_BLOCKS = 0x24


CONTROLS = frozenset(int(control) for control in Control)


class Status(IntEnum):
    OK = 0x00
    NO_TAG = 0x01
    DATA_CRC = 0x02
    WRITE_FAILED = 0x03
    BAD_ADDRESS = 0x04
    BAD_TAG_TYPE = 0x05
    BAD_CONFIG = 0x11
    RESERVED_BLOCK = 0x15
    BAD_PARAMETER = 0x80
    BAD_LENGTH = 0x81
    BAD_COMMAND = 0x82
    RF_ERROR = 0x83
    MORE_DATA = 0x94
    ISO_ERROR = 0x95


@dataclass(frozen=True, slots=True)
class Frame:
    """A command (`status` None) or a reply, in the short or the long form."""

    address: int
    control: int
    data: bytes = b""
    status: int | None = None
    long: bool = False

    def to_bytes(self) -> bytes:
        """Bytes on the wire. Raises `ValueError` when the data are too long for the form: our own mistake."""
        status = b"" if self.status is None else bytes((self.status,))
        body = bytes((self.address, self.control)) + status + self.data
        size = len(body) + 3 + (LONG_EXTRA if self.long else 0)
        if size > (MAX_LONG if self.long else MAX_SHORT):
            raise ValueError(f"{len(self.data)} bytes of data")
        body = (bytes((LONG,)) + size.to_bytes(2, "big") if self.long else bytes((size,))) + body
        return body + mcrf4xx(body)

    @classmethod
    def command_from(cls, data: bytes) -> Frame:
        """Exactly one command. Raises `FrameError`."""
        _require(data, measure_command)
        start = _start(data)
        return cls(data[start], data[start + 1], bytes(data[start + 2 : -2]), long=start > 1)

    @classmethod
    def reply_from(cls, data: bytes) -> Frame:
        """Exactly one reply. Raises `FrameError`."""
        _require(data, measure_reply)
        start = _start(data)
        return cls(data[start], data[start + 1], bytes(data[start + 3 : -2]), data[start + 2], long=start > 1)


def _start(data: bytes) -> int:
    """Where the address stands."""
    return 1 + LONG_EXTRA if data[0] == LONG else 1


def _require(data: bytes, measure: Measure) -> None:
    if not data or measure(data, 0) != len(data) or not is_intact(data):
        raise FrameError("no OBID frame", where=data[:32].hex())


def measure_command(buffer: bytes, position: int) -> int:
    """See `_framing.Measure`. Any control byte: a simulated reader must refuse those that it does not know."""
    return _measure(buffer, position, MIN_COMMAND)


def measure_reply(buffer: bytes, position: int) -> int:
    """See `_framing.Measure`. The control byte is one that exists."""
    length = _measure(buffer, position, MIN_REPLY)
    if length <= 0:
        return length
    control = position + (2 + LONG_EXTRA if buffer[position] == LONG else 2)
    if control >= len(buffer):
        return MORE
    return length if buffer[control] in CONTROLS else 0


def _measure(buffer: bytes, position: int, shortest: int) -> int:
    length = buffer[position]
    if length == LONG:
        if position + 2 >= len(buffer):
            return MORE
        length = buffer[position + 1] << 8 | buffer[position + 2]
        return length if shortest + LONG_EXTRA <= length <= MAX_LONG else 0
    return length if length >= shortest else 0


def looks_like_tags(buffer: bytes, position: int) -> bool:
    """Whether a reply with tags may begin there: without a header nearly every byte of noise may begin some frame."""
    control = position + (2 + LONG_EXTRA if buffer[position] == LONG else 2)
    head = buffer[control : control + 2]
    return len(head) == 2 and head[0] == Control.ISO and head[1] in (Status.OK, Status.MORE_DATA)


is_intact = ends_with_mcrf4xx


def read_inventory(data: bytes) -> list[TagRead] | str:
    """Data of an inventory reply → the reads, or a stable word that says what is wrong with it."""
    if not data or len(data) != 1 + data[0] * RECORD_BYTES:
        return "records"
    reads = []
    for start in range(1, len(data), RECORD_BYTES):
        kind, uid = data[start], data[start + 2 : start + RECORD_BYTES]
        if kind != ISO_15693:
            return "tag_type"
        if uid[0] != UID_FIRST:
            return "uid"
        reads.append(TagRead(uid, tid=uid))
    return reads


def uid_of(tag: FieldTag) -> bytes | None:
    """What an HF reader sees of a tag in its field; None for a tag of another kind."""
    for uid in (tag.epc, tag.tid or b""):
        if len(uid) == UID_BYTES and uid[0] == UID_FIRST:
            return uid
    return None
