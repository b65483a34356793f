"""`suyuan demo`: parse, play, print. Exit codes: 0 done, 1 lost, doubled, invented or failed, 2 wrong use."""

from __future__ import annotations

import argparse
import json
import logging
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from suyuan.demo.play import SEED, Options, Outcome, playing
from trace_core.errors import TraceError

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Entry point of `suyuan`."""
    asked = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    options = Options(
        once=asked.once, port=asked.port, state=asked.state, seed=asked.seed, dwell_s=asked.dwell, city=asked.city
    )
    outcome: Outcome | None = None
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    try:
        with playing(options) as outcome:
            _print(outcome, as_json=asked.json)
            if not asked.once:
                print("serving until Ctrl-C", file=sys.stderr)
                threading.Event().wait()
    except TraceError as error:
        print(f"suyuan: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        # Before the world was judged nothing is known to be well.
        if outcome is None:
            return INTERRUPTED
    return 0 if outcome.clean else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="suyuan", description="Example: suyuan demo --once --json")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    demo = commands.add_parser("demo", help="simulated readers → gateways → server → code page, on this machine")
    demo.add_argument("--once", action="store_true", help="end when the world has been played and judged")
    demo.add_argument("--json", action="store_true", help="print the outcome as one JSON object")
    demo.add_argument("--port", type=int, default=0, help="port of the server; 0: a free one")
    demo.add_argument("--state", type=Path, help="keep database, logs and gateway state in this new folder")
    demo.add_argument("--seed", type=int, default=SEED, help="another seed, another world")
    demo.add_argument("--dwell", type=float, default=0.2, metavar="SECONDS", help="least stay of a case at a gate")
    demo.add_argument("--city", action="store_true", help="load the small sample city too: every page has something")
    return parser


def _print(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(outcome.as_json(), ensure_ascii=False), flush=True)
        return
    verdict = outcome.verdict
    print(
        f"emitted {verdict.emitted}, captured {verdict.captured}: lost {verdict.lost}, "
        f"duplicates {verdict.duplicates}, unexpected {verdict.unexpected}\n"
        f"wrong answers {outcome.wrong_answers}, quarantined {outcome.quarantined}\n"
        f"alerts {outcome.alerts}, violations {outcome.violations}\n"
        f"code page:      {outcome.page}\ncredit archive: {outcome.archive}",
        flush=True,
    )
