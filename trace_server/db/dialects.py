"""All that differs between SQLite and PostgreSQL. Callers ask for a deed or a capability, never for a name."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    func,
    insert,
    literal,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from trace_server.db.copying import copy_text
from trace_server.db.types import Key, KeyList

Rows = Sequence[Mapping[str, Any]]
T = TypeVar("T")
SQLITE_MAX_VALUES = 32_000
"""SQLite's SQLITE_MAX_VARIABLE_NUMBER is 32,766 since 3.32; some room for the rest of a statement."""
POSTGRES_MAX_VALUES = 200_000
"""An array is one parameter; this only bounds the length of a statement (7 MB of keys)."""
KEYS = "keys"
COPY_FROM_ROWS = 20
"""Below this, one INSERT is cheaper than staging and three statements."""


class Dialect(Protocol):
    """What stores may ask of a database. Rows are mappings column name → value, all with the same names."""

    def __hash__(self) -> int:
        """Two of a kind are equal: a statement that is built for one serves the other."""

    @property
    def has_concurrent_writers(self) -> bool:
        """False where a write transaction already excludes every other one."""

    @property
    def max_values(self) -> int:
        """How many values `in_values` takes at once."""

    def insert_ignore(self, conn: Connection, table: Table, rows: Rows) -> int:
        """Insert what breaks no unique key; returns how many rows are new."""

    def bulk_insert(self, conn: Connection, table: Table, rows: Rows, *, ignore_conflicts: bool = False) -> int:
        """Insert many rows by the fastest way there is; returns how many are new."""

    def upsert(self, conn: Connection, table: Table, rows: Rows, *, key: Sequence[str], update: Sequence[str]) -> None:
        """Insert, or overwrite the columns `update` where `key` exists. `key` must be unique within `rows`."""

    def in_values(self, column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
        """The condition "`column` is one of `values`"."""

    def select_any(
        self, conn: Connection, build: Callable[[Sequence[T]], Select[*tuple[Any, ...]]], values: Sequence[T]
    ) -> list[Row[*tuple[Any, ...]]]:
        """Rows of `build(part)` for all parts of `values`; `build` calls `in_values` on the part it is given."""

    def in_keys(self, column: ColumnElement[bytes]) -> ColumnElement[bool]:
        """The condition "`column` is one of the keys" that `select_keys` gives: for a statement that is built once."""

    def select_keys(
        self, conn: Connection, statement: Select[*tuple[Any, ...]], keys: Sequence[bytes]
    ) -> list[Row[*tuple[Any, ...]]]:
        """Rows of a statement whose only parameter is that of `in_keys`, for all keys."""

    def key_list(self, column: ColumnElement[Any]) -> ColumnElement[list[bytes]]:
        """Aggregate: the keys of a group as a list, in no order. Far cheaper than a row for each of them."""

    def exclude(self, conn: Connection, name: str) -> None:
        """Until this transaction ends, let no other run that calls this with the same `name`."""


class _Chunked:
    max_values: int

    def select_any(
        self, conn: Connection, build: Callable[[Sequence[T]], Select[*tuple[Any, ...]]], values: Sequence[T]
    ) -> list[Row[*tuple[Any, ...]]]:
        found: list[Row[*tuple[Any, ...]]] = []
        for part in _parts(values, self.max_values):
            found += conn.execute(build(part)).all()
        return found

    def select_keys(
        self, conn: Connection, statement: Select[*tuple[Any, ...]], keys: Sequence[bytes]
    ) -> list[Row[*tuple[Any, ...]]]:
        found: list[Row[*tuple[Any, ...]]] = []
        for part in _parts(keys, self.max_values):
            found += conn.execute(statement, {KEYS: self.bound_keys(part)}).all()
        return found

    def bound_keys(self, keys: Sequence[bytes]) -> object:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))


class SqliteDialect(_Chunked):
    """One writer at a time; prepared statements run once per row without a network in between."""

    has_concurrent_writers = False
    max_values = SQLITE_MAX_VALUES

    def insert_ignore(self, conn: Connection, table: Table, rows: Rows) -> int:
        if not rows:
            return 0
        return conn.execute(sqlite_insert(table).on_conflict_do_nothing(), _checked(table, rows)).rowcount

    def bulk_insert(self, conn: Connection, table: Table, rows: Rows, *, ignore_conflicts: bool = False) -> int:
        if ignore_conflicts:
            return self.insert_ignore(conn, table, rows)
        if rows:
            conn.execute(insert(table), _checked(table, rows))
        return len(rows)

    def upsert(self, conn: Connection, table: Table, rows: Rows, *, key: Sequence[str], update: Sequence[str]) -> None:
        if not rows:
            return
        statement = sqlite_insert(table)
        fresh = {name: statement.excluded[name] for name in update}
        conn.execute(statement.on_conflict_do_update(index_elements=list(key), set_=fresh), _checked(table, rows))

    def in_values(self, column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
        return column.in_(values)

    def in_keys(self, column: ColumnElement[bytes]) -> ColumnElement[bool]:
        return column.in_(bindparam(KEYS, expanding=True))

    def bound_keys(self, keys: Sequence[bytes]) -> object:
        return keys

    def key_list(self, column: ColumnElement[Any]) -> ColumnElement[list[bytes]]:
        return func.group_concat(func.hex(column), "", type_=KeyList())

    def exclude(self, conn: Connection, name: str) -> None:
        """BEGIN IMMEDIATE has done it."""


class PostgresDialect(_Chunked):
    """Writers run side by side: every batch is sorted by key, or two of them could lock each other out."""

    has_concurrent_writers = True
    max_values = POSTGRES_MAX_VALUES

    def insert_ignore(self, conn: Connection, table: Table, rows: Rows) -> int:
        if not rows:
            return 0
        key = _primary_key(table)
        statement = postgres_insert(table).on_conflict_do_nothing().returning(literal(1))
        return len(conn.execute(statement, _sorted(table, rows, key)).all())

    def bulk_insert(self, conn: Connection, table: Table, rows: Rows, *, ignore_conflicts: bool = False) -> int:
        if not rows:
            return 0
        if not ignore_conflicts:
            self._copy(conn, table, table.name, rows)
            return len(rows)
        if len(rows) < COPY_FROM_ROWS:
            return self.insert_ignore(conn, table, rows)
        return self._stage(conn, table, rows)

    def upsert(self, conn: Connection, table: Table, rows: Rows, *, key: Sequence[str], update: Sequence[str]) -> None:
        if not rows:
            return
        statement = postgres_insert(table)
        fresh = {name: statement.excluded[name] for name in update}
        conn.execute(statement.on_conflict_do_update(index_elements=list(key), set_=fresh), _sorted(table, rows, key))

    def in_values(self, column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
        if isinstance(column.type, Key):  # one string: an adapted object for each of a recall's keys takes seconds
            return column == any_(literal(self.bound_keys(values), Text).cast(ARRAY(Uuid())))
        return column == any_(literal(list(values), ARRAY(column.type)))

    def in_keys(self, column: ColumnElement[bytes]) -> ColumnElement[bool]:
        return column == any_(bindparam(KEYS, type_=Text).cast(ARRAY(Uuid())))

    def bound_keys(self, keys: Sequence[bytes]) -> object:
        return "{" + ",".join([key.hex() for key in keys]) + "}"

    def key_list(self, column: ColumnElement[Any]) -> ColumnElement[list[bytes]]:
        return func.string_agg(func.uuid_send(column), literal_column("''::bytea"), type_=KeyList())

    def exclude(self, conn: Connection, name: str) -> None:
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)
        conn.execute(select(func.pg_advisory_xact_lock(number)))

    def _stage(self, conn: Connection, table: Table, rows: Rows) -> int:
        """COPY cannot skip conflicts; a temporary table beside the target can be copied into and then moved."""
        quote = conn.dialect.identifier_preparer.quote
        columns = ", ".join(quote(column.name) for column in _columns(table, rows))
        target, stage = quote(table.name), quote(f"stage_{table.name}")
        order = ", ".join(quote(name) for name in _primary_key(table))
        # Made once per connection; emptied by every commit.
        make = f"CREATE TEMPORARY TABLE IF NOT EXISTS {stage} ON COMMIT DELETE ROWS AS TABLE {target} WITH NO DATA"
        conn.execute(text(make))
        if conn.info.get(stage) is conn.get_transaction():  # a second batch for this table in one transaction
            conn.execute(text(f"TRUNCATE {stage}"))
        conn.info[stage] = conn.get_transaction()
        self._copy(conn, table, f"stage_{table.name}", rows)
        return conn.execute(
            text(
                f"INSERT INTO {target} ({columns}) SELECT {columns} FROM {stage} "  # noqa: S608 – our own names
                f"ORDER BY {order} ON CONFLICT DO NOTHING"
            )
        ).rowcount

    def _copy(self, conn: Connection, table: Table, into: str, rows: Rows) -> None:
        quote = conn.dialect.identifier_preparer.quote
        columns = _columns(table, rows)
        names = ", ".join(quote(column.name) for column in columns)
        driver = conn.connection.cursor()
        try:
            driver.copy_expert(f"COPY {quote(into)} ({names}) FROM STDIN", copy_text(columns, rows))
        finally:
            driver.close()


def _columns(table: Table, rows: Rows) -> list[Column[Any]]:
    """The table's columns that the rows fill; the others get their defaults."""
    unknown = rows[0].keys() - table.columns.keys()
    if unknown:
        raise ValueError(f"table {table.name} has no column {', '.join(sorted(unknown))}")
    return [column for column in table.columns if column.key in rows[0]]


def _primary_key(table: Table) -> list[str]:
    return [column.name for column in table.primary_key]


def _sorted(table: Table, rows: Rows, key: Sequence[str]) -> list[dict[str, Any]]:
    checked = _checked(table, rows)
    if any(name not in rows[0] for name in key):  # the database makes the key: nothing to collide on
        return checked
    return sorted(checked, key=lambda row: [row[name] for name in key])


def _checked(table: Table, rows: Rows) -> list[dict[str, Any]]:
    """SQLAlchemy passes over a name that is no column: a misspelt one would lose its value in silence."""
    _columns(table, rows)
    return cast("list[dict[str, Any]]", list(rows))


def _parts(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(values), size):
        yield values[start : start + size]
