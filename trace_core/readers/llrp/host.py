"""The gateway's end: wait for the reader's greeting, configure it, add one ROSpec, then take its reports.

Everything on the reader is set anew after each connection, beginning with the deletion of all ROSpecs: what another
client or an earlier life of this one left there is not trusted. Three missed keepalives are silence.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from trace_core.readers._base import BadBytes, DeviceEvent, DeviceState, HostOutput, Send, TagRead
from trace_core.readers.llrp.answers import Attempt, Capabilities, Notification, Status, StatusCode, refusal
from trace_core.readers.llrp.messages import (
    ALL_SPECS,
    IDLE_GAP_S,
    RESPONSE,
    TO_HOST,
    VERSION_1_0_1,
    VERSION_1_1,
    Message,
    MessageType,
    Scanner,
)
from trace_core.readers.llrp.options import LlrpOptions
from trace_core.readers.llrp.reports import ReportReader
from trace_core.readers.llrp.specs import (
    AiSpec,
    EventType,
    ReportSpec,
    RoSpec,
    StartTrigger,
    antenna_configuration,
    event_spec,
    gpo_write_data,
    keepalive_spec,
)

GREETING_S = 3.0
"""The reader speaks first, within milliseconds; after this long it is asked all the same."""
REPLY_S = 0.5
"""Then the request is sent again, under the same id so that a late answer counts."""
TRIES = 20
"""Ten seconds in all: a reader that is busy with its radio answers late."""
MISSED_KEEPALIVES = 3
SWITCH_IDS = 0x4000_0000
"""Message ids above are of commands beside the script, which its own never reach."""
RETRY_S = 1.0
"""After a refusal everything begins anew, but not in a tight loop."""
EVENTS = (EventType.ROSPEC, EventType.BUFFER_WARNING, EventType.EXCEPTION, EventType.ANTENNA)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, or ERROR_MESSAGE in its place."""

    message: Message
    status: Status


@dataclass(frozen=True, slots=True)
class Request:
    """One message that waits for its answer before the next goes out. `body` is made when it is sent."""

    kind: MessageType
    body: Callable[[], bytes]
    version: int | None = None


Item: TypeAlias = list[TagRead | BadBytes] | Answer | Notification | Message


class LlrpHost:
    """`HostSession` of one LLRP connection."""

    def __init__(self, options: LlrpOptions) -> None:
        self._options = options
        self._reports = ReportReader(check_crc=options.check_tag_crc)
        self._scanner: Scanner[Item] = Scanner(TO_HOST, self._decode)
        self._script: deque[Request] = deque()
        self._version = VERSION_1_0_1
        self._capabilities: Capabilities | None = None
        self._message_id = 0
        self._rospec_id = 0
        """A new one each time: a late notice that the one before has ended must not be taken for this one's end."""
        self._begin_at: float | None = None
        """When the script begins: after the greeting, or a while after a refusal."""
        self._deadline = 0.0
        self._tries = 0
        self._last_bytes = 0.0
        self._quiet_ticks = 0
        self._last_heard = 0.0
        self._running = False
        self._online = False
        self._silent = False
        self._fault = ""
        self._wanted: dict[int, bool] = {}
        """Output lines to be switched when the reader is set up."""
        self._switching: dict[int, int] = {}
        """Message id → output line, of what was sent beside the script."""
        self._switch_id = SWITCH_IDS

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> LlrpHost:
        return cls(LlrpOptions.parse(options))

    def start(self, now: float) -> Sequence[HostOutput]:
        """Nothing is sent: the reader speaks first."""
        self._last_heard = now
        self._begin_at = now + GREETING_S
        return []

    def receive(self, data: bytes, now: float) -> Sequence[HostOutput]:
        """Take bytes from the connection. Never raises on bad data."""
        self._last_bytes = now
        self._quiet_ticks = 0
        return self._take(self._scanner.feed(data), now)

    def tick(self, now: float) -> Sequence[HostOutput]:
        """Begin, repeat unanswered requests, notice silence."""
        out: list[HostOutput] = []
        # Two ticks with no bytes between them: after one, a program that was held up has bytes waiting unread.
        self._quiet_ticks += 1
        if self._quiet_ticks >= 2 and self._scanner.pending and now - self._last_bytes > IDLE_GAP_S:
            out += self._take(self._scanner.flush(), now)
        if self._begin_at is not None:
            if now >= self._begin_at:
                out.append(self._begin(now))
        elif self._script:
            if now >= self._deadline:
                out += self._unanswered(now)
        elif self._running and now - self._last_heard > MISSED_KEEPALIVES * self._options.keepalive_s:
            out += self._fall_silent(now)
        return out

    def set_output(self, number: int, now: float, *, high: bool) -> Sequence[HostOutput]:  # noqa: ARG002 - a contract
        """SET_READER_CONFIG with GPOWriteData, at once while the inventory runs."""
        self._wanted[number] = high
        out: list[HostOutput] = []
        if self._running:
            self._switch(out)
        return out

    def _switch(self, out: list[HostOutput]) -> None:
        for number, high in self._wanted.items():
            self._switch_id += 1
            self._switching[self._switch_id] = number
            body = b"\x00" + gpo_write_data(number, high=high)
            out.append(Send(Message(MessageType.SET_READER_CONFIG, self._switch_id, body, self._version).to_bytes()))
        self._wanted.clear()

    def _decode(self, raw: bytes) -> Item:
        """Raises `FrameError`."""
        kind = (raw[0] << 8 | raw[1]) & 0x3FF
        if kind == MessageType.RO_ACCESS_REPORT:
            return self._reports.read(raw)
        message = Message.from_bytes(raw)
        if kind == MessageType.READER_EVENT_NOTIFICATION:
            return Notification.of(message.body)
        if kind in (MessageType.KEEPALIVE, MessageType.CUSTOM_MESSAGE, MessageType.CLIENT_REQUEST_OP):
            return message
        status = Status.of(message.body, TO_HOST[kind].fixed)
        if kind == MessageType.GET_READER_CAPABILITIES_RESPONSE and status.code == StatusCode.SUCCESS:
            Capabilities.of(message.body)
        return Answer(message, status)

    def _take(self, items: Sequence[Item | BadBytes], now: float) -> list[HostOutput]:
        out: list[HostOutput] = []
        for item in items:
            if isinstance(item, BadBytes):
                out.append(item)
                continue
            self._last_heard = now
            if isinstance(item, list):
                out += item
            elif isinstance(item, Answer):
                self._answered(item, now, out)
            elif isinstance(item, Notification):
                self._notified(item, now, out)
            elif item.kind == MessageType.KEEPALIVE:
                out.append(Send(Message(MessageType.KEEPALIVE_ACK, item.id, version=self._version).to_bytes()))
        return out

    def _notified(self, notification: Notification, now: float, out: list[HostOutput]) -> None:
        out += notification.reports
        if notification.attempt == Attempt.ACCEPTED:
            if self._begin_at is not None:
                out.append(self._begin(now))
        elif notification.attempt is not None:
            self._report(refusal(notification.attempt), out)
            if notification.attempt != Attempt.ANOTHER_ATTEMPTED:
                self._retry(now)  # the reader closes the connection before that, as a rule
        if self._rospec_id in notification.ended_rospecs and self._running and not self._script:
            self._report(DeviceEvent(DeviceState.FAULT, "the reader ended the inventory; it is begun again"), out)
            self._retry(now)

    def _answered(self, answer: Answer, now: float, out: list[HostOutput]) -> None:
        message = answer.message
        switched = self._switching.pop(message.id, None)
        if switched is not None:
            if answer.status.code != StatusCode.SUCCESS:
                detail = f"output {switched} was not switched: {answer.status}"
                self._report(DeviceEvent(DeviceState.FAULT, detail), out)
            return
        if not self._script or self._begin_at is not None or message.id != self._message_id:
            return
        request = self._script[0]
        if message.kind == MessageType.ERROR_MESSAGE and request.kind == MessageType.GET_SUPPORTED_VERSION:
            self._next(now, out)  # an older reader (code 110): version 1.0.1 stays
            return
        if message.kind not in (request.kind + RESPONSE, MessageType.ERROR_MESSAGE):
            return
        if answer.status.code != StatusCode.SUCCESS or message.kind == MessageType.ERROR_MESSAGE:
            self._refused(request, answer.status, now, out)
            return
        if request.kind == MessageType.GET_READER_CAPABILITIES:
            self._identified(Capabilities.of(message.body), out)
        elif request.kind == MessageType.GET_SUPPORTED_VERSION and message.body[1] >= VERSION_1_1:
            body = bytes((VERSION_1_1,))
            self._script.insert(1, Request(MessageType.SET_PROTOCOL_VERSION, lambda: body, VERSION_1_1))
        elif request.kind == MessageType.SET_PROTOCOL_VERSION:
            self._version = VERSION_1_1
        self._next(now, out)

    def _refused(self, request: Request, status: Status, now: float, out: list[HostOutput]) -> None:
        if request.kind == MessageType.DELETE_ROSPEC:
            self._next(now, out)  # some readers refuse to delete all when there are none; what is left fails later
            return
        if self._tries > 1:
            # Of a request that was sent twice the first may have been carried out: only a new beginning is clear.
            out.append(self._begin(now))
            return
        self._report(DeviceEvent(DeviceState.FAULT, f"{request.kind.name} refused: {status}"), out)
        self._retry(now)

    def _identified(self, capabilities: Capabilities, out: list[HostOutput]) -> None:
        self._capabilities = capabilities
        self._silent = False
        if not self._online:
            self._online = True
            out.append(DeviceEvent(DeviceState.ONLINE, str(capabilities)))
        index, table = self._options.power_index, capabilities.power_dbm
        if index is not None and index not in table:
            known = f"{min(table)} to {max(table)}" if table else "none"
            detail = f"power index {index} is not in the reader's table ({known}): its own power is used"
            self._report(DeviceEvent(DeviceState.FAULT, detail), out)

    def _report(self, event: DeviceEvent, out: list[HostOutput]) -> None:
        """A fault that goes on is reported once."""
        if event.detail != self._fault:
            self._fault = event.detail
            out.append(event)

    def _begin(self, now: float) -> Send:
        kinds = MessageType
        script = [
            Request(kinds.GET_READER_CAPABILITIES, lambda: b"\x00"),
            Request(kinds.SET_READER_CONFIG, self._configuration),
            Request(kinds.DELETE_ROSPEC, lambda: ALL_SPECS.to_bytes(4, "big")),
            Request(kinds.ADD_ROSPEC, self._rospec),
            Request(kinds.ENABLE_ROSPEC, lambda: self._rospec_id.to_bytes(4, "big")),
        ]
        if self._options.start is StartTrigger.NONE:
            script.append(Request(kinds.START_ROSPEC, lambda: self._rospec_id.to_bytes(4, "big")))
        if self._options.negotiate and self._version == VERSION_1_0_1:
            script.insert(0, Request(kinds.GET_SUPPORTED_VERSION, lambda: b"", VERSION_1_1))
        self._script = deque(script)
        self._begin_at = None
        self._running = False
        self._switching.clear()
        self._tries = 0
        self._message_id += 1
        self._rospec_id += 1
        return self._request(now)

    def _configuration(self) -> bytes:
        """Nothing is reset to factory settings: what this client does not set stays as the installer left it."""
        keepalive_ms = round(1_000 * self._options.keepalive_s)
        return b"\x00" + event_spec(EVENTS) + ReportSpec().to_bytes() + keepalive_spec(keepalive_ms)

    def _rospec(self) -> bytes:
        options, capabilities = self._options, self._capabilities
        power = options.power_index
        if capabilities is None or power not in capabilities.power_dbm:
            power = None
        configuration = b""
        if power is not None or options.session is not None:
            hop_table = capabilities.hop_table if capabilities is not None else 0
            configuration = b"".join(
                antenna_configuration(n, hop_table=hop_table, channel=1, power=power, session=options.session)
                for n in options.antennas
            )
        inventory = AiSpec(antennas=options.antennas, configuration=configuration)
        return RoSpec(self._rospec_id, start=options.start, inventories=(inventory,), report=ReportSpec()).to_bytes()

    def _next(self, now: float, out: list[HostOutput]) -> None:
        self._script.popleft()
        self._tries = 0
        self._message_id += 1
        if self._script:
            out.append(self._request(now))
        else:
            self._running = True
            self._fault = ""
            self._switch(out)

    def _request(self, now: float) -> Send:
        request = self._script[0]
        self._deadline = now + REPLY_S
        self._tries += 1
        version = request.version or self._version
        return Send(Message(request.kind, self._message_id, request.body(), version).to_bytes())

    def _unanswered(self, now: float) -> list[HostOutput]:
        return [self._request(now)] if self._tries < TRIES else self._fall_silent(now)

    def _retry(self, now: float) -> None:
        self._script.clear()
        self._running = False
        self._begin_at = now + RETRY_S

    def _fall_silent(self, now: float) -> list[HostOutput]:
        """Report it once, then begin anew: a reader that came back on the same connection is set up again."""
        out: list[HostOutput] = []
        if not self._silent:
            self._silent = True
            out.append(DeviceEvent(DeviceState.SILENT, "no message and no keepalive; the setup is being repeated"))
        self._online = False
        self._last_heard = now
        self._version = VERSION_1_0_1
        out.append(self._begin(now))
        return out
