"""The code page against a one-line Flask view, under the same gunicorn settings, in turns in one run.

    python -m bench.page [--seconds 3] [--rounds 4] [--json]

Prints JSON objects, one a line: requests a second (ratio: ours / reference), 99th percentile in milliseconds and
bytes on the wire. Every request of ours is counted in PostgreSQL (fsync on) before it is answered.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flask import Flask

from tests.server.portal import make
from tests.services import free_port, start_postgres
from trace_server.app import create_app
from trace_server.db import open_database
from trace_server.db.migrate import upgrade
from trace_server.portal.limits import Allowance, Limits
from trace_server.portal.model import Code
from trace_server.portal.pages import PORTAL
from trace_server.services import configure_logs

FLOOR = 0.35
"""Least ratio of requests on PostgreSQL."""
CODES = 200
THREADS = 8
CLIENTS = 8
ROOT = Path(__file__).resolve().parents[1]
HEADERS = {"Accept-Encoding": "gzip, deflate, br", "Accept-Language": "zh-CN,zh;q=0.9", "Host": "127.0.0.1"}


def ours() -> Flask:
    """The whole application; only the limits per caller are lifted, for all callers here are one address."""
    configure_logs(os.environ.get("SUYUAN_LOG_LEVEL", "info"))
    app = create_app()
    wide = Allowance(burst=1e12, per_second=1e12)
    app.extensions[PORTAL].limits = Limits(wide, wide)
    return app


def one_line() -> Flask:
    """What Flask itself costs."""
    app = Flask("one_line")
    app.add_url_rule("/01/<path:rest>", view_func=lambda rest: "ok")  # noqa: ARG005 – the route names it
    return app


def fill(url: str) -> list[str]:
    """Goods with a whole journey; returns the paths of their pages."""
    upgrade(url)
    database = open_database(url)
    make.load(database)
    codes = [Code(make.GTIN, make.LOT, f"{number:06d}") for number in range(CODES)]
    for number, code in enumerate(codes):
        told = json.dumps(make.whole_way()).replace(make.SERIAL, code.serial).replace(make.CASE, make.case(number + 1))
        make.capture(database, *json.loads(told))
    database.dispose()
    return [make.signed_path(code) for code in codes]


@contextmanager
def served(factory: str, url: str) -> Iterator[int]:
    """The application under gunicorn, as `trace-server run` starts it."""
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", f"bench.page:{factory}()", "-b", f"127.0.0.1:{port}", "-w", "1"]
    command += ["-k", "gthread", "--threads", str(THREADS), "--keep-alive", "15", "--log-level", "warning"]
    command += ["--no-control-socket"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUYUAN_")}
    environment |= {"SUYUAN_DATABASE_URL": url, "SUYUAN_CODE_SECRET": make.SECRET, "SUYUAN_LOG_LEVEL": "warning"}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield port
    finally:
        server.terminate()
        server.wait(20)


def wait_for(port: int) -> None:
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/healthz", headers=HEADERS)
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            connection.close()
            return
    raise TimeoutError(f"nothing listens on {port}")


def drive(port: int, paths: list[str], seconds: float) -> list[float]:
    """Seconds of each request of `CLIENTS` callers that keep their connections."""
    times: list[float] = []
    faults: list[str] = []
    end = time.perf_counter() + seconds

    def call(start: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        turn = start
        while (began := time.perf_counter()) < end:
            connection.request("GET", paths[turn % len(paths)], headers=HEADERS)
            response = connection.getresponse()
            response.read()
            times.append(time.perf_counter() - began)
            if response.status != 200:
                faults.append(str(response.status))
            turn += CLIENTS
        connection.close()

    callers = [threading.Thread(target=call, args=(number,)) for number in range(CLIENTS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    if faults:
        raise RuntimeError(f"answers that are no page: {sorted(set(faults))}")
    return times


def visit(port: int, paths: list[str]) -> None:
    """Every page once, so that the turns measure pages that people come back to."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for path in paths:
        connection.request("GET", path, headers=HEADERS)
        connection.getresponse().read()
    connection.close()


def on_the_wire(port: int, path: str) -> int:
    """Bytes of head and body of one answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", path, headers=HEADERS)
    response = connection.getresponse()
    head = sum(len(name) + len(value) + 4 for name, value in response.getheaders()) + 19
    size = head + len(response.read())
    connection.close()
    return size


def emit(case: str, mine: float, reference: float, unit: str) -> None:
    line: dict[str, Any] = {"bench": "page", "case": case, "ours": round(mine, 2), "reference": round(reference, 2)}
    print(json.dumps(line | {"unit": unit, "ratio": round(mine / reference, 3)}), flush=True)


def measure(url: str, kind: str, seconds: float, rounds: int) -> float:
    """Prints the case and returns its ratio of requests."""
    paths = fill(url)
    with served("ours", url) as page, served("one_line", url) as plain:
        for port in (page, plain):
            visit(port, paths)
            drive(port, paths, 1.0)
        mine, theirs = [], []
        for _ in range(rounds):
            mine.append(drive(page, paths, seconds))
            theirs.append(drive(plain, paths, seconds))
        rates = [[len(times) / seconds for times in runs] for runs in (mine, theirs)]
        slow = [statistics.quantiles([t for times in runs for t in times], n=100)[98] * 1e3 for runs in (mine, theirs)]
        emit(f"requests, {kind}", statistics.median(rates[0]), statistics.median(rates[1]), "1/s")
        emit(f"p99, {kind}", slow[0], slow[1], "ms")
        emit(f"bytes on the wire, {kind}", on_the_wire(page, paths[0]), on_the_wire(plain, paths[0]), "B")
    return statistics.median(rates[0]) / statistics.median(rates[1])


def main() -> int:
    """Both databases, PostgreSQL first. Exit code: 0 done, 1 when the floor was missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of one turn")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--json", action="store_true", help="accepted for symmetry; the output is always JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="suyuan-bench-") as folder:
        home = Path(folder) / "postgres"
        home.mkdir()
        with start_postgres(home, durable=True) as postgres:
            ratio = measure(postgres.url(), "PostgreSQL", options.seconds, options.rounds)
        measure(f"sqlite:///{folder}/suyuan.sqlite", "SQLite", options.seconds, options.rounds)
    return int(ratio < FLOOR)


if __name__ == "__main__":
    sys.exit(main())
