"""The statements of the code page. Once a page is known, a request costs one: count it and say what has changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Date, Integer, String, TextualSelect, bindparam, text
from sqlalchemy.types import TypeEngine

from trace_server.db import Connection, Key
from trace_server.portal.model import Queries

MAX_KEYS = 400
"""Objects whose links are counted to prove a page fresh; a longer journey is read anew on each request."""
_BUCKETS = (4, 16, 64, MAX_KEYS)


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


def count(conn: Connection, item: bytes, today: date, hour: int) -> Queries:
    """Count one query of the item and return the numbers, this one included."""
    return _queries(conn.execute(_COUNT, _moment(item, today, hour)).one())


def count_and_stamp(conn: Connection, subjects: Subjects, today: date, hour: int) -> tuple[Queries, Stamp]:
    """As `count`, with the stamp of the page in the same statement."""
    bucket = _bucket(subjects)
    parameters = _moment(subjects.item, today, hour) | _subjects(subjects, bucket)
    row = conn.execute(_stamped(bucket, counting=True), parameters).one()
    return _queries(row), tuple(row[len(_COUNTED) :])


def stamp(conn: Connection, subjects: Subjects) -> Stamp:
    """The stamp of a page without counting a query. At most `MAX_KEYS` objects."""
    bucket = _bucket(subjects)
    return tuple(conn.execute(_stamped(bucket, counting=False), _subjects(subjects, bucket)).one())


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


_MOMENT = ("item", "today", "yesterday", "hour")
_COUNT = _typed(_UPSERT, _MOMENT, _COUNTED)


@cache
def _stamped(bucket: int, *, counting: bool) -> TextualSelect:
    keys = [f"k{index}" for index in range(bucket)]
    wanted = _STAMP.format(keys=", ".join(f":{key}" for key in keys))
    names = ["gtin", "lot", "uscc", *keys]
    revisions: dict[str, TypeEngine[Any]] = {name: Integer() for name in _REVISIONS}
    if counting:
        return _typed(f"{_UPSERT},{wanted}", [*_MOMENT, *names], _COUNTED | revisions)
    return _typed(f"SELECT {wanted}", names, revisions)
