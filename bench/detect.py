"""All rules over a stream of stored events on one core, against reading the same events without a rule.

One JSON object a line, events per second, taken in turns in one run. The stream is a producer's: items commissioned in
lots, seen with their TID by two gates, packed, shipped and received, sold; one item in a hundred does what some rule
looks for. On SQLite, where this process does all the work. `--quick`: fewer events.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from trace_core.ids.gs1 import check_digit
from trace_core.uplink import ZERO_DIGEST, Batch, ClockState, chain
from trace_server.catalog import operations as catalog
from trace_server.db import Database, migrate, open_database
from trace_server.detect import run
from trace_server.detect.history import seen
from trace_server.ingest import operations as ingest
from trace_server.ingest.model import Position
from trace_server.ingest.store import stream

ROUNDS = 3
ITEMS, QUICK_ITEMS = 2000, 400
A_LOT = 200
BAD = 100
PREFIX = "9521234"
GTIN = "0" + PREFIX + "00001"
GTIN += check_digit(GTIN)
USCC = "91320900MA1T000210"
START = datetime(2026, 11, 1, tzinfo=UTC)
CONTEXT = ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"suyuan": "urn:suyuan:epcis:"}]


def main(arguments: Sequence[str]) -> int:
    """Exit code: 0 done."""
    items = QUICK_ITEMS if "--quick" in arguments else ITEMS
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.sqlite'}"
        migrate.upgrade(url)
        db = open_database(url)
        _fill(db, items)
        events = _read(db)
        best = {"ours": 0.0, "reference": 0.0}
        for number in range(ROUNDS):
            best["reference"] = max(best["reference"], events / _timed(partial(_read, db)))
            best["ours"] = max(best["ours"], events / _timed(partial(_judge, db, number, events)))
        line = {"bench": "detect", "case": f"{len(run.registry())} rules, {events} events"}
        figures = {name: round(value) for name, value in best.items()}
        ratio = round(best["ours"] / best["reference"], 3)
        print(json.dumps(line | figures | {"unit": "events/s", "ratio": ratio}), flush=True)
        if "--by-rule" in arguments:
            _by_rule(db, events)
        db.dispose()
    return 0


def _by_rule(db: Database, events: int) -> None:
    for rule, detector in run.registry().items():
        if detector.find is None:
            continue
        alone = replace(detector, version=1000)
        seconds = _timed(partial(run.follow, db, datetime.now(UTC), [alone]))
        line = {"bench": "detect", "case": f"{rule} alone", "ours": round(events / seconds)}
        print(json.dumps(line | {"reference": None, "unit": "events/s", "ratio": None}), flush=True)


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _read(db: Database) -> int:
    """Every stored event, parsed, with the objects it names."""
    position, count = Position(), 0
    while True:
        with db.begin() as conn:
            events = stream.read_after(conn, position, run.PAGE)
        if not events:
            return count
        count += len([seen(event) for event in events])
        position = Position(events[-1].capture_seq, events[-1].ordinal)


def _judge(db: Database, number: int, events: int) -> None:
    """As the worker does: a version that no follower has seen judges from the start of the stream."""
    report = run.follow(db, datetime.now(UTC), [replace(one, version=100 + number) for one in run.registry().values()])
    if report.failed or set(report.judged.values()) != {events}:
        raise SystemExit(f"detect: {report}")


def _fill(db: Database, items: int) -> None:
    source = {"source": "bench", "as_of": "2026-01-01"}
    words = dict.fromkeys(("name", "spec", "ingredients", "standard", "storage", "origin", "approval_no"), "bench")
    subject = {"uscc": USCC, "name": "bench", "kind": "legal_person", "region": "320900", "status": "active"}
    licence = {"uscc": USCC, "number": "1", "title": "bench", "authority": "bench", "valid_from": "2020-01-01"}
    licence |= {"valid_to": "2030-01-01", "state": "valid"}
    paper = {"kind": "food.factory_inspection", "number": "1", "issuer": "bench", "issued_on": "2026-10-01"}
    lot = {"gtin": GTIN, "producer_uscc": USCC, "production_date": "2026-10-01", "uom": "H87", "certificates": [paper]}
    lots = [
        lot | source | {"lot": f"L{number}", "expiry_date": "2027-01-01", "quantity": str(A_LOT)}
        for number in range(items // A_LOT)
    ]
    product = {"gtin": GTIN, "category": "food", "producer_uscc": USCC, **words}
    rows = {"subjects": [subject], "licences": [licence], "products": [product]}
    goods = {name: [row | source for row in some] for name, some in rows.items()} | {"batches": lots}
    result = catalog.import_document(db, goods, actor="bench", now=START)
    if result.errors:
        raise SystemExit(f"detect: {result.errors[0]}")
    events = list(_events(items))
    for number, first in enumerate(range(0, len(events), 100)):
        bodies = tuple(json.dumps({"@context": CONTEXT, **one}).encode() for one in events[first : first + 100])
        batch = Batch(
            epoch=f"{number:016x}",
            first_seq=1,
            events=bodies,
            previous_digest=ZERO_DIGEST,
            digest=chain(ZERO_DIGEST, bodies),
            boot_id="bench",
            monotonic=1.0,
            wall=START,
            clock_state=ClockState.SYNCHRONISED,
        )
        ingest.accept_batch(db, START, "bench", batch)
    while ingest.number_captures(db):
        pass


def _events(items: int) -> Iterator[dict[str, Any]]:
    """By step, as a city's stream mixes the lives of many items."""
    for number in range(items):
        ilmd = {"cbvmda:lotNumber": f"L{number // A_LOT}", "cbvmda:itemExpirationDate": "2027-01-01"}
        yield _event(number, 0, "commissioning", action="ADD", ilmd=ilmd)
    for hours, step in ((10, "shipping"), (30, "receiving"), (40, "stocking"), (60, "retail_selling")):
        for number in range(items):
            chip = number + (number % BAD == 0 and step == "stocking")
            yield _event(number, hours, step, **{"suyuan:tid": f"E280116060000205{chip:08X}"})
    for number in range(0, items, BAD):
        yield _event(number, 90, "retail_selling")


def _event(number: int, hours: float, step: str, **changes: object) -> dict[str, Any]:
    return {
        "type": "ObjectEvent",
        "eventTime": (START + timedelta(hours=hours, seconds=number)).isoformat(),
        "eventTimeZoneOffset": "+08:00",
        "action": "OBSERVE",
        "bizStep": step,
        "disposition": "retail_sold" if step == "retail_selling" else "in_progress",
        "readPoint": {"id": f"urn:epc:id:sgln:{PREFIX}.00001.{hours:g}"},
        "epcList": [f"urn:epc:id:sgtin:{PREFIX}.000001.{number}"],
    } | changes


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
