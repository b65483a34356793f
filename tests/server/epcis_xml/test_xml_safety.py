"""Hostile XML costs its sender a refusal and the server nothing."""

from __future__ import annotations

import contextlib
import copy
import os
import random
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from tests.server.epcis_xml.make import only_event, xml_document, xml_event
from trace_core.errors import EventError, TooLarge, TraceError
from trace_server.epcis_xml.parsing import MAX_BYTES, parse
from trace_server.epcis_xml.reader import events_from_xml
from trace_server.epcis_xml.schema import complaints
from trace_server.ingest.model import Origin, Rejection
from trace_server.ingest.rules import Taken
from trace_server.ingest.xml_document import read_xml_document

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
SOAK = os.environ.get("SUYUAN_SOAK") == "1"
MUTANTS = 200_000 if SOAK else 20_000
SLOWEST_S = 1.0
GROWTH_KB = 64 * 1024
BILLION_LAUGHS = (
    '<!DOCTYPE l [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "&{a};&{a};&{a};&{a};">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><l>&i;</l>"
)


@pytest.mark.parametrize(
    "raw",
    [
        BILLION_LAUGHS.encode(),
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b'<!DOCTYPE a PUBLIC "-//x//y" "http://127.0.0.1:1/x.dtd"><a/>',
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<?xml version="1.0"?>\n<!-- a --> <?pi x?><!DOCTYPE a []><a/>',
        b"\xef\xbb\xbf<!DOCTYPE a [<!ATTLIST a b CDATA 'c'>]><a/>",
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE a []><a/>'.encode("utf-16"),
        b"<!doctype a><a/>",
    ],
)
def test_a_document_type_is_refused_however_it_is_hidden(raw: bytes) -> None:
    with pytest.raises(EventError, match="document type"):
        parse(raw)


def test_a_document_type_that_declares_nothing_is_passed_over() -> None:
    raw = xml_document(xml_event()).replace(b"?>\n", b"?>\n<!DOCTYPE project>\n", 1)
    assert only_event(raw) == only_event(xml_document(xml_event()))
    with pytest.raises(EventError):
        parse(b"<a><!DOCTYPE project></a>")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"<",
        b"<a",
        b"<a></b>",
        b"<a>&nothing;</a>",
        b"<a>&#0;</a>",
        b"<a b='1' b='2'/>",
        b"<x:a/>",
        b"\x00",
        b"{}",
        b"<a>\xff</a>",
        b'<?xml version="1.0" encoding="utf-7"?><a/>',
        b'<?xml version="1.0" encoding="rot13"?><a/>',
        b"<a>" * 40_000,
        b"<a>" * 300 + b"</a>" * 300,
        b"<!--" * 10_000,
        b"<?" * 10_000,
    ],
)
def test_what_is_no_xml_is_refused_in_words(raw: bytes) -> None:
    with pytest.raises(EventError) as refused:
        parse(raw)
    assert refused.value.where
    assert refused.value.remedy


def test_too_much_is_refused_before_it_is_parsed() -> None:
    began = time.perf_counter()
    for raw in (b" " * (MAX_BYTES + 1), b"<a>" + b"<b/>" * 400_000 + b"</a>", b"<a " + b'b="" ' * 300_000 + b"/>"):
        with pytest.raises(TooLarge):
            parse(raw)
    assert time.perf_counter() - began < SLOWEST_S


def test_chinese_encodings_are_read_as_declared() -> None:
    text = xml_document(xml_event(late="<ex:f>溯源</ex:f>")).decode()
    for encoding in ("utf-8", "gb18030", "utf-16"):
        raw = text.replace('encoding="UTF-8"', f'encoding="{encoding}"').encode(encoding)
        assert only_event(raw).extensions == {"{https://ex.example/}f": "溯源"}


def test_no_file_and_no_address_is_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Schema locations in a document would have the validator read them."""
    trap = tmp_path / "trap.xsd"
    trap.write_text('<xsd:schema xmlns:xsd="http://www.w3.org/2001/XMLSchema" targetNamespace="https://ex.example/"/>')
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        for place in (trap.as_uri(), str(trap), f"http://127.0.0.1:{port}/x.xsd"):
            located = f'xsi:schemaLocation="https://ex.example/ {place}"'
            raw = xml_document(xml_event(late=f"<ex:f {located}>x</ex:f>"), declared=located)
            before = trap.stat().st_atime_ns
            assert not complaints(parse(raw))
            assert trap.stat().st_atime_ns == before
        with pytest.raises(TimeoutError):
            server.accept()


def grown_by(raw: bytes) -> tuple[int, bool]:
    """(bytes of memory that this process had more at most while it read `raw`, whether it was taken), in a child."""
    script = (
        "import resource, sys\n"
        "from trace_core.errors import TooLarge\n"
        "from trace_server.ingest.xml_document import read_xml_document\n"
        "read_xml_document(sys.argv[1].encode())\n"
        "raw = sys.stdin.buffer.read()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    read_xml_document(raw); taken = 1\n"
        "except Exception as error:\n    taken = 0\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before, taken)\n"
    )
    small = xml_document(xml_event()).decode()
    done = subprocess.run([sys.executable, "-c", script, small], input=raw, capture_output=True, check=True)
    grown, taken = done.stdout.split()
    return int(grown) * 1024, taken == b"1"


def test_the_largest_documents_take_memory_in_proportion_and_the_worst_a_fixed_amount() -> None:
    epcs = "".join(f"<epc>urn:epc:id:sgtin:0614141.107346.{number}</epc>" for number in range(100, 140))
    large = xml_document(*[xml_event(number).replace("</epcList>", f"{epcs}</epcList>") for number in range(1, 900)])
    assert 1_700_000 < len(large) < MAX_BYTES
    grown, taken = grown_by(large)
    assert taken
    assert grown < 20 * len(large)
    for worst in (
        b"<a>" + b"<b/>" * 110_000 + b"</a>",
        b"<a " + b" ".join(b'b%d=""' % n for n in range(200_000)) + b"/>",
    ):
        grown, taken = grown_by(worst)
        assert not taken
        assert grown < 100_000_000


def seeds() -> list[bytes]:
    sensor = (
        "<sensorElementList><sensorElement><sensorMetadata time='2026-11-24T08:00:00Z' ex:a='b'/>"
        "<sensorReport type='gs1:Temperature' value='4.5' uom='CEL'/></sensorElement></sensorElementList>"
    )
    ilmd = "<ilmd><ex:a><ex:b ex:c='1'>2</ex:b></ex:a></ilmd>"
    deep = "<ex:n>" * 20 + "x" + "</ex:n>" * 20
    return [
        xml_document(xml_event(action="ADD", middle=sensor + ilmd, late=deep)),
        xml_document(xml_event(late="<ex:f xsi:type='xsd:integer'>7</ex:f>"), xml_event(2)),
        xml_document(xml_event(early="<baseExtension><eventID>urn:x:1</eventID></baseExtension>"), version="1.2"),
        xml_document(
            "<extension><TransformationEvent><eventTime>2026-11-24T08:00:00Z</eventTime><eventTimeZoneOffset>+00:00"
            "</eventTimeZoneOffset><inputEPCList><epc>urn:x:1</epc></inputEPCList><outputEPCList><epc>urn:x:2</epc>"
            "</outputEPCList></TransformationEvent></extension>",
            version="1.2",
        ),
    ]


PIECES = (
    b"<", b">", b"/>", b"</", b"&", b"&amp;", b"&#x41;", b"&#xD800;", b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?x ",
    b"?>", b"<!DOCTYPE a [", b"\x00", b"\xff\xfe", b"\xf0\x9f\x98\x80", b"xmlns=''", b"xmlns:ex=''", b"'", b'"', b"=",
    b"xsi:type='xsd:double'", b"xsi:nil='true'", b"1e999", b"NaN", b"-", b"9" * 400, b"<extension>", b"</extension>",
    b"<epc>", b"suyuan:json='[1]'", b"<s:more xmlns:s='urn:suyuan:epcis:' s:json='{\"a\":1}'/>", b"\n" * 50,
    b"9999-12-31T23:59:59-14:00", b"0001-01-01T00:00:00+14:00",
)  # fmt: skip


TEXTS = (
    "", " ", "x", "ADD", "-1", "1e400", "9" * 300, "urn:x:1", "https://id.gs1.org/01/1/21/" + "%" * 50, "gs1:Mass",
    "2026-02-30T25:61:61Z", "9999-12-31T23:59:59.999999999-14:00", "+14:01", "\u202e", "a" * 5000, "true", "{}", "KGM",
    "urn:epcglobal:cbv:bizstep:shipping", "urn:epc:idpat:sgtin:*.*.*",
)  # fmt: skip


def mutants(count: int) -> Iterator[bytes]:
    """Half with wrong structure but well formed, half with wrong syntax; the same every time."""
    dice = random.Random(20261124)
    originals = seeds()
    for number in range(count):
        raw = dice.choice(originals)
        yield restructured(raw, dice) if number % 2 else garbled(raw, dice)


def restructured(raw: bytes, dice: random.Random) -> bytes:
    """Elements moved, doubled, renamed, taken out, with other texts and attributes."""
    root = etree.fromstring(raw)
    for _ in range(dice.randint(1, 4)):
        elements = list(root.iter())
        one, other = dice.choice(elements), dice.choice(elements)
        match dice.randrange(7):
            case 0 if one.getparent() is not None:
                one.getparent().remove(one)
            case 1 if one is not other and one not in other.iterancestors():
                other.append(copy.deepcopy(one))
            case 2:
                one.text = dice.choice(TEXTS)
            case 3:
                one.tag = dice.choice(elements).tag
            case 4 if len(one.attrib):
                one.set(dice.choice(list(one.attrib)), dice.choice(TEXTS))
            case 5:
                one.set(dice.choice(("{urn:suyuan:epcis:}json", "{urn:suyuan:epcis:}list", "type", "{urn:x}y")), "true")
            case _:
                one.tail = dice.choice(TEXTS)
    return bytes(etree.tostring(root))


def garbled(original: bytes, dice: random.Random) -> bytes:
    """Bytes flipped, cut, doubled, and pieces of syntax thrown in."""
    raw = bytearray(original)
    for _ in range(dice.randint(1, 6)):
        place = dice.randrange(len(raw) + 1)
        match dice.randrange(5):
            case 0:
                raw[place : place + 1] = bytes([dice.randrange(256)])
            case 1:
                del raw[place : place + dice.randint(1, 40)]
            case 2:
                raw[place:place] = dice.choice(PIECES)
            case 3:
                raw[place:place] = raw[place : place + dice.randint(1, 200)]
            case _:
                tag = dice.choice((b"epc", b"ex:f", b"action", b"id", b"eventTime"))
                raw = bytearray(bytes(raw).replace(tag, dice.choice((b"epc", b"ex:g", b"quantity")), 1))
    return bytes(raw)


def judged(raw: bytes) -> bool:
    """True when the schema leaves the document's frame alone; the reader sees it in any case."""
    with contextlib.suppress(TraceError):
        events_from_xml(parse(raw))
    try:
        document = read_xml_document(raw)
    except TraceError as error:
        assert error.what
        return False
    origin = Origin("client:fuzz", NOW)
    for event in document.events:
        result = event.read(origin)
        assert isinstance(result, Taken | Rejection)
        if isinstance(result, Rejection):
            assert result.what
            assert event.alone()
    return True


def test_mutated_documents_neither_crash_nor_hang_nor_pile_up() -> None:
    began = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    slowest, taken = 0.0, 0
    for raw in mutants(MUTANTS):
        start = time.perf_counter()
        taken += judged(raw)
        slowest = max(slowest, time.perf_counter() - start)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - began
    sys.stdout.write(
        f"{MUTANTS} mutants, {taken} taken apart, slowest {slowest * 1000:.0f} ms, {grown} kB more memory\n"
    )
    assert slowest < SLOWEST_S
    assert grown < GROWTH_KB
    assert MUTANTS // 10 < taken < MUTANTS


@settings(max_examples=300, deadline=None)
@given(raw=st.binary(max_size=300) | st.text(max_size=100).map(lambda text: f"<a>{text}</a>".encode()))
def test_any_bytes_are_xml_or_refused(raw: bytes) -> None:
    try:
        events_from_xml(parse(raw))
    except TraceError as error:
        assert error.what
