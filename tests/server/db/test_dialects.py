"""Both databases keep the promises of `Dialect`, on real servers."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    LargeBinary,
    MetaData,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
)
from sqlalchemy.exc import DBAPIError, StatementError

from trace_server.db import Database, DatabaseAway, Json, Key, UtcDateTime

sample = Table(
    "sample",
    MetaData(),
    Column("key", Key, primary_key=True),
    Column("at", UtcDateTime),
    Column("detail", Json),
    Column("name", Text),
    Column("number", BigInteger),
    Column("share", Float),
    Column("flag", Boolean),
    Column("raw", LargeBinary),
)
NOW = datetime(2026, 11, 24, 3, 4, 5, 123456, tzinfo=UTC)


def key(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()[:16]


def row(number: int, /, **other: Any) -> dict[str, Any]:
    return {
        "key": key(number),
        "at": NOW + timedelta(microseconds=number),
        "detail": {"品名": "牛奶", "n": number},
        "name": f"名 {number}",
        "number": number,
        "share": 0.1,
        "flag": number % 2 == 0,
        "raw": b"\x00\xff\\",
    } | other


@pytest.fixture
def with_sample(database: Database) -> Iterator[Database]:
    with database.begin() as conn:
        sample.create(conn)
    yield database


def count(db: Database) -> int:
    with db.read() as conn:
        return conn.execute(select(func.count()).select_from(sample)).scalar_one()


def test_bulk_insert_counts_only_rows_that_are_new(with_sample: Database) -> None:
    db = with_sample
    with db.begin() as conn:
        assert db.dialect.bulk_insert(conn, sample, [row(n) for n in range(300)], ignore_conflicts=True) == 300
        # A second batch in the same transaction must not see the first one's staging rows again.
        assert db.dialect.bulk_insert(conn, sample, [row(n) for n in range(200, 500)], ignore_conflicts=True) == 200
    with db.begin() as conn:
        assert db.dialect.bulk_insert(conn, sample, [row(n) for n in range(490, 520)], ignore_conflicts=True) == 20
        assert db.dialect.bulk_insert(conn, sample, [row(3), row(999)], ignore_conflicts=True) == 1
        assert db.dialect.bulk_insert(conn, sample, [], ignore_conflicts=True) == 0
    assert count(db) == 521


def test_bulk_insert_without_ignoring_refuses_a_repeated_key(with_sample: Database) -> None:
    db = with_sample
    with db.begin() as conn:
        assert db.dialect.bulk_insert(conn, sample, [row(n) for n in range(50)]) == 50
    with pytest.raises(Exception, match=r"(?i)unique|duplicate"), db.begin() as conn:
        db.dialect.bulk_insert(conn, sample, [row(n) for n in range(49, 80)])
    assert count(db) == 50


def test_bulk_insert_names_a_column_that_does_not_exist(with_sample: Database) -> None:
    db = with_sample
    with pytest.raises(Exception, match="nonsense"), db.begin() as conn:
        db.dialect.bulk_insert(conn, sample, [row(n, nonsense=1) for n in range(50)], ignore_conflicts=True)
    assert count(db) == 0


def test_insert_ignore_counts_only_rows_that_are_new(with_sample: Database) -> None:
    db = with_sample
    with db.begin() as conn:
        assert db.dialect.insert_ignore(conn, sample, [row(1), row(2)]) == 2
        assert db.dialect.insert_ignore(conn, sample, [row(2), row(3)]) == 1
        assert db.dialect.insert_ignore(conn, sample, []) == 0


def test_upsert_overwrites_the_named_columns_only(with_sample: Database) -> None:
    db = with_sample
    with db.begin() as conn:
        db.dialect.upsert(conn, sample, [row(1), row(2)], key=["key"], update=["name"])
        db.dialect.upsert(conn, sample, [row(1, name="new", number=77)], key=["key"], update=["name"])
        db.dialect.upsert(conn, sample, [], key=["key"], update=["name"])
    with db.read() as conn:
        found = conn.execute(select(sample).where(sample.c.key == key(1))).one()
    assert (found.name, found.number) == ("new", 1)


def test_select_any_takes_more_values_than_a_statement_has_parameters(with_sample: Database) -> None:
    db = with_sample
    with db.begin() as conn:
        db.dialect.bulk_insert(conn, sample, [row(n) for n in range(100)])
    wanted = [key(n) for n in range(50, 40_000)]
    with db.read() as conn:
        found = db.dialect.select_any(
            conn, lambda part: select(sample.c.number).where(db.dialect.in_values(sample.c.key, part)), wanted
        )
        none = db.dialect.select_any(
            conn, lambda part: select(sample.c.number).where(db.dialect.in_values(sample.c.key, part)), []
        )
        empty = conn.execute(select(sample.c.number).where(db.dialect.in_values(sample.c.key, []))).all()
    assert sorted(r.number for r in found) == list(range(50, 100))
    assert none == empty == []


def test_numbers_and_texts_can_be_asked_for_by_value(with_sample: Database) -> None:
    db = with_sample
    with db.begin() as conn:
        db.dialect.bulk_insert(conn, sample, [row(n) for n in range(30)])
    with db.read() as conn:
        by_number = conn.execute(select(sample.c.key).where(db.dialect.in_values(sample.c.number, [3, 4, 99]))).all()
        by_name = conn.execute(select(sample.c.key).where(db.dialect.in_values(sample.c.name, ["名 3", "x"]))).all()
    assert len(by_number) == 2
    assert len(by_name) == 1


plain = st.characters(exclude_characters="\x00", exclude_categories=["Cs"])
texts = st.text(plain, max_size=40)
rows = st.fixed_dictionaries(
    {
        "at": st.none() | st.datetimes(min_value=datetime(1900, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        "detail": st.none() | st.dictionaries(texts, texts | st.integers(-(2**31), 2**31) | st.booleans(), max_size=3),
        "name": st.none() | texts,
        "number": st.none() | st.integers(-(2**63), 2**63 - 1),
        "share": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "flag": st.none() | st.booleans(),
        "raw": st.none() | st.binary(max_size=40),
    }
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(rows, min_size=20, max_size=25), st.booleans())
def test_what_goes_in_by_bulk_comes_out_unchanged(
    with_sample: Database, given_rows: list[dict[str, Any]], ignore: bool
) -> None:
    db = with_sample
    stored = [{"key": key(n)} | given_row for n, given_row in enumerate(given_rows)]
    with db.begin() as conn:
        conn.execute(delete(sample))
        db.dialect.bulk_insert(conn, sample, stored, ignore_conflicts=ignore)
    with db.read() as conn:
        found = {r.key: dict(r._mapping) for r in conn.execute(select(sample))}
    assert [found[r["key"]] for r in stored] == stored


def test_times_come_back_in_utc_whatever_their_offset(with_sample: Database) -> None:
    db = with_sample
    shanghai = timezone(timedelta(hours=8))
    with db.begin() as conn:
        conn.execute(insert(sample), [row(1, at=NOW.astimezone(shanghai)), row(2, at=NOW - timedelta(microseconds=1))])
    with db.read() as conn:
        found = conn.execute(select(sample.c.at).order_by(sample.c.at)).scalars().all()
        later = conn.execute(select(func.max(sample.c.at)).where(sample.c.at > NOW - timedelta(seconds=1))).scalar()
    assert found == [NOW - timedelta(microseconds=1), NOW]
    assert all(moment.utcoffset() == timedelta(0) for moment in found)
    assert later == NOW


@pytest.mark.parametrize("number", [1, 50])
def test_times_without_offset_and_short_keys_are_refused(with_sample: Database, number: int) -> None:
    db = with_sample
    for wrong in ({"at": NOW.replace(tzinfo=None)}, {"key": b"short"}):
        with pytest.raises((ValueError, StatementError)), db.begin() as conn:
            db.dialect.bulk_insert(conn, sample, [row(n, **wrong) for n in range(number)])
    assert count(db) == 0


def test_exclude_lets_one_transaction_through_at_a_time(with_sample: Database) -> None:
    db = with_sample
    inside, worst, lock = 0, 0, threading.Lock()

    def enter() -> None:
        nonlocal inside, worst
        with db.begin() as conn:
            db.dialect.exclude(conn, "test")
            with lock:
                inside += 1
                worst = max(worst, inside)
            conn.execute(select(func.count()).select_from(sample))
            with lock:
                inside -= 1

    threads = [threading.Thread(target=enter) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert worst == 1


def test_overlapping_batches_of_two_writers_neither_deadlock_nor_double(with_sample: Database) -> None:
    db = with_sample
    numbers = list(range(400))
    new: list[int] = []

    def write(order: list[int]) -> None:
        with db.begin() as conn:
            new.append(db.dialect.bulk_insert(conn, sample, [row(n) for n in order], ignore_conflicts=True))

    threads = [threading.Thread(target=write, args=(order,)) for order in (numbers, numbers[::-1], numbers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(new) == count(db) == 400


def test_a_read_transaction_cannot_write(with_sample: Database) -> None:
    db = with_sample
    with pytest.raises(DBAPIError, match=r"(?i)read-?only"), db.read() as conn:
        conn.execute(insert(sample), [row(1)])
    with db.begin() as conn:  # and the connection it used can write again
        conn.execute(insert(sample), [row(1)])
    assert count(db) == 1


def test_a_read_transaction_sees_one_moment(with_sample: Database) -> None:
    db = with_sample
    with db.read() as conn:
        before = conn.execute(select(func.count()).select_from(sample)).scalar_one()
        with db.begin() as other:
            other.execute(insert(sample), [row(1)])
        assert conn.execute(select(func.count()).select_from(sample)).scalar_one() == before == 0


def test_a_failed_transaction_leaves_nothing(with_sample: Database) -> None:
    db = with_sample
    with pytest.raises(RuntimeError, match="half way"), db.begin() as conn:
        conn.execute(insert(sample), [row(1)])
        raise RuntimeError("half way")
    assert count(db) == 0


def test_a_wrong_statement_is_our_mistake_not_an_absent_database(with_sample: Database) -> None:
    with pytest.raises(DBAPIError) as caught, with_sample.begin() as conn:
        conn.exec_driver_sql("SELECT nothing FROM nowhere")
    assert not isinstance(caught.value, DatabaseAway)
