"""The uplink under faults: server and broker die, reply codes refuse, a server is restored from an old copy.

The broker is a real mosquitto without persistence. That it dies again and again is a row of the fault table.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.broker_process import broker_process
from tests.gateway.uplink_rig import WAYS, Gate, Premises, premises


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def place(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Premises]:
    shutil.copy(migrated_sqlite, tmp_path / "suyuan.sqlite")
    url = f"sqlite:///{tmp_path / 'suyuan.sqlite'}"
    with broker_process(tmp_path) as broker, premises(tmp_path, url, broker) as opened:
        yield opened


def _step_until_trouble(gate: Gate) -> None:
    limit = time.monotonic() + 15
    while (gate.sender.step() or 0) == 0:
        assert time.monotonic() < limit, "the server did not die"


@pytest.mark.parametrize(
    ("way", "kill_at"),
    # the other points over HTTP, on both databases: tests/server/ingest/test_kill_points.py
    [("http", "after-commit:2"), ("mqtt", "before-parse:2"), ("mqtt", "in-insert:2"), ("mqtt", "after-commit:2")],
)
def test_a_server_that_dies_under_a_batch_has_all_of_it_or_nothing(place: Premises, way: str, kill_at: str) -> None:
    place.start(way, kill_at=kill_at)
    gate = place.open_gate("gate-1", way)
    gate.emit(range(1, 1_501))
    _step_until_trouble(gate)
    place.kill(way)
    place.start(way)
    gate.drain()
    place.judge(gate)


def test_a_server_that_ends_by_sigterm_leaves_nothing_half_done(place: Premises, way: str) -> None:
    place.start(way)
    gate = place.open_gate("gate-1", way)
    gate.emit(range(1, 2_001))
    assert gate.sender.step() == 0
    place.processes[way].terminate()
    assert place.processes[way].wait(20) == 0
    place.start(way)
    gate.drain()
    place.judge(gate)


def test_a_broker_that_is_away_is_said_in_words_and_waited_for(place: Premises) -> None:
    place.start("mqtt")
    gate = place.open_gate("gate-1", "mqtt")
    place.broker.kill()
    gate.emit(range(1, 11))
    pauses = [gate.sender.step() or 0 for _ in range(4)]
    assert min(pauses) > 0
    assert "no connection to the broker" in gate.sender.state.last_error
    place.broker.start()
    gate.drain()
    place.judge(gate)


def test_a_broker_without_a_server_behind_it_settles_nothing(place: Premises) -> None:
    gate = place.open_gate("gate-1", "mqtt", answer_limit_s=0.5)
    gate.emit(range(1, 11))
    assert (gate.sender.step() or 0) > 0
    assert "is `trace-server uplink-mqtt` running?" in gate.sender.state.last_error
    assert gate.outbox.acked == 0
    place.start("mqtt")
    gate.drain()
    place.judge(gate)


def test_a_server_restored_from_an_old_copy_gets_again_what_it_lost(place: Premises, way: str) -> None:
    """Also from a gate where nothing passes any more: it asks by itself where the server stands."""
    database = place.folder / "suyuan.sqlite"
    place.start(way)
    busy, quiet = place.open_gate("gate-busy", way), place.open_gate("gate-quiet", way)
    for gate in (busy, quiet):
        gate.emit(range(1, 301))
        gate.drain()
    with sqlite3.connect(database) as now:
        now.execute("VACUUM INTO ?", (str(place.folder / "backup.sqlite"),))
    now.close()
    for gate in (busy, quiet):
        gate.emit(range(301, 901))
        gate.drain()
    place.judge(busy, quiet)
    place.kill(way)
    place.db.dispose()
    for suffix in ("-wal", "-shm"):
        (database.parent / (database.name + suffix)).unlink(missing_ok=True)
    shutil.copy(place.folder / "backup.sqlite", database)
    place.start(way)
    assert place.held("gate-quiet").total() == 300
    busy.emit([901])
    busy.drain()
    quiet.link.close()
    quiet.sender._heard_at = float("-inf")  # a minute passed
    quiet.drain()
    place.judge(busy, quiet)
    assert busy.sender.state.alarms == quiet.sender.state.alarms == []
