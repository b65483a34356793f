"""Reads → presences: one observation for a tag that stays at a read point, however often it is read.

Pure logic; time comes in with each read. A presence is an interval on the boot clock; a read within
`presence_window_s` of it belongs to it. Intervals are kept for a while after they end, so that reads that come
late or twice (a broker's backlog, a redelivery after a crash) find the presence they belonged to.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from gateway_agent.clock import Moment
from gateway_agent.counting import Counts
from gateway_agent.leaving import MARK, Departure, Track, reports_departures
from gateway_agent.points import ReadPoint
from trace_core.readers._base import TagRead

MAX_READER_AGE_S = 300.0
"""A reader time further than this from the receipt is a wrong clock, not a delay (reader-protocols §h)."""
COARSE_FACTOR = 4.0
"""With a nearly full outbox repeated reads count as one presence for this much longer."""
MAX_CANDIDATES = 100_000
"""Tags waiting for `min_reads`: bounds the memory that invented EPCs can take."""

Key: TypeAlias = tuple[str, bytes]
"""Read point id and EPC."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The answer of a presence, as it is shown and kept with it."""

    answer: str
    reason: str
    list_age_s: float | None
    uri: str
    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Presence:
    """An interval (boot clock, seconds) in which one tag was at one read point; `number` is its identity."""

    number: int
    read_point: str
    epc: bytes
    first_seen: float
    last_seen: float
    last_wall: datetime
    shown: Shown | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """The beginning of a presence: what becomes one event."""

    presence: int
    point: ReadPoint
    read: TagRead
    reader: str
    seen: Moment
    received: Moment
    reads: int
    untold: tuple[int, int, int] = (0, 0, 0)
    """Suppressed, weak and ghost reads at this read point since its last event."""


@dataclass(frozen=True, slots=True)
class Again:
    """A tag of a presence from before a restart is still there: its answer is to be shown again, no new event."""

    read_point: str
    epc: bytes
    shown: Shown


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A read from an antenna that no read point covers: for quarantine, never dropped silently."""

    reader: str
    read: TagRead


Outcome: TypeAlias = Observation | Again | Unplaced | None


@dataclass(slots=True)
class _Candidate:
    first: Moment
    last: float
    reads: int
    track: Track


@dataclass(slots=True)
class Observer:
    """Decides for every read: new presence, same presence, too weak, too few. Not thread-safe, needs no lock."""

    points: Sequence[ReadPoint]
    counts: Counts = field(default_factory=Counts)
    coarse: bool = False
    _by_antenna: dict[tuple[str, int | None], ReadPoint] = field(init=False)
    _presences: dict[Key, list[Presence]] = field(init=False, default_factory=dict)
    _candidates: dict[Key, _Candidate] = field(init=False, default_factory=dict)
    _moved: dict[int, Key] = field(init=False, default_factory=dict)
    _restored: set[int] = field(init=False, default_factory=set)
    _next_number: int = field(init=False, default=1)
    _here: dict[int, tuple[Key, ReadPoint]] = field(init=False, default_factory=dict)
    """Presences whose end is to be reported, and was not yet."""
    _tracks: dict[int, Track] = field(init=False, default_factory=dict)
    _marks: dict[int, int] = field(init=False, default_factory=dict)
    """Presence → number of the row that says that its end was reported."""
    _orphans: list[int] = field(init=False, default_factory=list)
    """Such rows whose presence is gone."""

    def __post_init__(self) -> None:
        self._by_antenna = {(point.reader, antenna): point for point in self.points for antenna in point.covered}

    def restore(self, presences: Iterable[Presence]) -> None:
        """Take over what a former run stored; each answer is shown again at the first read of its tag."""
        stored = list(presences)
        self._next_number = max((p.number for p in stored), default=0) + 1
        points = {point.id: point for point in self.points if reports_departures(point)}
        for presence in (p for p in stored if not p.read_point.endswith(MARK)):
            key = (presence.read_point, presence.epc)
            self._presences.setdefault(key, []).append(presence)
            self._restored.add(presence.number)
            if presence.read_point in points:
                self._here[presence.number] = (key, points[presence.read_point])
        for mark in (p for p in stored if p.read_point.endswith(MARK)):
            self._restore_mark(mark)

    def observe(self, reader: str, read: TagRead, received: Moment) -> Outcome:
        """What one read means. `received` is when its bytes came in."""
        point = self._by_antenna.get((reader, read.antenna)) or self._by_antenna.get((reader, None))
        if point is None:
            self.counts.unplaced += read.count
            return Unplaced(reader, read)
        counts = self.counts.at(point.id)
        counts.reads += read.count
        if point.rssi_min_dbm is not None and read.rssi_dbm is not None and read.rssi_dbm < point.rssi_min_dbm:
            counts.weak += read.count
            return None
        seen = self._seen(read, received)
        key = (point.id, read.epc)
        window_s = self._window(point)
        known = self._find(key, seen.monotonic, window_s)
        if known is not None:
            counts.suppressed += read.count
            if known.number in self._here:
                self._track(known.number).add(read.antenna, seen.monotonic, read.count)
            return self._touch(key, known, seen)
        candidate = self._enough(key, point, read, seen, window_s)
        if candidate is None:
            return None
        return self._begin(key, point, read, reader, received, candidate)

    def departures(self, now: float) -> list[Departure]:
        """Presences that ended and are not reported yet, at read points that report departures; each once.

        `departed` keeps that they were.
        """
        gone: list[Departure] = []
        for number, (key, point) in list(self._here.items()):
            presence = self._get(key, number)
            if now - presence.last_seen <= self._window(point):
                continue
            del self._here[number]
            track = self._tracks.pop(number, Track())
            self.counts.at(point.id).departed += 1
            span = (presence.first_seen, presence.last_seen, presence.last_wall)
            gone.append(Departure(number, point, presence.epc, *span, track.reads, track.direction(point.directions)))
        return gone

    def departed(self, departure: Departure, shown: Shown) -> Presence:
        """The row to be stored with the event of a departure, so that a restart does not report it again."""
        number = self._marks[departure.presence] = self._next_number
        self._next_number += 1
        span = (departure.arrived, departure.left, departure.left_wall)
        return Presence(number, departure.point.id + MARK, departure.epc, *span, shown)

    def answered(self, observation: Observation, shown: Shown) -> Presence:
        """The presence with its answer, as it is to be stored. Here the answer is wanted again only after a restart,
        and half of what a tag takes would be its words."""
        p = self._get((observation.point.id, observation.read.epc), observation.presence)
        return Presence(p.number, p.read_point, p.epc, p.first_seen, p.last_seen, p.last_wall, shown)

    def ask_anew(self, points: Collection[str], is_meant: Callable[[Presence], bool]) -> list[int]:
        """End the presences at `points` that are meant: the next read of the tag is a new one, with a new answer.

        Returns their numbers, to be forgotten.
        """
        ended: list[int] = []
        for key, presences in list(self._presences.items()):
            meant = [p.number for p in presences if key[0] in points and is_meant(p)]
            if not meant:
                continue
            ended += meant
            kept = [p for p in presences if p.number not in meant]
            if kept:
                self._presences[key] = kept
            else:
                del self._presences[key]
        return ended + self._drop(ended)

    def take_moved(self) -> list[Presence]:
        """Presences whose end moved since the last call: to be flushed."""
        moved = [self._get(key, number) for number, key in self._moved.items()]
        self._moved.clear()
        return moved

    def sweep(self, now: float) -> list[int]:
        """Forget what no read can belong to any more; returns the numbers of the forgotten presences."""
        longest = max((p.presence_window_s for p in self.points), default=0.0) * COARSE_FACTOR
        horizon = now - longest - MAX_READER_AGE_S
        forgotten: list[int] = []
        for key, presences in list(self._presences.items()):
            kept = [p for p in presences if p.last_seen >= horizon]
            if len(kept) == len(presences):
                continue
            forgotten += [p.number for p in presences if p.last_seen < horizon]
            if kept:
                self._presences[key] = kept
            else:
                del self._presences[key]
        for key in [key for key, candidate in self._candidates.items() if candidate.last < horizon]:
            self._give_up(key)
        orphans, self._orphans = self._orphans, []
        return forgotten + self._drop(forgotten) + orphans

    def _drop(self, numbers: Iterable[int]) -> list[int]:
        """Forget all about these presences; returns the rows that mark their ends."""
        marks: list[int] = []
        for number in numbers:
            self._restored.discard(number)
            self._moved.pop(number, None)
            self._here.pop(number, None)
            self._tracks.pop(number, None)
            if number in self._marks:
                marks.append(self._marks.pop(number))
        return marks

    def _restore_mark(self, mark: Presence) -> None:
        key = (mark.read_point.removesuffix(MARK), mark.epc)
        for presence in self._presences.get(key, ()):
            # Presences of one tag never overlap, so an end within one is the end of that one.
            if presence.first_seen <= mark.last_seen <= presence.last_seen:
                self._marks[presence.number] = mark.number
                self._here.pop(presence.number, None)
                return
        self._orphans.append(mark.number)

    def _window(self, point: ReadPoint) -> float:
        return point.presence_window_s * (COARSE_FACTOR if self.coarse else 1.0)

    def _track(self, number: int) -> Track:
        return self._tracks.setdefault(number, Track())

    def _give_up(self, key: Key) -> None:
        """A candidate that never reached `min_reads`."""
        candidate = self._candidates.pop(key)
        counts = self.counts.at(key[0])
        counts.ghosts += 1
        counts.ghost_reads += candidate.reads

    def _seen(self, read: TagRead, received: Moment) -> Moment:
        """When the tag was there: by the reader's clock where that is plausible, else now."""
        if read.reader_time is None:
            return received
        age_s = (received.wall - read.reader_time) / timedelta(seconds=1)
        if abs(age_s) > MAX_READER_AGE_S:
            self.counts.reader_clock_off += 1
            return received
        return Moment(read.reader_time, received.monotonic - age_s)

    def _find(self, key: Key, seen: float, window_s: float) -> Presence | None:
        for presence in reversed(self._presences.get(key, ())):
            if presence.first_seen - window_s <= seen <= presence.last_seen + window_s:
                return presence
        return None

    def _touch(self, key: Key, presence: Presence, seen: Moment) -> Again | None:
        if seen.monotonic > presence.last_seen:
            # Not `replace`: this is done for every read of a tag that stays.
            p = presence
            self._put(key, Presence(p.number, p.read_point, p.epc, p.first_seen, seen.monotonic, seen.wall, p.shown))
            self._moved[presence.number] = key
        elif seen.monotonic < presence.first_seen:
            self._change(key, presence.number, first_seen=seen.monotonic)
            self._moved[presence.number] = key
        if presence.number not in self._restored:
            return None
        self._restored.discard(presence.number)
        # Without an answer it was stored only so that its end can be reported.
        has_answer = presence.shown is not None and presence.shown.answer != ""
        return Again(presence.read_point, presence.epc, presence.shown) if presence.shown and has_answer else None

    def _enough(self, key: Key, point: ReadPoint, read: TagRead, seen: Moment, window_s: float) -> _Candidate | None:
        candidate = self._candidates.get(key)
        if candidate is not None and seen.monotonic - candidate.last > window_s:
            self._give_up(key)
            candidate = None
        if candidate is None and read.count >= point.min_reads:  # nothing to wait for
            candidate = _Candidate(seen, seen.monotonic, read.count, Track())
            candidate.track.add(read.antenna, seen.monotonic, read.count)
            return candidate
        if candidate is None:
            if len(self._candidates) >= MAX_CANDIDATES:
                self._give_up(next(iter(self._candidates)))
            candidate = self._candidates[key] = _Candidate(seen, seen.monotonic, 0, Track())
        candidate.track.add(read.antenna, seen.monotonic, read.count)
        candidate.reads += read.count
        candidate.last = max(candidate.last, seen.monotonic)
        if candidate.reads < point.min_reads:
            return None
        return self._candidates.pop(key)

    def _begin(
        self, key: Key, point: ReadPoint, read: TagRead, reader: str, received: Moment, candidate: _Candidate
    ) -> Observation:
        first, last, wall = candidate.first.monotonic, candidate.last, received.wall
        if last != received.monotonic:
            wall -= timedelta(seconds=received.monotonic - last)
        presence = Presence(self._next_number, point.id, read.epc, first if first < last else last, last, wall)
        self._next_number += 1
        before = self._presences.get(key)
        if before is None:
            self._presences[key] = [presence]  # not `setdefault`: an empty list grows by four places
        else:
            before.append(presence)
        if reports_departures(point):
            self._here[presence.number] = (key, point)
            self._tracks[presence.number] = candidate.track
        counts = self.counts.at(point.id)
        counts.observed += 1
        counts.began += candidate.reads
        begun = (candidate.first, received, candidate.reads)
        return Observation(presence.number, point, read, reader, *begun, counts.take_untold())

    def _get(self, key: Key, number: int) -> Presence:
        return next(p for p in self._presences[key] if p.number == number)

    def _change(self, key: Key, number: int, **changes: object) -> Presence:
        return self._put(key, replace(self._get(key, number), **changes))  # type: ignore[arg-type]

    def _put(self, key: Key, presence: Presence) -> Presence:
        """In the place of the one with its number."""
        presences = self._presences[key]
        for index in range(len(presences) - 1, -1, -1):
            if presences[index].number == presence.number:
                presences[index] = presence
                break
        return presence
