"""Things happen in the order of time: a clock that stories move, and the stories that wait for their turn."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from datetime import datetime

Story = Iterator[datetime]
"""Acts when it is resumed and yields the moment of its next act; what is later than the end never happens."""


class Clock:
    """What time it is in the city; never goes back."""

    def __init__(self, start: datetime) -> None:
        self.now = start

    def __call__(self) -> datetime:
        return self.now


class Agenda:
    """Stories by the moment of their next act; equal moments keep the order in which they were added."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: list[tuple[datetime, int, Story]] = []
        self._numbers = itertools.count()

    def add(self, story: Story) -> None:
        """Let a story say when it begins."""
        first = next(story, None)
        if first is not None:
            heapq.heappush(self._waiting, (first, next(self._numbers), story))

    def run(self, until: datetime) -> None:
        """Let everything happen that is due before `until`."""
        while self._waiting and self._waiting[0][0] < until:
            at, _, story = heapq.heappop(self._waiting)
            self._clock.now = max(self._clock.now, at)
            self.add(story)
        self._clock.now = max(self._clock.now, until)
