"""The pump: one thread a port, transport ↔ host session → a bounded queue. A full queue makes it wait."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from gateway_agent import clock
from gateway_agent.clock import Moment
from gateway_agent.config import ReaderConfig
from gateway_agent.killpoints import reach
from gateway_agent.transports._base import LinkDown, Transport
from trace_core.readers._base import BadBytes, DeviceEvent, DeviceState, HostOutput, HostSession, Send, TagRead

log = logging.getLogger(__name__)

READ_WAIT_S = 0.05
"""Longest wait for bytes: sessions want a tick at least every 100 ms."""
REOPEN_FIRST_S = 0.2
REOPEN_MAX_S = 1.5
"""With jitter below the 2 s in which a port must be served again after its return."""


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


class Pump:
    """Serves one reader until `stop` is set: opens, talks, reopens."""

    def __init__(
        self,
        config: ReaderConfig,
        transport: Transport,
        put: Callable[[Item], None],
        *,
        accepting: threading.Event,
        stop: threading.Event,
    ) -> None:
        """`put` blocks while the queue is full; `accepting` is clear while the outbox is full."""
        self._config = config
        self._transport = transport
        self._put = put
        self._accepting = accepting
        self._stop = stop
        self._down = False

    def run(self) -> None:
        pause_s = REOPEN_FIRST_S
        while not self._stop.is_set():
            if self._may_pause and not self._accepting.wait(READ_WAIT_S):
                continue
            session = self._config.protocol.host(self._config.options)
            try:
                self._transport.open()
                pause_s = REOPEN_FIRST_S
                self._down = False
                self._serve(session)
            except LinkDown as error:
                self._report_down(error)
            finally:
                self._transport.close()
            self._stop.wait(pause_s * random.uniform(0.7, 1.0))  # noqa: S311 - jitter, not a secret
            pause_s = min(REOPEN_MAX_S, pause_s * 2)

    def _serve(self, session: HostSession) -> None:
        self._take(session.start(clock.now().monotonic))
        while not self._stop.is_set() and (self._accepting.is_set() or not self._may_pause):
            delivery = self._transport.read(READ_WAIT_S)
            now = clock.now()
            if delivery is not None:
                kept = delivery.done is not None
                self._take(session.receive(delivery.data, now.monotonic), kept_elsewhere=kept)
                if delivery.done is not None:
                    self._put(Delivered(delivery.done))
            self._take(session.tick(now.monotonic))

    @property
    def _may_pause(self) -> bool:
        """A broker keeps what we do not fetch; a serial reader goes on, and its reads must be counted as a gap."""
        return self._config.protocol.framed_by_transport

    def _take(self, outputs: Sequence[HostOutput], *, kept_elsewhere: bool = False) -> None:
        received = clock.now()
        name = self._config.name
        for output in outputs:
            match output:
                case TagRead():
                    reach("frame-read")
                    self._put(Reading(name, output, received, kept_elsewhere))
                case BadBytes():
                    self._put(BadReading(name, output, received))
                case DeviceEvent():
                    self._put(DeviceReport(name, output, received))
                case Send(data):
                    self._transport.write(data)

    def _report_down(self, error: LinkDown) -> None:
        """Once an outage, not once an attempt."""
        if self._down:
            return
        self._down = True
        log.warning("reader %s: %s", self._config.name, error)
        event = DeviceEvent(DeviceState.SILENT, str(error))
        self._put(DeviceReport(self._config.name, event, clock.now()))
