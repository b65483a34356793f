"""The reader's end: answers like the reader, also when the host is wrong.

Frames for other addresses are ignored, the broadcast address is answered with the reader's own. While a round runs
every command is lost. After *reset* and *set baud* the reader is dark for a second. Times are seconds of one clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from trace_core.readers._base import BadBytes, FieldTag
from trace_core.readers._checks import genibus
from trace_core.readers._framing import Framer
from trace_core.readers._gen2 import pc_and_epc
from trace_core.readers._options import choice, number
from trace_core.readers.impinj_r2000.frames import (
    ANYONE,
    HEADER,
    INVENTORIES,
    Code,
    Command,
    Frame,
    is_intact,
    measure,
    rssi_byte,
    tag_frame,
)

GAP_S = 0.05
DARK_S = 1.0
TAG_S = 0.003
BAUDS = {1: 9_600, 2: 19_200, 3: 38_400, 4: 115_200}
LAST_FREQUENCY = {1: 59, 2: 6, 3: 59}
MAX_BUFFERED = 4_000
NO_ANSWER = b""


@dataclass(slots=True)
class Settings:
    """What the reader keeps in flash memory, except `temporary_power`, `outputs` and `wanted`."""

    address: int = 1
    antenna: int = 0
    power: bytes = b"\x1e\x1e\x1e\x1e"
    temporary_power: int | None = None
    region: bytes = b"\x03\x2b\x35"
    beeper: int = 0
    detector: int = 0
    identifier: bytes = b"SIMULATED001"
    outputs: bytes = b"\x00\x00"
    wanted: bytes = b""


@dataclass(frozen=True, slots=True)
class Round:
    """One inventory that runs: `ports` are read in turn, 0-based."""

    command: int
    ports: tuple[int, ...]
    begun: float
    ends: float
    phase: bool = False


@dataclass(slots=True)
class Buffered:
    tag: FieldTag
    count: int = field(default=1)


class R2000Device:
    """`DeviceSession` of one simulated reader."""

    def __init__(self, *, address: int, ports: int, end_frames: str, round_s: float) -> None:
        self.baud = self._next_baud = 115_200
        self.settings = Settings(address=address)
        self.broken_ports: set[int] = set()
        """0-based ports without an antenna; the operator's scissors."""
        self._ports = ports
        self._old = end_frames == "V2.2"
        self._round_s = round_s
        self._framer = Framer(measure, is_intact, HEADER)
        self._round: Round | None = None
        self._buffer: dict[bytes, Buffered] = {}
        self._records: list[bytes] = []
        self._tags: tuple[FieldTag, ...] = ()
        self._dark_until = self._last_bytes = 0.0
        self._answers = self._table()

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> R2000Device:
        """Raises `ConfigError`."""
        address = number(options, "address", 1, range(256))
        return cls(
            address=1 if address == ANYONE else address,
            ports=number(options, "ports", 4, range(4, 9, 4)),
            end_frames=choice(options, "end_frames", "V3", {"V3": 3, "V2.2": 2}),
            round_s=number(options, "round_ms", 40, range(1, 10_001)) / 1000,
        )

    def receive(self, data: bytes, now: float) -> bytes:
        """Host bytes → the replies, in order."""
        if now < self._dark_until:
            return NO_ANSWER
        if now - self._last_bytes > GAP_S:
            self._framer = Framer(measure, is_intact, HEADER)
        self._last_bytes = now
        out = bytearray()
        for raw in self._framer.feed(data):
            if isinstance(raw, BadBytes) or raw[2] not in (self.settings.address, ANYONE):
                continue
            if self._round is None and not self._records and now >= self._dark_until:
                out += self._answer(raw[3], bytes(raw[4:-1]), now)
        return bytes(out)

    def tick(self, now: float, tags: Sequence[FieldTag]) -> Sequence[bytes]:
        """Records that were asked for, or tag frames and end frame of the round that is over by `now`."""
        self._tags = tuple(tags)
        self.baud = self._next_baud  # the reply to *set baud* went out at the old speed
        if self._records:
            records, self._records = self._records, []
            return records
        running = self._round
        if running is None:
            return []
        ends = running.ends + TAG_S * sum(len(self._at(port)) for port in running.ports)
        if now < ends:
            return []
        self._round = None
        frames: list[bytes] = []
        for port in running.ports:
            frames += self._read_at(port, running)
        return [*frames, self._end(running, len(frames), now)]

    def power_cycle(self, now: float) -> None:
        """Flash keeps the settings; power for the moment, the tag to be accessed, outputs and buffer are gone."""
        self._forget()
        self._dark_until = self._last_bytes = now
        self.baud = self._next_baud

    def _forget(self) -> None:
        s = self.settings
        s.temporary_power, s.wanted, s.outputs = None, b"", b"\x00\x00"
        self._round = None
        self._buffer.clear()
        self._records.clear()
        self._framer = Framer(measure, is_intact, HEADER)

    # Inventory

    def _at(self, port: int) -> list[FieldTag]:
        return [tag for tag in self._tags if tag.antenna == port + 1] if port not in self.broken_ports else []

    def _read_at(self, port: int, running: Round) -> list[bytes]:
        if running.command == Command.BUFFER_INVENTORY:
            for tag in self._at(port):
                known = self._buffer.get(tag.epc)
                if known is not None:
                    known.count = min(255, known.count + 1)
                elif len(self._buffer) < MAX_BUFFERED:
                    self._buffer[tag.epc] = Buffered(tag)
            return []
        if port in self.broken_ports:
            return [self._frame(running.command, bytes((port, Code.ANTENNA_MISSING)))]
        source = (self.settings.address, running.command)
        phase = 0 if running.phase else None
        return [tag_frame(source, tag.epc, tag.antenna, tag.rssi_dbm, phase=phase) for tag in self._at(port)]

    def _end(self, running: Round, total: int, now: float) -> bytes:
        millis = round(1000 * (now - running.begun))
        if running.command == Command.BUFFER_INVENTORY:
            data = bytes((running.ports[0],)) + len(self._buffer).to_bytes(2, "big") + bytes(6)
        elif running.command == Command.FAST_SWITCH and self._old:
            data = total.to_bytes(4, "big") + millis.to_bytes(4, "big")
        elif running.command == Command.FAST_SWITCH:
            data = total.to_bytes(3, "big") + millis.to_bytes(4, "big")
        elif self._old:
            data = bytes((running.ports[0],)) + total.to_bytes(4, "big")
        else:
            rate = min(0xFFFF, 1000 * total // max(1, millis))
            data = bytes((running.ports[0],)) + rate.to_bytes(2, "big") + total.to_bytes(4, "big")
        return self._frame(running.command, data)

    def _begin(self, command: int, ports: tuple[int, ...], repeat: int, now: float, *, phase: bool = False) -> bytes:
        if command != Command.FAST_SWITCH and ports[0] in self.broken_ports:
            return self._code(command, Code.ANTENNA_MISSING)
        # FF stands for one round as short as it gets.
        rounds = 1 if repeat in (0, 0xFF) else repeat
        self._round = Round(command, ports, now, now + rounds * self._round_s * len(ports), phase)
        return NO_ANSWER

    def _inventory(self, command: int, data: bytes, now: float) -> bytes:
        """89 repeat · 80 repeat · 8B session, target, [SL, [phase, [power save]]], repeat · 8A ports."""
        here = (self.settings.antenna,)
        if command in (Command.INVENTORY, Command.BUFFER_INVENTORY) and len(data) == 1:
            return self._begin(command, here, data[0], now)
        if command == Command.SESSION_INVENTORY and 3 <= len(data) <= 6 and data[0] < 4 and data[1] < 2:
            return self._begin(command, here, data[-1], now, phase=len(data) >= 5 and data[3] == 1)
        listed = data[:4] if self._old else data[:8:2]
        ports = tuple(port for port in listed if port < self._ports)
        if command == Command.FAST_SWITCH and len(data) == (5 if self._old else 10) and ports:
            return self._begin(command, ports, data[-1], now)
        return self._code(command, Code.BAD_PARAMETER)

    # Commands

    def _frame(self, command: int, data: bytes) -> bytes:
        return Frame(self.settings.address, command, data).to_bytes()

    def _code(self, command: int, code: Code) -> bytes:
        return self._frame(command, bytes((code,)))

    def _answer(self, command: int, data: bytes, now: float) -> bytes:
        if command in INVENTORIES or command == Command.BUFFER_INVENTORY:
            return self._inventory(command, data, now)
        if command == Command.RESET and not data:
            self._dark(now)
            self._forget()
            return NO_ANSWER
        if command == Command.SET_BAUD and len(data) == 1 and data[0] in BAUDS:
            self._dark(now)
            self._next_baud = BAUDS[data[0]]
            return self._code(command, Code.OK)
        if command in (Command.GET_BUFFER, Command.TAKE_BUFFER):
            return self._buffered(command)
        handler = self._answers.get(command)
        reply = handler(data) if handler else Code.FAILED
        return self._code(command, reply) if isinstance(reply, Code) else self._frame(command, reply)

    def _dark(self, now: float) -> None:
        self._dark_until = now + DARK_S

    def _table(self) -> dict[int, Callable[[bytes], bytes | Code]]:
        """Command → handler: data in, result code or reply data out."""
        keep, s = self._keep, self.settings
        return {
            Command.FIRMWARE: lambda _: b"\x01\x09" if self._old else b"\x03\x07",
            Command.SET_ADDRESS: lambda d: keep("address", _one(d), 0 <= _one(d) < ANYONE, Code.BAD_ADDRESS),
            Command.SET_ANTENNA: self._set_antenna,
            Command.GET_ANTENNA: lambda _: bytes((s.antenna,)),
            Command.SET_POWER: self._set_power,
            Command.GET_POWER: lambda _: self._power(),
            Command.SET_TEMPORARY_POWER: self._set_temporary_power,
            Command.SET_REGION: self._set_region,
            Command.GET_REGION: lambda _: s.region,
            Command.BEEPER: lambda d: keep("beeper", _one(d), 0 <= _one(d) < 3, Code.BAD_BEEPER),
            Command.TEMPERATURE: lambda _: b"\x01\x23",
            Command.READ_GPIO: lambda _: b"\x00\x00",
            Command.WRITE_GPIO: self._write_gpio,
            Command.SET_DETECTOR: lambda d: keep("detector", _one(d), _one(d) >= 0, Code.BAD_PARAMETER),
            Command.GET_DETECTOR: lambda _: bytes((s.detector,)),
            Command.SET_IDENTIFIER: lambda d: keep("identifier", d, len(d) == 12, Code.BAD_PARAMETER),
            Command.GET_IDENTIFIER: lambda _: s.identifier,
            Command.SELECT_EPC: self._select,
            Command.READ_TAG: self._read_tag,
            Command.WRITE_TAG: lambda _: self._access(Code.WRITE_FAILED),
            Command.LOCK_TAG: lambda _: self._access(Code.LOCK_FAILED),
            Command.KILL_TAG: lambda _: self._access(Code.KILL_FAILED),
            Command.COUNT_BUFFER: lambda _: len(self._buffer).to_bytes(2, "big"),
            Command.CLEAR_BUFFER: self._clear,
        }

    def _keep(self, name: str, value: object, fits: bool, refusal: Code) -> Code:
        if not fits:
            return refusal
        setattr(self.settings, name, value)
        return Code.OK

    def _set_antenna(self, data: bytes) -> Code:
        if len(data) != 1 or data[0] >= self._ports:
            return Code.BAD_ANTENNA
        if data[0] in self.broken_ports:
            return Code.ANTENNA_MISSING
        self.settings.antenna = data[0]
        return Code.OK

    def _set_power(self, data: bytes) -> Code:
        if len(data) not in (1, 4) or max(data) > 33:
            return Code.BAD_POWER
        self.settings.power = data if len(data) == 4 else data * 4
        self.settings.temporary_power = None
        return Code.OK

    def _set_temporary_power(self, data: bytes) -> Code:
        fits = len(data) == 1 and data[0] <= 33
        return self._keep("temporary_power", data[0] if fits else None, fits, Code.BAD_POWER)

    def _power(self) -> bytes:
        if self.settings.temporary_power is not None:
            return bytes((self.settings.temporary_power,))
        power = self.settings.power
        return power[:1] if len(set(power)) == 1 else power

    def _set_region(self, data: bytes) -> Code:
        if len(data) != 3 or data[0] not in LAST_FREQUENCY:
            return Code.BAD_REGION
        fits = data[1] <= data[2] <= LAST_FREQUENCY[data[0]]
        return self._keep("region", data, fits, Code.BAD_FREQUENCY)

    def output(self, number: int) -> bool:
        """Lines 3 and 4."""
        return self.settings.outputs[number - 3] == 1

    def _write_gpio(self, data: bytes) -> Code:
        if len(data) != 2 or data[0] not in (3, 4) or data[1] > 1:
            return Code.BAD_PARAMETER
        outputs = bytearray(self.settings.outputs)
        outputs[data[0] - 3] = data[1]
        self.settings.outputs = bytes(outputs)
        return Code.OK

    def _select(self, data: bytes) -> Code:
        """00, length, EPC: access this tag only; 01: any."""
        if data == b"\x01":
            self.settings.wanted = b""
            return Code.OK
        fits = len(data) > 2 and data[0] == 0 and data[1] == len(data) - 2
        return self._keep("wanted", data[2:], fits, Code.BAD_PARAMETER)

    def _wanted(self) -> FieldTag | None:
        wanted = self.settings.wanted
        return next((tag for tag in self._at(self.settings.antenna) if wanted in (b"", tag.epc)), None)

    def _access(self, refusal: Code) -> Code:
        """The simulated tags cannot be written, locked or killed."""
        return refusal if self._wanted() else Code.NO_TAG

    def _read_tag(self, data: bytes) -> bytes | Code:
        """Bank, first word, words [, password] → count u16, length, PC EPC CRC data, length read, antenna, reads."""
        if len(data) not in (3, 7):
            return Code.BAD_PARAMETER
        tag = self._wanted()
        if tag is None:
            return Code.NO_TAG
        field_ = _pc_epc_crc(tag.epc)
        memory = {1: field_[-2:] + field_[:-2], 2: tag.tid or b""}.get(data[0], b"")
        words = memory[2 * data[1] : 2 * (data[1] + data[2])]
        if not words or len(words) != 2 * data[2]:
            return Code.READ_FAILED
        body = field_ + words
        return b"\x00\x01" + bytes((len(body),)) + body + bytes((len(words), self.settings.antenna, 1))

    def _buffered(self, command: int) -> bytes:
        """One frame a tag, sent with the next tick; there is no end frame."""
        if not self._buffer:
            return self._code(command, Code.BUFFER_EMPTY)
        total = len(self._buffer).to_bytes(2, "big")
        for entry in self._buffer.values():
            field_, tag = _pc_epc_crc(entry.tag.epc), entry.tag
            tail = bytes((rssi_byte(tag.antenna, tag.rssi_dbm), 1 << 2 | (tag.antenna - 1) & 3, entry.count))
            self._records.append(self._frame(command, total + bytes((len(field_),)) + field_ + tail))
        if command == Command.TAKE_BUFFER:
            self._buffer.clear()
        return NO_ANSWER

    def _clear(self, _: bytes) -> Code:
        self._buffer.clear()
        return Code.OK


def _one(data: bytes) -> int:
    """The only byte of `data`; -1 when there is none or more."""
    return data[0] if len(data) == 1 else -1


def _pc_epc_crc(epc: bytes) -> bytes:
    body = pc_and_epc(epc)
    return body + genibus(body).to_bytes(2, "big")
