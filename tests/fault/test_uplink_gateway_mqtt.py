"""The whole gateway as a process, a simulated reader, a broker without persistence, the real server behind it.

Parts die at random; goods leave the reader only when their answer appeared. Judge: what the reader saw, what the
gateway acknowledged and what the tables hold, as multisets: lost = duplicates = unexpected = 0.
`SUYUAN_SOAK=1` takes 100 rounds. `SUYUAN_SEED` repeats a run.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import PtyEndpoint
from tests.gateway.broker_process import broker_process
from tests.gateway.make import POINT, epc
from tests.gateway.process import GatewayProcess, ended, serial_reader, until
from tests.gateway.uplink_rig import Premises, premises
from trace_core.readers._base import FieldTag
from trace_core.readers.magicrf import PROTOCOL as MAGICRF
from trace_server.accounts import operations as accounts
from trace_server.blocklist import operations as blocklist
from trace_server.ingest import operations as ingest

ROUNDS = 100 if os.environ.get("SUYUAN_SOAK") == "1" else 4
IN_FIELD = 3


@dataclass
class Scene:
    """Goods pass; whoever is asked to dies."""

    place: Premises
    gateway: GatewayProcess
    reader: SimulatedReader
    placed: list[str] = field(default_factory=list)
    closed: bool = False

    def work(self) -> None:
        """Let tags with an answer leave, and others take their place."""
        shown = {answer["epc"] for answer in self.gateway.answers()}
        for gone in {tag.epc.hex().upper() for tag in self.reader.tags()} & shown:
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

    def held(self) -> Counter[str]:
        return Counter(json.loads(event.body)["suyuan:rawEpc"] for event, _ in ingest.stream_events(self.place.db))

    def finish(self) -> None:
        self.closed = True

        def passed() -> bool:
            self.work()
            return not self.reader.tags()

        until(passed, "the last goods passed")
        until(lambda: self.held().total() >= len(self.placed), "all was delivered", limit_s=60)
        held, placed = self.held(), Counter(self.placed)
        acknowledged = Counter({answer["epc"] for answer in self.gateway.answers()})
        assert (acknowledged - held, held - placed, placed - held) == (Counter(), Counter(), Counter())


@pytest.fixture
def dice() -> random.Random:
    seed = int(os.environ.get("SUYUAN_SEED", "0")) or random.SystemRandom().randrange(2**32)
    print(f"SUYUAN_SEED={seed} repeats this")  # noqa: T201
    return random.Random(seed)


@pytest.fixture
def scene(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Scene]:
    shutil.copy(migrated_sqlite, tmp_path / "suyuan.sqlite")
    endpoint = PtyEndpoint(link=tmp_path / "port")
    with (
        broker_process(tmp_path) as broker,
        premises(tmp_path, f"sqlite:///{tmp_path / 'suyuan.sqlite'}", broker) as place,
        SimulatedReader(MAGICRF, MAGICRF.device({}), endpoint, seed=11) as reader,
    ):
        place.start("http")
        place.start("mqtt")
        enrol = f'enrol_url = "http://127.0.0.1:{place.port}"\n'
        gateway = GatewayProcess(tmp_path, broker.url, serial_reader(endpoint.path, 60.0))
        gateway.config.write_text(gateway.config.read_text().replace("[gateway]", f"{enrol}[gateway]", 1))
        with ended(gateway):
            code = accounts.add_gateway(
                place.db,
                datetime.now(UTC),
                "test",
                gateway_id="gate-1",
                site="Gate",
                read_points=(POINT,),
                auto_approve=True,
            )
            gateway.enrol(code)
            place.kill("http")  # from here on there is only the broker
            yield Scene(place, gateway, reader)


def test_gateway_broker_and_server_die_in_any_order_and_nothing_is_lost_doubled_or_invented(
    scene: Scene, dice: random.Random
) -> None:
    scene.gateway.start_and_wait()
    for _ in range(ROUNDS):
        scene.work_for(dice.uniform(0.2, 0.8))
        match dice.choice(("gateway", "broker", "server")):
            case "gateway":
                scene.gateway.kill()
                scene.gateway.start()
            case "broker":
                scene.place.broker.kill()
                scene.work_for(dice.uniform(0.0, 0.3))
                scene.place.broker.start()
            case _:
                scene.place.kill("mqtt")
                scene.place.start("mqtt")
    scene.finish()


def test_a_gateway_killed_between_sending_and_settling_sends_again_and_counts_once(scene: Scene) -> None:
    def dead() -> bool:
        scene.work()
        return not scene.gateway.running()

    for point in ("after-send", "before-settle", "in-settle"):
        for passage in (1, 2):
            scene.gateway.start(kill_at=f"{point}:{passage}")
            until(dead, f"the gateway reached {point} and died")
    scene.gateway.start_and_wait()
    scene.finish()


def test_the_block_list_comes_over_the_broker_too(scene: Scene) -> None:
    blocklist.publish(scene.place.db, datetime.now(UTC), actor="test")
    scene.gateway.start_and_wait()
    scene.work_for(0.5)
    until((scene.gateway.state / "block_list.json").is_file, "the list is there")
    scene.finish()
