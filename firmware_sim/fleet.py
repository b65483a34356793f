"""All readers of a scenario in one thread: an event loop that answers at once and ticks each reader in its turn."""

from __future__ import annotations

import heapq
import resource
import selectors
import time
from collections import deque
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from firmware_sim.broker import EmbeddedBroker
from firmware_sim.endpoints import BITS_PER_BYTE, PACED_BYTES
from firmware_sim.health import Heartbeat
from firmware_sim.line import Line
from firmware_sim.plugs import Plug, plug_for
from firmware_sim.record import Direction, Entry, RecordWriter
from firmware_sim.scenario import Scenario
from trace_core.errors import ConfigError

TICK_S = (0.01, 0.1)
"""Shortest and longest time between two ticks of a reader; 10,000 ticks a second in all."""
TICKS_PER_S = 10_000
ANSWER_S = 0.005
"""A reader that was asked something is looked after so soon."""
MAX_WAITING = 16_384
"""Bytes for a host that takes none; what comes then is lost and counted, as in a reader."""
HANDLES_PER_READER, HANDLES_BESIDE = 3, 64


@dataclass(slots=True)
class Served:
    """One reader in the loop. Times are monotonic seconds."""

    number: int
    line: Line
    plug: Plug
    waiting: deque[bytes]
    due: float
    held: int = 0
    """Bytes in `waiting`."""
    free_at: float = 0.0
    """The serial line is busy until then."""
    watched: tuple[int, ...] = ()
    is_message: bool = False


@dataclass(frozen=True, slots=True)
class Figures:
    """What a run came to."""

    readers: int
    seconds: float
    frames: int
    damaged_frames: int
    overruns: int
    cpu_s: float
    rss_mb: float
    handles: int


class Fleet:
    """A context manager: ports open inside it, and the scenario's clock begins with the first `run`."""

    def __init__(self, scenario: Scenario, *, endpoint: str = "", recorder: RecordWriter | None = None) -> None:
        """Raises `ConfigError`, `EndpointError`, `PortError`."""
        self._scenario = scenario
        self._recorder = recorder
        self._stack = ExitStack()
        self._broker: EmbeddedBroker | None = None
        self._selector = selectors.DefaultSelector()
        self._frames = 0
        self._overruns = 0
        self._runs = False
        self._begun = time.monotonic()
        self._cpu_s = time.process_time()
        self._epoch = time.time() - time.monotonic()
        count = len(scenario.readers)
        self._tick_s = min(max(count / TICKS_PER_S, TICK_S[0]), TICK_S[1])
        require_handles(HANDLES_PER_READER * count + HANDLES_BESIDE)
        self._stack.callback(self._selector.close)
        try:
            self.served = [self._plugged_in(number, endpoint) for number in range(count)]
        except BaseException:
            self._stack.close()
            raise
        self._heap = [(served.due, served.number) for served in self.served]
        heapq.heapify(self._heap)

    def __enter__(self) -> Fleet:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._stack.close()

    def places(self) -> list[tuple[str, str, str]]:
        """(reader, protocol, what the gateway opens) of each."""
        return [(s.line.plan.id, s.line.plan.protocol.name, s.plug.where) for s in self.served]

    def run(self, duration_s: float, heartbeat: Heartbeat) -> None:
        """Until `duration_s` of the scenario's clock, 0 for ever; called again, it goes on."""
        if not self._runs:
            self._runs, self._begun = True, time.monotonic()
        while True:
            now = time.monotonic()
            at_s = (now - self._begun) * self._scenario.speed
            if duration_s and at_s >= duration_s:
                return
            heartbeat.beat(now)
            wait_s = max(0.0, min(self._heap[0][0] - now, TICK_S[1]))
            for key, _ in self._selector.select(wait_s):
                self._hear(self.served[key.data])
            now = time.monotonic()
            while self._heap[0][0] <= now:
                due, number = heapq.heappop(self._heap)
                served = self.served[number]
                if due == served.due:  # otherwise it was looked after sooner, and has another entry
                    self._tick(served, now)

    def figures(self) -> Figures:
        status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
        rss_kb = next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
        return Figures(
            readers=len(self.served),
            seconds=round(time.monotonic() - self._begun, 3),
            frames=self._frames,
            damaged_frames=sum(s.line.damaged for s in self.served),
            overruns=self._overruns + sum(s.plug.overruns for s in self.served),
            cpu_s=round(time.process_time() - self._cpu_s, 3),
            rss_mb=round(rss_kb / 1024, 1),
            handles=open_handles(),
        )

    def _plugged_in(self, number: int, endpoint: str) -> Served:
        plan = self._scenario.readers[number]
        url = endpoint.replace("{id}", plan.id) or plan.endpoint
        line = Line(plan, self._scenario.seed, repeat_s=self._scenario.repeat_s)
        plug = plug_for(url, plan.id, self._broker_address, baud=line.baud)
        self._stack.callback(plug.close)
        plug.serve(line.session, lambda: line.clock(self._epoch + time.monotonic()))
        due = self._begun + self._tick_s * number / len(self._scenario.readers)
        served = Served(number, line, plug, deque(), due, is_message=plan.protocol.framed_by_transport)
        self._watch(served)
        return served

    def _broker_address(self) -> tuple[str, int]:
        if self._broker is None:
            self._broker = self._stack.enter_context(EmbeddedBroker())
        return self._broker.host, self._broker.port

    def _watch(self, served: Served) -> None:
        """Ports and connections come and go."""
        now = served.plug.filenos()
        if now == served.watched:
            return
        for fileno in set(served.watched) - set(now):
            self._selector.unregister(fileno)
        for fileno in set(now) - set(served.watched):
            self._selector.register(fileno, selectors.EVENT_READ, served.number)
        served.watched = now

    def _forget(self, served: Served) -> None:
        """Before a port closes: its number may be another file's the next moment."""
        for fileno in served.watched:
            self._selector.unregister(fileno)
        served.watched = ()

    def _hear(self, served: Served) -> None:
        was = served.watched
        data = served.plug.take()
        if served.plug.filenos() != was:
            self._rewatch(served)
        if not data:
            return
        now = time.monotonic()
        self._note(served, Direction.TO_READER, data, now)
        self._queue(served, served.line.hear(data, self._epoch + now, served.plug.host_baud()))
        self._flush(served, now)
        served.due = now + ANSWER_S
        heapq.heappush(self._heap, (served.due, served.number))

    def _rewatch(self, served: Served) -> None:
        """After a connection ended: the selector has dropped a closed file by itself, or keeps a stale entry."""
        for fileno in served.watched:
            try:
                self._selector.unregister(fileno)
            except (KeyError, ValueError):
                continue
        served.watched = ()
        self._watch(served)

    def _tick(self, served: Served, now: float) -> None:
        line, plug = served.line, served.plug
        at_s = (now - self._begun) * self._scenario.speed
        for what in line.advance(at_s, self._epoch + now):
            self._happened(served, what, now)
        self._queue(served, line.tick(at_s, self._epoch + now, plug.host_baud()))
        self._flush(served, now)
        if not served.waiting:
            plug.look_after(now)
        if plug.filenos() != served.watched:
            self._rewatch(served)
        served.due = now + (TICK_S[0] if served.waiting else self._tick_s)
        heapq.heappush(self._heap, (served.due, served.number))

    def _happened(self, served: Served, what: str, now: float) -> None:
        self._note(served, Direction.HAPPENED, what.encode(), now)
        if what == "unplug" or (
            what == "reboot" and not served.line.baud
        ):  # a network reader takes its connection along
            served.waiting.clear()
            served.held = 0
            self._forget(served)
            served.plug.unplug()
        elif what in ("replug", "power"):
            served.plug.replug()
        self._watch(served)

    def _queue(self, served: Served, pieces: Sequence[bytes]) -> None:
        for piece in pieces:
            if not piece:
                continue
            self._frames += 1
            if not served.plug.is_open:
                continue  # bytes into a pulled cable are gone
            if served.held + len(piece) > MAX_WAITING:
                self._overruns += len(piece)
                continue
            served.waiting.append(piece)
            served.held += len(piece)

    def _flush(self, served: Served, now: float) -> None:
        """As much as the line carries by now and the host takes."""
        baud = served.line.baud
        room = MAX_WAITING
        if baud:
            served.free_at = max(served.free_at, now - self._tick_s)
            room = int((now - served.free_at) * baud / BITS_PER_BYTE) + PACED_BYTES
        while served.waiting and room > 0:
            piece = served.waiting[0]
            offered = piece if served.is_message else piece[:room]
            taken = served.plug.put(offered)
            if not taken:
                break
            self._note(served, Direction.TO_HOST, offered[:taken], now)
            room -= taken
            served.held -= taken
            if baud:
                served.free_at += taken * BITS_PER_BYTE / baud
            if taken == len(piece):
                served.waiting.popleft()
            else:
                served.waiting[0] = piece[taken:]
        if not served.plug.is_open:
            served.waiting.clear()
            served.held = 0

    def _note(self, served: Served, direction: Direction, data: bytes, now: float) -> None:
        if self._recorder is not None:
            at_us = max(0, round((now - self._begun) * 1e6))
            self._recorder.put(Entry(at_us, served.number, direction, data))


def open_handles() -> int:
    """Files that this process has open."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir()) - 1


def require_handles(count: int) -> None:
    """Ask for as many open files as the readers need. Raises `ConfigError` when the system does not allow them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= count:
        return
    if hard != resource.RLIM_INFINITY and hard < count:
        remedy = f"ulimit -Hn {count}, or fewer readers"
        raise ConfigError(f"{count} open files are needed, {hard} allowed", where="reader", remedy=remedy)
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))
