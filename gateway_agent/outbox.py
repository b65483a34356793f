"""The durable queue of the gateway: what is committed here survives a power cut, and leaves only when the server
has it. All writing SQL is here, in `quarantining.py`, `renumbering.py` and `outbox_gaps.py`; one thread owns the
`Outbox`.

Rows have contiguous `seq` from 1 within an epoch, and each carries the running digest of the chain
(`trace_core.uplink.chain`), so a repeat can be told from a contradiction.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from gateway_agent import quarantining, renumbering
from gateway_agent.killpoints import reach
from gateway_agent.observing import Presence, Shown
from gateway_agent.outbox_gaps import GapTable
from gateway_agent.outbox_schema import LEVELS, Level, Quota, connect, create, upgrade
from gateway_agent.quarantining import BadData, Settled
from trace_core.errors import TraceError
from trace_core.uplink import ZERO_DIGEST, chain

log = logging.getLogger(__name__)

DISK_RESERVE_BYTES = 1_048_576
"""Free space on the disk below which the outbox counts as full: a WAL file on a full disk cannot even delete."""

RETIRE_BELOW = 0.5
"""Rows of a former epoch are kept only while the file has plenty of room."""


class OutboxFull(TraceError):
    """There is no room for events; reading must stop. Nothing was dropped."""

    code = "outbox-full"


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """State of a reader's connection since `since`."""

    reader: str
    state: str
    detail: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Commit:
    """All that one transaction writes. `bodies` get the next seqs in order; presences carry them already."""

    wall: datetime
    boot_id: str
    bodies: Sequence[bytes] = ()
    presences: Sequence[Presence] = ()
    moved: Sequence[Presence] = ()
    forgotten: Sequence[int] = ()
    bad: Sequence[BadData] = ()
    devices: Sequence[DeviceRow] = ()
    settled: Sequence[Settled] = ()
    salvaged: tuple[str, int, int] | None = None
    """Epoch, first and last seq of the rows of another outbox that `bodies` and `bad` stand for."""
    state: Mapping[str, object] = field(default_factory=dict)
    gap: int | None = None
    """The gap record that the last of `bodies` tells of."""


class Outbox:
    """Owns the file. Methods are transactions; any of them may raise `sqlite3.Error`, and then nothing changed."""

    def __init__(self, connection: sqlite3.Connection, path: Path, quota: Quota) -> None:
        self._db = connection
        self._path = path
        self._quota = quota
        self._free_bytes = _free_bytes
        self.quarantine_overflow = 0
        self.gaps = GapTable(connection, self._transaction)
        connection.execute(f"PRAGMA max_page_count = {quota.pages + quota.reserve_pages}")
        self._load()

    def _load(self) -> None:
        row = self._db.execute("SELECT epoch, floor_seq, floor_digest FROM meta").fetchone()
        self.epoch: str = row[0]
        last = self._db.execute("SELECT seq, digest FROM event ORDER BY seq DESC LIMIT 1").fetchone()
        self.last_seq: int
        self.last_seq, self._digest = last or (row[1], row[2])
        self.is_moving = renumbering.current(self._db) is not None
        """Rows are on their way into a new epoch: nothing is sent, settled or asked for again."""

    def commit(self, commit: Commit) -> None:
        """Write everything of `commit` at once. Raises `OutboxFull` when the quota or the disk is used up."""
        digest, seq = self._digest, self.last_seq
        wall_ms = _ms(commit.wall)
        events = []
        for body in commit.bodies:
            digest, seq = chain(digest, (body,)), seq + 1
            events.append((seq, body, digest, wall_ms))
        with self._transaction():
            if events:
                self._db.executemany("INSERT INTO event VALUES (?, ?, ?, ?)", events)
            self._write_presences(commit)
            self.quarantine_overflow += quarantining.settle(self._db, commit.settled)
            self.quarantine_overflow += quarantining.write(self._db, commit.bad)
            if commit.salvaged:
                self._db.execute("INSERT INTO salvaged VALUES (?, ?, ?)", commit.salvaged)
            for device in commit.devices:
                self._db.execute(
                    "INSERT OR REPLACE INTO device VALUES (?, ?, ?, ?)",
                    (device.reader, device.state, device.detail, _ms(device.since)),
                )
            for name, value in commit.state.items():
                self._db.execute("INSERT OR REPLACE INTO state VALUES (?, ?)", (name, json.dumps(value)))
            if commit.gap is not None:
                self.gaps.tell(commit.gap, seq)
            reach("in-commit")
        self.last_seq, self._digest = seq, digest

    def settle(self, sent_from: int, ack: int, backed_up_to: int) -> int:
        """The server holds everything up to `ack`, in answer to a batch that began at `sent_from`.

        Rows that its backup covers too are deleted. An answer to a batch from before a rewind moves nothing.
        Returns up to where all is settled.
        """
        with self._transaction():
            acked = self.acked
            if sent_from > acked + 1 or self.is_moving:
                return acked
            acked = max(acked, min(ack, self.last_seq))
            self._db.execute("UPDATE meta SET acked = ?", (acked,))
            reach("in-settle")
            self._delete_to(min(acked, backed_up_to))
        return acked

    def rewind(self, ack: int) -> bool:
        """The server knows only up to `ack`: send again from there. False when those rows are gone."""
        if self.is_moving:
            return True  # all that is left is on its way to be sent
        if ack < self.floor_seq:
            return False
        with self._transaction():
            self._db.execute("UPDATE meta SET acked = ?", (min(ack, self.last_seq),))
        return True

    def begin_epoch(self, after: int) -> str:
        """Give every row above `after` a new number in a new epoch; rows up to `after` are settled.

        A row whose body no longer fits its digest is put in quarantine instead. Returns the new epoch, which holds
        at once when there are few rows; otherwise `move_on` goes on, and until it is done the old one holds.
        """
        moving = renumbering.current(self._db)
        if moving is not None:
            return moving.epoch
        epoch = new_epoch()
        with self._transaction():
            renumbering.begin(self._db, epoch, after, self._digest_at(after))
            self._advance()
        self._load()
        return epoch

    def move_on(self) -> bool:
        """One more run of rows into the new epoch. True while there are more; a few milliseconds each."""
        if not self.is_moving:
            return False
        with self._transaction():
            self._advance()
        self._load()
        return self.is_moving

    def _advance(self) -> None:
        renumbering.advance(self._db, self.epoch, keep_settled=self.used() < RETIRE_BELOW)

    @property
    def acked(self) -> int:
        """Everything up to here is durable on the server. Read each time: `outbox replay` may move it back."""
        return int(self._db.execute("SELECT acked FROM meta").fetchone()[0])

    @property
    def floor_seq(self) -> int:
        """Everything up to here was deleted."""
        return int(self._db.execute("SELECT floor_seq FROM meta").fetchone()[0])

    def _digest_at(self, seq: int) -> bytes:
        row = self._db.execute("SELECT digest FROM event WHERE seq = ?", (seq,)).fetchone()
        row = row or self._db.execute("SELECT floor_digest FROM meta").fetchone()
        return bytes(row[0])

    def ask_replay(self, numbers: Sequence[int] | None) -> list[int]:
        """Request that rows of quarantine (None: all) be tried again; the running gateway does it. Those that exist."""
        with self._transaction():
            return quarantining.ask(self._db, numbers)

    def is_asked(self, number: int) -> bool:
        return quarantining.is_asked(self._db, number)

    def salvaged(self, epoch: str) -> list[tuple[int, int]]:
        """Ranges of seqs of another outbox's epoch that were taken over, in order."""
        query = "SELECT first_seq, last_seq FROM salvaged WHERE epoch = ? ORDER BY first_seq"
        return self._db.execute(query, (epoch,)).fetchall()

    def level(self) -> Level:
        """How full the outbox is. Settled rows are given up before the level rises to full."""
        level = self._level()
        if level in (Level.COARSE, Level.FULL):
            try:
                if self._reclaim():
                    level = self._level()
            except OutboxFull:  # on a full disk even deleting finds no room, in the WAL file
                return Level.FULL
        return level

    def used(self) -> float:
        """Used share of the quota, 1.0 when the disk itself is nearly full."""
        if self._free_bytes(self._path.parent) < DISK_RESERVE_BYTES:
            return 1.0
        pages = self._db.execute("PRAGMA page_count").fetchone()[0]
        free = self._db.execute("PRAGMA freelist_count").fetchone()[0]
        return float((pages - free) / self._quota.pages)

    def presences(self, boot_id: str, now_monotonic: float, now_wall: datetime) -> list[Presence]:
        """Stored presences on this boot's clock; those of an earlier boot are placed by the wall clock."""
        rows = self._db.execute(
            "SELECT number, read_point, epc, boot_id, first_seen, last_seen, last_wall_ms,"
            " answer, reason, list_age_s, uri, epoch, seq FROM presence ORDER BY number"
        ).fetchall()
        presences = []
        for number, point, epc, boot, first, last, wall_ms, *shown in rows:
            shift = 0.0
            if boot != boot_id:
                shift = now_monotonic - max(0.0, (now_wall - _wall(wall_ms)).total_seconds()) - last
            presences.append(Presence(number, point, epc, first + shift, last + shift, _wall(wall_ms), Shown(*shown)))
        return presences

    def close(self) -> None:
        self._db.close()

    def _level(self) -> Level:
        used = self.used()
        return next(level for share, level in LEVELS if used >= share)

    def _reclaim(self) -> bool:
        """Delete settled rows though no backup covers them: unsent ones need the room more."""
        with self._transaction():
            retired = self._db.execute("DELETE FROM retired").rowcount
            return (0 if self.is_moving else self._delete_to(self.acked)) + retired > 0

    def _delete_to(self, seq: int) -> int:
        row = self._db.execute("SELECT digest FROM event WHERE seq = ?", (seq,)).fetchone()
        if row is None:
            return 0
        self._db.execute("UPDATE meta SET floor_seq = ?, floor_digest = ?", (seq, row[0]))
        return self._db.execute("DELETE FROM event WHERE seq <= ?", (seq,)).rowcount

    def _write_presences(self, commit: Commit) -> None:
        self._db.executemany(
            "INSERT INTO presence VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [_presence_row(presence, commit.boot_id) for presence in commit.presences],
        )
        self._db.executemany(
            "UPDATE presence SET boot_id = ?, first_seen = ?, last_seen = ?, last_wall_ms = ? WHERE number = ?",
            [(commit.boot_id, p.first_seen, p.last_seen, _ms(p.last_wall), p.number) for p in commit.moved],
        )
        self._db.executemany("DELETE FROM presence WHERE number = ?", [(number,) for number in commit.forgotten])

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            yield
            self._db.execute("COMMIT")
        except BaseException as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError) and _is_full(error):
                raise OutboxFull(str(error), where=str(self._path), remedy="make room on the disk") from error
            raise


def open_outbox(path: Path, quota: Quota) -> Outbox:
    """Open the file, or make it. A file that SQLite cannot trust is kept aside and a new epoch begins."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists():
        try:
            return open_existing(path, quota)
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError) and not isinstance(error, _Untrusted):
                raise  # locked, no permission, disk: says nothing about the content
            log.error("outbox %s cannot be trusted (%s); kept aside", path, error)  # noqa: TRY400 - said in one line
            set_aside(path)
    connection = connect(path)
    create(connection)
    connection.execute("INSERT INTO meta VALUES (1, ?, 0, 0, ?)", (new_epoch(), ZERO_DIGEST))
    return Outbox(connection, path, quota)


def open_existing(path: Path, quota: Quota) -> Outbox:
    """Raises `sqlite3.DatabaseError` when the file cannot be opened or trusted, `Conflict` for a later schema."""
    connection = connect(path)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            raise _Untrusted("it was never finished")
        upgrade(connection, version, path)
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise _Untrusted(str(verdict))
        if connection.execute("SELECT count(*) FROM meta").fetchone()[0] != 1:
            raise _Untrusted("it has no cursor")
        return Outbox(connection, path, quota)
    except BaseException:
        connection.close()
        raise


def set_aside(path: Path) -> Path:
    """Rename a damaged outbox with its journal files; returns the new name."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
    kept = path.with_name(f"{path.name}.corrupt-{stamp}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(kept.with_name(kept.name + suffix))
    return kept


def new_epoch() -> str:
    """Random 64 bits as 16 hex digits."""
    return secrets.token_hex(8)


class _Untrusted(sqlite3.OperationalError):
    """The file opens but its content does not hold together."""


def _presence_row(presence: Presence, boot_id: str) -> tuple[object, ...]:
    p, shown = presence, presence.shown
    if shown is None:
        raise ValueError("a presence is stored together with its answer")
    span = (boot_id, p.first_seen, p.last_seen, _ms(p.last_wall))
    said = (shown.answer, shown.reason, shown.list_age_s, shown.uri, shown.epoch, shown.seq)
    return (p.number, p.read_point, p.epc, *span, *said)


def _is_full(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL


def _free_bytes(folder: Path) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _wall(wall_ms: int) -> datetime:
    return datetime.fromtimestamp(wall_ms / 1000, UTC)
