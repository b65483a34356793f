"""Take over what an outbox that was set aside (`.corrupt-*`) still holds and never sent.

The file is only read. Each row is taken once: ranges that were done are remembered in the present outbox, so the
command may be repeated after an interruption or a full disk.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from gateway_agent.outbox import Commit, Outbox, OutboxFull
from gateway_agent.outbox_schema import Level, connect_read_only
from gateway_agent.quarantining import BadData
from gateway_agent.renumbering import renumbered
from trace_core.errors import Conflict, NotFound
from trace_core.uplink import chain

CHUNK = 500
"""Rows read and committed at a time."""
MAX_PROBES = 200_000
"""Queries into a damaged tree before the rest of it is given up: some minutes on a small box."""
SMALLEST_ROW_BYTES = 64
"""Bounds the highest seq that a file can hold when the file no longer says it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One event as it stands in the damaged file."""

    seq: int
    body: bytes
    digest: bytes


@dataclass(slots=True)
class Report:
    """What became of the file's unsent rows."""

    file: str
    epoch: str
    appended: int = 0
    already: int = 0
    """Taken over by an earlier run."""
    damaged: int = 0
    """Read, but not what was written: in quarantine now, reason `damaged`."""
    unreadable: list[tuple[int, int]] = field(default_factory=list)
    """Ranges of seqs, first and last, that SQLite could not read; how many rows they held nobody knows."""
    remarks: list[str] = field(default_factory=list)


def salvage(outbox: Outbox, file: Path, *, boot_id: str, wall: datetime) -> Report:
    """Append the unsent rows of `file` to `outbox`. Raises `NotFound`, `Conflict`, `OutboxFull`."""
    if not file.is_file():
        raise NotFound("there is no such file", where=str(file), remedy="see `ls STATE_DIR/outbox.sqlite.corrupt-*`")
    try:
        with closing(connect_read_only(file)) as db:
            reader = _Reader(db, file)
            if reader.epoch == outbox.epoch:
                raise Conflict("this is the present outbox, or a copy of it", where=str(file))
            return _take(outbox, reader, boot_id, wall)
    except sqlite3.DatabaseError as error:
        raise Conflict(f"SQLite cannot read anything of it: {error}", where=str(file)) from error


def _take(outbox: Outbox, reader: _Reader, boot_id: str, wall: datetime) -> Report:
    report = Report(str(reader.file), reader.epoch, remarks=reader.remarks)
    done = outbox.salvaged(reader.epoch)
    for rows in reader.chunks():
        fresh = [row for row in rows if not any(first <= row.seq <= last for first, last in done)]
        report.already += len(rows) - len(fresh)
        for run in _runs(fresh):
            if outbox.level() is Level.FULL:
                raise OutboxFull(
                    f"no room after {report.appended} events",
                    where=str(reader.file),
                    remedy="start the gateway and let it send, then salvage again",
                )
            _append(outbox, reader, run, report, boot_id, wall)
    report.unreadable = reader.unreadable
    return report


def _append(outbox: Outbox, reader: _Reader, run: list[Row], report: Report, boot_id: str, wall: datetime) -> None:
    """One commit for rows that follow each other: their events, or bytes for quarantine, and that they are done."""
    bodies: list[bytes] = []
    bad: list[BadData] = []
    for row in run:
        if reader.is_intact(row):
            bodies.append(renumbered(row.body, outbox.epoch, outbox.last_seq + len(bodies) + 1))
        else:
            bad.append(BadData("outbox", "damaged", row.body, wall))
    taken = (reader.epoch, run[0].seq, run[-1].seq)
    outbox.commit(Commit(wall=wall, boot_id=boot_id, bodies=bodies, bad=bad, salvaged=taken))
    report.appended += len(bodies)
    report.damaged += len(bad)


def _runs(rows: list[Row]) -> Iterator[list[Row]]:
    """Cut into runs without a hole."""
    run: list[Row] = []
    for row in rows:
        if run and row.seq != run[-1].seq + 1:
            yield run
            run = []
        run.append(row)
    if run:
        yield run


class _Reader:
    """Reads around damage: a range that cannot be read is halved until only what is truly lost is left out."""

    def __init__(self, db: sqlite3.Connection, file: Path) -> None:
        self._db = db
        self.file = file
        self.unreadable: list[tuple[int, int]] = []
        self.remarks: list[str] = []
        self._probes = 0
        self._digests: dict[int, bytes] = {}
        self._first, self._last = self._bounds()
        self.epoch = self._epoch()

    def chunks(self) -> Iterator[list[Row]]:
        """Every unsent row that can be read, in order."""
        yield from self._range(self._first, self._last)

    def is_intact(self, row: Row) -> bool:
        """By its digest where the row before it is known, else by what it says of itself."""
        previous = self._digests.get(row.seq - 1)
        if previous is not None:
            return chain(previous, (row.body,)) == row.digest
        try:
            fields = json.loads(row.body)
            return (fields["suyuan:epoch"], fields["suyuan:seq"]) == (self.epoch, row.seq)
        except (ValueError, KeyError, TypeError, RecursionError):
            return False

    def _bounds(self) -> tuple[int, int]:
        size = self.file.stat().st_size
        try:
            acked, floor, digest = self._db.execute("SELECT acked, floor_seq, floor_digest FROM meta").fetchone()
            self._digests = {int(floor): bytes(digest)}
            first = int(acked) + 1
            self._digests |= dict(self._db.execute("SELECT seq, digest FROM event WHERE seq = ?", (acked,)).fetchall())
        except (sqlite3.DatabaseError, TypeError, ValueError):
            first = 1
            self.remarks.append("it no longer says what was sent: every row is taken")
        try:
            last = self._db.execute("SELECT max(seq) FROM event").fetchone()[0]
            return first, 0 if last is None else int(last)
        except (sqlite3.DatabaseError, TypeError, ValueError):
            self.remarks.append("its last row is unreadable")
            return first, first + size // SMALLEST_ROW_BYTES

    def _epoch(self) -> str:
        try:
            return str(self._db.execute("SELECT epoch FROM meta").fetchone()[0])
        except (sqlite3.DatabaseError, TypeError):
            for rows in self._range(self._first, self._last):
                for row in rows:
                    try:
                        return str(json.loads(row.body)["suyuan:epoch"])
                    except (ValueError, KeyError, TypeError, RecursionError):
                        continue
        raise Conflict("neither its cursor nor any event can be read", where=str(self.file))

    def _range(self, first: int, last: int) -> Iterator[list[Row]]:
        """Breadth is bounded by `CHUNK`, depth by halving."""
        self.unreadable = []
        waiting = [(first, last)]
        while waiting:
            low, high = waiting.pop()
            if low > high:
                continue
            if self._probes >= MAX_PROBES:
                self._lose(low, high)
                continue
            self._probes += 1
            try:
                found = self._db.execute(
                    "SELECT seq, body, digest FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq LIMIT ?",
                    (low, high, CHUNK),
                ).fetchall()
                rows = [Row(int(seq), bytes(body), bytes(digest)) for seq, body, digest in found]
            except (sqlite3.DatabaseError, TypeError, ValueError):
                middle = (low + high) // 2
                if low == high:
                    self._lose(low, high)
                else:
                    waiting += [(middle + 1, high), (low, middle)]
                continue
            if len(rows) == CHUNK:
                waiting.append((rows[-1].seq + 1, high))
            if rows:
                before = self._digests.get(rows[0].seq - 1)
                self._digests = {row.seq: row.digest for row in rows}
                if before is not None:
                    self._digests[rows[0].seq - 1] = before
                yield rows

    def _lose(self, first: int, last: int) -> None:
        if self.unreadable and self.unreadable[-1][1] + 1 == first:
            first = self.unreadable.pop()[0]
        self.unreadable.append((first, last))
