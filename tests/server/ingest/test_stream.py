"""Followers see every capture once and in one order, whoever commits when."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import pytest

from tests.server.ingest.make import NOW, batch, body, document, run, seen
from trace_server.db import Connection, Database, open_database
from trace_server.db.migrate import upgrade
from trace_server.ingest import operations
from trace_server.ingest.model import Origin, Position, new_key
from trace_server.ingest.rules import Taken, read_event
from trace_server.ingest.store import capture, stream

START = Position()


def all_after(db: Database, position: Position = START, page: int = 3) -> list[tuple[int, int, bytes]]:
    found: list[tuple[int, int, bytes]] = []
    while True:
        with db.read() as conn:
            events = stream.read_after(conn, position, page)
        if not events:
            return found
        found += [(event.capture_seq, event.ordinal, event.event_key) for event in events]
        position = Position(events[-1].capture_seq, events[-1].ordinal)


def store_one(conn: Connection, db: Database, number: int) -> bytes:
    origin = Origin("client:erp", NOW)
    taken = read_event(body(seen(number)), origin)
    assert isinstance(taken, Taken)
    capture.add_capture(conn, db.dialect, origin, new_key(NOW), [(0, taken)])
    return taken.key


@pytest.fixture
def postgres_database(fresh_postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    monkeypatch.setenv("SUYUAN_ALLOW_UNSAFE_DATABASE", "1")
    upgrade(fresh_postgres_url)
    db = open_database(fresh_postgres_url)
    yield db
    db.dispose()


@contextmanager
def transaction(db: Database) -> Iterator[tuple[Connection, ExitStack]]:
    with ExitStack() as stack:
        yield stack.enter_context(db.begin()), stack


def test_a_transaction_that_commits_late_is_not_skipped(postgres_database: Database) -> None:
    """A began first and commits last: a follower that has read B must still get A."""
    db = postgres_database
    with transaction(db) as (first, first_stack):
        key_a = store_one(first, db, 1)
        with db.begin() as second:
            key_b = store_one(second, db, 2)
        assert operations.number_captures(db) == 1
        seen_so_far = all_after(db)
        assert [key for _, _, key in seen_so_far] == [key_b]
        first_stack.close()
    assert operations.number_captures(db) == 1
    assert [key for _, _, key in all_after(db, Position(*seen_so_far[-1][:2]))] == [key_a]


def test_followers_see_nothing_that_has_no_number(database: Database) -> None:
    operations.capture_document(database, NOW, "erp", document(seen(1)))
    assert all_after(database) == []
    with database.read() as conn:
        assert stream.unnumbered(conn) == 1


def test_two_sequencers_at_once_give_each_number_once(database: Database) -> None:
    for number in range(20):
        operations.capture_document(database, NOW, "erp", document(seen(number)))
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: operations.number_captures(database), range(4)))
    assert sum(done) == 20
    assert [seq for seq, _, _ in all_after(database)] == list(range(1, 21))


def test_pages_of_any_size_give_every_event_once_in_order(database: Database) -> None:
    operations.accept_batch(database, NOW, "gate-1", run(1, 7))
    operations.capture_document(database, NOW, "erp", document(*[seen(n) for n in range(20, 25)]))
    operations.number_captures(database)
    whole = all_after(database, page=100)
    assert len(whole) == 12
    assert [all_after(database, page=page) for page in (1, 2, 5)] == [whole] * 3
    assert whole == sorted(whole, key=lambda one: one[:2])


def test_a_reader_that_reads_while_writers_commit_misses_nothing(database: Database) -> None:
    """Four writers, one sequencer, one follower at its own pace: the follower ends with exactly what is stored."""
    stop = threading.Event()

    def write(writer: int) -> None:
        for number in range(8):
            bodies = [body(seen(writer * 1000 + number * 10 + n)) for n in range(3)]
            epoch = f"{writer:08x}{number:08x}"
            operations.accept_batch(database, NOW, f"gate-{writer}", batch(*bodies, epoch=epoch))

    def number() -> None:
        while not stop.wait(0.005):
            operations.number_captures(database)

    followed: list[tuple[int, int, bytes]] = []
    with ThreadPoolExecutor(5) as pool:
        sequencer = pool.submit(number)
        writers = [pool.submit(write, writer) for writer in range(1, 5)]
        while not all(writer.done() for writer in writers):
            followed += all_after(database, Position(*followed[-1][:2]) if followed else Position())
        for writer in writers:
            writer.result()
        stop.set()
        sequencer.result()
    operations.number_captures(database)
    followed += all_after(database, Position(*followed[-1][:2]) if followed else Position())
    assert len(followed) == 96
    assert followed == all_after(database)


def test_a_followers_place_and_failures_are_kept(database: Database) -> None:
    with database.begin() as conn:
        assert stream.position_of(conn, database.dialect, "log") == Position()
        assert stream.note_failure(conn, database.dialect, "log", "boom", NOW) == 1
        assert stream.note_failure(conn, database.dialect, "log", "boom", NOW) == 2
        assert stream.position_of(conn, database.dialect, "log") == Position()
        stream.move(conn, database.dialect, "log", Position(7, 3), NOW)
        assert stream.note_failure(conn, database.dialect, "log", "boom", NOW) == 1
        assert stream.position_of(conn, database.dialect, "log") == Position(7, 3)
