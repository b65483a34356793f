"""Bring a database to the schema this code expects, apart from starting the server.

Alembic does the migrating. Asking which schema there is happens at every start of every command, so that reads the
version row itself: importing Alembic for it doubled the time of a short command.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from trace_core.errors import ConfigError
from trace_server.db.engine import Database, open_database

SCRIPTS = Path(__file__).parent / "migrations"
VERSION_TABLE = "alembic_version"
NO_TIMEOUT = 0.0
"""A migration may take hours; statement_timeout=0 means none."""


@dataclass(frozen=True, slots=True)
class SchemaState:
    """`current` is "" for an empty database; `known` is false when this code has never heard of it."""

    current: str
    expected: str
    known: bool

    @property
    def is_current(self) -> bool:
        return self.current == self.expected


def upgrade(url: str) -> SchemaState:
    """Run all missing migrations in one transaction; doing it twice, or from two processes, does no harm.

    Raises `ConfigError` when the database is newer than this code.
    """
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    database = open_database(url, pool_size=1, statement_timeout_s=NO_TIMEOUT)
    try:
        with database.begin() as conn:
            database.dialect.exclude(conn, "schema")
            _refuse_unknown(_state(_current(conn)))
            config.attributes["connection"] = conn
            command.upgrade(config, "head")
        return state(database)
    finally:
        database.dispose()


def state(database: Database) -> SchemaState:
    """Which schema the database has. Raises `DatabaseAway`."""
    with database.read() as conn:
        return _state(_current(conn))


def require_current(database: Database) -> None:
    """Raises `ConfigError` unless the schema is exactly the one this code was written for."""
    found = state(database)
    _refuse_unknown(found)
    if not found.is_current:
        raise ConfigError(
            f"the database schema is {found.current or 'empty'}, this program needs {found.expected}",
            where="database_url",
            remedy="run `trace-server db upgrade`",
        )


def _refuse_unknown(found: SchemaState) -> None:
    if not found.known:
        raise ConfigError(
            f"the database schema {found.current} is newer than this program",
            where="database_url",
            remedy="install the newer version",
        )


def _state(current: str) -> SchemaState:
    head, known = _revisions()
    return SchemaState(current, head, known=not current or current in known)


def _current(conn: Connection) -> str:
    if not inspect(conn).has_table(VERSION_TABLE):
        return ""
    return conn.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none() or ""  # noqa: S608


@cache
def _revisions() -> tuple[str, frozenset[str]]:
    """The newest revision and all of them: a script's file name begins with its revision."""
    known = sorted(path.stem.partition("_")[0] for path in (SCRIPTS / "versions").glob("[0-9]*.py"))
    return known[-1], frozenset(known)
