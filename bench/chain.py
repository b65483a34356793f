"""Chains on a seeded world: farm lots → product lots → items → cases → pallets → retail.

`--links N` (default 1,000,000), `--sqlite` for SQLite instead of PostgreSQL. One JSON object a line, milliseconds.
Ours: the frontier that the product uses, with times, retractions and limits, as `trace` and recalls call it.
Reference: a hand-written recursive CTE that only counts the objects reached and knows no time. Both in turns.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import text

from bench.capture import _server
from tests.services import start_postgres
from trace_core.ids import gs1
from trace_core.ids.canonical import object_key
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.db import Database, migrate, open_database
from trace_server.ingest import tables
from trace_server.ingest.model import ActionCode, EventType, LinkRole
from trace_server.services import collect_less_often
from trace_server.trace import directions, operations
from trace_server.trace.frontier import Limits
from trace_server.trace.model import ALWAYS, Node, Relation
from trace_server.trace.reading import Reading

START = datetime(2026, 1, 1, tzinfo=UTC)
ITEMS, CASE = 1000, 25
"""Items of a lot, all on one pallet, and items of a case."""
LINKS_A_LOT = 3 * ITEMS + 3 * ITEMS // CASE + 8
RECALLED, ASKED = 191, 9
"""Product lots of the farm lot that is recalled (about 200,000 objects) and of the one asked for over HTTP."""
GTIN = "0690123456789" + gs1.check_digit("0690123456789")
RAW = "0690123400001" + gs1.check_digit("0690123400001")
ROUNDS, BIG_ROUNDS = 200, 3

UP = {
    True: """WITH RECURSIVE up(k) AS (SELECT CAST(:key AS {key}) UNION SELECT s.k FROM up CROSS JOIN LATERAL (
        SELECT peer_key AS k FROM link WHERE object_key = up.k AND role IN (3, 8)
        UNION ALL SELECT i.object_key FROM link o JOIN link i ON i.peer_key = o.peer_key AND i.role = 4
            WHERE o.object_key = up.k AND o.role = 5
        {contents}) s) SELECT count(*) FROM up""",
    False: """WITH RECURSIVE up(k) AS (SELECT :key
        UNION SELECT l.peer_key FROM up JOIN link l ON l.object_key = up.k WHERE l.role IN (3, 8)
        UNION SELECT i.object_key FROM up JOIN link o ON o.object_key = up.k AND o.role = 5
            JOIN link i ON i.peer_key = o.peer_key AND i.role = 4
        {contents}) SELECT count(*) FROM up""",
}
INSIDE = {
    True: "UNION ALL SELECT object_key FROM link WHERE peer_key = up.k AND role = 3",
    False: "UNION SELECT l.object_key FROM up JOIN link l ON l.peer_key = up.k WHERE l.role = 3",
}
DOWN = {
    True: """WITH RECURSIVE down(k) AS (SELECT CAST(:key AS {key}) UNION SELECT s.k FROM down CROSS JOIN LATERAL (
        SELECT peer_key AS k FROM link WHERE object_key = down.k AND role = 3
        UNION ALL SELECT object_key FROM link WHERE peer_key = down.k AND role IN (3, 8)
        UNION ALL SELECT o.object_key FROM link i JOIN link o ON o.peer_key = i.peer_key AND o.role = 5
            WHERE i.object_key = down.k AND i.role = 4) s) SELECT count(*) FROM down""",
    False: """WITH RECURSIVE down(k) AS (SELECT :key
        UNION SELECT l.peer_key FROM down JOIN link l ON l.object_key = down.k WHERE l.role = 3
        UNION SELECT l.object_key FROM down JOIN link l ON l.peer_key = down.k WHERE l.role IN (3, 8)
        UNION SELECT o.object_key FROM down JOIN link i ON i.object_key = down.k AND i.role = 4
            JOIN link o ON o.peer_key = i.peer_key AND o.role = 5) SELECT count(*) FROM down""",
}


@dataclass(slots=True)
class World:
    """What was made: URIs by number."""

    farms: list[str] = field(default_factory=list)
    lots: int = 0


class Rows:
    """Rows of one lot on their way into the tables."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.links: list[dict[str, Any]] = []
        self.objects: dict[bytes, dict[str, Any]] = {}

    def event(self, number: int, kind: EventType, action: ActionCode | None, day: float, step: str) -> None:
        self._key = number.to_bytes(16, "big")
        self._time, self._action = START + timedelta(days=day), None if action is None else action.value
        self.events.append(
            {
                "event_key": _spread(self._key),
                "capture_key": _spread(b"c" + self._key[1:]),
                "hash_key": None,
                "event_time": self._time,
                "record_time": self._time,
                "ordinal": 0,
                "type": kind.value,
                "action": self._action,
                "utc_offset_min": 480,
                "is_correction": False,
                "biz_step": step,
                "read_point": "https://id.gs1.org/414/6901234000016",
                "source": "client:bench",
                "body": "{}",
            }
        )
        self._ordinal = 0

    def link(self, uri: str, role: LinkRole, peer: bytes | None = None, quantity: float | None = None) -> bytes:
        key = object_key(uri)
        self.objects.setdefault(key, {"object_key": key, "canonical_uri": uri, "is_class": "/10/" in uri})
        if role in (LinkRole.INPUT, LinkRole.OUTPUT):
            peer = _spread(self._key)
        self.links.append(
            {
                "object_key": key,
                "event_time": self._time,
                "event_key": _spread(self._key),
                "ordinal": self._ordinal,
                "role": role.value,
                "action": self._action,
                "peer_key": peer,
                "quantity": quantity,
                "uom": None if quantity is None else "KGM",
            }
        )
        self._ordinal += 1
        return key


def _spread(key: bytes) -> bytes:
    """A key like a hash, from a number: neighbours in time are no neighbours in the index."""
    return (int.from_bytes(key) * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128)).to_bytes(16, "big")


def _sscc(number: int) -> str:
    body = f"06901234{number:09d}"
    return f"https://id.gs1.org/00/{body}{gs1.check_digit(body)}"


def _item(lot: int, number: int) -> str:
    return f"https://id.gs1.org/01/{GTIN}/21/{lot}.{number}"


def _pallet(lot: int) -> str:
    return _sscc(900_000_000 + lot)


def _lot(rows: Rows, lot: int, farm: str) -> None:
    """Made from the farm's lot, each item numbered, packed, put on a pallet, sent and taken in."""
    first, day = 1 + lot * 100, lot % 300
    uri = f"https://id.gs1.org/01/{GTIN}/10/P{lot}"
    rows.event(first, EventType.TransformationEvent, None, day, "")
    rows.link(farm, LinkRole.INPUT, quantity=500.0)
    key = rows.link(uri, LinkRole.OUTPUT, quantity=450.0)
    rows.event(first + 1, EventType.ObjectEvent, ActionCode.ADD, day + 0.1, "commissioning")
    for number in range(ITEMS):
        rows.link(_item(lot, number), LinkRole.OBJECT)
        rows.link(_item(lot, number), LinkRole.MEMBER, key)
    cases = [_sscc(lot * 100 + place) for place in range(ITEMS // CASE)]
    for place, case in enumerate(cases):
        rows.event(first + 2 + place, EventType.AggregationEvent, ActionCode.ADD, day + 0.2, "packing")
        parent = rows.link(case, LinkRole.PARENT)
        for number in range(place * CASE, place * CASE + CASE):
            rows.link(_item(lot, number), LinkRole.CHILD, parent)
    rows.event(first + 60, EventType.AggregationEvent, ActionCode.ADD, day + 0.3, "packing")
    parent = rows.link(_pallet(lot), LinkRole.PARENT)
    for case in cases:
        rows.link(case, LinkRole.CHILD, parent)
    for place, step in enumerate(("shipping", "receiving", "storing")):
        rows.event(first + 61 + place, EventType.ObjectEvent, ActionCode.OBSERVE, day + 0.4 + place, step)
        rows.link(_pallet(lot), LinkRole.OBJECT)


def build(db: Database, links: int) -> World:
    """Fill the tables by the fastest way there is; the first two farm lots are the big ones."""
    world = World()
    lots = max(links // LINKS_A_LOT, RECALLED + ASKED + 20)
    dice = random.Random(5)
    while world.lots < lots:
        farm = f"https://id.gs1.org/01/{RAW}/10/F{len(world.farms)}"
        size = (RECALLED, ASKED)[len(world.farms)] if len(world.farms) < 2 else dice.randrange(1, 5)
        world.farms.append(farm)
        for _ in range(size):
            rows = Rows()
            _lot(rows, world.lots, farm)
            world.lots += 1
            with db.begin() as conn:
                db.dialect.bulk_insert(conn, tables.event, rows.events)
                db.dialect.bulk_insert(conn, tables.link, rows.links)
                db.dialect.bulk_insert(conn, tables.object_, list(rows.objects.values()), ignore_conflicts=True)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.execute(text("VACUUM ANALYZE" if db.dialect.has_concurrent_writers else "ANALYZE"))
    return world


def measure(db: Database, world: World) -> None:
    """Every case but HTTP."""
    dice = random.Random(6)
    on_postgres = db.dialect.has_concurrent_writers

    def reference(statement: str, uri: str) -> int:
        with db.read() as conn:
            return int(conn.execute(text(statement), {"key": _bound(object_key(uri), on_postgres)}).scalar_one())

    def up(uri: str) -> int:
        with db.read() as conn:
            reading = Reading(conn, db.dialect).checked_at_the_end()
            start = Node(object_key(uri), ALWAYS, Relation.SELF, 0, None)
            return len(directions.upstream([start], reading, contents=True).nodes)

    def down(uri: str) -> int:
        with db.read() as conn:
            return len(
                operations.downstream(conn, db.dialect, [object_key(uri)], limits=Limits(nodes=1_000_000))[0].nodes
            )

    kind = {"key": "uuid"}
    item_up = UP[on_postgres].format(contents="", **kind)
    pallet_up = UP[on_postgres].format(contents=INSIDE[on_postgres], **kind)
    down_sql = DOWN[on_postgres].format(**kind)
    items = [_item(dice.randrange(world.lots), dice.randrange(ITEMS)) for _ in range(ROUNDS)]
    pallets = [_pallet(dice.randrange(world.lots)) for _ in range(BIG_ROUNDS * 4)]
    _case("upstream of an item", items, up, lambda uri: reference(item_up, uri), world)
    _case(f"upstream of a pallet of {ITEMS} items", pallets, up, lambda uri: reference(pallet_up, uri), world)
    small = [farm for farm in world.farms[2:] for _ in range(2)][: BIG_ROUNDS * 4]
    _case("downstream of a farm lot", small, down, lambda uri: reference(down_sql, uri), world)
    _case("recall closure", [world.farms[0]], down, lambda uri: reference(down_sql, uri), world)


def _bound(key: bytes, on_postgres: bool) -> object:
    return key.hex() if on_postgres else key


def _case(
    name: str, uris: Sequence[str], ours: Callable[[str], int], reference: Callable[[str], int], world: World
) -> None:
    if len(uris) > 1:  # connections and plans are warm; a recall is long enough to be measured once
        ours(uris[0]), reference(uris[0])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    times: dict[str, list[float]] = {"ours": [], "reference": []}
    nodes = 0
    for uri in uris:
        for who, run in (("ours", ours), ("reference", reference)):
            started = time.perf_counter()
            found = run(uri)
            times[who].append((time.perf_counter() - started) * 1000)
            nodes = found if who == "ours" else nodes
    middle = {who: statistics.median(found) for who, found in times.items()}
    line = {
        "bench": "chain",
        "case": f"{name}, {world.lots * LINKS_A_LOT:,} links",
        "ours": round(middle["ours"], 2),
        "reference": round(middle["reference"], 2),
        "unit": "ms",
        "ratio": round(middle["ours"] / middle["reference"], 2),
        "p99": round(sorted(times["ours"])[int(len(uris) * 0.99)], 2),
        "nodes": nodes,
        "peak_growth_mb": round((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024),
    }
    print(json.dumps(line), flush=True)


def measure_http(db: Database, url: str, world: World) -> None:
    """One question whose answer has about 10,000 objects, from request to last byte."""
    _, token = accounts.add_client(db, datetime.now(UTC), "bench", name="bench", role=Role.REGULATOR)
    times = []
    nodes = size = 0
    with _server(url, 1) as port:
        for _ in range(BIG_ROUNDS + 1):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            started = time.perf_counter()
            path = f"/api/v1/trace/downstream?uri={quote(world.farms[1], safe='')}"
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            response = connection.getresponse()
            body = response.read()
            times.append((time.perf_counter() - started) * 1000)
            connection.close()
            if response.status != 200:
                raise SystemExit(f"chain: the server answered {response.status}: {body[:300]!r}")
            nodes, size = len(json.loads(body)["nodes"]), len(body)
    key = _bound(object_key(world.farms[1]), db.dialect.has_concurrent_writers)
    started = time.perf_counter()
    with db.read() as conn:
        conn.execute(text(DOWN[db.dialect.has_concurrent_writers].format(key="uuid")), {"key": key}).scalar_one()
    reference = (time.perf_counter() - started) * 1000
    middle = statistics.median(times[1:])
    line = {
        "bench": "chain",
        "case": f"one chain over HTTP, {world.lots * LINKS_A_LOT:,} links",
        "ours": round(middle, 2),
        "reference": round(reference, 2),
        "unit": "ms",
        "ratio": round(middle / reference, 2),
        "nodes": nodes,
        "bytes": size,
    }
    print(json.dumps(line), flush=True)


@contextmanager
def _database(*, sqlite: bool) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        if sqlite:
            yield f"sqlite:///{folder}/suyuan.sqlite"
            return
        with start_postgres(Path(folder), durable=True) as postgres:
            yield postgres.url()


def main(arguments: Sequence[str]) -> int:
    """Exit code 0: it only measures."""
    parser = argparse.ArgumentParser(prog="bench.chain", description="Chains on a seeded world.")
    parser.add_argument("--links", type=int, default=1_000_000)
    parser.add_argument("--sqlite", action="store_true")
    given = parser.parse_args(arguments)
    collect_less_often()  # as the server does
    with _database(sqlite=given.sqlite) as url:
        migrate.upgrade(url)
        db = open_database(url)
        started = time.perf_counter()
        world = build(db, given.links)
        print(f"chain: world of {world.lots} lots in {time.perf_counter() - started:.0f} s", file=sys.stderr)
        measure(db, world)
        measure_http(db, url, world)
        db.dispose()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
