"""The fault table with its numbers: `python -m tests.fault.table`, short by default, `--long` for the numbers of
quality.md §6. One row of output a fault; exit code 1 when any number that must be zero is not.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.fault.rows import ROWS
from tests.fault.rows._base import Bench, Outcome, Row
from trace_core.errors import TraceError

HEAD = ("part", "fault", "runs", "acknowledged", "lost", "duplicates", "unexpected", "seed", "seconds", "verdict")
NUMBERS = frozenset(HEAD[2:9])


@dataclass(frozen=True, slots=True)
class Line:
    """A row that was played."""

    row: Row
    outcome: Outcome
    seed: int
    seconds: float

    def cells(self) -> tuple[str, ...]:
        o = self.outcome
        verdict = "good" if o.is_good else "BROKEN"
        figures = (o.runs, o.acknowledged, o.lost, o.duplicates, o.unexpected, self.seed)
        return (self.row.part, self.row.fault, *map(str, figures), f"{self.seconds:.1f}", verdict)

    def as_json(self) -> dict[str, object]:
        own = {"row": self.row.name, "part": self.row.part, "fault": self.row.fault}
        return own | asdict(self.outcome) | {"seed": self.seed, "seconds": self.seconds, "good": self.outcome.is_good}


def play(row: Row, folder: Path, template: Path, seed: int, *, is_long: bool) -> Line:
    """One row in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    if row.needs_root and os.geteuid() != 0:
        words = "needs root: it mounts disks or makes network namespaces"
        return Line(row, Outcome(0, complaints=(words,)), seed, 0.0)
    try:
        outcome = row.play(Bench(folder, seed, is_long, template))
    except (AssertionError, RuntimeError, OSError, TraceError) as error:
        # A part did not come up, or a tool of the machine is missing: the other rows are still worth their numbers.
        outcome = Outcome(0, complaints=(f"{type(error).__name__}: {error}"[:600],))
    return Line(row, outcome, seed, time.monotonic() - begun)


def text(lines: Sequence[Line]) -> str:
    """The table, and below it what each row has to say."""
    cells = [HEAD, *(line.cells() for line in lines)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(HEAD))]
    out = []
    for row in cells:
        aligned = (
            cell.rjust(width) if name in NUMBERS else cell.ljust(width)
            for cell, width, name in zip(row, widths, HEAD, strict=True)
        )
        out.append("  ".join(aligned).rstrip())
    out.insert(1, "  ".join("-" * width for width in widths))
    for line in lines:
        out += [f"{line.row.name}: {words}" for words in (line.outcome.remark, *line.outcome.complaints) if words]
    return "\n".join(out)


def main(words: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(words)
    names = options.rows or [row.name for row in ROWS]
    unknown = set(names) - {row.name for row in ROWS}
    if unknown:
        print(f"no such row: {', '.join(sorted(unknown))}; rows: {' '.join(row.name for row in ROWS)}", file=sys.stderr)  # noqa: T201
        return 2
    seed = options.seed or random.SystemRandom().randrange(1, 2**32)
    lines = []
    with tempfile.TemporaryDirectory(prefix="suyuan-faults-") as folder:
        template = _migrated(Path(folder))
        for row in ROWS:
            if row.name in names:
                print(f"{row.name} --seed {seed} …", file=sys.stderr, flush=True)  # noqa: T201
                lines.append(play(row, Path(folder) / row.name, template, seed, is_long=options.long))
    if options.json:
        print(json.dumps({"seed": seed, "long": options.long, "rows": [line.as_json() for line in lines]}, indent=2))  # noqa: T201
    else:
        print(text(lines))  # noqa: T201
    return 0 if all(line.outcome.is_good for line in lines) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.fault.table", description=__doc__)
    parser.add_argument("--rows", nargs="+", metavar="ROW", help="only these: " + " ".join(row.name for row in ROWS))
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--short", dest="long", action="store_false", help="few repeats (the default)")
    length.add_argument("--long", action="store_true", help="the numbers of quality.md §6; takes hours")
    parser.set_defaults(long=False)
    parser.add_argument("--seed", type=int, default=0, help="repeat the run that printed this seed")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of the table")
    return parser


def _migrated(folder: Path) -> Path:
    from trace_server.db.migrate import upgrade

    path = folder / "template.sqlite"
    upgrade(f"sqlite:///{path}")
    return path


if __name__ == "__main__":
    sys.exit(main())
