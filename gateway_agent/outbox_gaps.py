"""The table of gap records inside the outbox file; its rows may use the reserve when there is no room for events."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True, slots=True)
class GapRecord:
    """`count` reads between two moments that could not be stored."""

    id: int
    start: datetime
    end: datetime
    count: int
    reason: str


class GapTable:
    """Part of the `Outbox`, used by its owner's thread only."""

    def __init__(self, connection: sqlite3.Connection, transaction: Callable[[], AbstractContextManager[None]]) -> None:
        self._db = connection
        self._transaction = transaction

    def open(self, wall: datetime, reason: str) -> int:
        """Start a record, from the reserve; returns its id."""
        with self._transaction():
            row = self._db.execute(
                "INSERT INTO gap (from_ms, to_ms, count, reason) VALUES (?, ?, 0, ?)", (_ms(wall), _ms(wall), reason)
            )
        return int(row.lastrowid or 0)

    def extend(self, gap: int, wall: datetime, count: int) -> None:
        """The gap lasts until `wall` and now covers `count` reads."""
        with self._transaction():
            self._db.execute("UPDATE gap SET to_ms = ?, count = ? WHERE id = ?", (_ms(wall), count, gap))

    def untold(self) -> list[GapRecord]:
        """Records that are no event yet, oldest first; an open one is among them."""
        rows = self._db.execute("SELECT id, from_ms, to_ms, count, reason FROM gap WHERE seq IS NULL ORDER BY id")
        return [GapRecord(number, _wall(a), _wall(b), count, reason) for number, a, b, count, reason in rows.fetchall()]

    def tell(self, gap: int, seq: int) -> None:
        """The record is event `seq` now. Inside the transaction that stores the event."""
        self._db.execute("UPDATE gap SET seq = ? WHERE id = ?", (seq, gap))


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _wall(wall_ms: int) -> datetime:
    return datetime.fromtimestamp(wall_ms / 1000, UTC)
