"""The end of a presence: when a tag counts as gone, how often it was read, and which way it went."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from gateway_agent.checkpoints import Report
from gateway_agent.points import ReadPoint

MARK = "#departed"
"""After the id of a read point: the row that says that a stored presence was reported as gone. Ids are URIs and
`#departed` is no part of one that names a place."""


@dataclass(slots=True)
class Track:
    """What is counted while a tag is there. After a restart it counts from there."""

    reads: int = 0
    by_antenna: dict[int, tuple[int, float]] = field(default_factory=dict)
    """Antenna → reads and the sum of their times."""

    def add(self, antenna: int | None, seen: float, count: int) -> None:
        self.reads += count
        if antenna is not None:
            reads, times = self.by_antenna.get(antenna, (0, 0.0))
            self.by_antenna[antenna] = (reads + count, times + seen * count)

    def direction(self, ways: Mapping[tuple[int, int], str] | None) -> str:
        """Name of the way whose first antenna saw the tag earlier on average; "" when that does not decide."""
        mean = {antenna: times / reads for antenna, (reads, times) in self.by_antenna.items()}
        names = [name for (a, b), name in (ways or {}).items() if a in mean and b in mean and mean[a] < mean[b]]
        return names[0] if len(names) == 1 else ""


@dataclass(frozen=True, slots=True)
class Departure:
    """The end of a presence: what may become one event. Times as of the last read."""

    presence: int
    point: ReadPoint
    epc: bytes
    arrived: float
    left: float
    left_wall: datetime
    reads: int
    direction: str


def reports_departures(point: ReadPoint) -> bool:
    return point.report is not Report.ARRIVE
