"""Open a database so that a commit means "survives a power cut" on both engines."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2.extensions
from psycopg2.extensions import new_type, register_type
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, IntegrityError, TimeoutError

from trace_core.errors import ConfigError, Retryable
from trace_server.db.dialects import Dialect, PostgresDialect, SqliteDialect
from trace_server.db.types import dump_json, key_of_text

BUSY_TIMEOUT_S = 10.0
"""How long a writer waits for another one (SQLite's lock, PostgreSQL's row locks)."""
STATEMENT_TIMEOUT_S = 30.0
"""No statement of a request runs longer; migrations run without."""
IDLE_TIMEOUT_S = 60.0
"""A transaction that a dead thread left open is ended after this long."""
POOL_WAIT_S = 5.0
UUID_OID = 2950
"""PostgreSQL's number of the type `uuid` (pg_type.dat)."""
READ_ONLY = "suyuan_read_only"
SQLITE_AWAY = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PROTOCOL,
    }
)
ROW_REFUSED: tuple[type[Exception], ...] = (DataError, IntegrityError, ValueError, OverflowError)
"""What a driver raises over a value that a column cannot hold; psycopg2 and sqlite3 raise some of Python's own."""
MUST_BE_ON = ("fsync", "full_page_writes", "synchronous_commit")


class DatabaseAway(Retryable):
    """The database cannot be reached, is full, or kept us waiting too long; nothing was written."""

    code = "database-away"


class Database:
    """An engine and what differs by its kind."""

    def __init__(self, engine: Engine, dialect: Dialect) -> None:
        self.engine = engine
        self.dialect = dialect

    @property
    def url(self) -> str:
        """The URL with its password, for `migrate` and child processes; never for a log."""
        return self.engine.url.render_as_string(hide_password=False)

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """A write transaction, committed at the end of the block, rolled back when it raises.

        SQLite takes the write lock at once (BEGIN IMMEDIATE): a transaction that reads first and writes later
        could otherwise fail half-way. Raises `DatabaseAway`.
        """
        with _translated(), self.engine.connect() as conn, conn.begin():
            yield conn

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A read-only transaction that sees one moment of the database. Raises `DatabaseAway`."""
        options: dict[str, Any] = {READ_ONLY: True}
        if self.dialect.has_concurrent_writers:
            options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with _translated(), self.engine.connect().execution_options(**options) as conn, conn.begin():
            yield conn

    def require_durable(self) -> None:
        """Raises `ConfigError` when the server would report commits that a power cut undoes."""
        if self.engine.dialect.name == "sqlite":  # its pragmas are set by us, on every connection
            return
        with self.read() as conn:
            for name in MUST_BE_ON:
                value = conn.execute(text("SELECT current_setting(:name)"), {"name": name}).scalar_one()
                if value == "off":
                    raise ConfigError(
                        f"PostgreSQL runs with {name}=off: a power cut would lose acknowledged events",
                        where="database_url",
                        remedy=f"set {name}=on in postgresql.conf",
                    )

    def dispose(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def open_database(
    url: str,
    *,
    pool_size: int = 8,
    statement_timeout_s: float = STATEMENT_TIMEOUT_S,
    busy_timeout_s: float = BUSY_TIMEOUT_S,
) -> Database:
    """`url` is `sqlite:///path` or `postgresql://…`; one connection per request thread is `pool_size`.

    Raises `ConfigError` for any other URL. Does not connect yet.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "sqlite":
        return Database(_sqlite_engine(parsed, pool_size, busy_timeout_s), SqliteDialect())
    return Database(_postgres_engine(parsed, pool_size, statement_timeout_s, busy_timeout_s), PostgresDialect())


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigError("not a database URL", where="database_url", remedy="sqlite:///file or postgresql://…") from (
            error
        )
    match parsed.get_backend_name():
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            return parsed
        case "sqlite":
            raise ConfigError("a database in memory loses everything", where="database_url", remedy="name a file")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+psycopg2")
    raise ConfigError(
        f"unknown database {parsed.drivername!r}", where="database_url", remedy="sqlite:///file or postgresql://…"
    )


def _sqlite_engine(url: URL, pool_size: int, busy_timeout_s: float) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=2,
        pool_timeout=POOL_WAIT_S,
        connect_args={"timeout": busy_timeout_s, "check_same_thread": False, "isolation_level": None},
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(f"PRAGMA busy_timeout={int(busy_timeout_s * 1000)}")

    @event.listens_for(engine, "begin")
    def _begin(conn: Connection) -> None:
        read_only = conn.get_execution_options().get(READ_ONLY, False)
        conn.exec_driver_sql(f"PRAGMA query_only={'ON' if read_only else 'OFF'}")
        conn.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")

    return engine


def _postgres_engine(url: URL, pool_size: int, statement_timeout_s: float, busy_timeout_s: float) -> Engine:
    options = {
        "timezone": "UTC",
        "statement_timeout": f"{int(statement_timeout_s * 1000)}",
        "lock_timeout": f"{int(busy_timeout_s * 1000)}",
        "idle_in_transaction_session_timeout": f"{int(IDLE_TIMEOUT_S * 1000)}",
    }
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=2,
        pool_timeout=POOL_WAIT_S,
        pool_pre_ping=True,
        json_serializer=dump_json,
        connect_args={
            "options": " ".join(f"-c {name}={value}" for name, value in options.items()),
            "application_name": "suyuan",
            "connect_timeout": 5,
        },
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: psycopg2.extensions.connection, _record: object) -> None:
        register_type(new_type((UUID_OID,), "KEY", key_of_text), connection)

    return engine


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise DatabaseAway("all database connections are in use", remedy="try again") from error
    except DBAPIError as error:
        if not _is_away(error):
            raise
        # The driver's words may hold the host or data; they stay in the chain for the log.
        raise DatabaseAway("the database is away or too busy", remedy="try again") from error


def _is_away(error: DBAPIError) -> bool:
    if error.connection_invalidated:
        return True
    if isinstance(error.orig, sqlite3.OperationalError):
        # The others (SQLITE_ERROR: a wrong statement) are our mistake, not the database's.
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in SQLITE_AWAY
    return type(error).__name__ in ("OperationalError", "InterfaceError")
