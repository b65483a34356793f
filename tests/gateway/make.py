"""Builders for gateway tests: defaults for everything but what the test is about."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway_agent.observing import Presence, Shown
from gateway_agent.outbox import Commit, Outbox, open_outbox
from gateway_agent.outbox_schema import Quota
from gateway_agent.points import ReadPoint
from trace_core.block_list import SignedList, seal, signature_input
from trace_core.uplink import key_id

WALL = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
BOOT = "boot-a"
POINT = "urn:epc:id:sgln:6901234.00001.0"
QUOTA = Quota(10_000, 500)
LIST_SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
LIST_KEY = LIST_SIGNER.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def sealed(content: bytes, signer: Ed25519PrivateKey = LIST_SIGNER) -> bytes:
    """A block list as the server would send it, signed by the key that `LIST_KEY` pins."""
    public = signer.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return seal(SignedList(key_id(public), signer.sign(signature_input(content)), content))


def epc(number: int) -> bytes:
    """SGTIN-96, filter 1, company prefix 0614141, item 812345, serial `number`."""
    header = (0x30 << 88) | (1 << 85) | (5 << 82)
    return (header | (614141 << 58) | (812345 << 38) | number).to_bytes(12, "big")


def read_point(**changes: object) -> ReadPoint:
    fields: dict[str, object] = {
        "reader": "door",
        "antenna": None,
        "id": POINT,
        "biz_location": "",
        "biz_step": "",
        "presence_window_s": 10.0,
        "min_reads": 1,
        "rssi_min_dbm": None,
    }
    return ReadPoint(**(fields | changes))  # type: ignore[arg-type]


def body(number: int, epoch: str = "", seq: int = 0) -> bytes:
    event = {"type": "ObjectEvent", "epcList": [f"urn:x:{number}"], "suyuan:epoch": epoch, "suyuan:seq": seq}
    return json.dumps(event, separators=(",", ":")).encode()


def append(outbox: Outbox, numbers: Sequence[int]) -> None:
    """One commit with an event for each number."""
    bodies = [body(n, outbox.epoch, outbox.last_seq + i) for i, n in enumerate(numbers, 1)]
    outbox.commit(Commit(wall=WALL, boot_id=BOOT, bodies=bodies))


def number_of(event: bytes) -> int:
    return int(json.loads(event)["epcList"][0].rpartition(":")[2])


def presence(number: int, last_seen: float = 100.0, **changes: object) -> Presence:
    fields: dict[str, object] = {
        "number": number,
        "read_point": POINT,
        "epc": epc(number),
        "first_seen": last_seen - 1,
        "last_seen": last_seen,
        "last_wall": WALL,
        "shown": Shown("allow", "not-listed", 60.0, f"urn:x:{number}", "0" * 16, number),
    }
    return Presence(**(fields | changes))  # type: ignore[arg-type]


def new_outbox(folder: Path, quota: Quota = QUOTA) -> Outbox:
    return open_outbox(folder / "outbox.sqlite", quota)


def later(seconds: float) -> datetime:
    return WALL + timedelta(seconds=seconds)


def as_first_schema(path: Path) -> None:
    """Turn an outbox back into one that the first release would have written."""
    with closing(sqlite3.connect(path)) as old:
        old.executescript(
            "ALTER TABLE gap DROP COLUMN seq; DROP TABLE replay; DROP TABLE salvaged; DROP TABLE IF EXISTS moving;"
            "PRAGMA user_version = 1;"
        )
