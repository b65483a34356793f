"""Bytes that an event and a link take on disk, rows and indexes, on both databases; feeds `docs/scaling.md`.

One JSON object a line. Ours: growth of the tables while documents are captured the way the server captures them.
Reference: the bytes of the documents as they came. `ratio` is ours / reference: smaller is better.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import text

from bench.capture import Case, _document
from tests.services import start_postgres
from trace_server.db import Database, migrate, open_database
from trace_server.ingest.operations import capture_document

CASES = (Case(100, 1), Case(100, 25))
EVENTS = 20_000
TABLES = ("event", "link", "object")


def main(arguments: Sequence[str]) -> int:
    """`--quick`: a tenth of the events."""
    events = EVENTS // 10 if "--quick" in arguments else EVENTS
    with tempfile.TemporaryDirectory() as folder, start_postgres(Path(folder)) as postgres:
        migrate.upgrade(postgres.url())
        _measure("postgresql", postgres.url(), events)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/suyuan.sqlite"
        migrate.upgrade(url)
        _measure("sqlite", url, events)
    return 0


def _measure(engine: str, url: str, events: int) -> None:
    db = open_database(url)
    for case in CASES:
        documents = [_document(case) for _ in range(events // case.events // (case.epcs if case.epcs > 1 else 1) or 1)]
        count = len(documents) * case.events
        before = _sizes(db)
        for document in documents:
            capture_document(db, datetime.now(UTC), "bench", document)
        grown = {name: size - before[name] for name, size in _sizes(db).items()}
        came = sum(map(len, documents))
        line = {
            "bench": "storage",
            "case": f"{engine}, events of {case.epcs} EPC{'s' * (case.epcs > 1)}",
            "ours": round(sum(grown.values()) / count),
            "reference": round(came / count),
            "unit": "bytes/event",
            "ratio": round(sum(grown.values()) / came, 2),
            "event_row": round(grown["event"] / count),
            "link": round(grown["link"] / count / case.epcs),
            "object": round(grown["object"] / count / case.epcs),
        }
        print(json.dumps(line), flush=True)
    db.dispose()


def _sizes(db: Database) -> dict[str, int]:
    """Bytes of each table with its indexes."""
    if db.dialect.has_concurrent_writers:
        query = "SELECT pg_total_relation_size(CAST(:name AS regclass))"
    else:
        query = "SELECT coalesce(sum(pgsize), 0) FROM dbstat JOIN sqlite_schema s USING (name) WHERE s.tbl_name = :name"
    with db.read() as conn:
        return {name: int(conn.execute(text(query), {"name": name}).scalar_one()) for name in TABLES}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
