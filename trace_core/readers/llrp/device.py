"""The reader's end: speaks first, answers like a reader, also when the host is wrong.

Its settings and ROSpecs outlive a connection; a second client is turned away. What is no message gets no answer.
Times are Unix seconds; the reader's clock is right.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from trace_core.errors import ConfigError, FrameError
from trace_core.readers._base import BadBytes, FieldTag
from trace_core.readers.llrp import hardware
from trace_core.readers.llrp.answers import Attempt, Status, StatusCode, notification
from trace_core.readers.llrp.messages import (
    IDLE_GAP_S,
    RESPONSE,
    TO_DEVICE,
    UNKNOWN,
    VERSION_1_0_1,
    VERSION_1_1,
    Message,
    MessageType,
    Scanner,
)
from trace_core.readers.llrp.parameters import Tlv, one, parameters, tlv, u16, u32
from trace_core.readers.llrp.rospecs import Move, RoSpecs
from trace_core.readers.llrp.specs import (
    EventType,
    ReportSpec,
    RoSpec,
    events_of,
    gpo_of,
    gpo_write_data,
    keepalive_of,
    keepalive_spec,
)

ROUND_MS = 50.0
ANTENNAS = 4
VERSIONS = {"1.0.1": VERSION_1_0_1, "1.1": VERSION_1_1}
MOVES = {
    MessageType.START_ROSPEC: Move.START,
    MessageType.STOP_ROSPEC: Move.STOP,
    MessageType.ENABLE_ROSPEC: Move.ENABLE,
    MessageType.DISABLE_ROSPEC: Move.DISABLE,
}
OK = Status(StatusCode.SUCCESS)


@dataclass(slots=True)
class Settings:
    """What SET_READER_CONFIG changes."""

    events: dict[int, bool] = field(default_factory=lambda: dict.fromkeys(EventType, False))
    report: ReportSpec = field(default_factory=ReportSpec)
    keepalive_ms: int = 0
    hold: bool = False
    outputs: dict[int, bool] = field(default_factory=lambda: dict.fromkeys(range(1, hardware.OUTPUTS + 1), False))
    """Output lines: they stay as they are when the client goes, and fall with the power."""


class LlrpDevice:
    """`DeviceSession` of one simulated reader, over all its connections."""

    def __init__(self, *, version: int, antennas: int, round_s: float) -> None:
        self.settings = Settings()
        self.rospecs = RoSpecs(antennas, round_s)
        self._round_s = round_s
        self._highest = version
        self._antennas = antennas
        self._absent: set[int] = set()
        self._attached = self._greets = True
        self._hung_up = False
        self._version = VERSION_1_0_1
        self._scanner = Scanner(TO_DEVICE, Message.from_bytes, unknown=UNKNOWN)
        self._last_bytes = 0.0
        self._next_keepalive = 0.0
        self._message_id = 0
        self._answers = self._table()

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> LlrpDevice:
        """Raises `ConfigError`."""
        version = options.get("reader_version", "1.0.1")
        antennas = options.get("reader_antennas", ANTENNAS)
        round_ms = options.get("round_ms", ROUND_MS)
        if not isinstance(version, str) or version not in VERSIONS:
            raise ConfigError(f"unknown version {version!r}", where="reader_version", remedy="use 1.0.1 or 1.1")
        if isinstance(antennas, bool) or not isinstance(antennas, int) or not 1 <= antennas <= 32:
            raise ConfigError(f"{antennas!r} antennas", where="reader_antennas", remedy="use 1 to 32")
        if isinstance(round_ms, bool) or not isinstance(round_ms, int | float) or not 1 <= round_ms <= 10_000:
            raise ConfigError(f"a round of {round_ms!r} ms", where="round_ms", remedy="use 1 to 10000")
        return cls(version=VERSIONS[version], antennas=antennas, round_s=round_ms / 1000)

    def receive(self, data: bytes, now: float) -> bytes:
        """Client bytes → the answers, in order."""
        self._last_bytes = now
        return self._reply(self._scanner.feed(data), now)

    def tick(self, now: float, tags: Sequence[FieldTag]) -> Sequence[bytes]:
        """Greeting, keepalives, events and reports, one message each."""
        self.rospecs.tick(now, [tag for tag in tags if tag.antenna not in self._absent])
        if not self._attached:
            return []
        out: list[bytes] = []
        if self._greets:
            self._greets = False
            out.append(self._notify(now, tlv(Tlv.CONNECTION_ATTEMPT, Attempt.ACCEPTED.to_bytes(2, "big"))))
        if self._scanner.pending and now - self._last_bytes > IDLE_GAP_S:
            late = self._reply(self._scanner.flush(), now)
            out += [late] if late else []
        if self.settings.keepalive_ms and now >= self._next_keepalive:
            self._next_keepalive = now + self.settings.keepalive_ms / 1000
            out.append(self._say(MessageType.KEEPALIVE))
        return out + self._told(now)

    def attached(self, now: float) -> None:
        """A client has connected: it is greeted at the next tick, and reports wait for 64 if so configured."""
        self._attached = self._greets = True
        self._hung_up = False
        self._version = VERSION_1_0_1
        self._scanner = Scanner(TO_DEVICE, Message.from_bytes, unknown=UNKNOWN)
        self._next_keepalive = now + self.settings.keepalive_ms / 1000
        if not self.settings.hold:
            self.rospecs.release()

    def detached(self) -> None:
        """The client is gone; what is seen is kept for the next one, as far as the buffer goes."""
        self._attached = False
        self.rospecs.holding = True

    def power_cycle(self, now: float) -> None:
        """ROSpecs, configuration and sightings are gone, the client too: it sets all up with each connection."""
        self.settings = Settings()
        self.rospecs = RoSpecs(self._antennas, self._round_s)
        self._message_id = 0
        self.detached()
        self._scanner = Scanner(TO_DEVICE, Message.from_bytes, unknown=UNKNOWN)
        self._last_bytes = now

    def turn_away(self, now: float) -> bytes:
        """What a second client hears before its connection is closed."""
        refused = tlv(Tlv.CONNECTION_ATTEMPT, Attempt.CLIENT_CONNECTION_EXISTS.to_bytes(2, "big"))
        return self._notify(now, refused)

    def hangs_up(self) -> bool:
        """Whether the client asked to close the connection."""
        return self._hung_up

    def output(self, number: int) -> bool:
        return self.settings.outputs[number]

    def connect_antenna(self, number: int, *, connected: bool) -> None:
        """Plug or pull an antenna's cable; the client hears of it if it wants to."""
        (self._absent.discard if connected else self._absent.add)(number)
        event = tlv(Tlv.ANTENNA_EVENT, bytes((connected,)), number.to_bytes(2, "big"))
        self.rospecs.events.append((EventType.ANTENNA, event))

    def _told(self, now: float) -> list[bytes]:
        out = [self._notify(now, event) for kind, event in self.rospecs.events if self.settings.events.get(kind)]
        out += [self._say(MessageType.RO_ACCESS_REPORT, body) for body in self.rospecs.reports]
        self.rospecs.events.clear()
        self.rospecs.reports.clear()
        return out

    def _notify(self, now: float, event: bytes) -> bytes:
        return self._say(MessageType.READER_EVENT_NOTIFICATION, notification(int(now * 1_000_000), event))

    def _say(self, kind: MessageType, body: bytes = b"") -> bytes:
        self._message_id = self._message_id + 1 & 0xFFFF_FFFF
        return Message(kind, self._message_id, body, self._version).to_bytes()

    def _reply(self, items: Sequence[Message | BadBytes], now: float) -> bytes:
        return b"".join(self._answer(item, now) for item in items if isinstance(item, Message))

    def _answer(self, message: Message, now: float) -> bytes:
        if message.version > self._highest:
            return self._error(message, StatusCode.UNSUPPORTED_VERSION, "version not supported")
        if message.kind in (MessageType.KEEPALIVE_ACK, MessageType.ENABLE_EVENTS_AND_REPORTS):
            if message.kind == MessageType.ENABLE_EVENTS_AND_REPORTS:
                self.rospecs.release()
            return b""
        if message.kind == MessageType.GET_REPORT:
            return Message(
                MessageType.RO_ACCESS_REPORT, message.id, self.rospecs.take_buffer(), message.version
            ).to_bytes()
        handler = self._answers.get(message.kind)
        if handler is None:
            return self._error(message, StatusCode.UNSUPPORTED_MESSAGE, f"message type {message.kind}")
        try:
            body = handler(message.body, now)
        except FrameError as error:
            body = Status(StatusCode.PARAMETER_ERROR, str(error)).to_bytes()
        closing = message.kind == MessageType.CLOSE_CONNECTION
        kind = MessageType.CLOSE_CONNECTION_RESPONSE if closing else message.kind + RESPONSE
        # What the command did to ROSpecs is told before its response, as their order in time was.
        return b"".join(self._told(now)) + Message(kind, message.id, body, message.version).to_bytes()

    def _error(self, message: Message, code: StatusCode, text: str) -> bytes:
        version = min(message.version, self._highest)
        return Message(MessageType.ERROR_MESSAGE, message.id, Status(code, text).to_bytes(), version).to_bytes()

    def _table(self) -> dict[int, Callable[[bytes, float], bytes]]:
        """Message type → handler: body in, the response's body out; `FrameError` is answered with status 100."""
        kinds = MessageType
        table: dict[int, Callable[[bytes, float], bytes]] = {
            kinds.GET_READER_CAPABILITIES: self._capabilities,
            kinds.GET_READER_CONFIG: self._configuration,
            kinds.SET_READER_CONFIG: self._configure,
            kinds.CLOSE_CONNECTION: self._close,
            kinds.ADD_ROSPEC: self._add,
            kinds.DELETE_ROSPEC: lambda body, now: _field_status(self.rospecs.delete(u32(body, 0), now)),
            kinds.GET_ROSPECS: lambda _, __: (
                OK.to_bytes() + b"".join(operation.to_bytes() for operation in self.rospecs.operations.values())
            ),
            kinds.ADD_ACCESSSPEC: lambda _, __: _field_status("no access specs"),
            kinds.DELETE_ACCESSSPEC: _no_access_spec,
            kinds.ENABLE_ACCESSSPEC: _no_access_spec,
            kinds.DISABLE_ACCESSSPEC: _no_access_spec,
            kinds.GET_ACCESSSPECS: lambda _, __: OK.to_bytes(),
        }
        for kind, move in MOVES.items():
            table[kind] = partial(self._move, move)
        if self._highest >= VERSION_1_1:
            table[kinds.GET_SUPPORTED_VERSION] = lambda _, __: bytes((self._version, self._highest)) + OK.to_bytes()
            table[kinds.SET_PROTOCOL_VERSION] = self._set_version
        return table

    def _capabilities(self, body: bytes, _: float) -> bytes:
        return OK.to_bytes() + b"".join(hardware.capabilities(body[0], self._antennas))

    def _configuration(self, body: bytes, _: float) -> bytes:
        """Body: antenna u16 (0: all), what u8 (0: all), GPI u16, GPO u16."""
        wanted, what = u16(body, 0), body[2]
        if wanted > self._antennas:
            return _field_status(f"the reader has {self._antennas} antennas")
        numbers = [n for n in range(1, self._antennas + 1) if wanted in (0, n)]
        settings = self.settings
        parts = {
            1: [hardware.identification()],
            2: [hardware.antenna_properties(n, connected=n not in self._absent) for n in numbers],
            3: [hardware.antenna_settings(n) for n in numbers],
            5: [hardware.enabled_events(list(settings.events.items()))],
            4: [settings.report.to_bytes()],
            6: [tlv(Tlv.ACCESS_REPORT_SPEC, b"\x00")],
            7: [tlv(Tlv.LLRP_CONFIGURATION_STATE, bytes(4))],
            8: [keepalive_spec(settings.keepalive_ms)],
            10: [gpo_write_data(number, high=high) for number, high in settings.outputs.items()],
            11: [tlv(Tlv.EVENTS_AND_REPORTS, bytes((0x80 if settings.hold else 0,)))],
        }
        chosen = parts.get(what, []) if what else [part for group in parts.values() for part in group]
        return OK.to_bytes() + b"".join(chosen)

    def _configure(self, body: bytes, now: float) -> bytes:
        """All of it or, when one part is wrong, none."""
        inside = list(parameters(body, 1))
        settings = Settings() if body[0] & 0x80 else self.settings
        events = [events_of(value) for kind, value in inside if kind == Tlv.READER_EVENT_SPEC]
        reports = [ReportSpec.from_value(value) for kind, value in inside if kind == Tlv.RO_REPORT_SPEC]
        keepalives = [keepalive_of(value) for kind, value in inside if kind == Tlv.KEEPALIVE_SPEC]
        holds = [value[:1] >= b"\x80" for kind, value in inside if kind == Tlv.EVENTS_AND_REPORTS]
        outputs = dict(gpo_of(value) for kind, value in inside if kind == Tlv.GPO_WRITE_DATA)
        if not outputs.keys() <= settings.outputs.keys():
            return _field_status(f"the reader has {hardware.OUTPUTS} outputs")
        if any(kind not in settings.events for states in events for kind in states):
            return _field_status("unknown event type")
        if settings is not self.settings:
            self.rospecs.delete(0, now)
            self.settings = settings
        for states in events:
            settings.events.update(states)
        settings.outputs.update(outputs)
        for report in reports:
            settings.report = report
        for hold in holds:
            settings.hold = hold
        for period_ms in keepalives:
            settings.keepalive_ms = period_ms
            self._next_keepalive = now + period_ms / 1000
        return OK.to_bytes()

    def _add(self, body: bytes, _: float) -> bytes:
        value = one(list(parameters(body)), Tlv.ROSPEC)
        spec = RoSpec.from_value(value)
        for power in (index for inventory in spec.inventories for index in inventory.powers()):
            if not 1 <= power <= len(hardware.POWERS_DBM):
                return _field_status(f"power index {power} is not in the table")
        return _field_status(self.rospecs.add(spec, value, spec.report or self.settings.report))

    def _move(self, move: Move, body: bytes, now: float) -> bytes:
        return _field_status(self.rospecs.move(move, u32(body, 0), now))

    def _set_version(self, body: bytes, _: float) -> bytes:
        if not VERSION_1_0_1 <= body[0] <= self._highest:
            return Status(StatusCode.UNSUPPORTED_VERSION, f"version {body[0]}").to_bytes()
        self._version = body[0]
        return OK.to_bytes()

    def _close(self, _: bytes, __: float) -> bytes:
        self._hung_up = True
        return OK.to_bytes()


def _field_status(wrong: str) -> bytes:
    return (Status(StatusCode.FIELD_ERROR, wrong) if wrong else OK).to_bytes()


def _no_access_spec(body: bytes, _: float) -> bytes:
    return _field_status(f"no access spec {u32(body, 0)}" if u32(body, 0) else "")
