"""`gateway-agent`: parse, call one operation, print. Exit codes: 0 done, 1 refused, 2 wrong use."""

from __future__ import annotations

import argparse
import json
import logging
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import trace_core.readers
from gateway_agent import (
    blocklist,
    clock,
    identity,
    keyring,
    replaying,
    requests,
    service,
    status,
    status_words,
    trying,
)
from gateway_agent.answering import identify_code
from gateway_agent.config import Config, load_config
from gateway_agent.outbox import Outbox, open_existing
from gateway_agent.outbox_schema import Quota
from gateway_agent.outbox_view import OutboxView
from gateway_agent.server_link import ServerLink
from gateway_agent.showing import open_outputs
from trace_core.errors import Conflict, NotFound, TraceError
from trace_core.readers._base import ReaderProtocol
from trace_core.registry import OnDemand
from trace_core.uplink import key_id

EXAMPLE = "gateway-agent run --config /etc/suyuan/gateway.toml"
ROTATE_WAIT_S = 20.0
REPLAY_WAIT_S = 10.0
"""How long a command waits for what the running gateway makes of its request."""


def main(argv: Sequence[str] | None = None) -> int:
    arguments = _parser().parse_args(argv)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(threadName)s %(message)s"
    )
    try:
        return int(arguments.operation(arguments))
    except TraceError as error:
        print(f"gateway-agent: {error}", file=sys.stderr)
        return 1


def known_protocols() -> Mapping[str, ReaderProtocol]:
    """By name; each is imported when it is asked for."""
    return OnDemand(trace_core.readers, "PROTOCOL", ReaderProtocol)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gateway-agent", usage=f"{EXAMPLE}\n       gateway-agent COMMAND …")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    config = argparse.ArgumentParser(add_help=False)
    config.add_argument("--config", type=Path, required=True, help="the TOML file of settings")
    as_json = argparse.ArgumentParser(add_help=False)
    as_json.add_argument("--json", action="store_true", help="print one JSON document")

    def add(
        name: str,
        operation: Callable[[argparse.Namespace], int],
        text: str,
        *parents: argparse.ArgumentParser,
        into: argparse._SubParsersAction[argparse.ArgumentParser] = commands,
    ) -> argparse.ArgumentParser:
        command = into.add_parser(name, help=text, description=text, parents=list(parents))
        command.set_defaults(operation=operation)
        return command

    add("run", _run, "read, answer, store and send until SIGTERM", config)
    enrol = add("enrol", _enrol, "make the key and exchange a one-time code for a gateway id", config, as_json)
    enrol.add_argument("--code", required=True, help="the one-time code; - reads it from standard input")
    pin = add("pin-list-key", _pin_list_key, "trust this key for block lists", config, as_json)
    pin.add_argument(
        "--key", default="", help="base64, as `trace-server blocklist key` prints it; absent: ask the server"
    )
    add("rotate-key", _rotate_key, "make another key; the server takes it, then the old one ends", config, as_json)
    _add_reports(add, config, as_json)
    add("check-config", _check, "say what is wrong with the settings", config)
    state = add("status", _status, "unsent events, readers, last answers, clock, list, links", config, as_json)
    state.add_argument("--check", action="store_true", help="exit 1, with a sentence, unless all is well")
    state.add_argument("--watch", action="store_true", help="the operator's screen, live, until Ctrl-C")
    state.add_argument("--lang", choices=status_words.LANGUAGES, default="zh", help="language of that screen")
    add("protocols", _protocols, "the reader protocols that can be configured", as_json)
    outbox = commands.add_parser("outbox", help="look into the durable queue, or send again").add_subparsers(
        required=True, metavar="COMMAND"
    )
    listing = add("list", _list, "events still on the box, newest first", config, as_json, into=outbox)
    listing.add_argument("--limit", type=int, default=50)
    listing = add("quarantine", _quarantine, "bytes and reads that could not be used", config, as_json, into=outbox)
    listing.add_argument("--limit", type=int, default=50)
    listing.add_argument("--replay", type=int, nargs="*", metavar="ID", help="try these rows again")
    listing.add_argument("--all", action="store_true", help="with --replay: every row")
    listing.set_defaults(misused=listing.error)
    replay = add("replay", _replay, "send kept events again (the server counts each once)", config, into=outbox)
    replay.add_argument("--after", type=int, default=0, help="sequence number after which to begin (0: all kept)")
    salvaged = add(
        "salvage", _salvage, "take over the unsent events of a set-aside outbox", config, as_json, into=outbox
    )
    salvaged.add_argument("file", type=Path, help="STATE_DIR/outbox.sqlite.corrupt-…")
    return parser


def _add_reports(
    add: Callable[..., argparse.ArgumentParser], config: argparse.ArgumentParser, as_json: argparse.ArgumentParser
) -> None:
    """`check` and `act`: what a person does beside the readers."""
    check = add("check", _report, "report a check of a cylinder before or after filling", config, as_json)
    outcome = check.add_mutually_exclusive_group(required=True)
    outcome.add_argument("--pass", dest="passed", action="store_true", help="it may be filled")
    outcome.add_argument("--fail", dest="passed", action="store_false", help="it must not be filled")
    check.add_argument("--stage", choices=("pre", "post"), default="pre", help="before (default) or after filling")
    act = add("act", _report, "report that something was done, e.g. a cylinder was filled", config, as_json)
    act.add_argument("--weight-kg", type=float, default=None, help="weight of what was filled in")
    for command, what in ((check, "check"), (act, "act")):
        command.set_defaults(what=what)
        command.add_argument("--epc", required=True, help="hex of the tag, EPC URN, or the link in the 2D code")
        command.add_argument("--at", default="", help="id of the read point; absent: the only filling point")


def _load(arguments: argparse.Namespace) -> Config:
    return load_config(arguments.config, known_protocols())


def _run(arguments: argparse.Namespace) -> int:
    protocols = known_protocols()
    trying.run(lambda settings: load_config(arguments.config, protocols, settings))
    return 0


def _rotate_key(arguments: argparse.Namespace) -> int:
    """The gateway that runs does it; otherwise the next one that starts."""
    folder = _load(arguments).gateway.state_dir
    before = identity.load_key(folder).key_id
    path = keyring.ask_rotation(folder)
    limit = time.monotonic() + ROTATE_WAIT_S
    while service.is_running(folder) and path.exists() and time.monotonic() < limit:
        time.sleep(0.1)
    key = identity.load_key(folder).key_id
    fields = {"key_id": key, "rotated": key != before}
    asked = "asked for; it is done as soon as the gateway runs and reaches the server"
    _print(arguments, fields, [f"key {key} took the place of {before}" if key != before else asked])
    return 0


def _enrol(arguments: argparse.Namespace) -> int:
    config = _load(arguments)
    code = sys.stdin.readline().strip() if arguments.code == "-" else arguments.code
    with closing(ServerLink(config.server.for_enrolment())) as link:
        me = identity.enrol(config.gateway.state_dir, link, code)
        pinned = _pin(config, link)
    _print(arguments, asdict(me), [f"enrolled as {me.gateway_id}, key {me.key_id}, {me.state}", pinned])
    return 0


def _pin(config: Config, link: ServerLink) -> str:
    """Trust the list key that the server shows now. The identity stands already: a failure here is said, not raised."""
    from gateway_agent import list_key

    try:
        key = list_key.fetch(link)
    except TraceError as error:
        print(f"gateway-agent: no list key pinned: {error}; run `gateway-agent pin-list-key`", file=sys.stderr)
        return "no list key pinned"
    blocklist.pin_key(config.gateway.state_dir, key)
    return f"list key {key_id(key)} pinned"


def _pin_list_key(arguments: argparse.Namespace) -> int:
    config = _load(arguments)
    if arguments.key:
        key = blocklist.decode_list_key(arguments.key)
    else:
        from gateway_agent import list_key

        with closing(ServerLink(config.server.for_enrolment())) as link:
            key = list_key.fetch(link)
    blocklist.pin_key(config.gateway.state_dir, key)
    text = f"list key {key_id(key)} pinned; compare it with `trace-server blocklist key`, then restart the gateway"
    _print(arguments, {"key_id": key_id(key)}, [text])
    return 0


def _report(arguments: argparse.Namespace) -> int:
    """Leave what a person did for the running gateway, and wait until it is committed."""
    config = _load(arguments)
    identify_code(arguments.epc)
    kind = requests.Kind.ACT if arguments.what == "act" else requests.Kind(f"{arguments.stage}_check")
    request = requests.Request(
        number=requests.new_number(),
        kind=kind,
        code=arguments.epc,
        read_point=requests.place_of(config.read_points, kind, arguments.at),
        passed=getattr(arguments, "passed", True),
        weight_kg=getattr(arguments, "weight_kg", None),
        said_at=clock.now().wall,
    )
    path = requests.leave(config.gateway.state_dir / requests.REQUESTS, request)
    is_taken = requests.wait_taken(path)
    fields = {"number": request.number, "read_point": request.read_point, "committed": is_taken}
    text = "recorded" if is_taken else "kept; it is recorded as soon as the gateway runs"
    _print(arguments, fields, [text])
    return 0


def _check(arguments: argparse.Namespace) -> int:
    config = _load(arguments)
    open_outputs(config.answer.outputs, config.lines())
    print(f"{config.path}: {len(config.readers)} readers, {len(config.read_points)} read points, all well")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    from gateway_agent import health, status_screen

    config = _load(arguments)

    def read() -> dict[str, object]:
        return status.read_status(config, running=service.is_running(config.gateway.state_dir))

    if arguments.watch:
        if not sys.stdout.isatty():
            print("gateway-agent: --watch needs a terminal; --json is for programs", file=sys.stderr)
            return 2
        status_screen.watch(read, arguments.lang)
        return 0
    fields = read()
    found = health.complaints(config, fields) if arguments.check else []
    if arguments.json or not arguments.check:
        lines = [f"{name:20} {json.dumps(value, ensure_ascii=False)}" for name, value in fields.items()]
        _print(arguments, fields, lines)
    for sentence in found:
        print(f"gateway-agent: {sentence}", file=sys.stderr)
    return 1 if found else 0


def _protocols(arguments: argparse.Namespace) -> int:
    rows = [
        {
            "name": p.name,
            "title": p.title,
            "transports": list(p.transports),
            "line": asdict(p.line) if p.line else None,
            "options": dict(p.options),
            "outputs": list(p.outputs),
            "sources": list(p.sources),
        }
        for p in known_protocols().values()
    ]
    _print(arguments, rows, [f"{row['name']:16} {row['title']}" for row in rows])
    return 0


def _list(arguments: argparse.Namespace) -> int:
    with closing(_view(arguments)) as view:
        rows = [
            {"seq": row.seq, "stored_at": row.stored_at, "sent": row.sent, "event": json.loads(row.body)}
            for row in view.events(arguments.limit)
        ]
    lines = [f"{row['seq']:>10} {'sent' if row['sent'] else 'unsent':7} {row['stored_at']}" for row in rows]
    _print(arguments, rows, lines)
    return 0


def _quarantine(arguments: argparse.Namespace) -> int:
    if arguments.all or arguments.replay is not None:
        return _replay_quarantine(arguments)
    with closing(_view(arguments)) as view:
        rows = [
            {**asdict(row), "read": replaying.described(row.reason, bytes.fromhex(row.data_hex))}
            for row in view.quarantine(arguments.limit)
        ]
    lines = [f"{r['id']:>6} {r['reader']:12} {r['reason']:20} ×{r['times']} {r['data_hex'][:60]}" for r in rows]
    _print(arguments, rows, lines)
    return 0


def _replay_quarantine(arguments: argparse.Namespace) -> int:
    """A request in the outbox; the running gateway carries it out, or the next one that runs."""
    if arguments.replay is None or arguments.all == bool(arguments.replay):
        arguments.misused("give --replay with ids, or --replay --all")
    config = _load(arguments)
    with _outbox(config) as outbox:
        numbers = outbox.ask_replay(None if arguments.all else arguments.replay)
    missing = sorted(set(arguments.replay) - set(numbers))
    if missing:
        raise NotFound(f"no such rows: {missing}; the others are requested", where="quarantine")
    running = service.is_running(config.gateway.state_dir)
    found = replaying.wait(config.gateway.state_dir / "outbox.sqlite", numbers, REPLAY_WAIT_S if running else 0)
    rows = [{"id": number, "outcome": outcome or "waiting"} for number, outcome in found.items()]
    lines = [f"{row['id']:>6} {row['outcome']}" for row in rows]
    _print(arguments, {"running": running, "rows": rows}, lines or ["quarantine is empty"])
    return 0


def _replay(arguments: argparse.Namespace) -> int:
    """The cursor is stored, and the running sender reads it anew for each batch; no lock is needed."""
    with _outbox(_load(arguments)) as outbox:
        outbox.rewind(max(arguments.after, outbox.floor_seq))
        print(f"sending again what follows {outbox.acked}")
    return 0


def _salvage(arguments: argparse.Namespace) -> int:
    """The owner of the outbox numbers events from memory: nobody else may append while it runs."""
    from gateway_agent import salvage

    config = _load(arguments)
    if service.is_running(config.gateway.state_dir):
        raise Conflict("the gateway is running", where=str(config.gateway.state_dir), remedy="stop it first")
    with service.single_instance(config.gateway.state_dir), _outbox(config) as outbox:
        boot_id = clock.read_boot().id
        report = salvage.salvage(outbox, arguments.file, boot_id=boot_id, wall=clock.now().wall)
    lines = [
        f"{report.appended} events taken over, {report.already} were before, {report.damaged} damaged (quarantine)"
    ]
    lines += [f"unreadable: {first} to {last}" for first, last in report.unreadable]
    _print(arguments, asdict(report), [*lines, *report.remarks])
    return 0


@contextmanager
def _outbox(config: Config) -> Iterator[Outbox]:
    path = config.gateway.state_dir / "outbox.sqlite"
    if not path.is_file():
        raise NotFound("there is no outbox yet", where=str(path), remedy="start the gateway once")
    try:
        with closing(open_existing(path, Quota.of_megabytes(config.gateway.outbox_max_mb))) as outbox:
            yield outbox
    except sqlite3.Error as error:
        raise Conflict(
            str(error), where=str(path), remedy="restart the gateway, it sets a damaged file aside"
        ) from error


def _view(arguments: argparse.Namespace) -> OutboxView:
    return OutboxView(_load(arguments).gateway.state_dir / "outbox.sqlite")


def _print(arguments: argparse.Namespace, document: Mapping[str, object] | Sequence[object], lines: list[str]) -> None:
    if arguments.json:
        print(json.dumps(document, ensure_ascii=False, indent=2, default=_text))
    else:
        print("\n".join(lines))


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} is not JSON")
