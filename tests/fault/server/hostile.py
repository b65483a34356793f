"""Bodies that mean harm: honest EPCIS documents bent, broken and filled with what parsers have died of."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

from tests.server.epcis_xml.test_xml_safety import BILLION_LAUGHS, garbled, restructured
from tests.server.epcis_xml.test_xml_safety import seeds as xml_seeds
from tests.server.ingest.make import CONTEXT, batch, body, commissioned, document, seen
from tests.server.portal import make
from trace_core.uplink import encode_batch

JSON, XML = "application/json", "application/xml"
MISCHIEF = (
    "", " ", "\x00", "a\x00b", "\ud800", "\U0010ffff", "\u202e", "%00", "%", "../../etc/passwd", "' OR 1=1 --", "\\",
    "-1", "0", "1e400", "NaN", "9" * 400, "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00", "2026-02-30",
    "2026-11-24T08:00:00Z", "urn:epc:idpat:sgtin:*.*.*", "urn:epc:id:sgtin:0614141.107346.1", "*", "a" * 5000, "|",
    "true", "null", "[]", "{}", "upstream", "epcis", "1", "2147483648", "9223372036854775808", "--", "http://[::1",
    "https://id.gs1.org/01/06901234567892/21/000123", "eventTime", "ASC", "receiving", "gs1:Temperature", "١٢",
)  # fmt: skip
"""Texts that look like something, or like nothing."""
VALUES: tuple[Any, ...] = (
    *MISCHIEF, None, True, False, 0, -1, 10**400, 2**63, 2**64, 1e308, -0.0, 5e-324, float("inf"), float("nan"), [], {},
    [[]], [None], {"": ""}, {"id": None}, {"@id": "urn:x:1"}, ["ADD", "ADD"], {"@context": {"a": "a"}}, "\udc00\ud800",
)  # fmt: skip
NAMES = (
    "type",
    "id",
    "@context",
    "eventID",
    "",
    "@type",
    "a\x00",
    "\ud800",
    "__proto__",
    "ex:a",
    "suyuan:seq",
    "x" * 300,
)
PIECES = (
    b"[", b"]", b"{", b"}", b",", b":", b'"', b"\\", b"\\u", b"\\ud800", b"\\u0000", b"\x00", b"\xff", b"\xc0\xaf",
    b"\xed\xa0\x80", b"\xef\xbb\xbf", b"1e999", b"-", b"0" * 400, b"9" * 400, b"NaN", b"Infinity", b"null", b"//", b"'",
    b'"type":"ObjectEvent",', b'"epcList":[],', b'"@context":{},', b"[" * 200, b'{"a":' * 200, b"\xf0\x9f\x98\x80",
)  # fmt: skip


def known_killers() -> Iterator[tuple[str, bytes]]:
    """(content type, body): what parsers have died of, each once."""
    yield from ((JSON, raw) for raw in (*_killing_json(), *_killing_events()))
    yield from ((XML, raw) for raw in _killing_xml())


def _killing_json() -> Iterator[bytes]:
    whole = document(seen())
    yield from (b"", b" ", b"null", b"0", b'""', b"[]", b"{}", b"\x00" * 1000)
    yield from (b"[" * 500_000, b'{"a":' * 300_000, b"[" * 9_000 + b"]" * 9_000)
    yield from (b"\xff\xfe" + whole.decode().encode("utf-16-le"), b"\xef\xbb\xbf" + whole, whole[:-1], whole * 2)
    yield from (whole.replace(b"receiving", wrong) for wrong in (b"\\ud800", b"\\u0000", b"\xff", b"\xed\xa0\x80"))
    yield whole.replace(b'"schemaVersion"', b'"schemaVersion":"1.2","schemaVersion"')
    yield document(seen(), context=[CONTEXT[0], {f"a{number}": f"urn:{number}:" for number in range(5_000)}])
    yield document(seen(), context=[CONTEXT[0], {"a": "b:", "b": "a:"}])
    yield document(*([seen()] * 1001))
    yield document(seen(epcList=["urn:x:" + "%" * 100_000]))
    yield document(seen(epcList=[f"urn:x:{number}" for number in range(50_000)]))


def _killing_events() -> Iterator[bytes]:
    """One event with a member that is too much."""
    event = body(seen())[:-1]
    yield event + b',"type":"X"}'
    for value in (
        b'{"ex:a":' * 5000 + b"1" + b"}" * 5000,
        b"1e999",
        b"-" + b"9" * 50_000,
        b'"' + b"a" * 1_500_000 + b'"',
        b"[" + b"0," * 600_000 + b"0]",
        b"{" + b",".join(b'"ex:%d":1' % number for number in range(120_000)) + b"}",
    ):
        yield event + b',"suyuan:a":' + value + b"}"


def _killing_xml() -> Iterator[bytes]:
    yield from (
        b"",
        b"<",
        b"\xff" * 1_000_000,
        BILLION_LAUGHS.encode(),
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
    )
    yield from (b"<a>" * 400_000, b"<!--" * 400_000, b"<![CDATA[" * 200_000, b"<?xml " + b" " * 2_000_000)
    yield from (b'<a b="' + b"c" * 2_000_000 + b'"/>', b"<a xmlns:b='" + b"c" * 1_000_000 + b"'/>")
    yield from (b"<a>" + b"&#x41;" * 300_000 + b"</a>", b'<?xml version="1.0" encoding="utf-7"?><a/>')
    yield xml_seeds()[0].replace(b"<ex:n>", b"<ex:n" + b"n" * 1_000_000 + b">", 1)


def mutants(dice: random.Random, content_type: str) -> Iterator[bytes]:
    """Without end: half wrong in structure, half wrong in syntax."""
    originals = json_seeds() if content_type == JSON else xml_seeds()
    bend, breaking = (_bent, _broken) if content_type == JSON else (restructured, garbled)
    while True:
        raw = dice.choice(originals)
        yield bend(raw, dice) if dice.random() < 0.5 else breaking(raw, dice)


def json_seeds() -> list[bytes]:
    """Documents and bare events that are taken."""
    sensor = {
        "sensorMetadata": {"time": "2026-11-24T08:00:00Z", "deviceID": "urn:x:d"},
        "sensorReport": [
            {"type": "Temperature", "value": 4.5, "uom": "CEL"},
            {"type": "Temperature", "booleanValue": True},
        ],
    }
    own = {"suyuan:seq": 7, "suyuan:nested": {"suyuan:deep": [[1, {"suyuan:a": None}]]}}
    way = [{"@context": CONTEXT, **event} for event in make.whole_way()]
    return [
        document(seen(), commissioned(7, 8, lot="L1")),
        document(seen(sensorElementList=[sensor], **own), context=CONTEXT),
        document(*make.whole_way()),
        *(json.dumps(event).encode() for event in way),
        body(seen(errorDeclaration={"declarationTime": "2026-11-24T08:00:00Z", "reason": "did_not_occur"})),
    ]  # fmt: skip


def payloads(dice: random.Random) -> Iterator[bytes]:
    """Bodies of gateway batches: honest ones bent; without end."""
    honest = json_seeds()
    while True:
        raw = _broken(dice.choice(honest), dice) if dice.random() < 0.5 else _bent(dice.choice(honest), dice)
        text = raw.decode("utf-8", "replace").encode()  # a batch is JSON itself
        yield encode_batch(batch(text, epoch=f"{dice.randrange(2**64):016x}"))


def _bent(raw: bytes, dice: random.Random) -> bytes:
    """Well-formed JSON of a wrong make: members moved, doubled, renamed, replaced, taken out."""
    whole = json.loads(raw)
    for _ in range(dice.randint(1, 4)):
        places = list(_places(whole))
        holder, key = dice.choice(places)
        match dice.randrange(5):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[dice.choice(NAMES)] = holder.pop(key)
            case 2:
                other, there = dice.choice(places)
                holder[key] = json.loads(json.dumps(other[there])) if _has(other, there) else None
            case 3 if isinstance(holder, list):
                holder.extend(holder[:50] * dice.randint(1, 20))
            case _:
                holder[key] = dice.choice(VALUES)
        if not whole or not list(_places(whole)):
            break
    return json.dumps(whole, ensure_ascii=dice.random() < 0.7).encode("utf-8", "surrogatepass")


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """(dict or list, key) of everything inside."""
    keys = list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []
    for key in keys:
        yield value, key
        yield from _places(value[key])


def _has(holder: Any, key: Any) -> bool:
    return key in holder if isinstance(holder, dict) else key < len(holder)


def _broken(original: bytes, dice: random.Random) -> bytes:
    """Bytes flipped, cut, doubled, and pieces of syntax thrown in."""
    raw = bytearray(original)
    for _ in range(dice.randint(1, 6)):
        place = dice.randrange(len(raw) + 1)
        match dice.randrange(4):
            case 0:
                raw[place : place + 1] = bytes([dice.randrange(256)])
            case 1:
                del raw[place : place + dice.randint(1, 40)]
            case 2:
                raw[place:place] = dice.choice(PIECES)
            case _:
                raw[place:place] = raw[place : place + dice.randint(1, 200)]
    return bytes(raw)
