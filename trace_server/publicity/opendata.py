"""Files of open data: made once a day by the worker or at the first request, and anew when something was taken back."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Mapping
from threading import Lock
from typing import IO

import structlog

from trace_server.credit.steps import law_day
from trace_server.credit.store import head_seq
from trace_server.db import Connection
from trace_server.exports.model import Export, Sheet
from trace_server.exports.registry import registry
from trace_server.publicity import store
from trace_server.publicity.datasets import DATASETS, Dataset
from trace_server.publicity.model import DataFile
from trace_server.services import Job, Services

EVERY_S = 60.0
"""How often the worker looks: what was withdrawn is out of the files within about this time."""
MEMORY = 8_000_000
"""Bytes of a file that is being made that stay in memory."""
LICENCE = "/data#licence"
"""Where the terms of use stand, on our own host."""

log = structlog.get_logger(__name__)
_making = Lock()
"""One file at a time in a process: a crowd at a stale file waits for one making of it."""


def _write_json(sheet: Sheet, out: IO[bytes]) -> int:
    """An object with what the file is and `rows`, objects by column name; all values are texts."""
    facts = {"dataset": sheet.title, **dict(sheet.filters)}
    head = json.dumps(facts, ensure_ascii=False)[:-1]
    out.write(f'{head},"rows":['.encode())
    count = 0
    for row in sheet.rows:
        line = json.dumps(dict(zip(sheet.columns, row, strict=True)), ensure_ascii=False)
        out.write(f"{',' if count else ''}\n{line}".encode())
        count += 1
    out.write(b"\n]}\n")
    return count


JSON = Export("json", "application/json", ".json", _write_json)
FORMATS: Mapping[str, Export] = {"csv": registry()["csv"], "json": JSON, "xlsx": registry()["xlsx"]}


def current(services: Services, name: str, form: str) -> tuple[DataFile, bytes] | None:
    """A file that shows today and holds nothing that was taken back; None when there is no such set or format."""
    dataset, export = DATASETS.get(name), FORMATS.get(form)
    if dataset is None or export is None:
        return None
    found = _fresh(services, name, form)
    if found is not None:
        return found
    with _making:
        # Whoever held the lock before may have made it.
        return _fresh(services, name, form) or _make(services, dataset, export)


def fresh_files(services: Services) -> dict[tuple[str, str], DataFile]:
    """(Set, format) → the file as `current` would give it, without those that are still to be made."""
    today = law_day(services.clock())
    with services.db.read() as conn:
        made = store.files(conn)
        stale = {seq for seq in {one.seq for one in made} if store.has_ended_since(conn, seq)}
    return {(one.name, one.format): one for one in made if one.day == today and one.seq not in stale}


def keep(services: Services) -> int:
    """The periodic job: make what is missing or stale; returns how many files."""
    fresh = fresh_files(services)
    missing = [(name, form) for name in DATASETS for form in FORMATS if (name, form) not in fresh]
    for name, form in missing:
        _make(services, DATASETS[name], FORMATS[form])
    return len(missing)


jobs: list[Job] = [Job("open-data", EVERY_S, keep)]


def _fresh(services: Services, name: str, form: str) -> tuple[DataFile, bytes] | None:
    with services.db.read() as conn:
        found = store.file(conn, name, form)
        if found is None or found[0].day != law_day(services.clock()) or store.has_ended_since(conn, found[0].seq):
            return None
        return found


def _make(services: Services, dataset: Dataset, export: Export) -> tuple[DataFile, bytes]:
    now = services.clock()
    with tempfile.SpooledTemporaryFile(MEMORY) as out:
        with services.db.read() as conn:
            # Read before the rows: what ends meanwhile makes the file stale, never the other way round.
            seq = head_seq(conn)
            rows = export.write(_sheet(services, conn, dataset), out)
        out.seek(0)
        data = out.read()
    made = DataFile(
        dataset.name, export.name, law_day(now), seq, rows, len(data), hashlib.sha256(data).hexdigest(), now
    )
    with services.db.begin() as conn:
        store.save_file(conn, services.db.dialect, made, data)
    log.info("open data made", dataset=dataset.name, format=export.name, rows=rows, bytes=len(data))
    return made, data


def _sheet(services: Services, conn: Connection, dataset: Dataset) -> Sheet:
    today = law_day(services.clock())
    host = services.settings.public_url
    filters = (("as_of", today.isoformat()), ("source", host), ("licence", host + LICENCE))
    return Sheet(dataset.name, tuple(one.name for one in dataset.columns), dataset.rows(conn, today), filters)
