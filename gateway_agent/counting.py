"""What became of every read: totals, and the same for each read point. No read is dropped without a number here."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class PointCounts:
    """Reads at one read point. `reads` = `began` + `suppressed` + `weak` + `ghost_reads` + what still waits."""

    reads: int = 0
    observed: int = 0
    """Presences that began."""
    began: int = 0
    """Reads that made them (`min_reads` each, or more in one message)."""
    departed: int = 0
    suppressed: int = 0
    """Reads of a presence that is known already."""
    weak: int = 0
    """Reads below `rssi_min_dbm`."""
    ghosts: int = 0
    """Candidates that never reached `min_reads` …"""
    ghost_reads: int = 0
    """… and their reads."""
    told: tuple[int, int, int] = (0, 0, 0)
    """`suppressed`, `weak` and `ghost_reads` when an event last said them."""

    def take_untold(self) -> tuple[int, int, int]:
        """Suppressed, weak and ghost reads since the last call: each event says what was not made an event."""
        now = (self.suppressed, self.weak, self.ghost_reads)
        before, self.told = self.told, now
        return (now[0] - before[0], now[1] - before[1], now[2] - before[2])


@dataclass(slots=True)
class Counts:
    """Totals over all read points, and what belongs to none."""

    points: dict[str, PointCounts] = field(default_factory=dict)
    unplaced: int = 0
    reader_clock_off: int = 0
    """Reader times that were not believed."""

    def at(self, point: str) -> PointCounts:
        """The counts of one read point."""
        return self.points.setdefault(point, PointCounts())

    @property
    def reads(self) -> int:
        return self.unplaced + sum(point.reads for point in self.points.values())

    @property
    def observed(self) -> int:
        return sum(point.observed for point in self.points.values())

    @property
    def suppressed(self) -> int:
        return sum(point.suppressed for point in self.points.values())

    @property
    def weak(self) -> int:
        return sum(point.weak for point in self.points.values())

    @property
    def ghosts(self) -> int:
        return sum(point.ghosts for point in self.points.values())

    def as_fields(self) -> dict[str, object]:
        """For the status: totals, then a line for each read point."""
        names = ("reads", "observed", "departed", "suppressed", "weak", "ghosts", "ghost_reads")
        return {
            "reads": self.reads,
            "observed": self.observed,
            "suppressed": self.suppressed,
            "weak": self.weak,
            "ghosts": self.ghosts,
            "unplaced": self.unplaced,
            "reader_clock_off": self.reader_clock_off,
            "points": {
                point: {name: getattr(counts, name) for name in names} for point, counts in sorted(self.points.items())
            },
        }
