"""`firmware-sim`: the reader's end on the command line."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from firmware_sim.device import SimulatedReader
from firmware_sim.endpoints import Endpoint, MqttEndpoint, PtyEndpoint, endpoint_for
from firmware_sim.faults import FaultyEndpoint
from firmware_sim.health import Heartbeat, require_alive
from firmware_sim.scenario import Scenario, load
from firmware_sim.tcp import TcpEndpoint
from trace_core.errors import TraceError
from trace_core.readers import protocols

FIELD_STEP_S = 0.05


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 1 refused, 2 wrong use."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except TraceError as error:
        print(f"firmware-sim: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="firmware-sim", description="Example: firmware-sim run market_gate.toml. Simulated RFID readers."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    listing = commands.add_parser("protocols", help="list the reader protocols")
    listing.add_argument("--json", action="store_true", help="one JSON document")
    listing.set_defaults(run=_protocols)
    run = commands.add_parser("run", help="run a scenario file until its end or Ctrl-C")
    run.add_argument("scenario", help="path of a TOML file, or the name of one that comes with the program")
    run.add_argument("--endpoint", help="pty, pty:/path, tcp://host:port or mqtt://host:port/topic; overrides the file")
    run.add_argument("--duration", type=float, metavar="SECONDS", help="overrides the file; 0: without end")
    run.add_argument("--json", action="store_true", help="print the port and the result as JSON, one object a line")
    run.add_argument("--health-file", type=Path, help="renew this file's time stamp every second while it plays")
    run.set_defaults(run=_run)
    check = commands.add_parser("check", help="exit 1 unless a running simulator renews its health file")
    check.add_argument("--health-file", type=Path, required=True, help="the one that was given to run")
    check.set_defaults(run=_check)
    return parser


def _protocols(options: argparse.Namespace) -> int:
    found = protocols().values()
    if options.json:
        print(json.dumps([_described(p.name, p.title, p.transports, p.options) for p in found], ensure_ascii=False))
    else:
        for protocol in found:
            print(f"{protocol.name:12} {', '.join(protocol.transports):12} {protocol.title}")
    return 0


def _check(options: argparse.Namespace) -> int:
    require_alive(options.health_file)
    return 0


def _described(name: str, title: str, transports: Sequence[str], options: object) -> dict[str, object]:
    return {"name": name, "title": title, "transports": list(transports), "options": options}


def _run(options: argparse.Namespace) -> int:
    scenario = load(_path(options.scenario))
    duration_s = scenario.duration_s if options.duration is None else options.duration
    inner = endpoint_for(options.endpoint or scenario.endpoint, f"sim-{scenario.protocol.name}")
    endpoint = FaultyEndpoint(inner, scenario.faults, scenario.seed) if scenario.faults else inner
    session = scenario.protocol.device(scenario.options)
    where = _where(inner) or options.endpoint or scenario.endpoint
    _tell(options, {"scenario": scenario.title, "protocol": scenario.protocol.name, "endpoint": where}, where)
    with SimulatedReader(scenario.protocol, session, endpoint, seed=scenario.seed) as reader:
        _play(scenario, reader, duration_s, Heartbeat(options.health_file))
        if reader.failure is not None:
            raise reader.failure
    damaged = endpoint.out.damaged if isinstance(endpoint, FaultyEndpoint) else 0
    _tell(options, {"damaged_frames": damaged, "overruns": _overruns(inner)}, f"{damaged} frames were damaged")
    return 0


def _play(scenario: Scenario, reader: SimulatedReader, duration_s: float, heartbeat: Heartbeat) -> None:
    started = time.monotonic()
    while reader.failure is None:
        at_s = time.monotonic() - started
        if duration_s and at_s >= duration_s:
            return
        reader.replace(scenario.field_at(at_s))
        heartbeat.beat(at_s)
        time.sleep(FIELD_STEP_S)


def _path(name: str) -> Path:
    """The file itself, or the one of that name among the scenarios of the package."""
    given = Path(name)
    if given.exists():
        return given
    shipped = Path(str(resources.files("firmware_sim") / "scenarios" / name))
    return shipped if shipped.exists() else given


def _where(endpoint: Endpoint) -> str:
    """Names that are known only once the port is there."""
    if isinstance(endpoint, PtyEndpoint):
        return endpoint.path
    return endpoint.url if isinstance(endpoint, TcpEndpoint) else ""


def _overruns(endpoint: Endpoint) -> int:
    return endpoint.overruns if isinstance(endpoint, PtyEndpoint | MqttEndpoint) else 0


def _tell(options: argparse.Namespace, fields: dict[str, object], words: str) -> None:
    print(json.dumps(fields, ensure_ascii=False) if options.json else words, flush=True)
