"""The module's end: answers like the module, also when the host is wrong.

A frame with a wrong checksum gets no answer. Polling goes on while other commands are answered. After *set baud*
nothing is answered and the line speed changes at once (`baud`). The byte that wakes a sleeping module is lost.
Times are seconds of one clock, whichever the caller uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from trace_core.errors import ConfigError
from trace_core.readers._base import BadBytes, FieldTag
from trace_core.readers.magicrf.frames import (
    DIALECTS,
    IDLE_GAP_S,
    Command,
    Dialect,
    ErrorCode,
    Frame,
    Kind,
    Scanner,
    TagNotice,
    genibus,
)

INFO = {0: b"M100 26dBm V1.0", 1: b"V2.3.5", 2: b"MagicRf"}
ROUND_MS = 20.0
TAG_S = 0.003
"""Air time of one tag; a 24-byte notice takes 2.1 ms at 115,200 baud, so the line keeps up."""
MAX_BEHIND_S = 1.0
"""A paused simulator skips the rounds it missed beyond this instead of sending them in a burst."""
CHANNELS = {1: 20, 2: 50, 3: 15, 4: 20, 6: 32}
OK = b"\x00"


@dataclass(slots=True)
class Settings:
    """What the module keeps until it loses power or sleeps."""

    region: int = 1
    channel: int = 1
    hopping: bool = True
    power: int = 2_600
    query: bytes = b"\x10\x20"
    demodulator: bytes = b"\x03\x06\x01\xb0"
    select: bytes = b"\x01\x00\x00\x00\x20\x00\x00"
    select_mode: int = 1
    auto_sleep_min: int = 0
    carrier: bool = False


@dataclass(slots=True)
class Poll:
    """Rounds still owed to the host."""

    rounds: int = 0
    next_at: float = 0.0
    frames: list[bytes] = field(default_factory=list)


class MagicRfDevice:
    """`DeviceSession` of one simulated module."""

    def __init__(self, dialect: Dialect, round_s: float) -> None:
        self.baud = 115_200
        self.settings = Settings()
        self.asleep = False
        self._dialect = dialect
        self._round_s = round_s
        self._scanner = Scanner(dialect)
        self._poll = Poll()
        self._tags: tuple[FieldTag, ...] = ()
        self._last_bytes = 0.0
        self._last_command = 0.0
        self._answers = self._table()

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> MagicRfDevice:
        """Raises `ConfigError`."""
        name = options.get("dialect", "BB")
        dialect = next((d for d in DIALECTS if d.name == name), DIALECTS[0] if name == "auto" else None)
        round_ms = options.get("round_ms", ROUND_MS)
        if dialect is None:
            raise ConfigError(f"unknown dialect {name!r}", where="dialect", remedy="use BB or AA")
        if isinstance(round_ms, bool) or not isinstance(round_ms, int | float) or not 1 <= round_ms <= 10_000:
            raise ConfigError(f"a round of {round_ms!r} ms", where="round_ms", remedy="use 1 to 10000")
        return cls(dialect, round_ms / 1000)

    def receive(self, data: bytes, now: float) -> bytes:
        """Host bytes → the replies, in order."""
        if self.asleep and data:
            self.asleep = False
            self.settings = Settings()
            data = data[1:]
        if now - self._last_bytes > IDLE_GAP_S:
            self._scanner = Scanner(self._dialect)
        self._last_bytes = now
        out = bytearray()
        for raw in self._scanner.feed(data):
            if not isinstance(raw, BadBytes) and raw[1] == Kind.COMMAND and not self.asleep:
                self._last_command = now
                out += self._answer(Frame(raw[1], raw[2], raw[5:-2]), now)
        return bytes(out)

    def tick(self, now: float, tags: Sequence[FieldTag]) -> Sequence[bytes]:
        """The notices and empty-round frames of all rounds that ended by `now`."""
        self._tags = tuple(tags)
        idle_min = self.settings.auto_sleep_min
        if idle_min and not self._poll.rounds and now - self._last_command >= 60 * idle_min:
            self.asleep = True
        poll = self._poll
        poll.next_at = max(poll.next_at, now - MAX_BEHIND_S)
        out: list[bytes] = []
        while poll.rounds and poll.next_at <= now:
            frames = self._round()
            out += frames
            poll.rounds -= 1
            poll.next_at += self._round_s + TAG_S * len(frames)
        return out

    def power_cycle(self, now: float) -> None:
        """It comes up as delivered: the documents name nothing that a module keeps."""
        self.baud = 115_200
        self.settings = Settings()
        self.asleep = False
        self._poll = Poll()
        self._scanner = Scanner(self._dialect)
        self._last_bytes = self._last_command = now

    def _round(self) -> list[bytes]:
        answering = [tag for tag in self._tags if self.settings.select_mode != 0 or self._selected(tag.epc)]
        if not answering:
            return [self._error(ErrorCode.NO_TAG)]
        return [TagNotice.of(tag.epc, tag.rssi_dbm).to_bytes(self._dialect) for tag in answering]

    def _selected(self, epc: bytes) -> bool:
        """Whether the select mask fits. Only the EPC bank (CRC, PC, EPC) is modelled; other banks select nothing."""
        select = self.settings.select
        bank, pointer, length = select[0] & 0x03, int.from_bytes(select[1:5], "big"), select[5]
        if bank != 1:
            return length == 0
        memory = _epc_bank(epc)
        if pointer + length > 8 * len(memory):
            return False
        bits = int.from_bytes(memory, "big") >> (8 * len(memory) - pointer - length)
        mask = select[7:]
        wanted = int.from_bytes(mask, "big") >> max(0, 8 * len(mask) - length)
        return bits & ((1 << length) - 1) == wanted

    def _answer(self, frame: Frame, now: float) -> bytes:
        if frame.command == Command.MULTI_INVENTORY:
            return self._multi(frame.parameters, now)
        if frame.command == Command.SINGLE_INVENTORY:
            return b"".join(self._round())
        if frame.command == Command.SET_BAUD and len(frame.parameters) == 2:
            self.baud = 100 * int.from_bytes(frame.parameters, "big") or self.baud
            return b""
        handler = self._answers.get(frame.command)
        reply = handler(frame.parameters) if handler else None
        if reply is None:
            return self._error(ErrorCode.BAD_COMMAND)
        if isinstance(reply, ErrorCode):
            return self._error(reply)
        return Frame(Kind.RESPONSE, frame.command, reply).to_bytes(self._dialect)

    def _multi(self, parameters: bytes, now: float) -> bytes:
        rounds = int.from_bytes(parameters[1:], "big")
        if len(parameters) != 3 or parameters[0] != 0x22 or not rounds:
            return self._error(ErrorCode.BAD_COMMAND)
        self._poll = Poll(rounds=rounds, next_at=now + self._round_s)
        return b""

    def _error(self, code: ErrorCode) -> bytes:
        return Frame(Kind.RESPONSE, Command.ERROR, bytes((code,))).to_bytes(self._dialect)

    def _table(self) -> dict[int, Callable[[bytes], bytes | ErrorCode | None]]:
        """Command → handler: parameters in, reply parameters out; None means error 17."""
        return {
            Command.GET_INFO: lambda p: p + INFO[p[0]] if len(p) == 1 and p[0] in INFO else None,
            Command.STOP: self._stop,
            Command.SET_SELECT: lambda p: self._keep("select", p, p if len(p) >= 7 else None),
            Command.GET_SELECT: lambda _: self.settings.select,
            Command.SELECT_MODE: lambda p: self._keep("select_mode", p, p[0] if p in (b"\0", b"\1", b"\2") else None),
            Command.SET_REGION: lambda p: self._keep("region", p, p[0] if len(p) == 1 and p[0] in CHANNELS else None),
            Command.GET_REGION: lambda _: bytes((self.settings.region,)),
            Command.SET_CHANNEL: self._set_channel,
            Command.GET_CHANNEL: lambda _: bytes((self.settings.channel,)),
            Command.AUTO_HOP: lambda p: self._keep("hopping", p, p == b"\xff" if p in (b"\0", b"\xff") else None),
            Command.SET_POWER: lambda p: self._keep("power", p, int.from_bytes(p, "big") if len(p) == 2 else None),
            Command.GET_POWER: lambda _: self.settings.power.to_bytes(2, "big"),
            Command.SET_QUERY: lambda p: self._keep("query", p, p if len(p) == 2 else None),
            Command.GET_QUERY: lambda _: self.settings.query,
            Command.READ_MEMORY: self._read_memory,
            Command.WRITE_MEMORY: lambda p: ErrorCode.WRITE_FAILED if len(p) >= 9 else None,
            Command.CARRIER: lambda p: self._keep("carrier", p, p == b"\xff" if p in (b"\0", b"\xff") else None),
            Command.SET_DEMODULATOR: lambda p: self._keep("demodulator", p, p if len(p) == 4 else None),
            Command.GET_DEMODULATOR: lambda _: self.settings.demodulator,
            Command.SLEEP: self._sleep,
            Command.AUTO_SLEEP: self._auto_sleep,
            Command.IDLE: lambda p: OK if len(p) == 3 else None,
        }

    def _keep(self, name: str, parameters: bytes, value: object) -> bytes | None:
        """Remember a setting; a value of None is a parameter that the module refuses."""
        if value is None or not parameters:
            return None
        setattr(self.settings, name, value)
        return OK

    def _stop(self, _: bytes) -> bytes:
        self._poll = Poll()
        return OK

    def _set_channel(self, parameters: bytes) -> bytes | None:
        fits = len(parameters) == 1 and parameters[0] < CHANNELS[self.settings.region]
        return self._keep("channel", parameters, parameters[0] if fits else None)

    def _sleep(self, _: bytes) -> bytes:
        self._poll = Poll()
        self.asleep = True
        return OK

    def _auto_sleep(self, parameters: bytes) -> bytes | None:
        if len(parameters) != 1 or parameters[0] > 30:
            return None
        self.settings.auto_sleep_min = parameters[0]
        return parameters

    def _read_memory(self, parameters: bytes) -> bytes | ErrorCode | None:
        """Access password u32, bank, start word u16, words u16 → UL, PC, EPC, data of the first selected tag."""
        if len(parameters) != 9:
            return None
        bank = parameters[4]
        start, words = int.from_bytes(parameters[5:7], "big"), int.from_bytes(parameters[7:], "big")
        tag = next((t for t in self._tags if self.settings.select_mode == 1 or self._selected(t.epc)), None)
        memory = _memory(tag, bank) if tag else b""
        data = memory[2 * start : 2 * (start + words)]
        if tag is None or not words or len(data) != 2 * words:
            return ErrorCode.READ_FAILED
        owner = (len(tag.epc) // 2 << 11).to_bytes(2, "big") + tag.epc
        return bytes((len(owner),)) + owner + data


def _memory(tag: FieldTag, bank: int) -> bytes:
    """Gen2 banks: 1 EPC (CRC, PC, EPC), 2 TID; the simulated tags have no others."""
    if bank == 1:
        return _epc_bank(tag.epc)
    return tag.tid or b"" if bank == 2 else b""


def _epc_bank(epc: bytes) -> bytes:
    field = (len(epc) // 2 << 11).to_bytes(2, "big") + epc
    return genibus(field).to_bytes(2, "big") + field
