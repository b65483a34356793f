"""The reader's end: answers like the reader, also when the host is wrong.

A pause of more than 12 ms ends a frame, whole or not. A frame with a wrong CRC or for another address gets no answer.
A tag that was read stays quiet until it leaves the field or the field is reset. While an inventory runs nothing is
heard. Times are seconds of one clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from trace_core.readers._base import BadBytes, FieldTag
from trace_core.readers._framing import Framer
from trace_core.readers._options import number
from trace_core.readers.feig_obid.frames import (
    ANYONE,
    ISO_15693,
    UID_BYTES,
    Control,
    Frame,
    Iso,
    Status,
    is_intact,
    measure_command,
    uid_of,
)

GAP_S = 0.012
TAG_S = 0.006
DARK_S = 0.5
MOST_TAGS = 24
"""In one short reply."""
VERSION = bytes.fromhex("0203 00 47 50 0008")
CONFIG_BLOCKS, CONFIG_BYTES = 16, 14
EEPROM = 0x80
BLOCKS, BLOCK_BYTES = 28, 4
NO_SUCH_BLOCK = b"\x10"
NO_ANSWER = b""


@dataclass(frozen=True, slots=True)
class Search:
    """One inventory that runs; its reply has the form of its command."""

    mode: int
    ends: float
    long: bool


@dataclass(slots=True)
class Config:
    """Configuration blocks: what counts now, and what a reset brings back."""

    now: dict[int, bytes] = field(default_factory=dict)
    kept: dict[int, bytes] = field(default_factory=dict)


class FeigDevice:
    """`DeviceSession` of one simulated reader."""

    def __init__(self, address: int, round_s: float) -> None:
        self.baud = 38_400
        self.address = address
        self._round_s = round_s
        self._framer = Framer(measure_command, is_intact)
        self._search: Search | None = None
        self._quiet: set[bytes] = set()
        self._left_over: list[bytes] = []
        self._memory: dict[bytes, bytearray] = {}
        self._config = Config()
        self._last_bytes = self._dark_until = 0.0
        self._answers: dict[int, Callable[[bytes, float], tuple[Status, bytes] | None]] = {
            Control.BAUD_DETECTION: lambda d, _: (Status.OK if d == b"\0" else Status.BAD_LENGTH, b""),
            Control.CPU_RESET: self._cpu_reset,
            Control.VERSION: lambda _d, _n: (Status.OK, VERSION),
            Control.INFO: lambda d, _: (Status.OK, VERSION) if d == b"\0" else (Status.BAD_PARAMETER, b""),
            Control.RF_RESET: self._rf_reset,
            Control.READ_CONFIG: self._read_config,
            Control.WRITE_CONFIG: self._write_config,
            Control.ISO: self._iso,
        }

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> FeigDevice:
        """Raises `ConfigError`."""
        address = number(options, "address", 0, range(256))
        return cls(0 if address == ANYONE else address, number(options, "round_ms", 30, range(1, 10_001)) / 1000)

    def receive(self, data: bytes, now: float) -> bytes:
        """Host bytes → the replies, in order."""
        if now < self._dark_until:
            return NO_ANSWER
        if now - self._last_bytes > GAP_S:
            self._framer = Framer(measure_command, is_intact)
        self._last_bytes = now
        out = bytearray()
        for raw in self._framer.feed(data):
            if isinstance(raw, BadBytes) or self._search is not None:
                continue
            frame = Frame.command_from(raw)
            if frame.address in (self.address, ANYONE):
                out += self._answer(frame, now)
        return bytes(out)

    def tick(self, now: float, tags: Sequence[FieldTag]) -> Sequence[bytes]:
        """The reply of an inventory that is over by `now`."""
        present = [uid for tag in tags if (uid := uid_of(tag)) is not None]
        self._quiet.intersection_update(present)
        self._memory = {uid: self._memory.get(uid) or bytearray(BLOCKS * BLOCK_BYTES) for uid in present}
        search = self._search
        if search is None:
            return []
        if search.mode:
            found = [uid for uid in self._left_over if uid in self._memory]
        else:
            found = [uid for uid in dict.fromkeys(present) if uid not in self._quiet]
        if now < search.ends + TAG_S * len(found):
            return []
        self._search = None
        self._quiet.update(found)
        told, self._left_over = found[:MOST_TAGS], found[MOST_TAGS:]
        if not told:
            return [self._reply(Control.ISO, Status.NO_TAG, b"", long=search.long)]
        records = b"".join(bytes((ISO_15693, 0)) + uid for uid in told)
        status = Status.MORE_DATA if self._left_over else Status.OK
        return [self._reply(Control.ISO, status, bytes((len(told),)) + records, long=search.long)]

    def power_cycle(self, now: float) -> None:
        """As a CPU reset: the EEPROM's configuration counts again, and tags in the field are no longer quiet."""
        self._restart()
        self._search = None
        self._framer = Framer(measure_command, is_intact)
        self._dark_until = self._last_bytes = now

    def _restart(self) -> None:
        self._config.now = dict(self._config.kept)
        self._quiet.clear()
        self._left_over.clear()

    def _reply(self, control: int, status: Status, data: bytes, *, long: bool) -> bytes:
        return Frame(self.address, control, data, status, long=long).to_bytes()

    def _answer(self, frame: Frame, now: float) -> bytes:
        if frame.control == Control.ISO and frame.data[:1] == bytes((Iso.INVENTORY,)):
            if len(frame.data) != 2 or frame.data[1] not in (0x00, 0x80):
                return self._reply(frame.control, Status.BAD_PARAMETER, b"", long=frame.long)
            self._search = Search(frame.data[1], now + self._round_s, frame.long)
            return NO_ANSWER
        handler = self._answers.get(frame.control)
        answer = handler(frame.data, now) if handler else (Status.BAD_COMMAND, b"")
        return self._reply(frame.control, *answer, long=frame.long) if answer else NO_ANSWER

    def _cpu_reset(self, _: bytes, now: float) -> tuple[Status, bytes]:
        self._dark_until = now + DARK_S
        self._restart()
        return Status.OK, b""

    def _rf_reset(self, _: bytes, _now: float) -> tuple[Status, bytes]:
        self._quiet.clear()
        self._left_over.clear()
        return Status.OK, b""

    def _read_config(self, data: bytes, _: float) -> tuple[Status, bytes]:
        """Block number, +80 for the EEPROM → 14 bytes."""
        if len(data) != 1:
            return Status.BAD_LENGTH, b""
        number_ = data[0] & ~EEPROM
        if number_ >= CONFIG_BLOCKS:
            return Status.RESERVED_BLOCK, b""
        blocks = self._config.kept if data[0] & EEPROM else self._config.now
        return Status.OK, blocks.get(number_, bytes(CONFIG_BYTES))

    def _write_config(self, data: bytes, _: float) -> tuple[Status, bytes]:
        if len(data) != 1 + CONFIG_BYTES:
            return Status.BAD_LENGTH, b""
        number_ = data[0] & ~EEPROM
        if number_ >= CONFIG_BLOCKS:
            return Status.RESERVED_BLOCK, b""
        self._config.now[number_] = data[1:]
        if data[0] & EEPROM:
            self._config.kept[number_] = data[1:]
        return Status.OK, b""

    def _iso(self, data: bytes, _: float) -> tuple[Status, bytes]:
        """23: mode [UID], first block, count. 24: the same, block size, data. Mode 0: the only tag, 1: by UID."""
        if len(data) < 2 or data[0] not in (Iso.READ_BLOCKS, Iso.WRITE_BLOCKS) or data[1] > 1:
            return Status.BAD_PARAMETER, b""
        rest = data[2 + UID_BYTES * data[1] :]
        uid = data[2 : 2 + UID_BYTES] if data[1] else next(iter(self._memory), b"")
        if len(rest) < 2 or (data[0] == Iso.READ_BLOCKS and len(rest) != 2):
            return Status.BAD_LENGTH, b""
        memory = self._memory.get(uid)
        if memory is None:
            return Status.NO_TAG, b""
        first, count = rest[0], rest[1]
        if not count or first + count > BLOCKS:
            return Status.ISO_ERROR, NO_SUCH_BLOCK
        begin, end = first * BLOCK_BYTES, (first + count) * BLOCK_BYTES
        if data[0] == Iso.WRITE_BLOCKS:
            if rest[2:3] != bytes((BLOCK_BYTES,)) or len(rest) != 3 + end - begin:
                return Status.BAD_LENGTH, b""
            memory[begin:end] = rest[3:]
            return Status.OK, b""
        blocks = (memory[i : i + BLOCK_BYTES] for i in range(begin, end, BLOCK_BYTES))
        return Status.OK, bytes((count, BLOCK_BYTES)) + b"".join(b"\0" + bytes(block) for block in blocks)
