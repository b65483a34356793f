"""LLRP messages, parameters and tag reports: round trips, limits, and what cannot be right."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.readers.rig import bad_of, heard, reads_of
from tests.core.readers.test_llrp import EPC, KINDS, LLRP, one_read, report, tag_data
from trace_core.errors import FrameError
from trace_core.readers._base import BadBytes, TagRead
from trace_core.readers.llrp.answers import Status
from trace_core.readers.llrp.messages import (
    HEADER,
    Message,
)
from trace_core.readers.llrp.parameters import TV_LENGTH, Tlv, Tv, parameters, tlv, tv
from trace_core.readers.llrp.reports import ReportReader, TagSighting, epc_parameter, tag_crc
from trace_core.readers.llrp.specs import AiSpec, ReportSpec, RoSpec, events_of, keepalive_of, keepalive_spec


@given(
    kind=st.integers(0, 1023),
    number=st.integers(0, 0xFFFF_FFFF),
    body=st.binary(max_size=300),
    version=st.sampled_from([1, 2]),
)
def test_a_message_comes_back_as_it_was(kind: int, number: int, body: bytes, version: int) -> None:
    message = Message(kind, number, body, version)
    raw = message.to_bytes()
    assert len(raw) == int.from_bytes(raw[2:6], "big") == HEADER + len(body)
    assert Message.from_bytes(raw) == message


PARAMETER = st.one_of(
    st.sampled_from(list(TV_LENGTH)).flatmap(
        lambda kind: st.tuples(st.just(kind), st.binary(min_size=TV_LENGTH[kind], max_size=TV_LENGTH[kind]))
    ),
    st.tuples(st.integers(128, 1023), st.binary(max_size=40)),
)


@given(items=st.lists(PARAMETER, max_size=12))
def test_parameters_of_both_forms_come_back_in_order(items: list[tuple[int, bytes]]) -> None:
    data = b"".join(tv(kind, value) if kind < 128 else tlv(kind, value) for kind, value in items)
    assert list(parameters(data)) == items


@given(data=st.binary(max_size=200))
def test_no_bytes_make_the_parameter_reader_raise_anything_but_a_frame_error(data: bytes) -> None:
    try:
        items = list(parameters(data))
    except FrameError:
        return
    assert sum(len(value) for _, value in items) <= len(data)


ANTENNAS = st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=4).map(tuple)
REPORT = st.builds(
    ReportSpec,
    trigger=st.integers(0, 2),
    every=st.integers(0, 0xFFFF),
    fields=st.integers(0, 0xFFFF),
    memory=st.integers(0, 255),
)
INVENTORY = st.builds(AiSpec, antennas=ANTENNAS, stop=st.integers(0, 1), duration_ms=st.integers(0, 0xFFFF_FFFF))
ROSPEC = st.builds(
    RoSpec,
    id=st.integers(1, 0xFFFF_FFFF),
    priority=st.integers(0, 7),
    start=st.integers(0, 1),
    stop=st.integers(0, 1),
    duration_ms=st.integers(0, 0xFFFF_FFFF),
    inventories=st.lists(INVENTORY, min_size=1, max_size=3).map(tuple),
    report=st.none() | REPORT,
)


@given(spec=ROSPEC)
def test_a_rospec_comes_back_as_it_was(spec: RoSpec) -> None:
    ((kind, value),) = parameters(spec.to_bytes())
    assert kind == Tlv.ROSPEC
    assert RoSpec.from_value(value) == spec


def test_a_periodic_rospec_comes_back_as_it_was() -> None:
    spec = RoSpec(3, start=2, offset_ms=100, period_ms=5_000)
    assert RoSpec.from_value(spec.to_bytes()[4:]) == spec


@settings(max_examples=300)
@given(data=st.data())
def test_a_rospec_damaged_anywhere_is_read_or_refused_but_never_raises_otherwise(data: st.DataObject) -> None:
    value = bytearray(RoSpec(3, inventories=(AiSpec((1, 2)), AiSpec()), report=ReportSpec()).to_bytes()[4:])
    for _ in range(data.draw(st.integers(1, 3))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))
    try:
        RoSpec.from_value(bytes(value[: data.draw(st.integers(0, len(value)))]))
    except FrameError:
        return


@pytest.mark.parametrize(
    "value",
    [
        RoSpec(3, start=3).to_bytes()[4:],
        RoSpec(3, stop=2).to_bytes()[4:],
        RoSpec(3, priority=8).to_bytes()[4:],
        RoSpec(0).to_bytes()[4:],
        RoSpec(3, inventories=()).to_bytes()[4:],
        RoSpec(3, inventories=(AiSpec(()),)).to_bytes()[4:],
        RoSpec(3, start=2).to_bytes()[4:],
        RoSpec(3, report=ReportSpec(trigger=3)).to_bytes()[4:],
        RoSpec(3).to_bytes()[4:] * 2,
    ],
    ids=["GPI start", "GPI stop", "priority", "id 0", "no AISpec", "no antenna", "no period", "report", "twice"],
)
def test_a_rospec_that_the_simulated_reader_cannot_do_is_refused(value: bytes) -> None:
    with pytest.raises(FrameError):
        RoSpec.from_value(value)


def test_keepalives_of_no_length_are_refused() -> None:
    assert keepalive_of(keepalive_spec(2_000)[4:]) == 2_000
    assert keepalive_of(keepalive_spec(0)[4:]) == 0
    for wrong in (b"\x01\0\0\0\0", b"\x02\0\0\0\1", b"\x01"):
        with pytest.raises(FrameError):
            keepalive_of(wrong)
    with pytest.raises(FrameError):
        events_of(tlv(Tlv.EVENT_STATE, b"\0"))


@given(code=st.integers(0, 0xFFFF), text=st.text(max_size=80))
def test_a_status_comes_back_as_it_was(code: int, text: str) -> None:
    status = Status(code, text)
    assert Status.of(status.to_bytes()) == status


def test_a_parameter_that_is_too_long_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="parameter"):
        tlv(Tlv.CUSTOM, bytes(0x10000))
    with pytest.raises(ValueError, match="has 2 bytes"):
        tv(Tv.ANTENNA_ID, b"\0")


# Tag reports


SIGHTING = st.builds(
    TagSighting,
    epc=st.binary(min_size=1, max_size=31).map(lambda half: half + half),
    antenna=st.integers(1, 0xFFFF),
    rssi_dbm=st.integers(-128, 127),
    first_us=st.integers(1, 2**53),
    last_us=st.integers(1, 2**53),
    count=st.integers(1, 0xFFFF),
    rospec=st.just(1),
    spec_index=st.just(1),
    inventory_spec=st.just(1),
    channel=st.just(1),
)


@given(sightings=st.lists(SIGHTING, min_size=1, max_size=20), fields=st.integers(0, 0xFFFF), memory=st.integers(0, 3))
def test_a_report_gives_back_what_its_reader_saw(sightings: list[TagSighting], fields: int, memory: int) -> None:
    body = [sighting.to_bytes(fields, memory << 6) for sighting in sightings]
    reads = ReportReader().read(report(*body))
    assert len(reads) == len(sightings)
    for read, sighting in zip(reads, sightings, strict=True):
        assert isinstance(read, TagRead)
        assert read.epc == sighting.epc
        assert read.antenna == (sighting.antenna if fields & 0x1000 else None)
        assert read.rssi_dbm == (sighting.rssi_dbm if fields & 0x0400 else None)
        assert read.count == (sighting.count if fields & 0x0080 else 1)
        seen_us = sighting.last_us if fields & 0x0100 else sighting.first_us if fields & 0x0200 else None
        if seen_us is None:
            assert read.reader_time is None
        else:
            assert read.reader_time is not None
            assert (read.reader_time - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() == pytest.approx(seen_us / 1e6)


FIELD = st.one_of(
    st.sampled_from(list(TV_LENGTH)).map(lambda kind: bytes((0x80 | kind,))),
    st.binary(max_size=14),
    st.just(epc_parameter(EPC)),
    st.just(epc_parameter(EPC + EPC)),
)


@settings(max_examples=300)
@given(
    kind=st.sampled_from(
        [KINDS.RO_ACCESS_REPORT, KINDS.READER_EVENT_NOTIFICATION, KINDS.ERROR_MESSAGE, *range(30, 37)]
    ),
    fields=st.lists(FIELD, max_size=8),
    parent=st.sampled_from([Tlv.TAG_REPORT_DATA, Tlv.READER_EVENT_DATA, Tlv.LLRP_STATUS, Tlv.CUSTOM]),
)
def test_no_contents_of_a_message_raise_or_make_a_tag_that_is_not_in_them(
    kind: int, fields: list[bytes], parent: int
) -> None:
    body = tlv(parent, *fields)
    for read in reads_of(heard(LLRP.host({}), [Message(kind, 1, body).to_bytes()])):
        assert read.epc in body


def test_every_known_field_and_unknown_parameters_are_stepped_over_in_any_order() -> None:
    others = [tv(kind, bytes(TV_LENGTH[kind])) for kind in TV_LENGTH if kind not in (Tv.EPC_96, Tv.C1G2_CRC)]
    vendor = tlv(Tlv.CUSTOM, bytes(9))
    unknown = tlv(999, b"x")
    for parts in ((*others, vendor, unknown), (unknown, vendor, *reversed(others))):
        assert one_read(*parts).epc == EPC
    assert one_read(vendor, vendor).epc == EPC


def test_values_that_say_nothing_are_absent() -> None:
    read = one_read(tv(Tv.ANTENNA_ID, 0), tv(Tv.SEEN_COUNT, 0), tv(Tv.LAST_SEEN_UTC, 2**64 - 1))
    assert read == TagRead(EPC)
    assert one_read(tv(Tv.PEAK_RSSI, -128)).rssi_dbm == -128.0


@pytest.mark.parametrize(
    "parts",
    [
        [tlv(Tlv.TAG_REPORT_DATA)],
        [tlv(Tlv.TAG_REPORT_DATA, tv(Tv.ANTENNA_ID, 1))],
        [tag_data(tv(Tv.EPC_96, EPC))],
        [tag_data(tlv(Tlv.EPC_DATA, b"\0\x10\1\2"))],
        [tag_data(tv(Tv.ANTENNA_ID, 1), tv(Tv.ANTENNA_ID, 2))],
        [tlv(Tlv.TAG_REPORT_DATA, tlv(Tlv.EPC_DATA, b"\0\0"))],
        [tlv(Tlv.TAG_REPORT_DATA, tlv(Tlv.EPC_DATA, b"\0\x0c\1\2"))],
        [tlv(Tlv.TAG_REPORT_DATA, tlv(Tlv.EPC_DATA, b"\x02\x00" + bytes(64)))],
        [tag_data(b"\x95\0\0")],
        [tag_data() + b"\0"],
    ],
    ids=[
        "empty",
        "no EPC",
        "EPC twice",
        "both forms",
        "antenna twice",
        "0 bits",
        "12 bits",
        "512 bits",
        "TV 21",
        "rest",
    ],
)
def test_a_report_that_cannot_be_right_gives_no_read(parts: list[bytes]) -> None:
    with pytest.raises(FrameError):
        ReportReader().read(report(*parts))
    assert not reads_of(heard(LLRP.host({}), [report(*parts)]))


def test_one_wrong_tag_does_not_take_its_neighbours_with_it() -> None:
    pc = tv(Tv.C1G2_PC, 0x3000)
    right = tag_data(pc, tv(Tv.C1G2_CRC, tag_crc(0x3000, EPC)))
    wrong = tag_data(pc, tv(Tv.C1G2_CRC, tag_crc(0x3000, EPC) ^ 1))
    longer = tag_data(tv(Tv.C1G2_PC, 0x4000), tv(Tv.C1G2_CRC, 0))
    outputs = heard(LLRP.host({}), [report(right, wrong, longer, right)])
    assert [read.epc for read in reads_of(outputs)] == [EPC, EPC]
    assert [bad.reason for bad in bad_of(outputs)] == ["tag_crc", "pc_length"]


def test_a_reader_that_sends_tag_crcs_is_not_believed_without() -> None:
    reader = ReportReader()
    crc = tag_data(tv(Tv.C1G2_PC, 0x3000), tv(Tv.C1G2_CRC, tag_crc(0x3000, EPC)))
    assert isinstance(reader.read(report(tag_data()))[0], TagRead)
    assert isinstance(reader.read(report(crc))[0], TagRead)
    assert reader.read(report(crc, tag_data()))[1] == BadBytes("no_tag_crc", tag_data()[4:])


def test_tags_with_xpc_words_are_taken_without_their_crc_being_known() -> None:
    pc = tv(Tv.C1G2_PC, 0x3200)
    assert one_read(pc, tv(Tv.C1G2_XPC_W1, 1), tv(Tv.C1G2_CRC, 5)).epc == EPC
    assert one_read(pc, tv(Tv.C1G2_CRC, 5)).epc == EPC


def test_the_check_of_tag_crcs_can_be_switched_off() -> None:
    wrong = report(tag_data(tv(Tv.C1G2_PC, 0x3000), tv(Tv.C1G2_CRC, 1)))
    assert not reads_of(heard(LLRP.host({}), [wrong]))
    assert reads_of(heard(LLRP.host({"check_tag_crc": False}), [wrong]))


def test_many_kinds_of_reports_take_bounded_memory() -> None:
    reader = ReportReader()
    for length in range(2_000):
        reader.read(report(tag_data(tlv(Tlv.CUSTOM, bytes(length)))))
    assert len(reader._layouts) <= 256


def test_a_report_of_half_a_thousand_tags_is_read_fast() -> None:
    sighting = TagSighting(EPC, 1, -55, 1, 2, 3, 1, 1, 1, 1)
    raw = report(*[replace(sighting, antenna=1 + n % 4).to_bytes(0x1780, 0xC0) for n in range(500)])
    reader = ReportReader()
    begun = time.perf_counter()
    for _ in range(10):
        assert len(reader.read(raw)) == 500
    assert 5_000 / (time.perf_counter() - begun) > 20_000, "tags per second"
