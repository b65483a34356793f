"""The quarantine table: what could not be used, and what became of it when it was tried again.

Every function that writes is called inside a transaction of the outbox's owner (`outbox.py`), so that a row leaves
quarantine in the same commit in which its events are appended.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

MAX_ROWS = 2_000
"""Line noise never repeats itself; past this many rows it is only counted."""
MAX_BYTES = 4_096


@dataclass(frozen=True, slots=True)
class BadData:
    """Something for quarantine: bytes that are no frame, or a read that has no place."""

    reader: str
    reason: str
    data: bytes
    wall: datetime


class Outcome(StrEnum):
    """What a replay made of one row. Only the first two settle it; otherwise it stays, with its reason."""

    EVENT = "event"
    KNOWN = "known"
    """The presence it belongs to has its event already."""
    WEAK = "weak"
    """Below `rssi_min_dbm` or `min_reads` of its read point."""
    NO_READ_POINT = "no-read-point"
    NO_READER = "no-reader"
    """No `[[reader]]` of that name is configured: nobody knows how to read the bytes."""
    UNREADABLE = "unreadable"
    GONE = "gone"
    """There is no such row (any more)."""

    @property
    def settles(self) -> bool:
        return self in (Outcome.EVENT, Outcome.KNOWN)


@dataclass(frozen=True, slots=True)
class Settled:
    """The answer to one request for a replay; `left` is what of the row's bytes stays unread."""

    number: int
    outcome: Outcome
    left: tuple[BadData, ...] = ()


@dataclass(frozen=True, slots=True)
class Kept:
    """One row of quarantine, as a replay needs it."""

    number: int
    reader: str
    reason: str
    data: bytes
    times: int
    first_at: datetime


def write(db: sqlite3.Connection, bad: Sequence[BadData]) -> int:
    """Keep `bad`; the same bytes again only count. Returns how many found no room."""
    if not bad:
        return 0
    overflow = 0
    room = MAX_ROWS - db.execute("SELECT count(*) FROM quarantine").fetchone()[0]
    for item in bad:
        key = (item.reader, item.reason, item.data[:MAX_BYTES])
        wall_ms = round(item.wall.timestamp() * 1000)
        again = db.execute(
            "UPDATE quarantine SET times = times + 1, last_wall_ms = ? WHERE reader = ? AND reason = ? AND data = ?",
            (wall_ms, *key),
        )
        if again.rowcount:
            continue
        if room <= 0:
            overflow += 1
            continue
        db.execute("INSERT INTO quarantine VALUES (NULL, ?, ?, ?, 1, ?, ?)", (*key, wall_ms, wall_ms))
        room -= 1
    return overflow


def ask(db: sqlite3.Connection, numbers: Sequence[int] | None) -> list[int]:
    """Request a replay of these rows, or of all (None). Returns the numbers of those that exist."""
    found = [number for (number,) in db.execute("SELECT id FROM quarantine ORDER BY id")]
    asked = found if numbers is None else [number for number in found if number in numbers]
    db.executemany("INSERT OR REPLACE INTO replay VALUES (?, NULL)", [(number,) for number in asked])
    return asked


def is_asked(db: sqlite3.Connection, number: int) -> bool:
    """Whether a replay of this row was requested and not answered: it must be answered exactly once."""
    query = "SELECT 1 FROM replay WHERE number = ? AND outcome IS NULL"
    return db.execute(query, (number,)).fetchone() is not None


def settle(db: sqlite3.Connection, settled: Sequence[Settled]) -> int:
    """Answer requests: rows that became events go, what is left of them is kept. Returns how many found no room."""
    overflow = 0
    for item in settled:
        if item.outcome.settles:
            db.execute("DELETE FROM quarantine WHERE id = ?", (item.number,))
            overflow += write(db, item.left)
        db.execute("UPDATE replay SET outcome = ? WHERE number = ?", (item.outcome.value, item.number))
    return overflow


def asked(db: sqlite3.Connection) -> list[Kept]:
    """The rows whose replay is requested. One whose row is gone has no data and an empty reason."""
    rows = db.execute(
        "SELECT r.number, q.reader, q.reason, q.data, q.times, q.first_wall_ms"
        " FROM replay r LEFT JOIN quarantine q ON q.id = r.number WHERE r.outcome IS NULL ORDER BY r.number"
    )
    return [
        Kept(n, reader or "", reason or "", data or b"", times or 0, datetime.fromtimestamp((ms or 0) / 1000, UTC))
        for n, reader, reason, data, times, ms in rows
    ]


def outcomes(db: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, Outcome | None]:
    """Number → what became of it, None while it waits."""
    rows = dict(db.execute("SELECT number, outcome FROM replay").fetchall())
    return {n: Outcome(rows[n]) if rows.get(n) is not None else None for n in numbers}
