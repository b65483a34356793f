"""Followers of the event stream, in processes of their own: no place skips an event, whoever commits when, and a
follower that is killed anywhere, or starts from zero, comes to the same state as one that never stopped."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.server.detect.make import HOUR, at, follow, position, post, read, world, wrong
from tests.server.ingest.make import NOW
from trace_server.db import Database, open_database
from trace_server.db.migrate import upgrade
from trace_server.detect import operations as alerts
from trace_server.detect.model import Alert
from trace_server.ingest.model import Position
from trace_server.ingest.operations import number_captures
from trace_server.ingest.store import stream

PATIENCE_S = 120.0
WRITERS = 4
EACH = 200 if os.environ.get("SUYUAN_SOAK") else 25
KILLS = 40 if os.environ.get("SUYUAN_SOAK") else 4
PER_CAPTURE = 3

WRITER = """
import random, sys, time
from tests.server.ingest.make import NOW, body, seen
from trace_server.db import open_database
from trace_server.ingest.model import Origin, Position, new_key
from trace_server.ingest.rules import read_event
from trace_server.ingest.store import capture, stream
from trace_server.services import utc_now
url, writer, each, per_capture = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
db, chance = open_database(url), random.Random(writer)
for number in range(each):
    origin = Origin(f"client:{writer}", utc_now())
    first = (writer * each + number) * per_capture
    taken = [(place, read_event(body(seen(first + place)), origin)) for place in range(per_capture)]
    with db.begin() as conn:
        capture.add_capture(conn, db.dialect, origin, new_key(utc_now()), taken)
        if writer == 0 and number == 0:
            # Begun before all others, and open until the reader has been given a good part of them.
            while True:
                with db.read() as looking:
                    if stream.read_after(looking, Position(each), 1):
                        break
                time.sleep(0.02)
        time.sleep(chance.random() * 0.02)
"""
SEQUENCER = """
import sys, time
from trace_server.db import open_database
from trace_server.ingest.operations import number_captures
db = open_database(sys.argv[1])
while True:
    number_captures(db)
    time.sleep(0.005)
"""
FOLLOWER = """
import sys
from tests.server.detect.make import DETECTORS, NOW
from trace_server.db import open_database
from trace_server.detect import run
db = open_database(sys.argv[1])
run.PAGE = 2
print("ready", flush=True)
assert not run.follow(db, NOW, DETECTORS.values()).failed
"""


@pytest.fixture
def three_databases(
    database: Database, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[tuple[Database, Database, Database]]:
    """Empty ones, of the same kind."""
    others = []
    for number in range(2):
        url = f"sqlite:///{tmp_path / f'other-{number}.sqlite'}"
        if database.dialect.has_concurrent_writers:
            name = f"followers_{os.getpid()}_{number}_{time.monotonic_ns()}"
            server = request.getfixturevalue("postgres")
            with open_database(server.url()).engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
                conn.exec_driver_sql(f'CREATE DATABASE "{name}"')
            url = server.url(name)
        upgrade(url)
        others.append(open_database(url))
    yield database, others[0], others[1]
    for other in others:
        other.dispose()


def script(source: str, *words: object) -> list[str]:
    return [sys.executable, "-c", source, *map(str, words)]


def test_a_reader_skips_nothing_that_many_processes_write(fresh_postgres_url: str) -> None:
    environment = {**os.environ, "SUYUAN_ALLOW_UNSAFE_DATABASE": "1"}
    upgrade(fresh_postgres_url)
    db = open_database(fresh_postgres_url)
    total = WRITERS * EACH * PER_CAPTURE
    writers = [
        subprocess.Popen(script(WRITER, fresh_postgres_url, number, EACH, PER_CAPTURE), env=environment)
        for number in range(WRITERS)
    ]
    sequencers = [subprocess.Popen(script(SEQUENCER, fresh_postgres_url), env=environment) for _ in range(2)]
    try:
        read = _read_to_the_end(db, total)
        assert [one.wait(PATIENCE_S) for one in writers] == [0] * WRITERS
    finally:
        for one in (*writers, *sequencers):
            one.kill()
            one.wait()
    assert len(set(read)) == len(read) == total
    with db.read() as conn:
        again = [event.event_key for event in stream.read_after(conn, Position(), total + 1)]
    assert read == again, "a later reader sees another order, or more"
    with db.read() as conn:
        keys = [event.source for event in stream.read_after(conn, Position(), total + 1)]
    late = keys.index("client:0")
    assert late >= EACH * PER_CAPTURE, "the transaction that began first did not commit late: nothing was proved"
    db.dispose()


def _read_to_the_end(db: Database, total: int) -> list[bytes]:
    """Keys in the order in which a follower sees them while others write; it keeps its place like any follower."""
    found: list[bytes] = []
    limit = time.monotonic() + PATIENCE_S
    while len(found) < total:
        assert time.monotonic() < limit, f"{len(found)} of {total} events came"
        with db.begin() as conn:
            place = stream.position_of(conn, db.dialect, "proof")
            events = stream.read_after(conn, place, 7)
            if events:
                stream.move(conn, db.dialect, "proof", Position(events[-1].capture_seq, events[-1].ordinal), NOW)
        found += [event.event_key for event in events]
        if not events:
            time.sleep(0.005)
    return found


def history(db: Database, step: int) -> None:
    """A part of a story that several detectors suspect something in, and partly take back."""
    base = step * 10
    read(db, at(base, base), at(base + HOUR, base, bizStep="shipping"), gateway=f"gate-{step}")
    post(db, at(base, base + 1, action="ADD", bizStep="commissioning"))
    late = at(base + 5, base + 2)
    read(db, late, gateway="gate-late")
    if step % 3 == 0:
        post(db, wrong(late))


def state(db: Database) -> dict[tuple[str, str], Alert]:
    """All alerts with their evidence."""
    found = alerts.read_alerts(db, limit=10_000)
    return {(one.rule_id, one.group_key): replace(one, alert_key=b"") for one in found}


def test_killed_anywhere_or_begun_from_zero_the_state_is_the_same(
    three_databases: tuple[Database, Database, Database],
) -> None:
    never_stopped, killed, from_zero = three_databases
    environment = {**os.environ, "SUYUAN_ALLOW_UNSAFE_DATABASE": "1"}
    chance = random.Random(5)
    deaths = 0
    for db in three_databases:
        world(db)
        position(db)
    for step in range(KILLS):
        for db in three_databases:
            history(db, step)
            number_captures(db)
        follow(never_stopped)
        with subprocess.Popen(script(FOLLOWER, killed.url), env=environment, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            time.sleep(chance.random() * 0.1)
            process.kill()
            deaths += process.wait() == -signal.SIGKILL
    assert deaths, "no follower was killed at work: nothing was proved"
    follow(killed)
    follow(from_zero)
    expected = state(never_stopped)
    assert len(expected) >= KILLS
    assert state(killed) == expected
    assert state(from_zero) == expected
