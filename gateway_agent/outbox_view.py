"""Read-only looks into the outbox file: the sender's next batch, and what status and listings show.

Works beside the writer (WAL) and in another process. All reading SQL of the gateway is here.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway_agent.outbox_schema import connect_read_only
from trace_core.errors import NotFound

RECENT = 1_000


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive unsent events with what a batch needs to know of them."""

    epoch: str
    first_seq: int
    bodies: tuple[bytes, ...]
    previous_digest: bytes
    digest: bytes
    last_stored_seq: int
    """Highest seq in the outbox when this was read."""

    @property
    def last_seq(self) -> int:
        return self.first_seq + len(self.bodies) - 1


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers of the outbox. Ages in seconds are the caller's to compute from `oldest_unsent`."""

    epoch: str
    last_seq: int
    acked: int
    unsent: int
    oldest_unsent: datetime | None
    quarantined: int
    file_bytes: int
    recent: int
    """The newest rows, at most `RECENT`, from which a rate can be taken …"""
    recent_since: datetime | None
    """… and when the first of them was stored."""


@dataclass(frozen=True, slots=True)
class EventRow:
    seq: int
    stored_at: datetime
    sent: bool
    body: str


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    id: int
    reader: str
    reason: str
    data_hex: str
    times: int
    first_at: datetime
    last_at: datetime


@dataclass(frozen=True, slots=True)
class GapRow:
    """Reads that could not be stored between two moments."""

    from_at: datetime
    to_at: datetime
    count: int
    reason: str


@dataclass(frozen=True, slots=True)
class DeviceLine:
    reader: str
    state: str
    detail: str
    since: datetime


class OutboxView:
    """One read-only connection; one thread at a time."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise NotFound("there is no outbox yet", where=str(path), remedy="start the gateway once")
        self._db = connect_read_only(path)

    def close(self) -> None:
        self._db.close()

    def next_run(self, max_events: int, max_bytes: int, after: int = 0) -> Run | None:
        """The oldest unsent events above `after`, at least one whatever its size; None when there are none."""
        return self._run("seq > max(acked, ?)", after, max_events, max_bytes)

    def last_settled(self) -> Run | None:
        """The newest event that the server has acknowledged, if it is still kept."""
        return self._run("seq = acked AND seq > ?", 0, 1, 0)

    def _run(self, which: str, bound: int, max_events: int, max_bytes: int) -> Run | None:
        with _Snapshot(self._db):
            if self._db.execute("SELECT 1 FROM moving").fetchone() is not None:
                return None  # their numbers are about to change
            epoch, floor_digest = self._db.execute("SELECT epoch, floor_digest FROM meta").fetchone()
            rows = self._db.execute(
                f"SELECT seq, body, digest FROM event, (SELECT acked FROM meta) WHERE {which} ORDER BY seq LIMIT ?",  # noqa: S608 - one of two texts above
                (bound, max_events),
            ).fetchall()
            if not rows:
                return None
            before = self._db.execute("SELECT digest FROM event WHERE seq = ?", (rows[0][0] - 1,)).fetchone()
            last = self._db.execute("SELECT max(seq) FROM event").fetchone()[0]
        size, taken = 0, 0
        for row in rows:
            size += len(row[1])
            if taken and size > max_bytes:
                break
            taken += 1
        bodies = tuple(bytes(row[1]) for row in rows[:taken])
        previous = bytes(before[0] if before else floor_digest)
        return Run(epoch, rows[0][0], bodies, previous, bytes(rows[taken - 1][2]), last)

    def summary(self) -> Summary:
        with _Snapshot(self._db):
            epoch, acked, floor = self._db.execute("SELECT epoch, acked, floor_seq FROM meta").fetchone()
            last = self._db.execute("SELECT max(seq) FROM event").fetchone()[0]
            oldest = self._db.execute(
                "SELECT wall_ms FROM event WHERE seq > ? ORDER BY seq LIMIT 1", (acked,)
            ).fetchone()
            recent, since = self._db.execute(
                "SELECT count(*), min(wall_ms) FROM (SELECT wall_ms FROM event ORDER BY seq DESC LIMIT ?)", (RECENT,)
            ).fetchone()
            quarantined = self._db.execute("SELECT count(*) FROM quarantine").fetchone()[0]
            pages = self._db.execute("PRAGMA page_count").fetchone()[0]
            page_bytes = self._db.execute("PRAGMA page_size").fetchone()[0]
        last_seq = floor if last is None else last
        oldest_at = _wall(oldest[0]) if oldest else None
        return Summary(
            epoch=epoch,
            last_seq=last_seq,
            acked=acked,
            unsent=last_seq - acked,
            oldest_unsent=oldest_at,
            quarantined=quarantined,
            file_bytes=pages * page_bytes,
            recent=recent,
            recent_since=None if since is None else _wall(since),
        )

    def events(self, limit: int) -> Iterator[EventRow]:
        """The newest rows still kept, newest first."""
        acked = self._db.execute("SELECT acked FROM meta").fetchone()[0]
        query = "SELECT seq, wall_ms, body FROM event ORDER BY seq DESC LIMIT ?"
        for seq, wall_ms, body in self._db.execute(query, (limit,)):
            yield EventRow(seq, _wall(wall_ms), seq <= acked, bytes(body).decode())

    def quarantine(self, limit: int) -> Iterator[QuarantineRow]:
        query = (
            "SELECT id, reader, reason, data, times, first_wall_ms, last_wall_ms"
            " FROM quarantine ORDER BY last_wall_ms DESC, id DESC LIMIT ?"
        )
        for number, reader, reason, data, times, first_ms, last_ms in self._db.execute(query, (limit,)):
            yield QuarantineRow(number, reader, reason, bytes(data).hex(), times, _wall(first_ms), _wall(last_ms))

    def gaps(self) -> list[GapRow]:
        rows = self._db.execute("SELECT from_ms, to_ms, count, reason FROM gap ORDER BY id")
        return [GapRow(_wall(first), _wall(last), count, reason) for first, last, count, reason in rows]

    def devices(self) -> list[DeviceLine]:
        rows = self._db.execute("SELECT reader, state, detail, since_ms FROM device ORDER BY reader")
        return [DeviceLine(reader, state, detail, _wall(since)) for reader, state, detail, since in rows]

    def state(self) -> dict[str, Any]:
        """What the running gateway last said of itself (`writing.py` writes it)."""
        return {name: json.loads(value) for name, value in self._db.execute("SELECT name, value FROM state")}


class _Snapshot:
    """Several reads that see one state of the file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._db = connection

    def __enter__(self) -> None:
        self._db.execute("BEGIN")

    def __exit__(self, *_: object) -> None:
        self._db.execute("COMMIT")


def _wall(wall_ms: int) -> datetime:
    return datetime.fromtimestamp(wall_ms / 1000, UTC)
