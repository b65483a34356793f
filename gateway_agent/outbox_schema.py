"""Tables and pragmas of the outbox file, shared by its writer and its readers."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gateway_agent.killpoints import reach
from trace_core.errors import Conflict

SCHEMA_VERSION = 4
PAGE_BYTES = 4096
BUSY_MS = 5_000

SCHEMA = """
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT NOT NULL,
    acked INTEGER NOT NULL,          -- everything up to here is durable on the server
    floor_seq INTEGER NOT NULL,      -- everything up to here was deleted (the server has a backup of it)
    floor_digest BLOB NOT NULL       -- digest of the chain at floor_seq
);
CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    body BLOB NOT NULL,
    digest BLOB NOT NULL,
    wall_ms INTEGER NOT NULL
);
CREATE TABLE retired (               -- settled rows of earlier epochs whose backup was never confirmed
    epoch TEXT NOT NULL, seq INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (epoch, seq)
) WITHOUT ROWID;
CREATE TABLE presence (
    number INTEGER PRIMARY KEY,
    read_point TEXT NOT NULL, epc BLOB NOT NULL,
    boot_id TEXT NOT NULL, first_seen REAL NOT NULL, last_seen REAL NOT NULL, last_wall_ms INTEGER NOT NULL,
    answer TEXT NOT NULL, reason TEXT NOT NULL, list_age_s REAL, uri TEXT NOT NULL,
    epoch TEXT NOT NULL, seq INTEGER NOT NULL
);
CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    reader TEXT NOT NULL, reason TEXT NOT NULL, data BLOB NOT NULL,
    times INTEGER NOT NULL, first_wall_ms INTEGER NOT NULL, last_wall_ms INTEGER NOT NULL,
    UNIQUE (reader, reason, data)
);
CREATE TABLE gap (
    id INTEGER PRIMARY KEY, from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL,
    count INTEGER NOT NULL, reason TEXT NOT NULL,
    seq INTEGER                      -- of the event that told the server; NULL: not told yet
);
CREATE TABLE device (
    reader TEXT PRIMARY KEY, state TEXT NOT NULL, detail TEXT NOT NULL, since_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE state (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

REPLAY_AND_SALVAGE = """
CREATE TABLE replay (                -- rows of quarantine to be tried again; outcome NULL: not yet
    number INTEGER PRIMARY KEY, outcome TEXT
);
CREATE TABLE salvaged (              -- what was taken over from outboxes that were set aside
    epoch TEXT NOT NULL, first_seq INTEGER NOT NULL, last_seq INTEGER NOT NULL, PRIMARY KEY (epoch, first_seq)
) WITHOUT ROWID
"""
MOVING = """
CREATE TABLE moving (                -- at most one row: how far the rows are on their way into a new epoch
    one INTEGER PRIMARY KEY CHECK (one = 1),
    epoch TEXT NOT NULL, after_seq INTEGER NOT NULL,
    frontier INTEGER NOT NULL, old_digest BLOB NOT NULL, seq INTEGER NOT NULL, digest BLOB NOT NULL
)
"""
UPGRADES = {1: "ALTER TABLE gap ADD COLUMN seq INTEGER", 2: REPLAY_AND_SALVAGE, 3: MOVING}
"""Version → what makes the next one of it."""


class Level(StrEnum):
    """How full the outbox is (architecture §3.2)."""

    FREE = "free"
    WARN = "warn"
    COARSE = "coarse"
    FULL = "full"


LEVELS = ((1.0, Level.FULL), (0.85, Level.COARSE), (0.70, Level.WARN), (0.0, Level.FREE))
"""Used share of the quota from which a level holds."""


@dataclass(frozen=True, slots=True)
class Quota:
    """Pages for events, and pages on top that only settling and gap records may use."""

    pages: int
    reserve_pages: int

    @classmethod
    def of_megabytes(cls, megabytes: float) -> Quota:
        pages = max(64, int(megabytes * 1_000_000 / PAGE_BYTES))
        return cls(pages, max(64, pages // 20))


def connect(path: Path) -> sqlite3.Connection:
    """A writing connection. `synchronous=FULL`: with NORMAL a power cut loses acknowledged rows."""
    connection = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    connection.execute("PRAGMA wal_autocheckpoint = 1000")
    connection.execute("PRAGMA journal_size_limit = 8388608")
    return connection


def connect_read_only(path: Path) -> sqlite3.Connection:
    """A connection that can only read; works while the gateway writes."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    return connection


def create(connection: sqlite3.Connection) -> None:
    tables = f"{SCHEMA} {REPLAY_AND_SALVAGE}; {MOVING};"
    connection.executescript(f"BEGIN IMMEDIATE; {tables} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")


def upgrade(connection: sqlite3.Connection, version: int, path: Path) -> None:
    """Bring a file of an earlier program to this schema; each step is done whole or not at all.

    Raises `Conflict` for a file of a later program.
    """
    if version > SCHEMA_VERSION:
        raise _unknown(version, path)
    for old in range(version, SCHEMA_VERSION):
        connection.executescript(f"BEGIN IMMEDIATE; {UPGRADES[old]}; PRAGMA user_version = {old + 1};")
        reach("in-upgrade")
        connection.execute("COMMIT")


def require_known(path: Path) -> None:
    """Raises `Conflict` for a file of a later program, before any thread starts. Damage is not its matter."""
    try:
        with closing(connect_read_only(path)) as connection:
            version = connection.execute("PRAGMA user_version").fetchone()[0]
    except sqlite3.Error:
        return
    if version > SCHEMA_VERSION:
        raise _unknown(version, path)


def _unknown(version: int, path: Path) -> Conflict:
    return Conflict(
        f"the outbox has schema {version}, this program knows {SCHEMA_VERSION}",
        where=str(path),
        remedy="run the gateway-agent that wrote it until it has sent everything, or move the file away",
    )
