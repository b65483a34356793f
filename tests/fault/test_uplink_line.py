"""Bad lines between gateway and server, over both uplinks: nothing lost, doubled or invented.

Each shape alone is a row of the fault table (`rows/line.py`).
"""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from gateway_agent.links.opening import open_link
from tests.gateway.bad_line import BadLine, bad_line
from tests.gateway.broker_process import broker_process
from tests.gateway.uplink_rig import WAYS, Gate, Premises, premises

SOAK = os.environ.get("SUYUAN_SOAK") == "1"
SHAPES = ("deaf", "dead", "cut", "slow", "portal", "closed")
CHANGES = 100 if SOAK else 8


@pytest.fixture(scope="module")
def place(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Premises]:
    folder = tmp_path_factory.mktemp("line")
    shutil.copy(migrated_sqlite, folder / "suyuan.sqlite")
    with (
        broker_process(folder) as broker,
        premises(folder, f"sqlite:///{folder / 'suyuan.sqlite'}", broker) as opened,
    ):
        for way in WAYS:
            opened.start(way)
        yield opened


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def dice() -> random.Random:
    seed = int(os.environ.get("SUYUAN_SEED", "0")) or random.SystemRandom().randrange(2**32)
    print(f"SUYUAN_SEED={seed} repeats this")  # noqa: T201
    return random.Random(seed)


@pytest.fixture
def line(place: Premises, way: str) -> Iterator[BadLine]:
    with bad_line(place.port if way == "http" else place.broker.port) as opened:
        yield opened


def through(line: BadLine, place: Premises, way: str, gateway_id: str) -> Gate:
    """A gateway whose only way to the server is this line."""
    gate = place.open_gate(gateway_id, way)
    scheme = "http" if way == "http" else "mqtt"
    config = replace(gate.sender._config, url=f"{scheme}://127.0.0.1:{line.own_port}", timeout_s=0.5)
    gate.link = gate.sender._link = open_link(config, gate.id)
    gate.link.answer_limit_s = 0.5
    return gate


def test_a_line_that_changes_all_the_time_loses_doubles_and_invents_nothing(
    place: Premises, line: BadLine, way: str, dice: random.Random
) -> None:
    gate = through(line, place, way, f"{way}-changing")
    for first in range(1, CHANGES * 50, 50):
        gate.emit(range(first, first + 50))
        line.shape = dice.choice(("clear", "clear", *SHAPES))
        limit = time.monotonic() + dice.uniform(0.1, 0.6)
        while time.monotonic() < limit:
            time.sleep(min(gate.sender.step() or 0.02, 0.1))
    line.shape = "clear"
    gate.drain()
    place.judge(gate)
