"""Many readers of every protocol in one loop, read by the gateway's own transports and sessions.

100 readers in `make test`; `SUYUAN_SOAK=1` takes 1,000.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from firmware_sim.fleet import Figures, Fleet
from firmware_sim.health import Heartbeat
from firmware_sim.record import Direction, RecordWriter, head_of, read
from firmware_sim.scenario import Scenario, parse
from gateway_agent.config import ReaderConfig
from gateway_agent.reading import DeviceReport, Item, Pump, Reading
from gateway_agent.transports.tcp import TcpAddress
from tests.services import Broker
from tests.sim.consumer import transport_for
from trace_core.readers import protocols
from trace_core.readers._base import CodeRead, DeviceState, Identity, TagRead

READERS = 1_000 if os.environ.get("SUYUAN_SOAK") == "1" else 100
PER_CONSUMER = 100
"""Several processes: one could not decode a thousand readers."""
ARRIVE_S, STAY_S, END_S = (10.0, 30.0, 60.0) if READERS > 100 else (2.0, 4.0, 10.0)
SLOW: dict[str, dict[str, object]] = {
    "chafon": {"round_ms": 100},
    "feig_obid": {"round_ms": 100},
    "impinj_r2000": {"round_ms": 500},
    "llrp": {"round_ms": 500},
    "magicrf": {"round_ms": 500},
    "mercury": {"cycle_ms": 500},
    "mqtt_json": {"report_ms": 1000},
    "scanner": {"repeat_ms": 1000},
}
"""A thousand readers at full speed are more than two cores can decode; the bytes are the same."""


def _scenario(broker: Broker) -> Scenario:
    names = sorted(protocols())
    readers, tags = [], []
    for number in range(READERS):
        protocol = protocols()[names[number % len(names)]]
        entry: dict[str, object] = {"id": f"r{number}", "protocol": protocol.name, "options": SLOW[protocol.name]}
        if protocol.framed_by_transport:
            entry["endpoint"] = f"mqtt://{broker.host}:{broker.port}/readers/{{id}}/r{number}"
        readers.append(entry)
        for tag in range(2):
            epc = f"E004{number:08X}{tag:04X}" if protocol.identity is Identity.UID else f"3034{number:012X}{tag:08X}"
            tags.append({"reader": f"r{number}", "epc": epc, "arrive_s": ARRIVE_S, "stay_s": STAY_S})
    return parse({"seed": 7, "duration_s": END_S, "reader": readers, "tag": tags})


@contextmanager
def _consumers(fleet: Fleet) -> Iterator[list[subprocess.Popen[str]]]:
    told = [
        {"id": name, "protocol": protocol, "endpoint": where, "options": {}} for name, protocol, where in fleet.places()
    ]
    command = [sys.executable, "-m", "tests.sim.consumer"]
    running: list[subprocess.Popen[str]] = []
    try:
        for first in range(0, len(told), PER_CONSUMER):
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            running.append(process)
            assert process.stdin is not None
            process.stdin.write(json.dumps(told[first : first + PER_CONSUMER]) + "\n")
            process.stdin.flush()
        for process in running:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
        yield running
    finally:
        for process in running:
            process.kill()
            process.communicate()


def _decoded(path: Path, scenario: Scenario) -> Counter[tuple[str, str]]:
    """Reads in the bytes that the simulator put on the cables, by sessions that were not there."""
    head, entries = read(path)
    sessions = [plan.protocol.host({}) for plan in scenario.readers]
    for session in sessions:
        session.start(0.0)
    found: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        if entry.direction is Direction.TO_HOST:
            for output in sessions[entry.cable].receive(entry.data, entry.at_us / 1e6):
                if isinstance(output, TagRead):
                    found[head.cables[entry.cable].id, output.epc.hex().upper()] += 1
                elif isinstance(output, CodeRead):
                    found[head.cables[entry.cable].id, output.text] += 1
    return found


def test_every_read_that_many_readers_send_reaches_the_gateway_once_and_no_other(
    mosquitto: Broker, tmp_path: Path
) -> None:
    scenario = _scenario(mosquitto)
    placed = {(plan.id, p.tag.epc.hex().upper()) for plan in scenario.readers for p in plan.passages}
    heard: Counter[tuple[str, str]] = Counter()
    before_mb = _rss_mb()
    with (
        RecordWriter(tmp_path / "run", head_of(scenario)) as recorder,
        Fleet(scenario, recorder=recorder) as fleet,
        _consumers(fleet) as running,
    ):
        fleet.run(END_S, Heartbeat(None))
        figures = fleet.figures()
        for process in running:
            out, _ = process.communicate("stop\n", timeout=120)
            heard.update({(name, epc): count for name, epc, count in json.loads(out)})
    sys.stderr.write(f"{figures}, {heard.total()} reads\n")
    assert set(heard) == placed
    assert heard == _decoded(tmp_path / "run", scenario)
    _are_modest(figures, before_mb)


def _rss_mb() -> float:
    """Of this process, which has run other tests before."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def _are_modest(figures: Figures, before_mb: float) -> None:
    assert figures.overruns == 0
    assert figures.readers == READERS
    assert figures.handles < 3 * READERS + 100
    assert figures.rss_mb - before_mb < 400


INCIDENT_S, AWAY_S, LIMIT_S = 3.0, 4.0, 40.0


class _Pump:
    """The gateway's pump on one port, in a thread."""

    def __init__(self, protocol: str, where: str, options: Mapping[str, object]) -> None:
        self.reads: list[Reading] = []
        self.silent = False
        transport = transport_for(where, "r", protocols()[protocol].line)
        self._stop, accepting = threading.Event(), threading.Event()
        accepting.set()
        config = ReaderConfig("gate", protocols()[protocol], TcpAddress("", 0), options)
        pump = Pump([config], transport, self._put, accepting=accepting, stop=self._stop)
        self._thread = threading.Thread(target=pump.run)

    def _put(self, item: Item) -> None:
        if isinstance(item, Reading):
            self.reads.append(item)
        elif isinstance(item, DeviceReport):
            self.silent = self.silent or item.event.state is DeviceState.SILENT

    def __enter__(self) -> _Pump:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(10.0)


def _until(fleet: Fleet, at_s: float, done: Callable[[], bool]) -> None:
    """Play on, at least to `at_s`, until it is so."""
    fleet.run(at_s, Heartbeat(None))
    while not done():
        at_s += 0.2
        assert at_s < LIMIT_S
        fleet.run(at_s, Heartbeat(None))


ENDPOINTS = {
    "magicrf": "pty:{folder}/{{id}}",
    "llrp": "tcp://127.0.0.1:0",
    "mqtt_json": "mqtt://{broker}/readers/{{id}}/out",
}
"""A serial line, a port of its own, a topic of a broker."""


@pytest.mark.parametrize(
    ("protocol", "kind"),
    [("magicrf", "unplug"), ("magicrf", "reboot"), ("llrp", "unplug"), ("llrp", "reboot"), ("mqtt_json", "unplug")],
)
def test_the_gateway_says_that_a_reader_is_gone_and_reads_on_when_it_is_back(
    protocol: str, kind: str, mosquitto: Broker, tmp_path: Path
) -> None:
    endpoint = ENDPOINTS[protocol].format(folder=tmp_path, broker=f"{mosquitto.host}:{mosquitto.port}")
    options = {"silence_s": 2} if protocol == "mqtt_json" else {}
    incident = {"kind": kind, "at_s": INCIDENT_S, "for_s": AWAY_S}
    reader = {"id": "r", "protocol": protocol, "endpoint": endpoint, "incident": [incident]}
    scenario = parse({"reader": reader, "tag": [{"epc": "3034B75F"}]})
    with Fleet(scenario) as fleet, _Pump(protocol, fleet.places()[0][2], options) as pump:
        _until(fleet, 0.2, lambda: bool(pump.reads))
        _until(fleet, INCIDENT_S, lambda: pump.silent)
        fleet.run(INCIDENT_S + AWAY_S, Heartbeat(None))
        pump.reads.clear()
        _until(fleet, INCIDENT_S + AWAY_S, lambda: bool(pump.reads))
