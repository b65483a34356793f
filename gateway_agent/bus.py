"""Who talks on one port: a single reader, or several with addresses on one bus.

On a bus every reader answers only when asked, and two that are asked at once destroy each other's reply. So one
session holds the bus at a time, from its request until it wants to send the next one: that next request waits for
its turn. Sessions do no I/O and get their time from here, so a session that waits does not see time pass and takes
no pause for silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from trace_core.readers._base import HostOutput, HostSession, Send, SwitchingHost

IDLE_S = 0.25
"""A session that neither sends nor receives for so long gives the bus away."""

Said: TypeAlias = Sequence[tuple[str, Sequence[HostOutput]]]
"""Reader name → what its session said."""


class Talk(Protocol):
    """What the pump sees of the sessions on its port."""

    def start(self, now: float) -> Said: ...

    def receive(self, data: bytes, now: float) -> Said: ...

    def tick(self, now: float) -> Said: ...

    def set_output(self, name: str, number: int, now: float, *, high: bool) -> Said: ...


class Single:
    """The only reader on its port."""

    def __init__(self, name: str, session: HostSession) -> None:
        self._name = name
        self._session = session

    def start(self, now: float) -> Said:
        return [(self._name, self._session.start(now))]

    def receive(self, data: bytes, now: float) -> Said:
        return [(self._name, self._session.receive(data, now))]

    def tick(self, now: float) -> Said:
        return [(self._name, self._session.tick(now))]

    def set_output(self, name: str, number: int, now: float, *, high: bool) -> Said:
        return [(name, _set_output(self._session, number, now, high=high))]


class Bus:
    """Several readers with addresses; each session has a clock of its own that runs while it holds the bus."""

    def __init__(self, sessions: Sequence[tuple[str, HostSession]]) -> None:
        self._seats = [_Seat(name, session) for name, session in sessions]
        self._turn = 0
        self._active_at = 0.0

    def start(self, now: float) -> Said:
        said: list[tuple[str, Sequence[HostOutput]]] = []
        for seat in self._seats:
            outputs = seat.session.start(seat.time)
            said.append((seat.name, seat.hold(outputs)))
        return [*said, *self._give_turn(0, now)]

    def receive(self, data: bytes, now: float) -> Said:
        seat = self._seats[self._turn]
        self._active_at = now
        return self._heard(seat, seat.session.receive(data, seat.at(now)), now)

    def tick(self, now: float) -> Said:
        seat = self._seats[self._turn]
        said = self._heard(seat, seat.session.tick(seat.at(now)), now)
        if self._seats[self._turn] is seat and now - self._active_at > IDLE_S:
            return [*said, *self._pass_on(now)]
        return said

    def set_output(self, name: str, number: int, now: float, *, high: bool) -> Said:  # noqa: ARG002 - its own clock
        """It takes effect when the reader has its turn."""
        for seat in self._seats:
            if seat.name == name:
                return [(name, seat.hold(_set_output(seat.session, number, seat.time, high=high)))]
        return []

    def _heard(self, seat: _Seat, outputs: Sequence[HostOutput], now: float) -> Said:
        """A request that follows a reply, or a time-out, ends the turn and waits."""
        said = [(seat.name, seat.hold(outputs))]
        return [*said, *self._pass_on(now)] if seat.waiting else said

    def _pass_on(self, now: float) -> Said:
        self._seats[self._turn].leave(now)
        return self._give_turn((self._turn + 1) % len(self._seats), now)

    def _give_turn(self, turn: int, now: float) -> Said:
        self._turn, self._active_at = turn, now
        seat = self._seats[turn]
        return [(seat.name, seat.enter(now))]


def _set_output(session: HostSession, number: int, now: float, *, high: bool) -> Sequence[HostOutput]:
    return session.set_output(number, now, high=high) if isinstance(session, SwitchingHost) else []


class _Seat:
    """One session on the bus."""

    def __init__(self, name: str, session: HostSession) -> None:
        self.name = name
        self.session = session
        self.time = 0.0
        self.waiting: list[HostOutput] = []
        self._entered = 0.0

    def at(self, now: float) -> float:
        """Its own time at `now`, while it holds the bus."""
        return self.time + now - self._entered

    def hold(self, outputs: Sequence[HostOutput]) -> Sequence[HostOutput]:
        """Keep what it wants to send; the rest may be said at once."""
        self.waiting += [output for output in outputs if isinstance(output, Send)]
        return [output for output in outputs if not isinstance(output, Send)]

    def enter(self, now: float) -> Sequence[HostOutput]:
        self._entered = now
        waiting, self.waiting = self.waiting, []
        return waiting

    def leave(self, now: float) -> None:
        self.time = self.at(now)
