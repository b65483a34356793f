"""The gateway's end: identify, configure, then one inventory round an antenna, for ever.

These readers have no free-running mode: select the antenna (74), inventory into the buffer (80), get the buffer (90),
again if a record is missing, clear it (93), next antenna. What gets no reply is asked again after the longest time it
can take. Tag frames of the real-time
inventory (89, 8B) come sooner by a round but carry no tag CRC, so they are read in mode `realtime` only, and a new
tag must then come three times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from trace_core.errors import ConfigError
from trace_core.readers._asking import AskingHost, Step
from trace_core.readers._base import BadBytes, HostOutput, TagRead
from trace_core.readers._framing import Belief, Framer
from trace_core.readers._options import antennas, choice, number, optional_choice, optional_number, switch
from trace_core.readers.impinj_r2000.frames import (
    ANYONE,
    HEADER,
    INVENTORIES,
    RECORD_OVERHEAD,
    RECORDS,
    REGIONS,
    Code,
    Command,
    Frame,
    TagLayout,
    is_reply_intact,
    is_tag,
    measure_reply,
    read_record,
    read_tag,
)

GAP_S = 0.05
SIGHTINGS = 3
"""In mode `realtime`: an 8-bit check is all that such a frame has, and one damaged frame in 256 passes it."""
ROUND_S = 0.255
"""Longest round for each repetition, by the manual."""
LOST_S = 1.0
"""Beyond that, a real-time round has lost its end frame."""
REPLY_S = 0.15
"""Without a reply to another command, or the next record, for so long, it was lost. At 9,600 baud both take 35 ms."""
GETS = 3
"""A buffer that does not come whole is asked for so often before it is cleared."""
MODES = {"buffer": False, "realtime": True}
FIRST_BYTES = {"antenna": True, "battery": False}
WHOLE_BAND = {1: b"\x07\x3b", 2: b"\x00\x06", 3: b"\x2b\x35"}
"""Region → its first and last frequency index."""
MISSING_ROUNDS = 200
"""Rounds after which an antenna that was reported missing is tried again: about 10 s."""


@dataclass(frozen=True, slots=True)
class R2000Options:
    """Host options, checked. What is None stays as the reader was left."""

    address: int = ANYONE
    antennas: tuple[int, ...] = (1, 2, 3, 4)
    region: int | None = None
    power_dbm: int | None = None
    session: int | None = None
    repeat: int = 1
    realtime: bool = False
    sightings: int = SIGHTINGS
    layout: TagLayout = field(default_factory=TagLayout)

    @classmethod
    def parse(cls, options: Mapping[str, object]) -> R2000Options:
        """Raises `ConfigError`."""
        ports = number(options, "ports", 4, range(4, 9, 4))
        session = optional_number(options, "session", range(4))
        phase = switch(options, "phase")
        realtime = MODES[choice(options, "mode", "buffer", MODES)]
        if session is not None and not realtime:
            raise ConfigError("sessions are of the real-time inventory", where="session", remedy='mode = "realtime"')
        if phase and session is None:
            raise ConfigError("phase comes with session inventory only", where="phase", remedy="set session")
        first_byte = choice(options, "first_byte", "antenna", FIRST_BYTES)
        return cls(
            address=number(options, "address", ANYONE, range(256)),
            antennas=antennas(options, "antennas", ports) or tuple(range(1, ports + 1)),
            region=optional_choice(options, "region", REGIONS),
            power_dbm=optional_number(options, "power_dbm", range(34)),
            session=session,
            repeat=number(options, "repeat", 1, range(1, 255)),
            realtime=realtime,
            sightings=number(options, "sightings", SIGHTINGS, range(1, 11)),
            layout=TagLayout(ports, phase, first_byte_is_antenna=FIRST_BYTES[first_byte]),
        )


class Turn(Enum):
    """What the host asks for next, or is waiting for."""

    SELECT = 0
    ROUND = 1
    GET = 2
    CLEAR = 3


class R2000Host(AskingHost):
    """`HostSession` of one R2000 reader."""

    def __init__(self, options: R2000Options) -> None:
        belief = Belief(options.sightings, trusting=False) if options.realtime else None
        super().__init__(Framer(measure_reply, is_reply_intact, HEADER), gap_s=GAP_S, belief=belief)
        self._options = options
        self._at = -1
        self._turn = Turn.SELECT
        self._rounds = 0
        self._records = self._gets = 0
        self._missing: dict[int, int] = {}

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> R2000Host:
        return cls(R2000Options.parse(options))

    def set_output(self, number: int, now: float, *, high: bool) -> Sequence[HostOutput]:  # noqa: ARG002 - a contract
        """Lines 3 and 4 of the module, command 61."""
        self._switch(number, high=high)
        return []

    def _output(self, number: int, *, high: bool) -> Sequence[Step]:
        return [self._setting(Command.WRITE_GPIO, bytes((number, high)))]

    def _steps(self) -> Sequence[Step]:
        options = self._options
        steps = [Step(Command.FIRMWARE, self._bytes(Command.FIRMWARE), identifies=True)]
        if options.region is not None:
            band = bytes((options.region,)) + WHOLE_BAND[options.region]
            steps.append(self._setting(Command.SET_REGION, band))
        if options.power_dbm is not None:
            # Not command 76: it writes to flash memory, which wears out when every connection does it.
            steps.append(self._setting(Command.SET_TEMPORARY_POWER, bytes((options.power_dbm,))))
        self._at = -1
        self._turn = Turn.SELECT
        self._missing.clear()
        return steps

    def _setting(self, command: Command, data: bytes) -> Step:
        return Step(command, self._bytes(command, data))

    def _bytes(self, command: Command, data: bytes = b"") -> bytes:
        return Frame(self._options.address, command, data).to_bytes()

    def _inventory(self) -> tuple[bytes, float]:
        """The command of this turn; one that got lost is asked again."""
        if self._turn is Turn.ROUND and self._asked and not self._options.realtime:
            # The reply was lost, or the command: the buffer tells.
            self._turn = Turn.GET
        if self._turn is Turn.GET:
            self._gets += 1
            if self._gets > GETS:
                self._turn = Turn.CLEAR
        if self._turn is Turn.SELECT:
            self._gets = 0
            antenna = self._options.antennas[max(0, self._at)]
            return self._bytes(Command.SET_ANTENNA, bytes((antenna - 1,))), REPLY_S
        if self._turn is Turn.ROUND:
            return self._round()
        self._records = 0
        return self._bytes(Command.GET_BUFFER if self._turn is Turn.GET else Command.CLEAR_BUFFER), REPLY_S

    def _round(self) -> tuple[bytes, float]:
        options = self._options
        repeat = bytes((options.repeat,))
        longest_s = options.repeat * ROUND_S
        if options.session is not None:
            phase = b"\x00\x01" if options.layout.phase else b""
            data = bytes((options.session, 0)) + phase + repeat
            return self._bytes(Command.SESSION_INVENTORY, data), longest_s + LOST_S
        if options.realtime:
            return self._bytes(Command.INVENTORY, repeat), longest_s + LOST_S
        return self._bytes(Command.BUFFER_INVENTORY, repeat), longest_s + REPLY_S

    def _go_on(self, turn: Turn, now: float, out: list[HostOutput]) -> None:
        """`turn` is next; a turn that begins a round begins it at the next antenna that is there."""
        self._turn = turn
        self._asked = False
        if turn is Turn.SELECT:
            self._rounds += 1
            antennas = self._options.antennas
            order = [(self._at + step) % len(antennas) for step in range(1, len(antennas) + 1)]
            self._at = next((i for i in order if self._missing.get(antennas[i], 0) <= self._rounds), order[0])
        if self._polling:
            self._ask(now, out)

    def _frame(self, raw: bytes, now: float, out: list[HostOutput]) -> None:
        if self._options.address not in (ANYONE, raw[2]):
            return  # another reader on the same line
        command = raw[3]
        if command in INVENTORIES:
            self._of_round(raw, now, out)
        elif command in RECORDS:
            self._of_buffer(raw, now, out)
        elif self._step is not None:
            if command == self._step.command:
                self._reply(raw, now, out)
        elif command == Command.BUFFER_INVENTORY and self._turn is Turn.ROUND:
            if raw[1] == 4:
                self._refused(raw[4], now, out)
            else:
                self._go_on(Turn.GET, now, out)
        elif command == Command.CLEAR_BUFFER and self._turn is Turn.CLEAR:
            self._go_on(Turn.SELECT, now, out)
        elif command == Command.SET_ANTENNA and len(raw) == 6 and self._turn is Turn.SELECT:
            if raw[4] == Code.OK:
                self._go_on(Turn.ROUND, now, out)
            else:
                self._lost_antenna(raw[4], now, out)

    def _of_round(self, raw: bytes, now: float, out: list[HostOutput]) -> None:
        if is_tag(raw):
            unasked = BadBytes("unasked", raw)
            self._give(read_tag(raw, self._options.layout) if self._options.realtime else unasked, raw, out)
        elif raw[1] == 4:
            self._refused(raw[4], now, out)
        elif raw[1] == 5:
            self._fault(f"antenna {raw[4] + 1}: error {raw[5]:02X}", out)
        elif self._turn is Turn.ROUND:
            self._go_on(Turn.SELECT, now, out)

    def _of_buffer(self, raw: bytes, now: float, out: list[HostOutput]) -> None:
        if len(raw) < RECORD_OVERHEAD:
            if raw[4] != Code.BUFFER_EMPTY:
                self._fault(f"buffer error {raw[4]:02X}", out)
            following = Turn.SELECT
        else:
            self._give(read_record(raw, self._options.layout), raw, out)
            self._records += 1
            following = Turn.CLEAR
        if self._turn is not Turn.GET or self._step is not None:
            return
        self._due = now + REPLY_S
        if following is Turn.SELECT or self._records >= (raw[4] << 8 | raw[5]):
            self._go_on(following, now, out)

    def _give(self, read: TagRead | BadBytes, raw: bytes, out: list[HostOutput]) -> None:
        if isinstance(read, TagRead):
            self._read(read, raw, out)
        else:
            out.append(read)

    def _refused(self, code: int, now: float, out: list[HostOutput]) -> None:
        if code == Code.ANTENNA_MISSING and self._at >= 0:
            self._lost_antenna(code, now, out)
        elif code == Code.NO_TAG:
            self._go_on(Turn.SELECT, now, out)
        else:
            self._fault(f"inventory error {code:02X}", out)
            self._turn = Turn.SELECT
            self._round_refused(now)

    def _lost_antenna(self, code: int, now: float, out: list[HostOutput]) -> None:
        antenna = self._options.antennas[max(0, self._at)]
        self._missing[antenna] = self._rounds + MISSING_ROUNDS
        self._fault(f"antenna {antenna}: error {code:02X}", out)
        if all(self._missing.get(port, 0) > self._rounds for port in self._options.antennas):
            self._turn = Turn.SELECT
            self._round_refused(now)
        else:
            self._go_on(Turn.SELECT, now, out)

    def _reply(self, raw: bytes, now: float, out: list[HostOutput]) -> None:
        if raw[3] == Command.FIRMWARE and len(raw) == 7:
            self._identified(f"R2000 firmware {raw[4]}.{raw[5]}, address {raw[2]:02X}", out)
        elif raw[4:-1] != bytes((Code.OK,)):
            self._fault(f"command {raw[3]:02X} refused with error {raw[4:-1].hex().upper()}", out)
        self._answered(now, out)
