"""The gateway's end of a reader that must be asked: identify, configure, then one inventory after the other.

A protocol says which commands, what a frame means, and how long a round may last; tries, silence, stale partial
frames and starting anew are the same for all and live here. Until the reader is identified its tag frames are old
bytes that the port kept, and are thrown away.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from trace_core.readers._base import BadBytes, DeviceEvent, DeviceState, HostOutput, Send, TagRead
from trace_core.readers._framing import Belief, Framer

REPLY_S = 0.5
"""Longest wait for the reply to a command that starts no inventory."""
TRIES = 3
SILENCE_S = 3.0
"""Without any valid frame for so long while inventories are asked for, the reader is silent."""
REFUSED_PAUSE_S = 0.5
"""After a refused inventory: asking again at once would be a flood."""


@dataclass(frozen=True, slots=True)
class Step:
    """One command that waits for its reply before the next goes out."""

    command: int
    frame: bytes
    required: bool = True
    """False: without a reply the script goes on."""
    identifies: bool = False


class AskingHost(ABC):
    """`HostSession` without what is special to a protocol."""

    def __init__(self, framer: Framer, *, gap_s: float, belief: Belief | None = None) -> None:
        """`gap_s`: after so much silence the rest of a frame will not come."""
        self._framer = framer
        self._belief = belief
        self._gap_s = gap_s
        self._script: deque[Step] = deque()
        self._identifying = False
        self._polling = False
        self._due = self._deadline = self._last_bytes = self._last_frame = 0.0
        self._asked = False
        self._quiet_ticks = self._tries = 0
        self._online = self._silent = False
        self._told: set[str] = set()
        self._wanted: dict[int, bool] = {}
        """Output lines to be switched before the next inventory."""

    # What a protocol says

    @abstractmethod
    def _steps(self) -> Sequence[Step]:
        """The script from the beginning; one of its steps identifies."""

    @abstractmethod
    def _inventory(self) -> tuple[bytes, float]:
        """The next inventory command, and the seconds after which its round counts as lost."""

    @abstractmethod
    def _frame(self, raw: bytes, now: float, out: list[HostOutput]) -> None:
        """One intact frame: append what it says."""

    def _output(self, number: int, *, high: bool) -> Sequence[Step]:
        """The commands that switch an output line. Only for protocols that have some."""
        # Not abstract: most protocols have no lines, and `ReaderProtocol.outputs` keeps callers away from these.
        raise NotImplementedError(f"{type(self).__name__} has no output lines")

    # The session

    def start(self, now: float) -> Sequence[HostOutput]:
        self._last_frame = now
        return [self._restart(now)]

    def receive(self, data: bytes, now: float) -> Sequence[HostOutput]:
        """Take bytes from the port. Never raises on bad data."""
        self._last_bytes = now
        self._quiet_ticks = 0
        return self._take(self._framer.feed(data), now)

    def tick(self, now: float) -> Sequence[HostOutput]:
        """Give up partial frames, repeat unanswered commands, ask for the next round, notice silence."""
        out: list[HostOutput] = []
        # Two ticks with no bytes between them: after one, a program that was held up has bytes waiting unread.
        self._quiet_ticks += 1
        if self._quiet_ticks >= 2 and now - self._last_bytes > self._gap_s and self._framer.pending:
            out += self._take(self._framer.flush(), now)
        if self._script:
            if now >= self._deadline:
                out += self._unanswered(now)
        elif self._polling:
            if now - self._last_frame > SILENCE_S:
                out += self._fall_silent(now)
            elif now >= self._due:
                self._ask(now, out)
        return out

    def _switch(self, number: int, *, high: bool) -> None:
        """For `set_output`: between two rounds, because a module in a round takes no other command."""
        self._wanted.pop(number, None)
        self._wanted[number] = high

    # What a protocol's `_frame` calls

    @property
    def _step(self) -> Step | None:
        """The command whose reply is waited for."""
        return self._script[0] if self._script else None

    @property
    def _stale(self) -> bool:
        """Tag frames of now may be older than this session."""
        return self._identifying

    def _answered(self, now: float, out: list[HostOutput], *, extra: Sequence[Step] = ()) -> None:
        """The step has its reply; `extra` steps come before the others."""
        if self._script.popleft().identifies:
            self._identifying = False
        self._script.extendleft(reversed(extra))
        self._tries = 0
        if self._script:
            out.append(self._command(now))
        else:
            self._polling = True
            self._last_frame = now
            self._ask(now, out)

    def _identified(self, detail: str, out: list[HostOutput]) -> None:
        self._silent = False
        if not self._online:
            self._online = True
            out.append(DeviceEvent(DeviceState.ONLINE, detail))

    def _fault(self, detail: str, out: list[HostOutput]) -> None:
        """Told once until the reader starts anew."""
        if detail not in self._told:
            self._told.add(detail)
            out.append(DeviceEvent(DeviceState.FAULT, detail))

    def _read(self, read: TagRead, raw: bytes, out: list[HostOutput]) -> None:
        if self._stale:
            return
        if self._belief is None:
            out.append(read)
        else:
            out += self._belief.judge(read, raw)

    def _round_over(self, now: float, out: list[HostOutput]) -> None:
        """Ask for the next round at once, if the one that ended was ours."""
        if self._polling and self._asked:
            self._ask(now, out)

    def _round_refused(self, now: float) -> None:
        self._asked = False
        self._due = now + REFUSED_PAUSE_S

    def _begin_anew(self, now: float, out: list[HostOutput]) -> None:
        """The reader forgot what it was told."""
        out.append(self._restart(now))

    # The rest

    def _take(self, items: list[bytes | BadBytes], now: float) -> list[HostOutput]:
        out: list[HostOutput] = []
        for item in items:
            belief = self._belief
            if isinstance(item, BadBytes):
                if belief is not None:
                    belief.bad(item)
                out.append(item)
                continue
            self._last_frame = now
            if belief is not None:
                belief.frame()
            self._frame(item, now, out)
        return out

    def _restart(self, now: float) -> Send:
        self._polling = self._asked = False
        self._script = deque(self._steps())
        self._identifying = True
        self._tries = 0
        self._told.clear()
        return self._command(now)

    def _command(self, now: float) -> Send:
        self._deadline = now + REPLY_S
        self._tries += 1
        return Send(self._script[0].frame)

    def _ask(self, now: float, out: list[HostOutput]) -> None:
        if self._wanted:
            self._script = deque(step for line, high in self._wanted.items() for step in self._output(line, high=high))
            self._wanted.clear()
            self._polling, self._tries = False, 0
            out.append(self._command(now))
            return
        frame, lasts_s = self._inventory()
        self._asked = True
        self._due = now + lasts_s
        out.append(Send(frame))

    def _unanswered(self, now: float) -> list[HostOutput]:
        out: list[HostOutput] = []
        if not self._script[0].required:
            self._answered(now, out)
        elif self._tries < TRIES:
            out.append(self._command(now))
        else:
            out += self._fall_silent(now)
        return out

    def _fall_silent(self, now: float) -> list[HostOutput]:
        """Report it once, then begin anew; another reader may sit at the port by now."""
        out: list[HostOutput] = []
        if not self._silent:
            self._silent = True
            out.append(DeviceEvent(DeviceState.SILENT, "no valid frame; identify is being repeated"))
        self._online = False
        self._last_frame = now
        out.append(self._restart(now))
        return out
