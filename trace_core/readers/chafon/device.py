"""The reader's end, as R18 or R288: answers like the reader, also when the host is wrong.

A gap of more than 15 ms ends a frame, whole or not. While an inventory runs everything but *stop* is ignored. An
inventory answers when it is done, at the latest after the scan time. Times are seconds of one clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from trace_core.readers._base import BadBytes, FieldTag
from trace_core.readers._framing import Framer
from trace_core.readers._options import choice, number
from trace_core.readers.chafon.frames import (
    ANYONE,
    BANDS,
    Command,
    Frame,
    Status,
    band_bytes,
    is_intact,
    measure_command,
    record_288,
)
from trace_core.readers.chafon.host import MODELS, Model

GAP_S = 0.015
ROUND_S = 0.03
TAG_S = 0.003
PUSH_S = 0.1
HEARTBEAT_S = 5.0
BAUDS = {0: 9_600, 1: 19_200, 2: 38_400, 5: 57_600, 6: 115_200}
MAX_RECORDS = 240
"""Bytes of records in one reply."""
NO_ANSWER = b""


@dataclass(slots=True)
class Settings:
    """What the reader keeps."""

    address: int = 0
    band: bytes = b"\x4e\x00"
    power: int = 30
    scan_time: int = 10
    work_mode: bytes = bytes(6)
    antennas: int = 0x0F
    buzzer: int = 1


@dataclass(frozen=True, slots=True)
class Scan:
    """One inventory that runs; `antenna` from 1, 0 for all."""

    command: int
    antenna: int
    ends: float
    latest: float
    with_tid: bool = False


class ChafonDevice:
    """`DeviceSession` of one simulated reader."""

    def __init__(self, model: Model, address: int, round_s: float) -> None:
        self.baud = self._next_baud = 57_600
        self.settings = Settings(address=address)
        self._model = model
        self._round_s = round_s
        self._framer = Framer(measure_command, is_intact)
        self._scan: Scan | None = None
        self._last_bytes = 0.0
        self._next_push = self._next_beat = 0.0
        self._pushed = 0
        self._answers = self._table()

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> ChafonDevice:
        """Raises `ConfigError`."""
        model = MODELS[choice(options, "model", Model.AUTO.value, MODELS)]
        address = number(options, "address", 0, range(256))
        round_s = number(options, "round_ms", round(1000 * ROUND_S), range(1, 10_001)) / 1000
        return cls(Model.R288 if model is Model.AUTO else model, 0 if address == ANYONE else address, round_s)

    @property
    def _is_288(self) -> bool:
        return self._model is Model.R288

    def receive(self, data: bytes, now: float) -> bytes:
        """Host bytes → the replies, in order."""
        if now - self._last_bytes > GAP_S:
            self._framer = Framer(measure_command, is_intact)
        self._last_bytes = now
        out = bytearray()
        for raw in self._framer.feed(data):
            if isinstance(raw, BadBytes) or raw[1] not in (self.settings.address, ANYONE):
                continue
            if self._scan is None or (self._is_288 and raw[2] == Command.STOP):
                out += self._answer(raw[2], bytes(raw[3:-2]), now)
        return bytes(out)

    def tick(self, now: float, tags: Sequence[FieldTag]) -> Sequence[bytes]:
        """The replies of an inventory that is over by `now`, or what a free-running reader pushes."""
        self.baud = self._next_baud
        scan = self._scan
        if scan is None:
            return self._push(now, tags) if self.settings.work_mode[0] == 1 else []
        seen = [tag for tag in tags if scan.antenna in (0, tag.antenna)]
        if now < min(scan.ends + TAG_S * len(seen), scan.latest):
            return []
        self._scan = None
        in_time = seen[: max(0, round((scan.latest - scan.ends) / TAG_S))]
        over = Status.FINISHED if len(in_time) == len(seen) else Status.TIMEOUT
        return self._report_288(scan, in_time, over) if self._is_288 else self._report_18(scan, in_time, over)

    def power_cycle(self, now: float) -> None:
        """The settings stay, the line speed too; an inventory that ran and the counters are gone."""
        self._scan = None
        self._framer = Framer(measure_command, is_intact)
        self._last_bytes = self._next_push = self._next_beat = now
        self._pushed = 0
        self.baud = self._next_baud

    def _report_288(self, scan: Scan, tags: Sequence[FieldTag], over: Status) -> list[bytes]:
        """One frame a tag with status 03, then an empty one that ends it."""
        frames = []
        for tag in tags:
            tid = tag.tid if scan.with_tid and tag.tid and len(tag.tid) == 12 else None
            data = bytes((1 << tag.antenna - 1, 1)) + record_288(tag.epc, tid)
            frames.append(self._reply(scan.command, Status.MORE_FOLLOW, data))
        last = bytes((1 << scan.antenna - 1 if scan.antenna else 1, 0))
        return [*frames, self._reply(scan.command, over, last)]

    def _report_18(self, scan: Scan, tags: Sequence[FieldTag], over: Status) -> list[bytes]:
        """As many tags in a frame as fit; FB when there are none."""
        if not tags:
            return [self._reply(scan.command, Status.NO_TAG)]
        frames: list[list[FieldTag]] = [[]]
        for tag in tags:
            if sum(1 + len(t.epc) for t in frames[-1]) + 1 + len(tag.epc) > MAX_RECORDS:
                frames.append([])
            frames[-1].append(tag)
        out = []
        for group in frames:
            records = b"".join(bytes((len(tag.epc),)) + tag.epc for tag in group)
            status = over if group is frames[-1] else Status.MORE_FOLLOW
            out.append(self._reply(scan.command, status, bytes((len(group),)) + records))
        return out

    def _push(self, now: float, tags: Sequence[FieldTag]) -> list[bytes]:
        out = []
        if now >= self._next_push:
            self._next_push = now + PUSH_S
            for tag in tags:
                self._pushed += 1
                data = bytes((1 << tag.antenna - 1,)) + record_288(tag.epc) if self._is_288 else tag.epc
                out.append(self._reply(Command.PUSHED, Status.OK, data))
        if self._is_288 and now >= self._next_beat:
            self._next_beat = now + HEARTBEAT_S
            counters = self._pushed.to_bytes(4, "big") + bytes(8) + self._pushed.to_bytes(4, "big")
            out.append(self._reply(Command.PUSHED, Status.HEARTBEAT, counters))
        return out

    def _reply(self, command: int, status: int, data: bytes = b"") -> bytes:
        return Frame(self.settings.address, command, data, status).to_bytes()

    def _answer(self, command: int, data: bytes, now: float) -> bytes:
        if command in (Command.INVENTORY, Command.SINGLE):
            return self._begin(command, data, now)
        if command == Command.INFO:
            return self._reply(command, Status.OK, self._info())
        handler = self._answers.get(command)
        address = self.settings.address
        reply = handler(data) if handler else Status.BAD_COMMAND
        status, body = (reply, b"") if isinstance(reply, Status) else (Status.OK, reply)
        return Frame(address, command, body, status).to_bytes()

    def _begin(self, command: int, data: bytes, now: float) -> bytes:
        """R18: no data. R288: Q and flags, session [, [mask …], target, antenna, scan time]."""
        antenna, scan_time, with_tid = 0, self.settings.scan_time, False
        if self._is_288 and command == Command.INVENTORY:
            if len(data) not in (2, 5) and len(data) < 9:
                return self._reply(command, Status.BAD_LENGTH)
            with_tid = bool(data[0] & 0x20)
            if len(data) > 2:
                antenna, scan_time = (data[-2] & 0x7F) + 1, data[-1] or scan_time
                if not 0x80 <= data[-2] <= 0x83 or data[-3] > 1:
                    return self._reply(command, Status.BAD_PARAMETER)
        elif data:
            return self._reply(command, Status.BAD_LENGTH)
        self._scan = Scan(command, antenna, now + self._round_s, now + scan_time / 10, with_tid)
        return NO_ANSWER

    def _info(self) -> bytes:
        """Version 2, type, protocols, dmaxfre, dminfre, power, scan time; R288: antennas, 2 reserved, antenna check."""
        s = self.settings
        head = b"\x00\x16\x0c\x03" if self._is_288 else b"\x01\x17\x08\x03"
        info = head + s.band + bytes((s.power, s.scan_time))
        return info + bytes((s.antennas, 0, 0, 0)) if self._is_288 else info

    def _table(self) -> dict[int, Callable[[bytes], bytes | Status]]:
        """Command → handler: data in, status or reply data out."""
        keep = self._keep
        both: dict[int, Callable[[bytes], bytes | Status]] = {
            Command.FREQUENCY: self._frequency,
            Command.ADDRESS: lambda d: keep("address", d, range(ANYONE)),
            Command.SCAN_TIME: lambda d: keep("scan_time", d, range(3, 256)),
            Command.BAUD: self._set_baud,
            Command.POWER: lambda d: keep("power", d, range(34)),
            Command.PULSE: lambda d: Status.OK if len(d) == 3 else Status.BAD_LENGTH,
            Command.BUZZER: lambda d: keep("buzzer", d, range(2)),
            Command.READ: lambda _: Status.NO_TAG,
            Command.WRITE: lambda _: Status.NO_TAG,
            Command.WRITE_EPC: lambda _: Status.NO_TAG,
        }
        if self._is_288:
            return both | {
                Command.MODE_288: self._mode_288,
                Command.ANTENNAS: lambda d: keep("antennas", d, range(256)),
                Command.CHECK_ANTENNAS: lambda _: bytes((self.settings.antennas,)),
                Command.STOP: self._stop,
            }
        return both | {
            Command.SET_WORK_MODE: self._set_work_mode,
            Command.GET_WORK_MODE: lambda _: self.settings.work_mode,
        }

    def _keep(self, name: str, data: bytes, allowed: range) -> Status:
        if len(data) != 1:
            return Status.BAD_LENGTH
        if data[0] not in allowed:
            return Status.BAD_PARAMETER
        setattr(self.settings, name, data[0])
        return Status.OK

    def _frequency(self, data: bytes) -> Status:
        if len(data) != 2:
            return Status.BAD_LENGTH
        number_ = data[0] >> 6 << 2 | data[1] >> 6
        band = next((band for band in BANDS.values() if band.number == number_), None)
        if band is None or not data[1] & 0x3F <= data[0] & 0x3F <= band_bytes(band)[0] & 0x3F:
            return Status.BAD_PARAMETER
        self.settings.band = data
        return Status.OK

    def _set_baud(self, data: bytes) -> Status:
        """The answer goes out at the old speed, so the line is switched with the next tick."""
        if len(data) != 1 or data[0] not in BAUDS:
            return Status.BAD_PARAMETER
        self._next_baud = BAUDS[data[0]]
        return Status.OK

    def _mode_288(self, data: bytes) -> Status:
        if len(data) != 1 or data[0] > 2:
            return Status.BAD_PARAMETER
        self.settings.work_mode = data + bytes(5)
        return Status.OK

    def _set_work_mode(self, data: bytes) -> Status:
        if len(data) != 6:
            return Status.BAD_LENGTH
        self.settings.work_mode = data
        return Status.OK

    def _stop(self, _: bytes) -> Status:
        self._scan = None
        return Status.OK
