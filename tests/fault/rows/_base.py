"""What a row of the fault table is, and the one judge: emitted, acknowledged and held, compared as multisets."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.gateway.broker_process import BrokerProcess
from tests.gateway.uplink_rig import Premises, premises


@dataclass(slots=True)
class Bench:
    """Where a row is played. The same `seed` and length repeat it; `template` is a migrated SQLite file."""

    folder: Path
    seed: int
    is_long: bool
    template: Path
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)

    def repeats(self, short: int, long: int) -> int:
        return long if self.is_long else short

    @contextmanager
    def premises(self, broker: BrokerProcess | None = None) -> Iterator[Premises]:
        """A real server's database, nothing started yet. Without `broker` only HTTP can be."""
        path = self.folder / "suyuan.sqlite"
        path.write_bytes(self.template.read_bytes())
        with premises(self.folder, f"sqlite:///{path}", broker or BrokerProcess(self.folder)) as place:
            yield place


@dataclass(frozen=True, slots=True)
class Outcome:
    """Figures of one row. `complaints`: every other promise of the row that was broken, in words."""

    runs: int
    acknowledged: int = 0
    lost: int = 0
    duplicates: int = 0
    unexpected: int = 0
    complaints: tuple[str, ...] = ()
    remark: str = ""

    @property
    def is_good(self) -> bool:
        """Everything zero, nothing to complain of, and something was really done."""
        zero = (self.lost, self.duplicates, self.unexpected) == (0, 0, 0)
        return zero and not self.complaints and self.runs > 0 and self.acknowledged > 0


@dataclass(frozen=True, slots=True)
class Row:
    """One line of quality.md §6. `play` raises nothing for a broken promise: it says so in the outcome."""

    name: str
    part: str
    fault: str
    play: Callable[[Bench], Outcome]
    needs_root: bool = False


def judge(
    runs: int,
    emitted: Iterable[Hashable],
    acknowledged: Iterable[Hashable],
    held: Counter[Hashable],
    *,
    complaints: Sequence[str] = (),
    remark: str = "",
) -> Outcome:
    """*lost* = acknowledged, or emitted and by now due, but absent · *duplicate* = held more often than emitted ·
    *unexpected* = held but never emitted.
    """
    sent, known = Counter(emitted), Counter(set(acknowledged))
    return Outcome(
        runs,
        known.total(),
        lost=((sent | known) - held).total(),
        duplicates=sum(max(0, times - max(1, sent[thing])) for thing, times in held.items()),
        unexpected=len(held.keys() - sent.keys()),
        complaints=tuple(complaints),
        remark=remark,
    )


def total(outcomes: Sequence[Outcome], remark: str = "") -> Outcome:
    """Several runs of one row as one line."""
    return Outcome(
        sum(one.runs for one in outcomes),
        sum(one.acknowledged for one in outcomes),
        sum(one.lost for one in outcomes),
        sum(one.duplicates for one in outcomes),
        sum(one.unexpected for one in outcomes),
        tuple(words for one in outcomes for words in one.complaints),
        remark or next((one.remark for one in outcomes if one.remark), ""),
    )
