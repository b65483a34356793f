"""A record played again: the readers' bytes of every cable, byte for byte and in their order, at any speed.

What the host says is taken and thrown away: a record does not answer. Nothing is dropped when the host is slow; the
bytes wait for it.
"""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType

from firmware_sim.broker import EmbeddedBroker
from firmware_sim.fleet import HANDLES_BESIDE, HANDLES_PER_READER, require_handles
from firmware_sim.plugs import Plug, plug_for
from firmware_sim.record import Cable, Direction, Entry, Head
from firmware_sim.scenario import DEFAULT_ENDPOINT
from trace_core.errors import ConfigError
from trace_core.readers import protocols

STEP_S = 0.005
LAST_S = 5.0
"""So long a host may take for what is left at the end; then it counts as not delivered."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it, in bytes of the readers."""

    delivered: int
    undelivered: int
    late_s: float
    """The longest that a chunk came after its time."""


@dataclass(slots=True)
class _Played:
    cable: Cable
    plug: Plug
    waiting: deque[bytes] = field(default_factory=deque)
    heard: bool = False


class Replay:
    """A context manager: ports open inside it. `speed` 0 is as fast as the hosts take it."""

    def __init__(self, head: Head, *, speed: float = 1.0, endpoint: str = "", only: Sequence[str] = ()) -> None:
        """`endpoint` as in a scenario, with {id}; `only`: these cables. Raises `ConfigError`, `EndpointError`."""
        known = {cable.id for cable in head.cables}
        unknown = sorted(set(only) - known)
        if unknown:
            remedy = f"one of {', '.join(sorted(known))}"
            raise ConfigError(f"no cable {unknown[0]!r} in the record", where="--cable", remedy=remedy)
        self._speed = speed
        self._stack = ExitStack()
        self._broker: EmbeddedBroker | None = None
        require_handles(HANDLES_PER_READER * len(known) + HANDLES_BESIDE)
        self._played: dict[int, _Played] = {}
        try:
            for number, cable in enumerate(head.cables):
                if not only or cable.id in only:
                    self._played[number] = self._plugged_in(cable, endpoint)
        except BaseException:
            self._stack.close()
            raise

    def __enter__(self) -> Replay:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self._stack.close()

    def places(self) -> list[tuple[str, str, str]]:
        """(cable, protocol, what the gateway opens) of each."""
        return [(p.cable.id, p.cable.protocol, p.plug.where) for p in self._played.values()]

    def wait_for_hosts(self, limit_s: float) -> bool:
        """Until a host has spoken on every cable, at most `limit_s`; whether all did."""
        end = time.monotonic() + limit_s
        while not all(p.heard for p in self._played.values()) and time.monotonic() < end:
            self._turn()
        return all(p.heard for p in self._played.values())

    def run(self, entries: Iterable[Entry], *, told: Callable[[str], None] = lambda _: None) -> Replayed:
        """Raises what `entries` raises. `told` hears of incidents."""
        begun = time.monotonic()
        delivered, late_s = 0, 0.0
        for entry in entries:
            played = self._played.get(entry.cable)
            if played is None or entry.direction is Direction.TO_READER:
                continue
            due = begun + entry.at_us / 1e6 / self._speed if self._speed else begun
            while (now := time.monotonic()) < due or len(played.waiting) > 64:
                self._turn(max(0.0, due - now))
            if self._speed:
                late_s = max(late_s, now - due)
            if entry.direction is Direction.HAPPENED:
                told(f"{played.cable.id}: {entry.data.decode()}")
                self._happen(played, entry.data.decode())
                continue
            delivered += len(entry.data)
            played.waiting.append(entry.data)
            self._push(played)
        end = time.monotonic() + LAST_S
        while any(p.waiting for p in self._played.values()) and time.monotonic() < end:
            self._turn()
        left = sum(len(piece) for p in self._played.values() for piece in p.waiting)
        return Replayed(delivered - left, left, round(late_s, 3))

    def _plugged_in(self, cable: Cable, endpoint: str) -> _Played:
        usual = DEFAULT_ENDPOINT[protocols()[cable.protocol].transports[0]]
        plug = plug_for(endpoint.replace("{id}", cable.id) or usual, cable.id, self._broker_address, baud=cable.baud)
        self._stack.callback(plug.close)
        return _Played(cable, plug)

    def _broker_address(self) -> tuple[str, int]:
        if self._broker is None:
            self._broker = self._stack.enter_context(EmbeddedBroker())
        return self._broker.host, self._broker.port

    def _turn(self, wait_s: float = STEP_S) -> None:
        """Take what hosts say, hand over what waits."""
        watch = select.poll()
        for played in self._played.values():
            for fileno in played.plug.filenos():
                watch.register(fileno, select.POLLIN)
        watch.poll(1000 * min(wait_s, STEP_S))
        now = time.monotonic()
        for played in self._played.values():
            spoke = bool(played.plug.take())
            played.heard = played.heard or spoke or (len(played.plug.filenos()) > 1)
            self._push(played)
            played.plug.look_after(now)

    def _push(self, played: _Played) -> None:
        while played.waiting:
            piece = played.waiting[0]
            taken = played.plug.put(piece)
            if not taken:
                return
            if taken == len(piece):
                played.waiting.popleft()
            else:
                played.waiting[0] = piece[taken:]

    def _happen(self, played: _Played, what: str) -> None:
        if what == "unplug":
            while played.waiting:  # what was written before the cable was pulled did arrive
                self._turn()
            played.plug.unplug()
        elif what == "replug":
            played.plug.replug()
