"""Durable events/s of the gateway's outbox at 1, 10 and 100 events a commit, against bare sqlite3 inserts.

Both use WAL with `synchronous=FULL` on the same disk and take turns, so that a busy machine slows both. "Ours" does
what the gateway does for each event: sequence number, digest chain and presence row, in the same transaction.
Prints one JSON object a line.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from gateway_agent.observing import Presence, Shown
from gateway_agent.outbox import Commit, Outbox, open_outbox
from gateway_agent.outbox_schema import Quota, connect

BODY = json.dumps(
    {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"suyuan": "urn:suyuan:epcis:"}],
        "type": "ObjectEvent",
        "eventTime": "2026-03-01T08:00:00.123Z",
        "eventTimeZoneOffset": "+08:00",
        "epcList": ["urn:epc:id:sgtin:0614141.812345.6789"],
        "action": "OBSERVE",
        "bizStep": "receiving",
        "readPoint": {"id": "urn:epc:id:sgln:6901234.00001.0"},
        **{f"suyuan:field{n}": "0123456789abcdef" for n in range(12)},
    },
    separators=(",", ":"),
).encode()
SHOWN = Shown("allow", "not-listed", 60.0, "urn:epc:id:sgtin:0614141.812345.6789", "0" * 16, 1)
WALL = datetime(2026, 3, 1, 8, tzinfo=UTC)


def ours(outbox: Outbox, first: int, count: int) -> None:
    presences = [
        Presence(first + n, "urn:epc:id:sgln:6901234.00001.0", (first + n).to_bytes(12, "big"), 1.0, 1.0, WALL, SHOWN)
        for n in range(count)
    ]
    outbox.commit(Commit(wall=WALL, boot_id="boot", bodies=[BODY] * count, presences=presences))


def bare(connection: sqlite3.Connection, first: int, count: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO event VALUES (?, ?)", [(first + n, BODY) for n in range(count)])
    connection.execute("COMMIT")


def rate(work: Callable[[int, int], None], first: int, size: int, seconds: float) -> tuple[float, int]:
    """Events/s of `work` in commits of `size`, and the next free number."""
    start = time.perf_counter()
    number = first
    while (elapsed := time.perf_counter() - start) < seconds:
        work(number, size)
        number += size
    return (number - first) / elapsed, number


def measure(folder: Path, size: int, rounds: int, seconds: float) -> dict[str, object]:
    quota = Quota.of_megabytes(20_000)
    with (
        closing(open_outbox(folder / f"ours-{size}", quota)) as outbox,
        closing(connect(folder / f"bare-{size}")) as plain,
    ):
        plain.execute("CREATE TABLE event (seq INTEGER PRIMARY KEY, body BLOB NOT NULL)")
        taken: dict[str, list[float]] = {"ours": [], "bare": []}
        ours_at = bare_at = 1
        for _ in range(rounds):
            per_s, ours_at = rate(lambda first, count: ours(outbox, first, count), ours_at, size, seconds)
            taken["ours"].append(per_s)
            per_s, bare_at = rate(lambda first, count: bare(plain, first, count), bare_at, size, seconds)
            taken["bare"].append(per_s)
    mine, reference = statistics.median(taken["ours"]), statistics.median(taken["bare"])
    return {
        "bench": "outbox",
        "case": f"{size} a commit",
        "ours": round(mine),
        "reference": round(reference),
        "unit": "events/s",
        "ratio": round(mine / reference, 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.5, help="of each turn")
    parser.add_argument("--folder", type=Path, help="on the disk to measure; default: a temporary folder")
    arguments = parser.parse_args()
    for size in (1, 10, 100):
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            print(json.dumps(measure(Path(folder), size, arguments.rounds, arguments.seconds)), flush=True)


if __name__ == "__main__":
    main()
