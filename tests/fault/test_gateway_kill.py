"""A gateway that was killed comes back at once, one that is asked to stop leaves nothing behind.

Kills at named points and random moments are rows of the fault table (`rows/kill.py`).

The judge compares as multisets what was placed at the reader, what the gateway acknowledged (an answer was shown)
and what the server holds. A tag leaves the reader only when its answer appeared, as goods do at a gate.
`SUYUAN_SEED` repeats a run.
"""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import PtyEndpoint
from tests.gateway.cursor_server import CursorServer, cursor_server
from tests.gateway.make import epc
from tests.gateway.process import GatewayProcess, ended, serial_reader, until
from trace_core.readers._base import FieldTag
from trace_core.readers.magicrf import PROTOCOL as MAGICRF

IN_FIELD = 3
WINDOW_S = 30.0
"""Longer than any restart here: a tag that stays is one presence."""


@dataclass
class Gate:
    """Goods that pass a reader one after another, a gateway that dies, a server that counts."""

    gateway: GatewayProcess
    server: CursorServer
    reader: SimulatedReader
    placed: list[str] = field(default_factory=list)
    closed: bool = False

    def work(self) -> None:
        """Let tags with an answer leave, and others take their place."""
        shown = {answer["epc"] for answer in self.gateway.answers()}
        here = {tag.epc.hex().upper() for tag in self.reader.tags()}
        for gone in here & shown:
            self.reader.remove(bytes.fromhex(gone))
        while not self.closed and len(self.reader.tags()) < IN_FIELD:
            tag = epc(len(self.placed) + 1)
            self.placed.append(tag.hex().upper())
            self.reader.place(FieldTag(tag))

    def work_for(self, seconds: float) -> None:
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            self.work()
            time.sleep(0.02)

    def finish(self) -> None:
        """No new goods; all that are there get their answer, and everything reaches the server."""
        self.closed = True
        self.gateway.start_and_wait()

        def empty() -> bool:
            self.work()
            return not self.reader.tags() and len(self.server.events) >= len(self.placed)

        until(empty, "the last goods passed and everything was delivered")
        assert self.gateway.terminate() == 0
        self.judge()

    def judge(self) -> None:
        held = Counter(json.loads(body)["suyuan:rawEpc"] for body in self.server.events.values())
        acknowledged = {(a["epoch"], a["seq"]): a for a in self.gateway.answers()}
        lost = [key for key in acknowledged if key not in self.server.events]
        duplicates = [tag for tag, count in held.items() if count > 1]
        unexpected = held.keys() - set(self.placed)
        assert (lost, duplicates, unexpected) == ([], [], set())
        assert held == Counter(self.placed)
        for key, answer in acknowledged.items():
            event = json.loads(self.server.events[key])
            assert (event["suyuan:rawEpc"], event["suyuan:answer"]) == (answer["epc"], answer["answer"])
        assert len({epoch for epoch, _ in self.server.events}) == 1


@contextmanager
def gate(folder: Path, seed: int) -> Iterator[Gate]:
    endpoint = PtyEndpoint(link=folder / "port")
    with (
        cursor_server() as server,
        SimulatedReader(MAGICRF, MAGICRF.device({}), endpoint, seed=seed) as reader,
        ended(GatewayProcess(folder, server.url, serial_reader(endpoint.path, WINDOW_S))) as gateway,
    ):
        gateway.enrol()
        yield Gate(gateway, server, reader)


@pytest.fixture
def dice() -> random.Random:
    seed = int(os.environ.get("SUYUAN_SEED", "0")) or random.SystemRandom().randrange(2**32)
    print(f"SUYUAN_SEED={seed} repeats this")  # noqa: T201
    return random.Random(seed)


def test_a_gateway_that_was_killed_serves_again_within_five_seconds(tmp_path: Path, dice: random.Random) -> None:
    with gate(tmp_path, dice.randrange(2**32)) as scene:
        scene.gateway.start_and_wait()
        scene.work_for(0.5)
        scene.gateway.kill()
        before = len(scene.gateway.answers())
        scene.gateway.start()

        def served() -> bool:
            scene.work()
            return len(scene.gateway.answers()) > before

        until(served, "an answer", limit_s=5)
        scene.gateway.kill()
        scene.finish()


def test_a_clean_stop_sends_everything_and_leaves_nothing_behind(tmp_path: Path, dice: random.Random) -> None:
    with gate(tmp_path, dice.randrange(2**32)) as scene:
        scene.gateway.start_and_wait()

        def passed() -> bool:
            scene.work()
            return len(scene.gateway.answers()) >= 5

        until(passed, "some goods passed")
        assert scene.gateway.terminate() == 0
        assert len(scene.gateway.answers()) == len(scene.server.events) > 0
        assert scene.gateway.status()["unsent"] == 0
        assert scene.gateway.status()["running"] is False
        scene.finish()
