"""The two checkpoints: three simulated readers, two gateways, and operators who hold goods until they are answered."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeAlias

from firmware_sim.broker import EmbeddedBroker
from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import MqttEndpoint, PtyEndpoint
from firmware_sim.world import GatePassage, PlaceKind, World
from suyuan.demo.answers import AnswerScreen
from suyuan.demo.stage import Stage
from trace_core.errors import Retryable
from trace_core.readers import protocols
from trace_core.readers._base import FieldTag

LOOK_EVERY_S = 0.02
PATIENCE_S = 60.0
"""Goods that got no answer for so long: the demo has failed."""
TOPIC = "readers/market-2"


@dataclass
class Gate:
    """One checkpoint: its gateway, its readers, its screen."""

    gateway_id: str
    site: str
    read_point: str
    readers: Sequence[SimulatedReader]
    screen: AnswerScreen
    turn: itertools.cycle[SimulatedReader] = field(init=False)

    def __post_init__(self) -> None:
        self.turn = itertools.cycle(self.readers)

    def pass_through(self, passage: GatePassage, dwell_s: float) -> None:
        """Hold a case in front of a reader until every tag has its answer on the screen, then let it go.

        `dwell_s` is the least time it stays. Raises `Retryable` when the operator would have given up.
        """
        reader = next(self.turn)
        for epc in passage.tags:
            reader.place(FieldTag(epc, tid=None, antenna=1))
        began = time.monotonic()
        waiting = set(passage.tags)
        while waiting or time.monotonic() - began < dwell_s:
            if time.monotonic() - began > PATIENCE_S:
                raise Retryable(f"{len(waiting)} tags got no answer at {self.site} within {PATIENCE_S:.0f} s")
            time.sleep(LOOK_EVERY_S)
            self.screen.look()
            waiting = {epc for epc in waiting if self.screen.answer(self.read_point, epc) is None}
        for epc in passage.tags:
            reader.remove(epc)


def build_gates(stage: Stage, world: World, broker: EmbeddedBroker) -> list[Gate]:
    """Readers stand (not started), gateways are configured. The market has two readers, the drug store one."""
    known = protocols()
    magicrf, json_reader = known["magicrf"], known["mqtt_json"]
    market = next(place for place in world.places if place.kind is PlaceKind.WHOLESALE_GATE)
    store = next(place for place in world.places if place.kind is PlaceKind.DRUG_STORE)

    def serial(name: str, seed: int) -> tuple[SimulatedReader, str]:
        link = stage.folder / f"tty-{name}"
        reader = SimulatedReader(magicrf, magicrf.device({}), PtyEndpoint(link=link), seed=seed)
        return reader, f"serial://{link}?baud=115200"

    def mqtt(seed: int) -> tuple[SimulatedReader, str]:
        endpoint = MqttEndpoint(broker.host, broker.port, TOPIC, "sim-market-2")
        reader = SimulatedReader(json_reader, json_reader.device({}), endpoint, seed=seed)
        # The broker of the demo speaks MQTT 3.1.1 only.
        return reader, f"mqtt://{broker.host}:{broker.port}/{TOPIC}?version=3.1.1"

    market_readers = {"market-1": ("magicrf", serial("market-1", 1)), "market-2": ("mqtt_json", mqtt(2))}
    store_readers = {"store-1": ("magicrf", serial("store-1", 3))}
    return [
        _gate(stage, "gw-market", market.name, market.read_point, market_readers),
        _gate(stage, "gw-store", store.name, store.read_point, store_readers),
    ]


def start_readers(gates: Sequence[Gate]) -> None:
    for gate in gates:
        for reader in gate.readers:
            reader.start()


def stop_readers(gates: Sequence[Gate]) -> None:
    for gate in gates:
        for reader in gate.readers:
            reader.stop()


def wrong_answers(gates: Sequence[Gate], world: World, today: date) -> int:
    """Tags that were answered otherwise than their batch calls for: refuse what is past its date, allow the rest."""
    screens = {gate.read_point: gate.screen for gate in gates}
    wrong = 0
    for passage in world.passages():
        expected = {item.epc: "refuse" if item.batch.is_expired(today) else "allow" for item in passage.items}
        for epc in passage.tags:
            shown = screens[passage.read_point].answer(passage.read_point, epc)
            wrong += shown != expected.get(epc, "allow")
    return wrong


def enrol(stage: Stage, gate: Gate) -> None:
    """What an administrator and an installer do: a one-time code, the key made on the box, an approval."""
    code = stage.server_command(
        "gateway", "add", "--id", gate.gateway_id, "--site", gate.site, "--read-point", gate.read_point
    )["code"]
    stage.gateway_command("enrol", "--config", str(stage.config_file(gate.gateway_id)), "--code", code)
    stage.server_command("gateway", "approve", gate.gateway_id)


Wired: TypeAlias = Mapping[str, tuple[str, tuple[SimulatedReader, str]]]
"""Name → (protocol, (reader, the address that the gateway opens))."""


def _gate(stage: Stage, gateway_id: str, site: str, read_point: str, readers: Wired) -> Gate:
    answers = stage.state_dir(gateway_id) / "answers.jsonl"
    lines = [
        "[server]",
        f'url = "{stage.url}"',
        "first_connect_spread_s = 0.0",
        "[gateway]",
        f'state_dir = "{stage.state_dir(gateway_id)}"',
        "[answer]",
        f'outputs = [{{ type = "file", path = "{answers}" }}]',
    ]
    for name, (protocol, (_, url)) in readers.items():
        lines += ["[[reader]]", f'name = "{name}"', f'protocol = "{protocol}"', f'url = "{url}"']
        lines += ["[[read_point]]", f'reader = "{name}"', f'id = "{read_point}"', 'biz_step = "receiving"']
        lines += [f'biz_location = "{read_point.rpartition(".")[0]}.0"']
    _write(stage.config_file(gateway_id), lines)
    return Gate(gateway_id, site, read_point, [reader for _, (reader, _) in readers.values()], AnswerScreen(answers))


def _write(path: Path, lines: Sequence[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
