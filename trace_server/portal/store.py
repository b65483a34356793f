"""The statements of the code page. Once a page is known, a request costs one: count it and say what has changed."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any
from weakref import WeakSet

from sqlalchemy import NullPool, PoolProxiedConnection, TextClause, bindparam, create_engine, event, text
from sqlalchemy.exc import DBAPIError

from trace_server.db import Connection, Database, DatabaseAway, Dialect, Key
from trace_server.portal.model import Queries

MAX_KEYS = 400
"""Objects whose links are counted to prove a page fresh; a longer journey is read anew on each request."""
_BUCKETS = (4, 16, 64, MAX_KEYS)
COUNTER_WAIT_S = 5.0
COUNTER_STATEMENT_MS = 2_000
"""A page that cannot be counted in two seconds says so instead (quality.md §6: 503 in ≤ 2 s)."""


@dataclass(frozen=True, slots=True)
class Subjects:
    """What a page depends on: the item counted, the rows shown, the objects of the journey."""

    item: bytes
    gtin: str
    lot: str
    uscc: str
    keys: tuple[bytes, ...]


Stamp = tuple[Any, ...]
"""Compared as a whole: equal stamps mean that the page says the same. The day is the caller's to compare."""


class Counter:
    """Counts queries over connections of its own: one statement, planned once, no wait for the disk.

    A count is no evidence and nobody was promised that it survives a power cut; losing the last half second of
    counts then is fair for a page that is three times as fast. Everything else stays on `Database`. Each thread that
    serves requests keeps one connection and talks to the driver itself: the types are plain, and this is the
    hottest statement of the server.
    """

    def __init__(self, db: Database) -> None:
        self.db = db
        planned = db.dialect.has_concurrent_writers
        self._engine = create_engine(
            db.engine.url, isolation_level="AUTOCOMMIT", poolclass=NullPool, connect_args=_connect_args(db.dialect)
        )
        event.listen(self._engine, "connect", _prepare_plans if planned else _relax)
        driver: Any = self._engine.dialect.loaded_dbapi
        self._away = (driver.OperationalError, driver.InterfaceError)
        self._statements = _statements(planned=planned)
        self._key: Callable[[bytes], Any] = bytes.hex if planned else bytes
        self._mine = threading.local()
        self._open: WeakSet[PoolProxiedConnection] = WeakSet()

    def count(self, item: bytes, today: date, hour: int, *, callers: int = 1) -> Queries:
        """Count one query of the item and return the numbers, this one included. Raises `DatabaseAway`.

        `callers` (0 or 1) is what it adds to the day's number of callers.
        """
        return _queries(self._one(0, (self._key(item), *_moment(today, hour), callers)))

    def count_and_stamp(self, subjects: Subjects, today: date, hour: int, *, callers: int = 1) -> tuple[Queries, Stamp]:
        """As `count`, with the stamp of the page in the same statement."""
        bucket = _bucket(subjects)
        key = self._key
        row = self._one(
            bucket,
            (
                key(subjects.item),
                *_moment(today, hour),
                callers,
                subjects.gtin,
                subjects.lot,
                subjects.uscc,
                *(key(object_key) for object_key in _padded(subjects, bucket)),
            ),
        )
        return _queries(row), tuple(row[len(_COUNTED) :])

    def dispose(self) -> None:
        """Close the connections of all threads; nobody may be counting."""
        for connection in list(self._open):
            connection.close()
        self._mine = threading.local()

    def _one(self, bucket: int, parameters: tuple[Any, ...]) -> Sequence[Any]:
        try:
            return self._run(bucket, parameters)
        except DatabaseAway:
            # Connections of before a restart of the database are stale all at once; a new one may do.
            return self._run(bucket, parameters)

    def _run(self, bucket: int, parameters: tuple[Any, ...]) -> Sequence[Any]:
        cursor = getattr(self._mine, "cursor", None) or self._connect()
        try:
            cursor.execute(self._statements[bucket], parameters)
            [row] = cursor.fetchall()
        except self._away as error:
            self._mine.connection.invalidate()
            del self._mine.cursor
            raise DatabaseAway("the query could not be counted", remedy="try again") from error
        counted: Sequence[Any] = row
        return counted

    def _connect(self) -> Any:  # noqa: ANN401 – a DBAPI cursor
        try:
            connection = self._engine.raw_connection()
        except DBAPIError as error:
            raise DatabaseAway("the database is away", remedy="try again") from error
        self._open.add(connection)
        self._mine.connection = connection
        self._mine.cursor = connection.cursor()
        return self._mine.cursor


def stamp(conn: Connection, subjects: Subjects) -> Stamp:
    """The stamp of a page without counting a query. At most `MAX_KEYS` objects."""
    bucket = _bucket(subjects)
    parameters: dict[str, Any] = {f"k{index}": key for index, key in enumerate(_padded(subjects, bucket))}
    parameters |= {"gtin": subjects.gtin, "lot": subjects.lot, "uscc": subjects.uscc}
    return tuple(conn.execute(_stamping(bucket), parameters).one())


def _bucket(subjects: Subjects) -> int:
    return next(size for size in _BUCKETS if size >= len(subjects.keys))


def _padded(subjects: Subjects, bucket: int) -> tuple[bytes, ...]:
    """The keys, filled up to one of a few lengths, so that each has one statement and one plan."""
    filling = subjects.keys[-1] if subjects.keys else subjects.item
    return subjects.keys + (filling,) * (bucket - len(subjects.keys))


def _moment(today: date, hour: int) -> tuple[int, int, int]:
    return _number(today), _number(today - timedelta(days=1)), hour


def _number(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


def _day(number: int) -> date:
    return date(number // 10_000, number // 100 % 100, number % 100)


def _queries(row: Sequence[Any]) -> Queries:
    total, first_day, first_hour, previous_day, today, yesterday = row[:6]
    previous = None if previous_day is None else _day(previous_day)
    return Queries(total, _day(first_day), first_hour, previous, today, yesterday)


_UPSERT = """
INSERT INTO code_query AS q (object_key, total, first_day, first_hour, previous_day, last_day, today, yesterday)
VALUES (:item, 1, :today, :hour, NULL, :today, :callers, 0)
ON CONFLICT (object_key) DO UPDATE SET
    total = q.total + 1,
    previous_day = q.last_day,
    yesterday = CASE q.last_day WHEN :today THEN q.yesterday WHEN :yesterday THEN q.today ELSE 0 END,
    today = CASE q.last_day WHEN :today THEN q.today + :callers ELSE :callers END,
    last_day = :today
RETURNING total, first_day, first_hour, previous_day, today, yesterday"""
_STAMP = """
    (SELECT revision FROM product WHERE gtin = :gtin) AS product_revision,
    (SELECT revision FROM batch WHERE gtin = :gtin AND lot = :lot) AS batch_revision,
    (SELECT revision FROM subject WHERE uscc = :uscc) AS subject_revision,
    (SELECT revision FROM catalog_revision WHERE name = 'place') AS place_revision,
    (SELECT seq FROM credit_head) AS credit_seq,
    (SELECT sum(number) FROM grade_head WHERE uscc = :uscc) AS grades,
    (SELECT count(*) FROM link WHERE object_key IN ({keys})) AS links"""
_COUNTED = ("total", "first_day", "first_hour", "previous_day", "today", "yesterday")
_MOMENT = ("item", "today", "yesterday", "hour", "callers")
_NAME = re.compile(r":([a-z][a-z0-9]*)")
_TYPES = {"item": "uuid", "today": "int", "yesterday": "int", "hour": "int", "callers": "int"}


def _names(bucket: int) -> list[str]:
    keys = [f"k{index}" for index in range(bucket)]
    return [*_MOMENT, "gtin", "lot", "uscc", *keys] if bucket else list(_MOMENT)


def _sql(bucket: int, mark: str) -> str:
    """The statement with numbered parameters: `$1` for a plan of PostgreSQL, `?1` for SQLite."""
    sql = f"{_UPSERT},{_wanted(bucket)}" if bucket else _UPSERT
    places = {name: f"{mark}{number}" for number, name in enumerate(_names(bucket), 1)}
    return _NAME.sub(lambda match: places[match[1]], sql)


def _wanted(bucket: int) -> str:
    return _STAMP.format(keys=", ".join(f":k{index}" for index in range(bucket)))


def _statements(*, planned: bool) -> dict[int, str]:
    if not planned:
        return {bucket: _sql(bucket, "?") for bucket in (0, *_BUCKETS)}
    return {
        bucket: f"EXECUTE suyuan_count_{bucket} ({', '.join(['%s'] * len(_names(bucket)))})"
        for bucket in (0, *_BUCKETS)
    }


@cache
def _stamping(bucket: int) -> TextClause:
    keys = (bindparam(f"k{index}", type_=Key()) for index in range(bucket))
    return text(f"SELECT {_wanted(bucket)}").bindparams(*keys)


def _connect_args(dialect: Dialect) -> dict[str, Any]:
    if dialect.has_concurrent_writers:
        options = f"-c timezone=UTC -c synchronous_commit=off -c statement_timeout={COUNTER_STATEMENT_MS}"
        return {"options": options, "application_name": "suyuan-counter", "connect_timeout": 2}
    return {"timeout": COUNTER_WAIT_S, "check_same_thread": False, "isolation_level": None}


def _relax(connection: Any, _record: object) -> None:  # noqa: ANN401 – a DBAPI connection
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_plans(connection: Any, _record: object) -> None:  # noqa: ANN401 – a DBAPI connection
    """Plan the statements once a connection: planning six subqueries costs more than running them."""
    with connection.cursor() as cursor:
        for bucket in (0, *_BUCKETS):
            kinds = (_TYPES.get(name) or ("uuid" if name.startswith("k") else "text") for name in _names(bucket))
            cursor.execute(f"PREPARE suyuan_count_{bucket} ({', '.join(kinds)}) AS {_sql(bucket, '$')}")
    connection.commit()
