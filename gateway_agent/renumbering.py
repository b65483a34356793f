"""A new epoch for a backlog, a run of rows at a time: a million rows take a minute, and the gate answers meanwhile.

Until the last row has its new number the outbox goes on under the old epoch: new rows join the end and are reached
like the rest, and nothing is sent. What is done so far stands in the table `moving`, so a restart goes on there.
Rising order never collides: a new number is at most the old one, and smaller ones are free by then.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from gateway_agent import quarantining
from gateway_agent.quarantining import BadData
from trace_core.uplink import ZERO_DIGEST, chain

RUN_ROWS = 300
"""Rows in one transaction: about 10 ms of a small box, and no more than the memory of a batch."""
RETIRE_RUN = 2_000
"""Settled rows are only copied or dropped."""


@dataclass(frozen=True, slots=True)
class Moving:
    """How far the rows of one outbox are on their way into `epoch`."""

    epoch: str
    after: int
    """Old numbers up to here are settled and stay behind."""
    frontier: int
    """Old numbers up to here are done."""
    old_digest: bytes
    """Of the old chain at `frontier`, or at `after` while that is not reached."""
    seq: int
    """New numbers given so far …"""
    digest: bytes
    """… and the digest of their chain."""


def current(db: sqlite3.Connection) -> Moving | None:
    row = db.execute("SELECT epoch, after_seq, frontier, old_digest, seq, digest FROM moving").fetchone()
    return None if row is None else Moving(*row)


def begin(db: sqlite3.Connection, epoch: str, after: int, old_digest: bytes) -> None:
    """Inside a transaction of the owner. From here on nothing counts as settled under the old numbers."""
    db.execute("INSERT INTO moving VALUES (1, ?, ?, 0, ?, 0, ?)", (epoch, after, old_digest, ZERO_DIGEST))
    db.execute("UPDATE meta SET acked = 0")


def advance(db: sqlite3.Connection, old_epoch: str, *, keep_settled: bool) -> bool:
    """One run, inside a transaction of the owner. False when all is done and the new epoch holds."""
    state = current(db)
    if state is None:
        return False
    if state.frontier < state.after:
        state = _retire(db, state, old_epoch, keep_settled=keep_settled)
    if state.frontier >= state.after:
        state = _move(db, state, old_epoch)
    if db.execute("SELECT 1 FROM event WHERE seq > ? LIMIT 1", (state.frontier,)).fetchone() is None:
        db.execute("DELETE FROM moving")
        db.execute("UPDATE meta SET epoch = ?, acked = 0, floor_seq = 0, floor_digest = ?", (state.epoch, ZERO_DIGEST))
        return False
    db.execute(
        "UPDATE moving SET frontier = ?, old_digest = ?, seq = ?, digest = ?",
        (state.frontier, state.old_digest, state.seq, state.digest),
    )
    return True


def renumbered(body: bytes, epoch: str, seq: int) -> bytes:
    """The event with another place in the outbox."""
    fields = json.loads(body)
    fields["suyuan:epoch"], fields["suyuan:seq"] = epoch, seq
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode()


def _retire(db: sqlite3.Connection, state: Moving, old_epoch: str, *, keep_settled: bool) -> Moving:
    first = db.execute("SELECT min(seq) FROM event WHERE seq > ?", (state.frontier,)).fetchone()[0]
    last = state.after if first is None else min(state.after, first + RETIRE_RUN)
    bounds = (state.frontier, last)
    if keep_settled:
        db.execute(
            "INSERT OR IGNORE INTO retired SELECT ?, seq, body FROM event WHERE seq > ? AND seq <= ?",
            (old_epoch, *bounds),
        )
    db.execute("DELETE FROM event WHERE seq > ? AND seq <= ?", bounds)
    return replace(state, frontier=last)


def _move(db: sqlite3.Connection, state: Moving, old_epoch: str) -> Moving:
    """A row whose body no longer fits its digest goes to quarantine instead."""
    rows = db.execute(
        "SELECT seq, body, digest, wall_ms FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (state.frontier, RUN_ROWS)
    ).fetchall()
    if not rows:
        return state
    old_digest, seq, digest = state.old_digest, state.seq, state.digest
    moved: list[tuple[int, bytes, bytes, int]] = []
    for old_seq, body, expected, wall_ms in rows:
        intact = chain(old_digest, (body,)) == expected
        old_digest = expected
        if not intact:
            wall = datetime.fromtimestamp(wall_ms / 1000, UTC)
            quarantining.write(db, [BadData("outbox", "damaged", body, wall)])
            db.execute("DELETE FROM event WHERE seq = ?", (old_seq,))
            continue
        seq += 1
        now = renumbered(body, state.epoch, seq)
        digest = chain(digest, (now,))
        moved.append((seq, now, digest, old_seq))
    frontier = rows[-1][0]
    db.executemany("UPDATE event SET seq = ?, body = ?, digest = ? WHERE seq = ?", moved)
    _move_presences(db, state, old_epoch, frontier, {old: new for new, _, _, old in moved})
    return replace(state, frontier=frontier, old_digest=old_digest, seq=seq, digest=digest)


def _move_presences(
    db: sqlite3.Connection, state: Moving, old_epoch: str, frontier: int, numbers: dict[int, int]
) -> None:
    """Answers that are shown again after a restart name the event by its new place."""
    rows = db.execute(
        "SELECT number, seq FROM presence WHERE epoch = ? AND seq > ? AND seq <= ?",
        (old_epoch, state.frontier, frontier),
    ).fetchall()
    db.executemany(
        "UPDATE presence SET epoch = ?, seq = ? WHERE number = ?",
        [(state.epoch, numbers[seq], number) for number, seq in rows if seq in numbers],
    )
