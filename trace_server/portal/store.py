"""The statements of the code page. Once a page is known, a request costs one: count it and say what has changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Date, Integer, Row, String, TextualSelect, bindparam, create_engine, event, text
from sqlalchemy.types import TypeEngine

from trace_server.db import Connection, Database, DatabaseAway, Dialect, Key
from trace_server.portal.model import Queries

MAX_KEYS = 400
"""Objects whose links are counted to prove a page fresh; a longer journey is read anew on each request."""
_BUCKETS = (4, 16, 64, MAX_KEYS)
COUNTER_CONNECTIONS = 8
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
    counts then is fair for a page that is three times as fast. Everything else stays on `Database`.
    """

    def __init__(self, db: Database) -> None:
        self.db = db
        engine = create_engine(
            db.engine.url,
            isolation_level="AUTOCOMMIT",
            pool_size=COUNTER_CONNECTIONS,
            max_overflow=COUNTER_CONNECTIONS,
            pool_timeout=COUNTER_WAIT_S,
            pool_reset_on_return=None,
            connect_args=_connect_args(db.dialect),
        )
        event.listen(engine, "connect", _prepare_plans if db.dialect.has_concurrent_writers else _relax)
        self._own = Database(engine, db.dialect)
        self._planned = db.dialect.has_concurrent_writers

    def count(self, item: bytes, today: date, hour: int) -> Queries:
        """Count one query of the item and return the numbers, this one included. Raises `DatabaseAway`."""
        return _queries(self._one(0, _moment(item, today, hour)))

    def count_and_stamp(self, subjects: Subjects, today: date, hour: int) -> tuple[Queries, Stamp]:
        """As `count`, with the stamp of the page in the same statement."""
        bucket = _bucket(subjects)
        row = self._one(bucket, _moment(subjects.item, today, hour) | _subjects(subjects, bucket))
        return _queries(row), tuple(row[len(_COUNTED) :])

    def dispose(self) -> None:
        self._own.dispose()

    def _one(self, bucket: int, parameters: Mapping[str, Any]) -> Row[Any]:
        stmt = _planned(bucket) if self._planned else _counting(bucket)
        try:
            with self._own.begin() as conn:
                return conn.execute(stmt, parameters).one()
        except DatabaseAway:
            # Connections of before a restart of the database are stale all at once; a new one may do.
            with self._own.begin() as conn:
                return conn.execute(stmt, parameters).one()


def stamp(conn: Connection, subjects: Subjects) -> Stamp:
    """The stamp of a page without counting a query. At most `MAX_KEYS` objects."""
    bucket = _bucket(subjects)
    return tuple(conn.execute(_stamping(bucket), _subjects(subjects, bucket)).one())


def _bucket(subjects: Subjects) -> int:
    return next(size for size in _BUCKETS if size >= len(subjects.keys))


def _subjects(subjects: Subjects, bucket: int) -> dict[str, Any]:
    # Padded to a few fixed lengths, so that each has one compiled statement and one plan.
    filling = subjects.keys[-1] if subjects.keys else subjects.item
    keys = subjects.keys + (filling,) * (bucket - len(subjects.keys))
    parameters: dict[str, Any] = {f"k{index}": key for index, key in enumerate(keys)}
    return parameters | {"gtin": subjects.gtin, "lot": subjects.lot, "uscc": subjects.uscc}


def _moment(item: bytes, today: date, hour: int) -> dict[str, Any]:
    return {"item": item, "today": today, "yesterday": today - timedelta(days=1), "hour": hour}


def _queries(row: Sequence[Any]) -> Queries:
    return Queries(
        total=row[0], first_day=row[1], first_hour=row[2], previous_day=row[3], today=row[4], yesterday=row[5]
    )


_UPSERT = """
INSERT INTO code_query AS q (object_key, total, first_day, first_hour, previous_day, last_day, today, yesterday)
VALUES (:item, 1, :today, :hour, NULL, :today, 1, 0)
ON CONFLICT (object_key) DO UPDATE SET
    total = q.total + 1,
    previous_day = q.last_day,
    yesterday = CASE q.last_day WHEN :today THEN q.yesterday WHEN :yesterday THEN q.today ELSE 0 END,
    today = CASE q.last_day WHEN :today THEN q.today + 1 ELSE 1 END,
    last_day = :today
RETURNING total, first_day, first_hour, previous_day, today, yesterday"""
_STAMP = """
    (SELECT revision FROM product WHERE gtin = :gtin) AS product_revision,
    (SELECT revision FROM batch WHERE gtin = :gtin AND lot = :lot) AS batch_revision,
    (SELECT revision FROM subject WHERE uscc = :uscc) AS subject_revision,
    (SELECT revision FROM catalog_revision WHERE name = 'place') AS place_revision,
    (SELECT seq FROM credit_head) AS credit_seq,
    (SELECT count(*) FROM link WHERE object_key IN ({keys})) AS links"""
_COUNTED: dict[str, TypeEngine[Any]] = {
    "total": Integer(),
    "first_day": Date(),
    "first_hour": Integer(),
    "previous_day": Date(),
    "today": Integer(),
    "yesterday": Integer(),
}
_REVISIONS = ("product_revision", "batch_revision", "subject_revision", "place_revision", "credit_seq", "links")


def _typed(sql: str, names: Iterable[str], columns: Mapping[str, TypeEngine[Any]]) -> TextualSelect:
    # The same words on both engines; only the types of keys and dates differ, and those are bound below.
    return text(sql).bindparams(*(bindparam(name, type_=_type(name)) for name in names)).columns(**columns)


def _type(name: str) -> TypeEngine[Any]:
    if name == "item" or name.startswith("k"):
        return Key()
    if name in ("today", "yesterday"):
        return Date()
    return Integer() if name == "hour" else String()


_NAME = re.compile(r":([a-z][a-z0-9]*)")
_MOMENT = ("item", "today", "yesterday", "hour")


def _names(bucket: int) -> list[str]:
    keys = [f"k{index}" for index in range(bucket)]
    return [*_MOMENT, "gtin", "lot", "uscc", *keys] if bucket else list(_MOMENT)


def _sql(bucket: int) -> str:
    return f"{_UPSERT},{_wanted(bucket)}" if bucket else _UPSERT


def _wanted(bucket: int) -> str:
    return _STAMP.format(keys=", ".join(f":k{index}" for index in range(bucket)))


def _columns(bucket: int) -> dict[str, TypeEngine[Any]]:
    revisions: dict[str, TypeEngine[Any]] = {name: Integer() for name in _REVISIONS}
    return _COUNTED | revisions if bucket else _COUNTED


@cache
def _counting(bucket: int) -> TextualSelect:
    return _typed(_sql(bucket), _names(bucket), _columns(bucket))


@cache
def _planned(bucket: int) -> TextualSelect:
    names = _names(bucket)
    given = ", ".join(f":{name}" for name in names)
    return _typed(f"EXECUTE suyuan_count_{bucket} ({given})", names, _columns(bucket))


@cache
def _stamping(bucket: int) -> TextualSelect:
    revisions: dict[str, TypeEngine[Any]] = {name: Integer() for name in _REVISIONS}
    return _typed(f"SELECT {_wanted(bucket)}", ["gtin", "lot", "uscc", *(f"k{i}" for i in range(bucket))], revisions)


def _connect_args(dialect: Dialect) -> dict[str, Any]:
    if dialect.has_concurrent_writers:
        options = f"-c timezone=UTC -c synchronous_commit=off -c statement_timeout={COUNTER_STATEMENT_MS}"
        return {"options": options, "application_name": "suyuan-counter", "connect_timeout": 2}
    return {"timeout": COUNTER_WAIT_S, "check_same_thread": False, "isolation_level": None}


def _relax(connection: Any, _record: object) -> None:  # noqa: ANN401 – a DBAPI connection
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _prepare_plans(connection: Any, _record: object) -> None:  # noqa: ANN401 – a DBAPI connection
    """Plan the statements once a connection: planning five subqueries costs more than running them."""
    kinds = {"today": "date", "yesterday": "date", "hour": "int", "item": "uuid"}
    with connection.cursor() as cursor:
        for bucket in (0, *_BUCKETS):
            names = _names(bucket)
            types = ", ".join(kinds.get(name) or ("uuid" if name.startswith("k") else "text") for name in names)
            places = {name: f"${number}" for number, name in enumerate(names, 1)}
            sql = _NAME.sub(lambda match: places[match[1]], _sql(bucket))  # noqa: B023 – used at once
            cursor.execute(f"PREPARE suyuan_count_{bucket} ({types}) AS {sql}")
    connection.commit()
