"""EPCIS documents over HTTP into PostgreSQL, against one COPY session of the same rows into the same tables.

One JSON object a line. Ours: `trace-server run` with one or two web processes, documents posted by a few senders that
keep their connections; each document is one transaction, committed with fsync before the answer. Reference: the rows
of as many documents, made and encoded beforehand, copied in one transaction. Both in turns, into the same database,
which grows alike for both. `--quick`: the one case that has a floor.
"""

from __future__ import annotations

import http.client
import io
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg2
from sqlalchemy import Table

from tests.server.callers import COMPANY
from tests.services import free_port, start_postgres
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.db import Database, migrate, open_database
from trace_server.db.copying import copy_text
from trace_server.ingest import tables
from trace_server.ingest.document import read_document
from trace_server.ingest.model import Origin, new_key
from trace_server.ingest.rules import Taken, read_event

EVENTS = (1, 10, 100)
EPCS = (1, 10, 25, 100)
WORKERS = (1, 2)
FLOOR_CASE = (100, 25)
FLOOR = 0.25
ROUNDS = 3
LINKS_A_ROUND = 30_000
"""Enough for about a second; small documents are bounded by `MAX_DOCUMENTS` instead."""
MAX_DOCUMENTS = 300
START = datetime(2026, 1, 1, tzinfo=UTC)
serials = itertools.count(1)


@dataclass(frozen=True, slots=True)
class Case:
    """Documents of `events` events with `epcs` EPCs each."""

    events: int
    epcs: int

    @property
    def documents(self) -> int:
        return max(4, min(MAX_DOCUMENTS, LINKS_A_ROUND // (self.events * self.epcs)))


@dataclass(frozen=True, slots=True)
class Server:
    """Where the documents go."""

    port: int
    token: str


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 done, 1 when the floor was missed."""
    quick = "--quick" in arguments
    missed = False
    with tempfile.TemporaryDirectory() as folder, start_postgres(Path(folder), durable=True) as postgres:
        migrate.upgrade(postgres.url())
        db = open_database(postgres.url())
        _, token = accounts.add_client(
            db, datetime.now(UTC), "bench", name="bench", role=Role.PRODUCER, subject=COMPANY
        )
        for workers in WORKERS[:1] if quick else WORKERS:
            with _server(postgres.url(), workers) as port:
                for case in _cases(quick=quick):
                    ratio = _measure(db, Server(port, token), case, workers)
                    missed |= (case.events, case.epcs) == FLOOR_CASE and ratio < FLOOR
        db.dispose()
    return 1 if missed else 0


def _cases(*, quick: bool) -> list[Case]:
    if quick:
        return [Case(*FLOOR_CASE)]
    return [Case(events, epcs) for events in EVENTS for epcs in EPCS]


def _measure(db: Database, server: Server, case: Case, workers: int) -> float:
    best = {"ours": 0.0, "reference": 0.0}
    _post(server, [_document(case) for _ in range(4)], senders=2 * workers)  # connections, caches, staging tables
    for _ in range(ROUNDS):
        sent = [_document(case) for _ in range(case.documents)]
        seconds = _post(server, sent, senders=2 * workers)
        best["ours"] = max(best["ours"], case.documents * case.events / seconds)
        seconds = _copy(db, [_document(case) for _ in range(case.documents)])
        best["reference"] = max(best["reference"], case.documents * case.events / seconds)
    ratio = best["ours"] / best["reference"]
    line = {
        "bench": "capture",
        "case": f"{case.events} events x {case.epcs} EPCs, {workers} web process{'es' * (workers > 1)}",
        "ours": round(best["ours"]),
        "reference": round(best["reference"]),
        "unit": "events/s",
        "ratio": round(ratio, 3),
        "ours_links_per_s": round(best["ours"] * case.epcs),
    }
    print(json.dumps(line), flush=True)
    return ratio


def _document(case: Case) -> bytes:
    events = [_event(case.epcs) for _ in range(case.events)]
    document = {
        "@context": ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld"],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": START.isoformat(),
        "epcisBody": {"eventList": events},
    }
    return json.dumps(document).encode()


def _event(epcs: int) -> dict[str, Any]:
    numbers = list(itertools.islice(serials, epcs))
    return {
        "type": "ObjectEvent",
        "eventTime": (START + timedelta(seconds=numbers[0])).isoformat(),
        "eventTimeZoneOffset": "+08:00",
        "action": "OBSERVE",
        "bizStep": "receiving",
        "disposition": "in_progress",
        "readPoint": {"id": "urn:epc:id:sgln:0614141.00777.0"},
        "bizLocation": {"id": "urn:epc:id:sgln:0614141.00888.0"},
        "epcList": [f"urn:epc:id:sgtin:0614141.107346.{number}" for number in numbers],
    }


def _post(server: Server, documents: Sequence[bytes], *, senders: int) -> float:
    """Seconds until the last document is acknowledged."""
    parts = [documents[start::senders] for start in range(senders)]
    with ThreadPoolExecutor(senders) as pool:
        begun = time.perf_counter()
        list(pool.map(lambda part: _send(server, part), parts))
        return time.perf_counter() - begun


def _send(server: Server, documents: Sequence[bytes]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    for document in documents:
        connection.request("POST", "/api/v1/capture", document, headers)
        answer = connection.getresponse()
        told = answer.read()
        if answer.status != 202 or not json.loads(told)["success"]:
            raise SystemExit(f"capture: {answer.status} {told[:500]!r}")
    connection.close()


def _copy(db: Database, documents: Sequence[bytes]) -> float:
    """Seconds of one COPY session with the rows of `documents`."""
    pieces = list(_encoded(documents))
    connection = psycopg2.connect(db.url.replace("+psycopg2", ""))
    try:
        with connection.cursor() as cursor:
            begun = time.perf_counter()
            for statement, text in pieces:
                cursor.copy_expert(statement, text)
            connection.commit()
            return time.perf_counter() - begun
    finally:
        connection.close()


def _encoded(documents: Sequence[bytes]) -> Iterator[tuple[str, io.StringIO]]:
    now = datetime.now(UTC)
    captures, taken = [], []
    for raw in documents:
        key = new_key(now)
        parts = _rows(raw, Origin("client:bench", now), key)
        captures.append({"capture_key": key, "source": "client:bench", "record_time": now, "event_count": len(parts)})
        taken += parts
    objects = {row["object_key"]: row for part in taken for row in part.objects}
    yield _piece(tables.event, [part.event for part in taken])
    yield _piece(tables.link, [row for part in taken for row in part.plain])
    yield _piece(tables.object_, list(objects.values()))
    yield _piece(tables.capture, captures)


def _rows(raw: bytes, origin: Origin, key: bytes) -> list[Taken]:
    document = read_document(raw)
    taken = []
    for place, body in enumerate(document.events):
        part = read_event(body, origin, document.context)
        if not isinstance(part, Taken):
            raise SystemExit(f"capture: the bench made a bad event: {part}")
        part.event.update(capture_key=key, ordinal=place, seq=None)
        taken.append(part)
    return taken


def _piece(table: Table, rows: Sequence[dict[str, Any]]) -> tuple[str, io.StringIO]:
    columns = [column for column in table.columns if column.key in rows[0]]
    names = ", ".join(f'"{column.name}"' for column in columns)
    return f'COPY "{table.name}" ({names}) FROM STDIN', copy_text(columns, rows)


@contextmanager
def _server(url: str, workers: int) -> Iterator[int]:
    """A running `trace-server run`; yields its port."""
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SUYUAN_")}
    environment |= {"SUYUAN_DATABASE_URL": url, "SUYUAN_LOG_LEVEL": "warning", "SUYUAN_CODE_SECRET": "b" * 32}
    command = [sys.executable, "-c", "from trace_server.cli import main; main()", "run"]
    options = ["--port", str(port), "--workers", str(workers), "--threads", "4"]
    server = subprocess.Popen([*command, *options], env=environment, start_new_session=True)
    try:
        _wait(port, server)
        yield port
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=30)


def _wait(port: int, server: subprocess.Popen[bytes]) -> None:
    limit = time.monotonic() + 30
    while time.monotonic() < limit and server.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise SystemExit("capture: the server did not start")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
