"""`firmware-sim`: the reader's end on the command line. Exit codes: 0 done, 1 refused, 2 wrong use."""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from firmware_sim.fleet import Fleet
from firmware_sim.health import Heartbeat, require_alive
from firmware_sim.record import RecordWriter, head_of, read
from firmware_sim.rehearsal import rehearse
from firmware_sim.replay import Replay
from firmware_sim.scenario import MAX_SPEED, Scenario, find, load, shipped
from trace_core.errors import TraceError
from trace_core.readers import protocols


def main(arguments: Sequence[str] | None = None) -> int:
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
        prog="firmware-sim", usage="firmware-sim run market_morning\n       firmware-sim COMMAND …"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(
        name: str,
        run: Callable[[argparse.Namespace], int],
        example: str,
        text: str,
        into: argparse._SubParsersAction[argparse.ArgumentParser] = commands,
    ) -> argparse.ArgumentParser:
        words = example.split()
        prog = f"firmware-sim {' '.join(words[: words.index(name) + 1])}"
        usage = f"firmware-sim {example}\n       {prog} [options], as below"
        command = into.add_parser(name, help=text, description=text, usage=usage)
        command.set_defaults(run=run)
        return command

    _json(add("protocols", _protocols, "protocols --json", "list the reader protocols"))
    run = _json(add("run", _run, "run market_morning --duration 60", "run a scenario until its end or Ctrl-C"))
    _scenario(run)
    run.add_argument("--endpoint", default="", help="pty, pty:/path/{id}, tcp://…, mqtt://…/{id}; overrides the file")
    run.add_argument("--duration", type=float, metavar="SECONDS", help="of the scenario's clock; 0: without end")
    run.add_argument("--health-file", type=Path, help="renew this file's time stamp every second while it plays")
    run.add_argument("--record", type=Path, metavar="FILE", help="keep every byte of every cable")
    _add_scenarios(add, commands)
    record = _json(add("record", _record, "record cold_chain --out run.rec", "play a scenario at once into a record"))
    _scenario(record)
    record.add_argument("--out", type=Path, required=True, metavar="FILE", help="the record (docs/wire/record.md)")
    record.add_argument("--seed", type=int, help="overrides the file")
    replay = _json(add("replay", _replay, "replay run.rec --speed 10", "play a record: the same bytes, in order"))
    replay.add_argument("file", type=Path, help="what record or run --record wrote")
    replay.add_argument("--speed", type=_speed, default=1.0, metavar="N", help="N times as fast; 0: as fast as taken")
    replay.add_argument("--endpoint", default="", help="where each cable is plugged in, with {id}")
    replay.add_argument("--cable", action="append", default=[], metavar="ID", help="only this one; repeatable")
    replay.add_argument("--wait", type=float, default=0.0, metavar="SECONDS", help="begin when a host is on each cable")
    check = add("check", _check, "check --health-file /run/sim.alive", "exit 1 unless a simulator renews its file")
    check.add_argument("--health-file", type=Path, required=True, help="the one that was given to run")
    return parser


def _add_scenarios(
    add: Callable[..., argparse.ArgumentParser], commands: argparse._SubParsersAction[argparse.ArgumentParser]
) -> None:
    group = commands.add_parser(
        "scenario",
        help="list and check scenario files",
        usage="firmware-sim scenario list\n       firmware-sim scenario COMMAND …",
    ).add_subparsers(required=True, metavar="COMMAND")
    _json(add("list", _list, "scenario list", "the scenarios that come with the program", group))
    check = _json(add("check", _check_scenario, "scenario check my.toml", "say what is wrong with a file", group))
    _scenario(check)


def _scenario(command: argparse.ArgumentParser) -> None:
    command.add_argument("scenario", help="path of a TOML file, or the name of one that comes with the program")


def _json(command: argparse.ArgumentParser) -> argparse.ArgumentParser:
    command.add_argument("--json", action="store_true", help="print JSON, one document a line")
    return command


def _speed(text: str) -> float:
    value = float(text)
    if not 0 <= value <= MAX_SPEED:
        raise argparse.ArgumentTypeError(f"0 to {MAX_SPEED:g}")
    return value


def _protocols(options: argparse.Namespace) -> int:
    found = protocols().values()
    if options.json:
        print(json.dumps([_described(p.name, p.title, p.transports, p.options) for p in found], ensure_ascii=False))
    else:
        for protocol in found:
            print(f"{protocol.name:12} {', '.join(protocol.transports):12} {protocol.title}")
    return 0


def _described(name: str, title: str, transports: Sequence[str], options: object) -> dict[str, object]:
    return {"name": name, "title": title, "transports": list(transports), "options": options}


def _list(options: argparse.Namespace) -> int:
    scenarios = [_summary(name, load(path)) for name, path in shipped().items()]
    if options.json:
        print(json.dumps(scenarios, ensure_ascii=False))
    else:
        for shown in scenarios:
            print(f"{shown['name']:16} {shown['readers']:>4} readers  {shown['title']}")
    return 0


def _check_scenario(options: argparse.Namespace) -> int:
    scenario = load(find(options.scenario))
    shown = _summary(options.scenario, scenario)
    passages = f"{shown['readers']} readers, {shown['things']} things, {shown['passages']} passages"
    _tell(options, shown, f"{scenario.title}: {passages}, {shown['lasts_s']} s")
    return 0


def _summary(name: str, scenario: Scenario) -> dict[str, object]:
    return {
        "name": name,
        "title": scenario.title,
        "seed": scenario.seed,
        "readers": len(scenario.readers),
        "protocols": sorted({plan.protocol.name for plan in scenario.readers}),
        "sites": scenario.sites,
        "routes": scenario.routes,
        "people": scenario.people,
        "things": scenario.things,
        "passages": sum(len(plan.passages) for plan in scenario.readers),
        "incidents": sum(len(plan.incidents) for plan in scenario.readers),
        "lasts_s": round(scenario.last_s() / scenario.speed, 1),
    }


def _run(options: argparse.Namespace) -> int:
    scenario = load(find(options.scenario))
    duration_s = options.duration
    if duration_s is None:
        # A world with an end ends with it; tags that stay for ever, or come again, go on until Ctrl-C.
        duration_s = scenario.duration_s or (0.0 if scenario.repeat_s or not scenario.things else scenario.last_s())
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        recorder = stack.enter_context(RecordWriter(options.record, head_of(scenario))) if options.record else None
        fleet = stack.enter_context(Fleet(scenario, endpoint=options.endpoint, recorder=recorder))
        _tell_places(options, scenario.title, fleet.places())
        try:
            fleet.run(duration_s, Heartbeat(options.health_file))
        except KeyboardInterrupt:  # the figures are wanted all the same
            print(file=sys.stderr)
        figures = fleet.figures()
    words = f"{figures.frames} frames, {figures.damaged_frames} damaged, {figures.overruns} bytes not taken"
    _tell(options, asdict(figures), words)
    return 0


def _record(options: argparse.Namespace) -> int:
    path = find(options.scenario)
    scenario = load(path, seed=options.seed)
    with RecordWriter(options.out, head_of(scenario)) as writer:
        result = rehearse(scenario, writer.put)
    shown = {"entries": result.entries, "reads": result.reads.total(), "tags": len(result.reads)}
    words = f"{options.out}: {result.entries} chunks, {shown['reads']} reads of {shown['tags']} tags"
    _tell(options, shown | {"damaged_frames": result.damaged, "file": str(options.out)}, words)
    return 0


def _replay(options: argparse.Namespace) -> int:
    head, entries = read(options.file)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Replay(head, speed=options.speed, endpoint=options.endpoint, only=options.cable) as replay:
        _tell_places(options, head.title, replay.places())
        if options.wait:
            replay.wait_for_hosts(options.wait)
        result = replay.run(entries, told=lambda what: print(what, file=sys.stderr))
    words = f"{result.delivered} bytes, {result.undelivered} not taken, at most {result.late_s} s late"
    _tell(options, asdict(result), words)
    return 1 if result.undelivered else 0


def _check(options: argparse.Namespace) -> int:
    require_alive(options.health_file)
    return 0


def _tell_places(options: argparse.Namespace, title: str, places: Sequence[tuple[str, str, str]]) -> None:
    readers = [{"id": name, "protocol": protocol, "endpoint": where} for name, protocol, where in places]
    words = "\n".join(where if len(places) == 1 else f"{name:16} {kind:12} {where}" for name, kind, where in places)
    _tell(options, {"scenario": title, "readers": readers}, words)


def _tell(options: argparse.Namespace, fields: dict[str, object], words: str) -> None:
    print(json.dumps(fields, ensure_ascii=False) if options.json else words, flush=True)
