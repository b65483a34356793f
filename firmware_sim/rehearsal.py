"""A scenario played without ports and without waiting: each reader against the host session of its protocol.

The clock is turned by hand and all chance is seeded: the same scenario gives the same bytes at the same microsecond.
So a record can be made again from its scenario instead of being kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from firmware_sim.line import Line
from firmware_sim.record import Direction, Entry
from firmware_sim.scenario import Scenario
from firmware_sim.tcp import ConnectionAware
from trace_core.readers._base import CodeRead, HostOutput, HostSession, Send, TagRead

STEP_US = 10_000
REOPEN_S = 0.2
"""A host opens a port again so long after it came back."""
SETTLE_S = 2.0
"""A rehearsal goes on so long after the last tag has left."""


@dataclass(slots=True)
class Rehearsal:
    """What came of it: reads by (reader, identifier in hex or text), and damaged frames."""

    reads: Counter[tuple[str, str]] = field(default_factory=Counter)
    damaged: int = 0
    entries: int = 0


def rehearse(scenario: Scenario, put: Callable[[Entry], None]) -> Rehearsal:
    """Play it to its end (`duration_s`, or when the last tag has left), every chunk to `put` in the order of time."""
    result = Rehearsal()
    start = scenario.start.timestamp()

    def keep(entry: Entry) -> None:
        result.entries += 1
        put(entry)

    ends = [_End(number, scenario, keep, result.reads) for number in range(len(scenario.readers))]
    length_s = scenario.last_s() / scenario.speed + (0.0 if scenario.duration_s else SETTLE_S)
    for at_us in range(0, round(length_s * 1e6), STEP_US):
        at_s, now = at_us / 1e6 * scenario.speed, start + at_us / 1e6
        for end in ends:
            end.step(at_us, at_s, now)
    result.damaged = sum(end.line.damaged for end in ends)
    return result


class _End:
    """Both ends of one cable."""

    def __init__(
        self, number: int, scenario: Scenario, put: Callable[[Entry], None], reads: Counter[tuple[str, str]]
    ) -> None:
        plan = scenario.readers[number]
        self.line = Line(plan, scenario.seed, repeat_s=scenario.repeat_s)
        self._number = number
        self._put = put
        self._reads = reads
        self._host: HostSession | None = None
        self._opens_at = 0.0
        self._baud = plan.protocol.line.baud if plan.protocol.line is not None else 0
        self._at_us = 0

    def step(self, at_us: int, at_s: float, now: float) -> None:
        self._at_us = at_us
        for what in self.line.advance(at_s, now):
            self._put(Entry(at_us, self._number, Direction.HAPPENED, what.encode()))
            self._happened(what, now)
        if self._host is None:
            if self.line.is_quiet or now < self._opens_at:
                return
            self._open(now)
        for piece in self.line.tick(at_s, now, self._baud):
            self._to_host(piece, now)
        if self._host is not None:
            self._take(self._host.tick(now), now)

    def _open(self, now: float) -> None:
        plan, session = self.line.plan, self.line.session
        if isinstance(session, ConnectionAware):
            session.attached(self.line.clock(now))
        names = {name: value for name, value in plan.options.items() if name in plan.protocol.options}
        self._host = plan.protocol.host(names)
        self._take(self._host.start(now), now)

    def _happened(self, what: str, now: float) -> None:
        """A pulled cable ends the host's session; a reader without power ends the connection that it holds itself."""
        session = self.line.session
        if what == "unplug" or (what == "reboot" and isinstance(session, ConnectionAware)):
            self._host = None
            if isinstance(session, ConnectionAware):
                session.detached()
        if what in ("replug", "power"):
            self._opens_at = now + REOPEN_S

    def _to_host(self, piece: bytes, now: float) -> None:
        if not piece or self._host is None:
            return
        self._put(Entry(self._at_us, self._number, Direction.TO_HOST, piece))
        self._take(self._host.receive(piece, now), now)

    def _take(self, outputs: Sequence[HostOutput], now: float) -> None:
        for output in outputs:
            if isinstance(output, Send):
                self._put(Entry(self._at_us, self._number, Direction.TO_READER, output.data))
                for piece in self.line.hear(output.data, now, self._baud):
                    self._to_host(piece, now)
            elif isinstance(output, TagRead):
                self._reads[self.line.plan.id, output.epc.hex().upper()] += 1
            elif isinstance(output, CodeRead):
                self._reads[self.line.plan.id, output.text] += 1
