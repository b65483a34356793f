"""MagicRF frames and their framing. A frame ends where its length says, never at an end byte.

    offset  0       1     2        3–4             5 … 4+PL    5+PL   6+PL
            header  type  command  PL, big endian  parameters  SUM8   end

SUM8 is the low byte of the sum of offsets 1 … 4+PL. Header and end are `BB`/`7E`, or `AA`/`DD` in R200 firmware.

Tag notice (type 02, command 22), parameters:

    RSSI int8 dBm │ PC u16 │ [XPC_W1 u16 [XPC_W2 u16] when PC bit 9] │ EPC │ CRC-16/GENIBUS u16 over PC … EPC

Source: M100 communication user protocol V2.1, R200 user protocol V2.3.3; tag fields: Gen2 (ISO/IEC 18000-63).
"""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from enum import IntEnum

from trace_core.errors import FrameError
from trace_core.readers._base import BadBytes, TagRead


@dataclass(frozen=True, slots=True)
class Dialect:
    """Frame marks; everything between them is the same in both firmware families."""

    name: str
    header: int
    end: int


BB = Dialect("BB", 0xBB, 0x7E)
AA = Dialect("AA", 0xAA, 0xDD)
DIALECTS = (BB, AA)


class Kind(IntEnum):
    COMMAND = 0x00
    RESPONSE = 0x01
    NOTICE = 0x02


class Command(IntEnum):
    GET_INFO = 0x03
    IDLE = 0x04
    SET_REGION = 0x07
    GET_REGION = 0x08
    GET_SELECT = 0x0B
    SET_SELECT = 0x0C
    GET_QUERY = 0x0D
    SET_QUERY = 0x0E
    SET_BAUD = 0x11
    SELECT_MODE = 0x12
    SLEEP = 0x17
    AUTO_SLEEP = 0x1D
    SINGLE_INVENTORY = 0x22
    MULTI_INVENTORY = 0x27
    STOP = 0x28
    READ_MEMORY = 0x39
    WRITE_MEMORY = 0x49
    GET_CHANNEL = 0xAA
    SET_CHANNEL = 0xAB
    AUTO_HOP = 0xAD
    CARRIER = 0xB0
    SET_POWER = 0xB6
    GET_POWER = 0xB7
    SET_DEMODULATOR = 0xF0
    GET_DEMODULATOR = 0xF1
    ERROR = 0xFF


class ErrorCode(IntEnum):
    READ_FAILED = 0x09
    WRITE_FAILED = 0x10
    NO_TAG = 0x15
    ACCESS_DENIED = 0x16
    BAD_COMMAND = 0x17
    HOP_TIMEOUT = 0x20


REGIONS = {"CN900": 1, "US": 2, "EU": 3, "CN800": 4, "KR": 6}

OVERHEAD = 7
"""Bytes of a frame that are not parameters."""
MAX_FRAME = 1_024
"""Bytes; no documented frame is longer, so a longer one is a lie and is not waited for."""
MAX_NOTICE = OVERHEAD + 1 + 2 + 4 + 62 + 2
"""Bytes of a tag notice with RSSI, PC, two XPC words, 496 bits of EPC and CRC."""
LONGEST = (MAX_FRAME, MAX_FRAME, MAX_NOTICE) + (0,) * 253
"""By frame type; 0: there is no such type."""
IDLE_GAP_S = 0.05
"""A frame is sent in one go: after 50 ms of silence the rest of it will not come."""

_RESIDUE = 0x1D0F
"""What CRC-16 (polynomial 1021, init FFFF) leaves over data followed by its own complemented CRC."""
_RSSI_DBM = tuple(float(byte - 256 if byte > 127 else byte) for byte in range(256))
_PC_XPC = 0x02
_XPC_EXTENDED = 0x80


def genibus(data: bytes) -> int:
    """CRC-16/GENIBUS, the Gen2 tag CRC; `b"123456789"` gives D64E."""
    return binascii.crc_hqx(data, 0xFFFF) ^ 0xFFFF


@dataclass(frozen=True, slots=True)
class Frame:
    """Any frame."""

    kind: int
    command: int
    parameters: bytes = b""

    def to_bytes(self, dialect: Dialect = BB) -> bytes:
        """Bytes on the wire. Raises `ValueError` when the parameters are too long: our own mistake."""
        if len(self.parameters) + OVERHEAD > MAX_FRAME:
            raise ValueError(f"{len(self.parameters)} bytes of parameters")
        body = bytes((self.kind, self.command)) + len(self.parameters).to_bytes(2, "big") + self.parameters
        return bytes((dialect.header,)) + body + bytes((sum(body) & 0xFF, dialect.end))

    @classmethod
    def from_bytes(cls, data: bytes, dialect: Dialect = BB) -> Frame:
        """Exactly one frame. Raises `FrameError`."""
        reason = "short" if len(data) < OVERHEAD else fault(data, dialect)
        if reason:
            raise FrameError(f"no MagicRF frame: {reason}", where=data[:32].hex())
        return cls(data[1], data[2], bytes(data[5:-2]))


@dataclass(frozen=True, slots=True)
class TagNotice:
    """One tag as the module reports it."""

    rssi_dbm: int
    pc: int
    epc: bytes

    @classmethod
    def of(cls, epc: bytes, rssi_dbm: float) -> TagNotice:
        """A notice with the PC word that fits `epc` (whole words)."""
        if len(epc) % 2 or not 0 < len(epc) <= 62:
            raise ValueError(f"an EPC has 1 to 31 words, not {len(epc)} bytes")
        return cls(max(-128, min(127, round(rssi_dbm))), len(epc) // 2 << 11, epc)

    def to_bytes(self, dialect: Dialect = BB) -> bytes:
        field = self.pc.to_bytes(2, "big") + self.epc
        parameters = bytes((self.rssi_dbm & 0xFF,)) + field + genibus(field).to_bytes(2, "big")
        return Frame(Kind.NOTICE, Command.SINGLE_INVENTORY, parameters).to_bytes(dialect)


def fault(data: bytes, dialect: Dialect) -> str:
    """Why `data` (at least 7 bytes) is not exactly one frame, as a stable word; empty when it is one."""
    if data[0] != dialect.header:
        return "header"
    if data[1] > Kind.NOTICE:
        return "type"
    if len(data) != OVERHEAD + (data[3] << 8 | data[4]) or len(data) > LONGEST[data[1]]:
        return "length"
    if data[-1] != dialect.end:
        return "end"
    return "" if sum(data[1:-2]) & 0xFF == data[-2] else "checksum"


def read_tag(raw: bytes) -> TagRead | BadBytes:
    """A tag notice whose frame check is right → the read; `BadBytes` when PC, length or tag CRC disagree."""
    size = len(raw) - 12
    if size < 0 or binascii.crc_hqx(raw[6:-2], 0xFFFF) != _RESIDUE:
        return BadBytes("tag_crc", raw)
    start = 8
    if raw[6] & _PC_XPC:
        # Gen2 lets the length bits count the XPC words or not, by tag generation; both are taken.
        words = 2 if size >= 4 and raw[8] & _XPC_EXTENDED else 1
        start += 2 * words
        size -= 2 * words
        agreed = (raw[6] & 0xF8) >> 2 in (size, size + 2 * words)
    else:
        agreed = (raw[6] & 0xF8) >> 2 == size
    if not agreed or size <= 0 or size % 2:
        return BadBytes("pc_length", raw)
    return TagRead(raw[start:-4], None, _RSSI_DBM[raw[5]])


class Scanner:
    """Cuts a byte stream into checked frames of one dialect; what is no frame comes out as `BadBytes`.

    On any fault it drops one byte and searches again, so damage costs the damaged frame alone. Never holds
    more than one frame (`MAX_FRAME` bytes).
    """

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self._pending = b""

    @property
    def pending(self) -> bytes:
        """Bytes of a frame that is not complete."""
        return self._pending

    def feed(self, data: bytes) -> list[bytes | BadBytes]:
        """Take bytes as they came; the frames that are complete, in order."""
        buffer = self._pending + data if self._pending else data
        header, end = self.dialect.header, self.dialect.end
        marks = header + end
        out: list[bytes | BadBytes] = []
        append = out.append
        size = len(buffer)
        position = 0
        while size - position >= OVERHEAD:
            length = OVERHEAD + (buffer[position + 3] << 8 | buffer[position + 4])
            stop = position + length
            if buffer[position] == header and length <= LONGEST[buffer[position + 1]]:
                if stop > size:
                    break
                raw = buffer[position:stop]
                if raw[-1] == end and not (sum(raw) - marks - 2 * raw[-2]) & 0xFF:
                    append(raw)
                    position = stop
                    continue
            position = self._skip(buffer, position, out)
        if position < size and buffer[position] != header:
            position = self._skip(buffer, position, out)
        self._pending = buffer[position:]
        return out

    def flush(self) -> list[bytes | BadBytes]:
        """The rest will not come: give up the first byte of the partial frame and search what follows it."""
        out: list[bytes | BadBytes] = []
        while self._pending:
            head, rest = self._pending[:1], self._pending[1:]
            self._pending = b""
            _add_bad(out, "partial", head)
            for item in self.feed(rest):
                if isinstance(item, BadBytes):
                    _add_bad(out, item.reason, item.data)
                else:
                    out.append(item)
        return out

    def _skip(self, buffer: bytes, position: int, out: list[bytes | BadBytes]) -> int:
        """Drop at least one byte, up to the next header byte; the new position."""
        following = buffer.find(self.dialect.header, position + 1)
        if following < 0:
            following = len(buffer)
        reason = "noise" if buffer[position] != self.dialect.header else "broken_frame"
        _add_bad(out, reason, buffer[position:following])
        return following


def _add_bad(out: list[bytes | BadBytes], reason: str, data: bytes) -> None:
    """Join neighbouring bad bytes, so that one damaged frame is reported once."""
    if out:
        last = out[-1]
        if isinstance(last, BadBytes) and len(last.data) + len(data) <= MAX_FRAME:
            out[-1] = BadBytes(last.reason, last.data + data)
            return
    out.append(BadBytes(reason, data))


def find_dialect(data: bytes) -> tuple[Dialect | None, int]:
    """Which dialect the first whole frame in `data` speaks, and how many leading bytes can be given up.

    Without a whole frame the answer is None and the number of bytes that cannot begin one in either dialect.
    """
    first: tuple[int, Dialect] | None = None
    waiting = len(data)
    for dialect in DIALECTS:
        position = data.find(dialect.header)
        while position >= 0 and (first is None or position < first[0]):
            state = _frame_at(data, position, dialect)
            if state is None:
                waiting = min(waiting, position)
            elif state:
                first = (position, dialect)
            position = data.find(dialect.header, position + 1)
    return (first[1], 0) if first else (None, waiting)


def _frame_at(data: bytes, position: int, dialect: Dialect) -> bool | None:
    """True: a whole frame begins here; False: none can; None: more bytes are needed to say."""
    if len(data) - position < OVERHEAD:
        return None
    length = OVERHEAD + (data[position + 3] << 8 | data[position + 4])
    if length > LONGEST[data[position + 1]]:
        return False
    if position + length > len(data):
        return None
    return not fault(data[position : position + length], dialect)
