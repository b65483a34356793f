"""Gateways in the states that people meet them in."""

from __future__ import annotations

import json
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from trace_server.accounts import operations as accounts
from trace_server.db import Database
from trace_server.fleet import operations as fleet

REPORT = {
    "unsent": 12, "oldest_unsent_age_s": 40, "quarantined": 3, "software": "1.4.2",
    "clock": {"state": "synchronised", "offset_s": 75.2}, "block_list": {"version": 7, "age_s": 100_000},
    "readers": [{"name": "south", "state": "online"}, {"name": "north", "state": "lost"}],
}  # fmt: skip


def waiting(database: Database, name: str, now: datetime) -> None:
    """Enrolled, waits for its approval; its first heartbeat is not well."""
    code = accounts.add_gateway(database, now, "test", gateway_id=name, site="南门", read_points=())
    key = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    accounts.enrol(database, now, code=code, public_key=key, software="1.4.2", hostname="box", address="127.0.0.1")
    known = next(one for one in accounts.list_gateways(database) if one.gateway_id == name)
    beat = {"kind": "heartbeat", "boot_id": "b1", "monotonic": 60.0, "report": REPORT}
    fleet.hear(database, now, known, json.dumps(beat).encode())
