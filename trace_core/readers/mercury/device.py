"""The module's end: answers the vendor driver's connect, continuous reading and synchronous reading.

A frame with a wrong CRC gets no answer. A synchronous read keeps the module busy for its timeout. A streaming module
answers other commands between its tags. Times are seconds of one clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from trace_core.readers._base import BadBytes, FieldTag
from trace_core.readers._checks import genibus
from trace_core.readers._framing import Framer
from trace_core.readers._gen2 import pc_and_epc
from trace_core.readers._options import number, switch
from trace_core.readers.mercury.frames import (
    HEADER,
    KNOWN_FLAGS,
    MAX_DATA,
    REGIONS,
    Frame,
    Op,
    Response,
    Status,
    is_intact,
    measure_command,
    record,
)

GAP_S = 0.25
"""The module gives up half a command after this."""
CYCLE_S = 0.05
TAG_S = 0.003
HEARTBEAT_S = 1.0
MAX_BEHIND_S = 1.0
MAX_BUFFERED = 200
BAUDS = frozenset({9_600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600})
POWER_CDBM = range(500, 3_151)
VERSION = bytes.fromhex("12120100 30000002 20220512 01090404 00000010")
BOOT_OPS = frozenset({Op.VERSION, Op.BOOT, Op.BAUD, Op.PROGRAM})
NO_ANSWER = b""


@dataclass(slots=True)
class Settings:
    """What the module keeps until it loses power."""

    power: int = 2_700
    region: int = 0x06
    protocol: bytes = b"\x00\x05"
    ports: tuple[int, ...] = (1,)
    power_mode: int = 0
    options: dict[int, bytes] = field(default_factory=lambda: {0x0C: b"\x01", 0x0D: bytes(4), 0x12: b"\x00\x00"})
    protocol_options: dict[bytes, bytes] = field(default_factory=dict)
    outputs: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stream:
    """Continuous reading with these flags since `begun`."""

    search: int
    metadata: int
    begun: float


@dataclass(frozen=True, slots=True)
class Search:
    """A synchronous read that answers at `ends`."""

    op: int
    head: bytes
    ends: float


class MercuryDevice:
    """`DeviceSession` of one simulated module."""

    def __init__(self, *, ports: int, cycle_s: float, in_bootloader: bool) -> None:
        self.baud = self._next_baud = 115_200
        self.settings = Settings()
        self.too_hot = False
        """While set, reading pauses and the heartbeat says so."""
        self._ports = ports
        self._cycle_s = cycle_s
        self._in_bootloader = self._boots_into_loader = in_bootloader
        self._framer = Framer(measure_command, is_intact, HEADER)
        self._stream: Stream | None = None
        self._search: Search | None = None
        self._found: dict[bytes, FieldTag] = {}
        self._next_cycle = self._next_beat = self._last_bytes = 0.0
        self._answers = self._table()

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> MercuryDevice:
        """Raises `ConfigError`."""
        return cls(
            ports=number(options, "ports", 4, range(1, 16)),
            cycle_s=number(options, "cycle_ms", 50, range(1, 10_001)) / 1000,
            in_bootloader=switch(options, "in_bootloader"),
        )

    def receive(self, data: bytes, now: float) -> bytes:
        """Host bytes → the replies, in order."""
        if now - self._last_bytes > GAP_S:
            self._framer = Framer(measure_command, is_intact, HEADER)
        self._last_bytes = now
        out = bytearray()
        for raw in self._framer.feed(data):
            if not isinstance(raw, BadBytes) and self._search is None:
                out += self._answer(raw[2], bytes(raw[3:-2]), now)
        return bytes(out)

    def tick(self, now: float, tags: Sequence[FieldTag]) -> Sequence[bytes]:
        """Streamed tags and heartbeats up to `now`, or the answer to a synchronous read that is over."""
        self.baud = self._next_baud
        seen = [tag for tag in tags if tag.antenna in self.settings.ports]
        if self._search is not None:
            return self._searched(self._search, seen, now)
        stream = self._stream
        if stream is None:
            return []
        out: list[bytes] = []
        self._next_cycle = max(self._next_cycle, now - MAX_BEHIND_S)
        while self._next_cycle <= now:
            out += [] if self.too_hot else [self._streamed(stream, tag) for tag in seen]
            self._next_cycle += self._cycle_s + TAG_S * len(seen)
        if now >= self._next_beat:
            self._next_beat = now + HEARTBEAT_S
            status = Status.TOO_HOT if self.too_hot else Status.NO_TAG
            out.append(Frame(Op.READ_MULTIPLE, b"", status).to_bytes())
        return out

    def power_cycle(self, now: float) -> None:
        """The module comes up as delivered: it keeps nothing, neither its line speed nor its region."""
        self.baud = self._next_baud = 115_200
        for name in Settings.__slots__:  # in place: the table of answers holds this object
            setattr(self.settings, name, getattr(Settings(), name))
        self._in_bootloader = self._boots_into_loader
        self._framer = Framer(measure_command, is_intact, HEADER)
        self._stream = self._search = None
        self._found.clear()
        self._last_bytes = now

    def _streamed(self, stream: Stream, tag: FieldTag) -> bytes:
        head = b"\x10" + stream.search.to_bytes(2, "big") + stream.metadata.to_bytes(2, "big")
        since_ms = round(1000 * (self._next_cycle - stream.begun))
        data = head + bytes((Response.TAG,)) + record(tag, stream.metadata, since_ms)
        return Frame(Op.READ_MULTIPLE, data, Status.OK).to_bytes()

    def _searched(self, search: Search, seen: Sequence[FieldTag], now: float) -> list[bytes]:
        """21: EPC and tag CRC of one tag, no PC. 22: how many are in the buffer."""
        for tag in seen:
            if len(self._found) < MAX_BUFFERED:
                self._found[tag.epc] = tag
        if now < search.ends:
            return []
        self._search = None
        if not self._found:
            return [Frame(search.op, b"", Status.NO_TAG).to_bytes()]
        if search.op == Op.READ_SINGLE:
            epc = next(iter(self._found))
            crc = genibus(pc_and_epc(epc))
            return [Frame(search.op, search.head + epc + crc.to_bytes(2, "big"), Status.OK).to_bytes()]
        count = len(self._found).to_bytes(4 if search.head else 1, "big")
        return [Frame(search.op, search.head + count, Status.OK).to_bytes()]

    def _answer(self, op: int, data: bytes, now: float) -> bytes:
        if self._in_bootloader and op not in BOOT_OPS:
            return Frame(op, b"", Status.BAD_OPCODE).to_bytes()
        if op == Op.STREAM:
            reply: bytes | Status = self._continuous(data, now)
        elif op in (Op.READ_SINGLE, Op.READ_MULTIPLE):
            if self._begin_search(op, data, now):
                return NO_ANSWER
            reply = Status.BAD_LENGTH
        else:
            handler = self._answers.get(op)
            reply = handler(data) if handler else Status.BAD_OPCODE
        status, body = (reply, b"") if isinstance(reply, Status) else (Status.OK, reply)
        return Frame(op, body, status).to_bytes()

    def _continuous(self, data: bytes, now: float) -> bytes | Status:
        """Timeout u16, 02: stop. Timeout u16, 01, 22, 0000, protocol, length, read command: start."""
        if len(data) == 3 and data[2] == 2:
            self._stream = None
            return b"\x02\x00\x00"
        if len(data) < 16 or data[2:4] != b"\x01\x22" or data[7] != len(data) - 9 or data[8] != Op.READ_MULTIPLE:
            return Status.BAD_PARAMETER
        metadata = int.from_bytes(data[14:16], "big")
        if metadata & ~KNOWN_FLAGS:
            return Status.BAD_PARAMETER
        self._stream = Stream(int.from_bytes(data[10:12], "big"), metadata, now)
        self._next_cycle, self._next_beat = now + self._cycle_s, now + HEARTBEAT_S
        return b"\x01\x22\x00\x00"

    def _begin_search(self, op: int, data: bytes, now: float) -> bool:
        """21: timeout u16 [, option]. 22: timeout u16, or option, search flags u16, timeout u16 …"""
        long = op == Op.READ_MULTIPLE and len(data) >= 5
        if not long and len(data) not in (2, 3):
            return False
        timeout_ms = int.from_bytes(data[3:5] if long else data[:2], "big")
        self._found.clear()
        self._search = Search(op, data[:3] if long else data[2:3], now + timeout_ms / 1000)
        return True

    def _table(self) -> dict[int, Callable[[bytes], bytes | Status]]:
        """Opcode → handler: data in, status or reply data out."""
        s = self.settings
        return {
            Op.VERSION: lambda _: VERSION,
            Op.BOOT: self._boot,
            Op.PROGRAM: lambda _: b"\x11" if self._in_bootloader else b"\x12",
            Op.BAUD: self._set_baud,
            Op.CLEAR: self._clear,
            Op.FETCH: self._fetch,
            Op.WRITE_TAG: lambda _: Status.WRITE_FAILED,
            Op.GET_ANTENNAS: self._antennas,
            Op.SET_ANTENNAS: self._set_antennas,
            Op.GET_POWER: lambda _: s.power.to_bytes(2, "big"),
            Op.SET_POWER: self._set_power,
            Op.GET_PROTOCOL: lambda _: s.protocol,
            Op.SET_PROTOCOL: lambda d: self._keep("protocol", d, d == b"\x00\x05"),
            Op.GET_REGION: lambda _: bytes((s.region,)),
            Op.SET_REGION: self._set_region,
            Op.REGIONS: lambda _: bytes(REGIONS.values()),
            Op.PROTOCOLS: lambda _: b"\x00\x05",
            Op.TEMPERATURE: lambda _: b"\x23",
            Op.GET_GPIO: lambda _: b"\x01" + b"".join(bytes((pin, 1, v)) for pin, v in s.outputs.items()),
            Op.SET_GPIO: self._set_gpio,
            Op.GET_POWER_MODE: lambda _: bytes((s.power_mode,)),
            Op.SET_POWER_MODE: lambda d: self._keep("power_mode", d[0] if d else 0, len(d) == 1 and d[0] < 5),
            Op.GET_OPTION: lambda d: d + s.options[d[1]] if len(d) == 2 and d[1] in s.options else Status.BAD_PARAMETER,
            Op.SET_OPTION: self._set_option,
            Op.GET_PROTOCOL_OPTION: lambda d: d + s.protocol_options.get(d, b"\x00"),
            Op.SET_PROTOCOL_OPTION: self._set_protocol_option,
        }

    def _keep(self, name: str, value: object, fits: bool) -> Status:
        if not fits:
            return Status.BAD_PARAMETER
        setattr(self.settings, name, value)
        return Status.OK

    def _boot(self, _: bytes) -> bytes | Status:
        if not self._in_bootloader:
            return Status.BAD_OPCODE
        self._in_bootloader = False
        return VERSION

    def _set_baud(self, data: bytes) -> Status:
        """The reply goes out at the old speed, so the line is switched with the next tick."""
        baud = int.from_bytes(data, "big")
        if len(data) != 4 or baud not in BAUDS:
            return Status.BAD_BAUD
        self._next_baud = baud
        return Status.OK

    def _clear(self, _: bytes) -> Status:
        self._found.clear()
        return Status.OK

    def _fetch(self, data: bytes) -> bytes | Status:
        """Metadata u16, option → metadata u16, option, count, as many records as fit; they leave the buffer."""
        flags = int.from_bytes(data[:2], "big")
        if len(data) != 3 or flags & ~KNOWN_FLAGS:
            return Status.BAD_PARAMETER
        records: list[bytes] = []
        while self._found:
            epc = next(iter(self._found))
            entry = record(self._found[epc], flags, 0)
            if sum(map(len, records)) + len(entry) + 4 > MAX_DATA:
                break
            del self._found[epc]
            records.append(entry)
        return data + bytes((len(records),)) + b"".join(records) if records else Status.NO_TAG

    def _antennas(self, data: bytes) -> bytes | Status:
        """05: every port and whether an antenna is there. 02: those that are read, as set."""
        if data == b"\x05":
            return data + b"".join(bytes((port, 1)) for port in range(1, self._ports + 1))
        if data == b"\x02":
            return data + b"".join(bytes((port, port)) for port in self.settings.ports)
        return Status.BAD_PARAMETER if data else bytes((self.settings.ports[0],) * 2)

    def _set_antennas(self, data: bytes) -> Status:
        ports = tuple(data[1::2])
        fits = data[:1] == b"\x02" and len(data) % 2 == 1 and ports and ports == tuple(data[2::2])
        return self._keep("ports", ports, bool(fits) and all(1 <= port <= self._ports for port in ports))

    def _set_power(self, data: bytes) -> Status:
        power = int.from_bytes(data, "big")
        if len(data) != 2:
            return Status.BAD_LENGTH
        if power < POWER_CDBM.start:
            return Status.POWER_TOO_LOW
        return self._keep("power", power, fits=True) if power in POWER_CDBM else Status.POWER_TOO_HIGH

    def _set_region(self, data: bytes) -> Status:
        if len(data) != 1 or data[0] not in REGIONS.values():
            return Status.BAD_REGION
        return self._keep("region", data[0], fits=True)

    def output(self, number: int) -> bool:
        """Pins 1 to 4."""
        return self.settings.outputs.get(number) == 1

    def _set_gpio(self, data: bytes) -> Status:
        if len(data) != 2 or not 1 <= data[0] <= 4 or data[1] > 1:
            return Status.BAD_PARAMETER
        self.settings.outputs[data[0]] = data[1]
        return Status.OK

    def _set_option(self, data: bytes) -> Status:
        """01, key, value."""
        if len(data) < 3 or data[1] not in self.settings.options:
            return Status.BAD_PARAMETER
        self.settings.options[data[1]] = data[2:]
        return Status.OK

    def _set_protocol_option(self, data: bytes) -> Status:
        """Protocol, key, value."""
        if not 3 <= len(data) <= 8:
            return Status.BAD_PARAMETER
        self.settings.protocol_options[data[:2]] = data[2:]
        return Status.OK
