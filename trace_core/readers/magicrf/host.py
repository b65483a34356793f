"""The gateway's end: stop, drain, identify, configure, then inventory without end.

An empty round ("no tag", error 15) is the heartbeat, not a fault. Silence for 2 s is reported and everything
starts again from *stop*, because a module that lost power comes back with defaults.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from trace_core.errors import ConfigError
from trace_core.readers._base import BadBytes, DeviceEvent, DeviceState, HostOutput, Send, TagRead
from trace_core.readers.magicrf.frames import (
    DIALECTS,
    IDLE_GAP_S,
    REGIONS,
    Command,
    Dialect,
    ErrorCode,
    Frame,
    Kind,
    Scanner,
    find_dialect,
    read_tag,
)

REPLY_S = 0.5
"""Longest wait for a reply; the slowest seen in practice answers within 100 ms."""
DRAIN_S = 0.3
"""A module that is not polling may leave *stop* unanswered; by then old bytes are through."""
TRIES = 3
SILENCE_S = 2.0
"""While polling a frame comes every round (about 20 ms), so 2 s of nothing is a fault."""
REISSUE_S = 30.0
"""The count is given again at least this often: lost frames must not let it run out unseen."""
ROUNDS = 10_000
REMEMBERED = 4_096
"""Frames whose decoding is kept: a tag in the field repeats the same bytes tens of times a second."""
HARDWARE = b"\x00"


@dataclass(frozen=True, slots=True)
class Step:
    """One command that waits for its reply before the next goes out."""

    command: Command
    parameters: bytes
    replies: frozenset[int]


@dataclass(frozen=True, slots=True)
class MagicRfOptions:
    """Host options, checked. Absent power or region leaves the module's own setting."""

    dialect: Dialect | None = None
    region: int | None = None
    power_cdbm: int | None = None
    rounds: int = ROUNDS

    @classmethod
    def parse(cls, options: Mapping[str, object]) -> MagicRfOptions:
        """Raises `ConfigError`."""
        return cls(
            dialect=_dialect(options.get("dialect", "auto")),
            region=_region(options.get("region")),
            power_cdbm=_power(options.get("power_dbm")),
            rounds=_rounds(options.get("rounds", ROUNDS)),
        )


class MagicRfHost:
    """`HostSession` of one MagicRF module."""

    def __init__(self, options: MagicRfOptions) -> None:
        self._options = options
        self._scanner = Scanner(options.dialect) if options.dialect else None
        self._unsorted = b""
        self._script: deque[Step] = deque()
        self._polling = False
        self._deadline = 0.0
        self._tries = 0
        self._last_bytes = 0.0
        self._quiet_ticks = 0
        self._last_frame = 0.0
        self._issued = 0.0
        self._frames = 0
        self._online = False
        self._silent = False
        self._fault = -1
        self._known: dict[bytes, TagRead] = {}

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> MagicRfHost:
        return cls(MagicRfOptions.parse(options))

    def start(self, now: float) -> Sequence[HostOutput]:
        """Bytes that stop a module left polling; the rest of the script follows its replies."""
        self._last_frame = now
        return [self._restart(now)]

    def receive(self, data: bytes, now: float) -> Sequence[HostOutput]:
        """Take bytes from the port. Never raises on bad data."""
        self._last_bytes = now
        self._quiet_ticks = 0
        return self._take(self._cut(data), now)

    def tick(self, now: float) -> Sequence[HostOutput]:
        """Give up partial frames, repeat unanswered commands, notice silence, renew the inventory."""
        out: list[HostOutput] = []
        # Two ticks with no bytes between them: after one, a program that was held up has bytes waiting unread.
        self._quiet_ticks += 1
        if self._quiet_ticks >= 2 and now - self._last_bytes > IDLE_GAP_S:
            out += self._take(self._flush(), now)
        if self._script:
            if now >= self._deadline:
                out += self._unanswered(now)
        elif self._polling:
            if now - self._last_frame > SILENCE_S:
                out += self._fall_silent(now)
            elif now - self._issued > REISSUE_S:
                out.append(self._issue(now))
        return out

    def _cut(self, data: bytes) -> list[bytes | BadBytes]:
        if self._scanner is not None:
            return self._scanner.feed(data)
        self._unsorted += data
        dialect, waiting = find_dialect(self._unsorted)
        if dialect is None:
            noise, self._unsorted = self._unsorted[:waiting], self._unsorted[waiting:]
            return [BadBytes("noise", noise)] if noise else []
        self._scanner = Scanner(dialect)
        held, self._unsorted = self._unsorted, b""
        return self._scanner.feed(held)

    def _flush(self) -> list[bytes | BadBytes]:
        if self._scanner is not None:
            return self._scanner.flush() if self._scanner.pending else []
        held, self._unsorted = self._unsorted, b""
        return [BadBytes("partial", held)] if held else []

    def _take(self, items: list[bytes | BadBytes], now: float) -> list[HostOutput]:
        out: list[HostOutput] = []
        append = out.append
        known = self._known
        counted = 0
        for raw in items:
            if isinstance(raw, BadBytes):
                append(raw)
                continue
            counted += 1
            read = known.get(raw)
            if read is not None and not self._script:
                append(read)
            elif raw[1] == Kind.NOTICE:
                self._notice(raw, out)
            else:
                self._response(raw, now, out)
        if counted:
            self._last_frame = now
            self._frames += counted
            # Every round gives at least one frame, so frames are an upper bound of the rounds done.
            if self._polling and not self._script and self._frames >= self._options.rounds * 9 // 10:
                append(self._issue(now))
        return out

    def _notice(self, raw: bytes, out: list[HostOutput]) -> None:
        if self._script and self._script[0].command is Command.STOP:
            return  # bytes that the port kept from before; nobody knows how old they are
        if raw[2] != Command.SINGLE_INVENTORY:
            return
        read = read_tag(raw)
        if isinstance(read, TagRead):
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[raw] = read
            self._fault = -1
        out.append(read)

    def _response(self, raw: bytes, now: float, out: list[HostOutput]) -> None:
        command, parameters = raw[2], raw[5:-2]
        if command == Command.ERROR and parameters:
            self._error(parameters[0], now, out)
        elif self._script and command in self._script[0].replies:
            if self._script[0].command is Command.GET_INFO:
                self._identified(parameters, out)
            self._next(now, out)

    def _error(self, code: int, now: float, out: list[HostOutput]) -> None:
        if code == ErrorCode.NO_TAG:
            return
        if self._script:
            failed = self._script[0].command
            if failed is not Command.STOP:
                out.append(DeviceEvent(DeviceState.FAULT, f"command {failed:02X} refused with error {code:02X}"))
            self._next(now, out)
        elif code != self._fault:
            self._fault = code
            out.append(DeviceEvent(DeviceState.FAULT, f"inventory error {code:02X}"))

    def _identified(self, parameters: bytes, out: list[HostOutput]) -> None:
        self._silent = False
        if not self._online:
            self._online = True
            out.append(DeviceEvent(DeviceState.ONLINE, parameters[1:].decode("ascii", "replace")))

    def _restart(self, now: float) -> Send:
        options = self._options
        self._polling = False
        self._frames = 0
        self._script = deque([Step(Command.STOP, b"", frozenset({Command.STOP}))])
        self._script.append(Step(Command.GET_INFO, HARDWARE, frozenset({Command.GET_INFO})))
        if options.region is not None:
            self._script.append(Step(Command.SET_REGION, bytes((options.region,)), frozenset({Command.SET_REGION})))
        if options.power_cdbm is not None:
            power = options.power_cdbm.to_bytes(2, "big")
            self._script.append(Step(Command.SET_POWER, power, frozenset({Command.SET_POWER})))
        return self._command(now)

    def _next(self, now: float, out: list[HostOutput]) -> None:
        self._script.popleft()
        self._tries = 0
        if self._script:
            out.append(self._command(now))
        else:
            self._polling = True
            self._last_frame = now
            out.append(self._issue(now))

    def _command(self, now: float) -> Send:
        step = self._script[0]
        self._deadline = now + (DRAIN_S if step.command is Command.STOP else REPLY_S)
        self._tries += 1
        return self._send(Frame(Kind.COMMAND, step.command, step.parameters))

    def _issue(self, now: float) -> Send:
        self._issued = now
        self._frames = 0
        parameters = b"\x22" + self._options.rounds.to_bytes(2, "big")
        return self._send(Frame(Kind.COMMAND, Command.MULTI_INVENTORY, parameters))

    def _send(self, frame: Frame) -> Send:
        dialects = DIALECTS if self._scanner is None else (self._scanner.dialect,)
        return Send(b"".join(frame.to_bytes(dialect) for dialect in dialects))

    def _unanswered(self, now: float) -> list[HostOutput]:
        if self._script[0].command is Command.STOP:
            out: list[HostOutput] = []
            self._next(now, out)
            return out
        if self._tries < TRIES:
            return [self._command(now)]
        return self._fall_silent(now)

    def _fall_silent(self, now: float) -> list[HostOutput]:
        """Report it once, then begin anew; another module may sit at the port by now."""
        out: list[HostOutput] = []
        if not self._silent:
            self._silent = True
            out.append(DeviceEvent(DeviceState.SILENT, "no valid frame; stop and identify are being repeated"))
        self._online = False
        self._tries = 0
        self._last_frame = now
        if self._options.dialect is None:
            self._scanner = None
            self._unsorted = b""
        out.append(self._restart(now))
        return out


def _dialect(value: object) -> Dialect | None:
    named: dict[object, Dialect | None] = {"auto": None} | {d.name: d for d in DIALECTS}
    if value not in named:
        raise ConfigError(f"unknown dialect {value!r}", where="dialect", remedy="use auto, BB or AA")
    return named[value]


def _region(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, str) or value not in REGIONS:
        raise ConfigError(f"unknown region {value!r}", where="region", remedy=f"use one of {', '.join(REGIONS)}")
    return REGIONS[value]


def _power(value: object) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 33:
        raise ConfigError(f"power {value!r} is out of range", where="power_dbm", remedy="use 0 to 33 dBm")
    return round(value * 100)


def _rounds(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 100 <= value <= 65_535:
        raise ConfigError(f"{value!r} rounds are out of range", where="rounds", remedy="use 100 to 65535")
    return value
