"""A simulated reader: a thread that joins a device session to an endpoint and keeps the tags in its field."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol, runtime_checkable

from firmware_sim.endpoints import Endpoint, EndpointError, PtyEndpoint
from firmware_sim.faults import FaultyEndpoint
from firmware_sim.tcp import TcpEndpoint
from trace_core.readers._base import DeviceSession, FieldTag, ReaderProtocol

TICK_S = 0.01
RSSI_SPREAD_DB = 2.0
"""Standard deviation of a tag's signal from read to read; people and goods move."""

log = logging.getLogger(__name__)


@runtime_checkable
class LineSpeed(Protocol):
    """A device session whose line speed the host can change."""

    baud: int


class SimulatedReader:
    """One reader with tags in its field. `place` and `remove` may be called from any thread.

    The device's clock is Unix time that never steps: wall clock at construction plus monotonic time since.
    """

    def __init__(
        self, protocol: ReaderProtocol, session: DeviceSession, endpoint: Endpoint, *, seed: int | None = None
    ) -> None:
        self.protocol = protocol
        self.session = session
        self.endpoint = endpoint
        self.failure: EndpointError | None = None
        self.mute = threading.Event()
        """While set, the reader hears and says nothing (brown-out)."""
        self._random = random.Random(seed)  # noqa: S311 - signal strength, not a secret
        self._tags: dict[tuple[bytes, int], FieldTag] = {}
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._epoch = time.time() - time.monotonic()
        plug = endpoint.inner if isinstance(endpoint, FaultyEndpoint) else endpoint
        if isinstance(plug, TcpEndpoint):
            plug.serve(session, self._now)
        self._thread = threading.Thread(target=self._run, name=f"reader-{protocol.name}", daemon=True)

    def place(self, tag: FieldTag) -> None:
        """A tag comes into the field, or changes there."""
        with self._lock:
            self._tags[tag.epc, tag.antenna] = tag

    def remove(self, epc: bytes) -> None:
        """A tag leaves the field of every antenna."""
        with self._lock:
            self._tags = {key: tag for key, tag in self._tags.items() if tag.epc != epc}

    def replace(self, tags: Iterable[FieldTag]) -> None:
        """The field holds exactly `tags` from now on."""
        field = {(tag.epc, tag.antenna): tag for tag in tags}
        with self._lock:
            self._tags = field

    def tags(self) -> tuple[FieldTag, ...]:
        """What is in the field now."""
        with self._lock:
            return tuple(self._tags.values())

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the endpoint."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5.0)
        self.endpoint.close()

    def __enter__(self) -> SimulatedReader:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._step()
        except EndpointError as error:
            self.failure = error
            log.exception("the simulated reader lost its endpoint")

    def _step(self) -> None:
        data = self._heard(self.endpoint.read(TICK_S))
        now = self._now()
        if self.mute.is_set():
            return
        if data:
            self._say(self.session.receive(data, now))
        field = [self._with_noise(tag) for tag in self.tags()]
        for frame in self.session.tick(now, field):
            self._say(frame)

    def _now(self) -> float:
        return self._epoch + time.monotonic()

    def _say(self, data: bytes) -> None:
        if data:
            self.endpoint.write(self._heard(data))

    def _heard(self, data: bytes) -> bytes:
        """What arrives: noise when the two ends of a serial line disagree about its speed."""
        endpoint = self.endpoint
        if not data or not isinstance(endpoint, PtyEndpoint) or not isinstance(self.session, LineSpeed):
            return data
        endpoint.baud = self.session.baud
        return data if endpoint.host_baud() in (0, endpoint.baud) else self._random.randbytes(len(data))

    def _with_noise(self, tag: FieldTag) -> FieldTag:
        return replace(tag, rssi_dbm=tag.rssi_dbm + self._random.gauss(0.0, RSSI_SPREAD_DB))
