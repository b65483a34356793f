"""Recorded runs as files: what went over which cable, in which direction, when. The format is docs/wire/record.md.

    {"cables": [{"id": "gate", "protocol": "magicrf", …}], "format": "suyuan-cable-record", …}
    120000 0 < BB0003000100047E
    131000 0 > BB010300…
    5000000 0 ! unplug
    end 3 <SHA-256 of all lines before, hex>

One rule: the same run gives the same bytes of file, so two records are compared with `cmp`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import IO

from firmware_sim.line import ReaderPlan
from firmware_sim.scenario import Scenario
from trace_core.errors import FrameError, NotFound
from trace_core.readers import protocols

FORMAT, VERSION = "suyuan-cable-record", 1
MAX_LINE = 4 * 1024 * 1024
"""Characters of one line; a longer one is no record."""
MAX_CABLES = 4_000
LATEST_US = 10**15


class RecordError(FrameError):
    """The file is no record, or not the whole of one."""

    code = "bad-record"


class Direction(StrEnum):
    TO_HOST = ">"
    TO_READER = "<"
    HAPPENED = "!"
    """Not bytes but an incident, in words (`line.Line.advance`)."""


@dataclass(frozen=True, slots=True)
class Cable:
    """One cable of a record, by its place in the head: 0, 1, …"""

    id: str
    protocol: str
    baud: int
    """What the host set; 0 where there is no serial line."""


@dataclass(frozen=True, slots=True)
class Head:
    title: str
    seed: int
    start: str
    """ISO 8601, UTC, of 0 µs: the scenario's own clock, not that of the machine."""
    cables: tuple[Cable, ...]

    def to_line(self) -> str:
        cables = [{"baud": c.baud, "id": c.id, "protocol": c.protocol} for c in self.cables]
        head = {"cables": cables, "format": FORMAT, "seed": self.seed, "start": self.start, "title": self.title}
        return json.dumps(head | {"version": VERSION}, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_line(cls, line: str, where: str) -> Head:
        """Raises `RecordError`."""
        try:
            head = json.loads(line)
            if head["format"] != FORMAT or head["version"] != VERSION:
                raise RecordError("another format or version", where=where, remedy=f"{FORMAT} version {VERSION}")
            cables = tuple(Cable(str(c["id"]), str(c["protocol"]), int(c["baud"])) for c in head["cables"])
            made = cls(str(head["title"]), int(head["seed"]), str(head["start"]), cables)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise RecordError("the first line is no head of a record", where=where) from error
        unknown = sorted({c.protocol for c in cables} - set(protocols()))
        if unknown or not 0 < len(cables) <= MAX_CABLES or len({c.id for c in cables}) != len(cables):
            raise RecordError(f"cables that cannot be: {', '.join(unknown) or len(cables)}", where=where)
        return made


@dataclass(frozen=True, slots=True)
class Entry:
    """One chunk of bytes on one cable, or something that happened to it (`data` in ASCII)."""

    at_us: int
    cable: int
    direction: Direction
    data: bytes

    def to_line(self) -> str:
        shown = self.data.decode("ascii") if self.direction is Direction.HAPPENED else self.data.hex().upper()
        return f"{self.at_us} {self.cable} {self.direction.value} {shown}"

    @classmethod
    def from_line(cls, line: str, where: str) -> Entry:
        """Raises `RecordError`."""
        parts = line.split(" ", 3)
        try:
            at_us, cable = int(parts[0]), int(parts[1])
            direction = Direction(parts[2])
            data = parts[3].encode("ascii") if direction is Direction.HAPPENED else bytes.fromhex(parts[3])
        except (ValueError, IndexError) as error:
            raise RecordError("no line of a record", where=where) from error
        made = cls(at_us, cable, direction, data)
        if not 0 <= at_us < LATEST_US or cable < 0 or not data or made.to_line() != line:
            raise RecordError("no line of a record", where=where)
        return made


def head_of(scenario: Scenario) -> Head:
    start = scenario.start.isoformat().replace("+00:00", "Z")
    return Head(scenario.title, scenario.seed, start, tuple(_cable(plan) for plan in scenario.readers))


def _cable(plan: ReaderPlan) -> Cable:
    return Cable(plan.id, plan.protocol.name, plan.protocol.line.baud if plan.protocol.line is not None else 0)


class RecordWriter:
    """Writes one record; complete only once it is closed without an error."""

    def __init__(self, path: Path, head: Head) -> None:
        """Raises `NotFound` when the file cannot be written."""
        self.entries = 0
        self._digest = hashlib.sha256()
        try:
            self._file: IO[str] = path.open("w", encoding="utf-8", newline="\n")
        except OSError as error:
            raise NotFound(f"the record cannot be written: {error}", where=str(path)) from error
        self._line(head.to_line())

    def put(self, entry: Entry) -> None:
        self.entries += 1
        self._line(entry.to_line())

    def _line(self, line: str) -> None:
        self._digest.update(f"{line}\n".encode())
        self._file.write(f"{line}\n")

    def __enter__(self) -> RecordWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is None or kind is KeyboardInterrupt:
            self._file.write(f"end {self.entries} {self._digest.hexdigest()}\n")
        self._file.close()


def read(path: Path) -> tuple[Head, Iterator[Entry]]:
    """The head, and the entries one by one. Every line is checked first: nothing of a damaged record is given out.

    Raises `RecordError`, `NotFound`.
    """
    try:
        with path.open("rb") as file:
            head = _check(file, str(path))
    except OSError as error:
        raise NotFound("the record cannot be read", where=str(path)) from error
    return head, _entries(path, len(head.cables))


def _check(lines: IO[bytes], name: str) -> Head:
    digest = hashlib.sha256()
    head: Head | None = None
    number = 0
    while line := lines.readline(MAX_LINE):
        number += 1
        if line.startswith(b"end ") and head is not None:
            expected = f"end {number - 2} {digest.hexdigest()}\n".encode()
            if line != expected or lines.read(1):
                raise RecordError("the record was changed: its last line does not fit", where=f"{name}:{number}")
            return head
        if head is None:
            head = Head.from_line(line.decode(errors="replace").rstrip("\n"), f"{name}:1")
        digest.update(line)
    raise RecordError("the record has no end", where=name, remedy="record again: the run was broken off")


def _entries(path: Path, cables: int) -> Iterator[Entry]:
    latest_us = 0
    with path.open(encoding="utf-8") as lines:
        next(lines)
        for number, line in enumerate(lines, 2):
            if line.startswith("end "):
                return
            entry = Entry.from_line(line.removesuffix("\n"), f"{path}:{number}")
            if entry.cable >= cables or entry.at_us < latest_us:
                raise RecordError("a cable or a time that cannot be", where=f"{path}:{number}")
            latest_us = entry.at_us
            yield entry


def stream(entries: Iterable[Entry], cable: int, direction: Direction) -> bytes:
    """All bytes of one direction of one cable."""
    return b"".join(e.data for e in entries if e.cable == cable and e.direction is direction)
