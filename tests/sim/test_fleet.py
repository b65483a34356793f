"""Many readers of every protocol in one loop, read by the gateway's own transports and sessions.

100 readers in `make test`; `SUYUAN_SOAK=1` takes 1,000.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firmware_sim.fleet import Figures, Fleet
from firmware_sim.health import Heartbeat
from firmware_sim.record import Direction, RecordWriter, head_of, read
from firmware_sim.scenario import Scenario, parse
from tests.services import Broker
from trace_core.readers import protocols
from trace_core.readers._base import CodeRead, Identity, TagRead

READERS = 1_000 if os.environ.get("SUYUAN_SOAK") == "1" else 100
PER_CONSUMER = 100
"""pyserial and TCP transports use select(2), which ends at 1,024 files a process."""
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
    _are_modest(figures)


def _are_modest(figures: Figures) -> None:
    assert figures.overruns == 0
    assert figures.readers == READERS
    assert figures.handles < 3 * READERS + 100
    assert figures.rss_mb < 400
