"""Builders for the capture path: bodies, batches and documents with defaults for all that a test is not about."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Table, func, select

from trace_core.uplink import ZERO_DIGEST, Batch, ClockState, chain
from trace_server.db import Database

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
EPOCH = "00112233aabbccdd"
CONTEXT = ["https://ref.gs1.org/standards/epcis/epcis-context.jsonld", {"suyuan": "urn:suyuan:epcis:"}]
STANDARD = CONTEXT[:1]
READ_POINT = "urn:epc:id:sgln:0614141.00777.0"
GTIN = "10614141073464"


def epc(serial: object = 1) -> str:
    return f"urn:epc:id:sgtin:0614141.107346.{serial}"


def item_uri(serial: object = 1) -> str:
    return f"https://id.gs1.org/01/{GTIN}/21/{serial}"


def seen(number: int = 1, **changes: Any) -> dict[str, Any]:
    """An ObjectEvent: one tag seen `number` seconds after `NOW`."""
    event = {
        "type": "ObjectEvent",
        "eventTime": (NOW + timedelta(seconds=number)).isoformat(),
        "eventTimeZoneOffset": "+08:00",
        "action": "OBSERVE",
        "bizStep": "receiving",
        "disposition": "in_progress",
        "readPoint": {"id": READ_POINT},
        "epcList": [epc(number)],
    }
    return {name: value for name, value in (event | changes).items() if value is not None}


def commissioned(*serials: object, lot: str | None = None, **changes: Any) -> dict[str, Any]:
    """An ObjectEvent that brings items into being, in a lot if one is named."""
    made: dict[str, Any] = {"action": "ADD", "bizStep": "commissioning", "epcList": [epc(one) for one in serials]}
    if lot is not None:
        made["ilmd"] = {"cbvmda:lotNumber": lot}
    return seen(0, **{**made, **changes})


def body(event: dict[str, Any]) -> bytes:
    """A gateway event as it stands in a batch."""
    return json.dumps({"@context": CONTEXT, **event}, ensure_ascii=False).encode()


def batch(
    *bodies: bytes, first_seq: int = 1, previous: bytes = ZERO_DIGEST, epoch: str = EPOCH, wall: datetime = NOW
) -> Batch:
    return Batch(
        epoch=epoch,
        first_seq=first_seq,
        events=bodies,
        previous_digest=previous,
        digest=chain(previous, bodies),
        boot_id="boot-1",
        monotonic=12.5,
        wall=wall,
        clock_state=ClockState.SYNCHRONISED,
    )


def run(first: int, count: int, epoch: str = EPOCH) -> Batch:
    """Events `first` … of one long history, as any honest batch of it."""
    history = [body(seen(number)) for number in range(1, first)]
    bodies = [body(seen(number)) for number in range(first, first + count)]
    return batch(*bodies, first_seq=first, previous=chain(ZERO_DIGEST, history), epoch=epoch)


def document(*events: Any, context: Any = STANDARD, **changes: Any) -> bytes:
    whole = {
        "@context": context,
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": NOW.isoformat(),
        "epcisBody": {"eventList": list(events)},
    }
    return json.dumps(whole | changes, ensure_ascii=False).encode()


def count(db: Database, table: Table) -> int:
    with db.read() as conn:
        return int(conn.execute(select(func.count()).select_from(table)).scalar_one())


def rows(db: Database, table: Table) -> list[Any]:
    with db.read() as conn:
        return list(conn.execute(select(table)))
