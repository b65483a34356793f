"""The pump: one thread a port, transport ↔ host sessions → a bounded queue. A full queue makes it wait.

What can happen to a port, and what is said of it: pulled or gone (`silent`, opened again under any name), there but
mute (`silent` by the session, opened anew every few seconds: some adapters need it), at another line speed (`fault`,
the speeds of the settings are tried in turn). Each is a device event.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gateway_agent import clock
from gateway_agent.bus import Bus, Said, Single, Talk
from gateway_agent.clock import Moment
from gateway_agent.codes import as_read
from gateway_agent.config import ReaderConfig
from gateway_agent.killpoints import reach
from gateway_agent.lines import Lines
from gateway_agent.transports._base import LinkDown, Transport, Tunable
from trace_core.readers._base import BadBytes, CodeRead, DeviceEvent, DeviceState, Send, TagRead

log = logging.getLogger(__name__)

READ_WAIT_S = 0.05
"""Longest wait for bytes: sessions want a tick at least every 100 ms."""
MESSAGE_WAIT_S = 0.25
"""Sessions behind a broker ask nothing and time nothing finer than seconds."""
REOPEN_FIRST_S = 0.2
REOPEN_MAX_S = 1.0
"""Then the session needs up to half a second: a port must be served again within 2 s of its return."""
TRIAL_S = 0.7
"""At a wrong line speed a reader says nothing sensible for so long; at the right one it is identified by then."""
NOISE_S = 0.6
NOISE_BYTES = 64
"""Bytes that are no frame for `NOISE_S`, without a read between: the speed is not (any more) the reader's."""
ANEW_S = 10.0
"""A mute reader gets its port closed and opened this often."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One read of one tag and when its bytes came in."""

    reader: str
    read: TagRead
    received: Moment
    kept_elsewhere: bool = False
    """A broker still holds the message and delivers it again unless it is acknowledged."""


@dataclass(frozen=True, slots=True)
class BadReading:
    reader: str
    bad: BadBytes
    received: Moment


@dataclass(frozen=True, slots=True)
class DeviceReport:
    reader: str
    event: DeviceEvent
    at: Moment


@dataclass(frozen=True, slots=True)
class Delivered:
    """Everything of one message is in the queue before this; `done` is called after the commit."""

    done: Callable[[], None]


Item: TypeAlias = Reading | BadReading | DeviceReport | Delivered


@dataclass(slots=True)
class _Health:
    """What the open port let through. Times on the boot clock."""

    opened: float
    is_known: bool = False
    """A session said that its reader is there."""
    mute_since: float | None = None
    noise: int = 0
    noise_since: float = 0.0


class Pump:
    """Serves the readers of one port until `stop` is set: opens, talks, reopens."""

    def __init__(
        self,
        readers: Sequence[ReaderConfig],
        transport: Transport,
        put: Callable[[Item], None],
        *,
        accepting: threading.Event,
        stop: threading.Event,
        lines: Lines | None = None,
    ) -> None:
        """`put` blocks while the queue is full; `accepting` is clear while the outbox is full."""
        self._readers = readers
        self._transport = transport
        self._tunable = transport if isinstance(transport, Tunable) and transport.alternatives > 1 else None
        self._put = put
        self._accepting = accepting
        self._stop = stop
        self._down = False
        self.online: set[str] = set()
        """Readers that answer now. Other threads may look, not change."""
        self._health = _Health(0.0)
        self._hunting = False
        self._lines = lines or Lines()
        self._wishes: queue.SimpleQueue[tuple[str, int, bool]] = queue.SimpleQueue()
        for reader in readers:
            self._lines.serve(reader.name, self.switch)

    def switch(self, reader: str, number: int, high: bool) -> None:
        """Called by other threads; carried out within `READ_WAIT_S`. Raises `OSError` when the reader is not there."""
        if not self._health.is_known or self._down:
            raise OSError(f"reader {reader} is not there: its line {number} was not switched")
        self._wishes.put((reader, number, high))

    def run(self) -> None:
        pause_s = REOPEN_FIRST_S
        while not self._stop.is_set():
            if self._may_pause and not self._accepting.wait(READ_WAIT_S):
                continue
            try:
                self._transport.open()
                pause_s = REOPEN_FIRST_S
                self._down = False
                self._serve(self._talk())
                if self._tunable is not None and self._hunting:
                    continue  # the next speed at once
            except LinkDown as error:
                self._report_down(error)
            finally:
                self._transport.close()
            self._stop.wait(pause_s * random.uniform(0.7, 1.0))  # noqa: S311 - jitter, not a secret
            pause_s = min(REOPEN_MAX_S, pause_s * 2)

    def _talk(self) -> Talk:
        sessions = [(reader.name, reader.protocol.host(reader.options)) for reader in self._readers]
        return Single(*sessions[0]) if len(sessions) == 1 else Bus(sessions)

    def _serve(self, talk: Talk) -> None:
        """Until told to stop, or until the port should be opened anew."""
        self._health = _Health(clock.now().monotonic)
        self._take(talk.start(self._health.opened))
        while not self._stop.is_set() and (self._accepting.is_set() or not self._may_pause):
            delivery = self._transport.read(MESSAGE_WAIT_S if self._may_pause else READ_WAIT_S)
            now = clock.now()
            if delivery is not None:
                kept = delivery.done is not None
                self._take(talk.receive(delivery.data, now.monotonic), kept_elsewhere=kept)
                if delivery.done is not None:
                    self._put(Delivered(delivery.done))
            self._switch_lines(talk, now.monotonic)
            self._take(talk.tick(now.monotonic))
            if not self._may_pause and self._should_open_anew(now.monotonic):
                return

    def _switch_lines(self, talk: Talk, now: float) -> None:
        while not self._wishes.empty():
            reader, number, high = self._wishes.get()
            self._take(talk.set_output(reader, number, now, high=high))

    def _should_open_anew(self, now: float) -> bool:
        health = self._health
        if self._tunable is None:
            return health.mute_since is not None and now - health.mute_since > ANEW_S
        is_noise = health.noise >= NOISE_BYTES and now - health.noise_since > NOISE_S
        if is_noise or health.mute_since is not None or (not health.is_known and now - health.opened > TRIAL_S):
            was = self._tunable.setting
            self._tunable.turn()
            if not self._hunting:
                self._hunting = True
                why = "noise" if is_noise else "nothing"
                self._say(DeviceState.FAULT, f"{why} at {was}, trying {self._tunable.setting} and others")
            return True
        return False

    @property
    def _may_pause(self) -> bool:
        """A broker keeps what we do not fetch; a serial reader goes on, and its reads must be counted as a gap."""
        return self._readers[0].protocol.framed_by_transport

    def _take(self, said: Said, *, kept_elsewhere: bool = False) -> None:
        received = clock.now()
        for name, outputs in said:
            for told in outputs:
                output = as_read(told) if isinstance(told, CodeRead) else told
                match output:
                    case TagRead():
                        reach("frame-read")
                        self._health.noise = 0
                        self._put(Reading(name, output, received, kept_elsewhere))
                    case BadBytes():
                        self._hear_noise(len(output.data), received.monotonic)
                        if not self._hunting:  # at a wrong speed everything is noise, and says nothing about the cable
                            self._put(BadReading(name, output, received))
                    case DeviceEvent():
                        self._note(name, output.state)
                        if output.state is DeviceState.ONLINE:
                            for number in self._lines.watched(name):
                                self._wishes.put((name, number, False))
                        self._put(DeviceReport(name, self._heard(output, received.monotonic), received))
                    case Send(data):
                        self._transport.write(data)

    def _heard(self, event: DeviceEvent, now: float) -> DeviceEvent:
        """Keep what the session says of its reader; the same event, with the speed that was found."""
        health = self._health
        if event.state is DeviceState.ONLINE:
            health.is_known, health.mute_since, health.noise = True, None, 0
            if self._hunting and self._tunable is not None:
                self._hunting = False
                return DeviceEvent(event.state, f"{event.detail}, found at {self._tunable.setting}")
        elif event.state is DeviceState.SILENT and health.mute_since is None:
            health.mute_since = now
        return event

    def _hear_noise(self, count: int, now: float) -> None:
        if self._health.noise == 0:
            self._health.noise_since = now
        self._health.noise += count

    def _report_down(self, error: LinkDown) -> None:
        """Once an outage, not once an attempt."""
        if self._down:
            return
        self._down = True
        log.warning("%s: %s", ", ".join(reader.name for reader in self._readers), error)
        self._say(DeviceState.SILENT, str(error))

    def _say(self, state: DeviceState, detail: str) -> None:
        for reader in self._readers:
            self._note(reader.name, state)
            self._put(DeviceReport(reader.name, DeviceEvent(state, detail), clock.now()))

    def _note(self, name: str, state: DeviceState) -> None:
        if state is DeviceState.ONLINE:
            self.online.add(name)
        elif state in (DeviceState.SILENT, DeviceState.FAULT):
            self.online.discard(name)
