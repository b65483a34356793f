"""Cutting a byte stream into frames by length and check, and how far a frame can be believed on a bad line.

One rule: on any fault one byte is dropped and the search goes on, so damage costs the damaged frame alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

from trace_core.readers._base import BadBytes, TagRead

Measure: TypeAlias = Callable[[bytes, int], int]
"""Stream and position → bytes of the frame that begins there; 0: none can; `MORE`: too few bytes to say."""

MORE = -1
BROKEN = "broken_frame"
"""Reason of bad bytes in which something began like a frame and was none."""
MAX_BAD = 1_024
"""Bytes in one report of bad bytes."""
BREAKS = 3
"""Damaged places within `WINDOW` frames that make a line suspect. One or two happen when plugs are moved."""
WINDOW = 200
"""Frames over which damaged places count: seconds of a busy reader."""
WAITING_FRAMES = 2_000
"""Frames for which a tag waits to be seen again before it is given up as unconfirmed."""
WAITING_TAGS = 256
REMEMBERED = 4_096
"""Tags that were believed once; a tag in the field is read tens of times a second."""


class Framer:
    """Checked frames in the order of the stream; what is no frame comes out as `BadBytes`.

    Holds at most one frame. `header` is the first byte of every frame, None where frames have none: then every
    byte is tried as the begin of a frame.
    """

    def __init__(
        self,
        measure: Measure,
        is_intact: Callable[[bytes], bool],
        header: int | None = None,
        *,
        looks_begun: Callable[[bytes, int], bool] = lambda _stream, _position: True,
    ) -> None:
        """`looks_begun`: whether a frame that `measure` takes for possible is likely enough to be called broken."""
        self._measure = measure
        self._is_intact = is_intact
        self._header = header
        self._looks_begun = looks_begun
        self._pending = b""
        self._broken = False

    @property
    def pending(self) -> bytes:
        """Bytes of a frame that is not complete."""
        return self._pending

    def feed(self, data: bytes) -> list[bytes | BadBytes]:
        """Take bytes as they came; the frames that are complete, in order."""
        buffer = self._pending + data if self._pending else data
        measure, is_intact = self._measure, self._is_intact
        out: list[bytes | BadBytes] = []
        size = len(buffer)
        position = bad_from = 0
        while position < size:
            length = measure(buffer, position)
            stop = position + length
            if length == MORE or stop > size:
                break
            if length and is_intact(raw := buffer[position:stop]):
                self._report(buffer[bad_from:position], out)
                out.append(raw)
                position = bad_from = stop
                self._broken = False
                continue
            if length and not self._broken:
                self._broken = self._looks_begun(buffer, position)
            position = self._following(buffer, position + 1)
        self._report(buffer[bad_from:position], out)
        self._pending = buffer[position:]
        return out

    def flush(self) -> list[bytes | BadBytes]:
        """The rest will not come: give up the first byte of the partial frame and search what follows it."""
        out: list[bytes | BadBytes] = []
        while self._pending:
            head, rest = self._pending[:1], self._pending[1:]
            self._pending = b""
            _join(out, BadBytes("partial", head))
            for item in self.feed(rest):
                _join(out, item)
        return out

    def _following(self, buffer: bytes, position: int) -> int:
        if self._header is None:
            return position
        found = buffer.find(self._header, position)
        return len(buffer) if found < 0 else found

    def _report(self, data: bytes, out: list[bytes | BadBytes]) -> None:
        reason = BROKEN if self._broken else "noise"
        out += [BadBytes(reason, data[i : i + MAX_BAD]) for i in range(0, len(data), MAX_BAD)]


def _join(out: list[bytes | BadBytes], item: bytes | BadBytes) -> None:
    """Neighbouring bad bytes become one report, so that one damaged frame is reported once."""
    last = out[-1] if out else None
    if isinstance(item, BadBytes) and isinstance(last, BadBytes) and len(last.data) + len(item.data) <= MAX_BAD:
        out[-1] = BadBytes(last.reason, last.data + item.data)
    else:
        out.append(item)


class Belief:
    """Which reads to believe when the frame's check is too weak for the line.

    An 8-bit check lets one damaged frame in 256 through, a 16-bit one in 65,536: on a line that breaks frames all
    day, both invent tags. So a line is trusted until it has broken `BREAKS` frames within `WINDOW`; from then on a
    tag that was not read before must come `sightings` times. Its first reads are kept and given out with the last.
    With `trusting` false no line is trusted.
    """

    def __init__(self, sightings: int, *, trusting: bool = True) -> None:
        self._sightings = sightings
        self._trusting = trusting
        self._frames = 0
        self._damaged = False
        self._broken_at: deque[int] = deque(maxlen=BREAKS)
        self._believed: dict[bytes, None] = {}
        self._waiting: dict[bytes, tuple[int, list[TagRead], bytes]] = {}

    def bad(self, bad: BadBytes) -> None:
        """Bad bytes came. Damage counts once between two frames, in however many pieces it is reported."""
        self._damaged = self._damaged or bad.reason == BROKEN

    def frame(self) -> None:
        """One intact frame came."""
        self._frames += 1
        if self._damaged:
            self._damaged = False
            self._broken_at.append(self._frames)

    @property
    def suspects(self) -> bool:
        return not self._trusting or (len(self._broken_at) == BREAKS and self._frames - self._broken_at[0] < WINDOW)

    def judge(self, read: TagRead, raw: bytes) -> list[TagRead | BadBytes]:
        """The reads to give out for `read`, which came in the frame `raw`."""
        epc = read.epc
        if epc in self._believed:
            return [read]
        if epc not in self._waiting and not self.suspects:
            self._remember(epc)
            return [read]
        out = self._given_up()
        _, reads, _ = self._waiting.setdefault(epc, (self._frames, [], raw))
        reads.append(read)
        if len(reads) >= self._sightings:
            del self._waiting[epc]
            self._remember(epc)
            out += reads
        return out

    def _given_up(self) -> list[TagRead | BadBytes]:
        out: list[TagRead | BadBytes] = []
        while self._waiting:
            epc, (since, _, raw) = next(iter(self._waiting.items()))
            if len(self._waiting) < WAITING_TAGS and self._frames - since < WAITING_FRAMES:
                break
            del self._waiting[epc]
            out.append(BadBytes("unconfirmed", raw))
        return out

    def _remember(self, epc: bytes) -> None:
        if len(self._believed) >= REMEMBERED:
            del self._believed[next(iter(self._believed))]
        self._believed[epc] = None
