"""The event that the fault writer commits, without the imports of a whole server."""

from __future__ import annotations

import json

READ_POINT = "urn:epc:id:sgln:9521007.00001.1"


def body(gateway_id: str, number: int, epoch: str, seq: int, ballast: str = "") -> bytes:
    """A read of item `number`; `ballast` makes it longer."""
    event = {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld", {"suyuan": "urn:suyuan:epcis:"}],
        "type": "ObjectEvent",
        "eventTime": "2026-03-01T08:00:00.000+08:00",
        "eventTimeZoneOffset": "+08:00",
        "action": "OBSERVE",
        "bizStep": "receiving",
        "readPoint": {"id": READ_POINT},
        "epcList": [f"urn:epc:id:sgtin:9521007.000001.{number}"],
        "suyuan:gateway": gateway_id,
        "suyuan:epoch": epoch,
        "suyuan:seq": seq,
    }
    if ballast:
        event["suyuan:ballast"] = ballast
    return json.dumps(event, separators=(",", ":")).encode()
