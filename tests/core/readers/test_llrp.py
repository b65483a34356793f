"""LLRP, the client's end and the codec: what `test_every_protocol.py` cannot know."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.readers.rig import START_S, Rig, bad_of, heard, population, reads_of
from trace_core.errors import ConfigError, FrameError
from trace_core.readers import protocols
from trace_core.readers._base import BadBytes, DeviceEvent, DeviceState, FieldTag, HostOutput, Send, TagRead
from trace_core.readers.llrp.answers import Capabilities, Notification, Status, notification
from trace_core.readers.llrp.device import LlrpDevice
from trace_core.readers.llrp.host import GREETING_S, LlrpHost
from trace_core.readers.llrp.messages import (
    HEADER,
    MAX_MESSAGE,
    TO_HOST,
    VERSION_1_0_1,
    VERSION_1_1,
    Message,
    MessageType,
    Scanner,
)
from trace_core.readers.llrp.parameters import TV_LENGTH, Tlv, Tv, parameters, tlv, tv
from trace_core.readers.llrp.reports import ReportReader, TagSighting, epc_parameter, tag_crc
from trace_core.readers.llrp.specs import AiSpec, ReportSpec, RoSpec, events_of, keepalive_of, keepalive_spec

LLRP = protocols()["llrp"]
EPC = bytes.fromhex("30751FEB705C5904E3D50D70")
KINDS = MessageType


def report(*parts: bytes, version: int = VERSION_1_0_1) -> bytes:
    return Message(KINDS.RO_ACCESS_REPORT, 7, b"".join(parts), version).to_bytes()


def tag_data(*fields: bytes, epc: bytes = EPC) -> bytes:
    return tlv(Tlv.TAG_REPORT_DATA, epc_parameter(epc), *fields)


def event(*events: bytes) -> bytes:
    return Message(KINDS.READER_EVENT_NOTIFICATION, 1, notification(0, *events)).to_bytes()


def one_read(*fields: bytes) -> TagRead:
    (read,) = ReportReader().read(report(tag_data(*fields)))
    assert isinstance(read, TagRead)
    return read


def sent_kinds(rig: Rig) -> list[int]:
    return [Message.from_bytes(data).kind for data in rig.sent]


# Codec


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


# Finding messages in a stream


def test_a_message_over_the_limit_is_not_waited_for() -> None:
    big = Message(KINDS.RO_ACCESS_REPORT, 1, bytes(MAX_MESSAGE)).to_bytes()
    outputs = heard(LLRP.host({}), [big[:20] + report(tag_data())])
    assert len(reads_of(outputs)) == 1


def test_a_half_message_is_kept_however_long_its_rest_takes() -> None:
    host = LLRP.host({})
    raw = report(tag_data(), tag_data())
    outputs = [*host.receive(raw[:30], START_S)]
    for second in range(1, 50):
        outputs += host.tick(START_S + second / 100)
    assert not outputs
    assert len(reads_of(host.receive(raw[30:], START_S + 1))) == 2


def test_unknown_message_types_are_skipped_whole() -> None:
    vendor = Message(KINDS.CUSTOM_MESSAGE, 5, bytes(5) + report(tag_data())).to_bytes()
    outputs = heard(LLRP.host({}), [vendor + report()])
    assert not outputs


def test_a_long_message_that_trickles_in_is_walked_once() -> None:
    raw = report(*[tag_data() for _ in range(2_500)])
    assert len(raw) < MAX_MESSAGE
    scanner = Scanner(TO_HOST, Message.from_bytes)
    begun = time.perf_counter()
    out = [item for i in range(0, len(raw), 7) for item in scanner.feed(raw[i : i + 7])]
    assert [type(item) for item in out] == [Message]
    assert time.perf_counter() - begun < 2.0


# The client's order


def test_the_reader_speaks_first_and_then_everything_is_set_anew() -> None:
    rig = Rig(LLRP).run(1.0)
    assert sent_kinds(rig)[:6] == [
        KINDS.GET_READER_CAPABILITIES,
        KINDS.SET_READER_CONFIG,
        KINDS.DELETE_ROSPEC,
        KINDS.ADD_ROSPEC,
        KINDS.ENABLE_ROSPEC,
        KINDS.START_ROSPEC,
    ]
    assert LLRP.host({}).start(START_S) == []


def test_without_a_greeting_the_reader_is_asked_all_the_same() -> None:
    host = LlrpHost.from_options({})
    host.start(START_S)
    assert not host.tick(START_S + GREETING_S - 0.1)
    (send,) = host.tick(START_S + GREETING_S)
    assert isinstance(send, Send)
    assert Message.from_bytes(send.data).kind == KINDS.GET_READER_CAPABILITIES


def test_an_immediate_trigger_needs_no_start_command() -> None:
    rig = Rig(LLRP, host={"start": "immediate"})
    rig.tags = population(20, 3)
    rig.run(1.0)
    assert KINDS.START_ROSPEC not in sent_kinds(rig)
    assert rig.epcs() == {tag.epc for tag in rig.tags}


def test_keepalives_are_acknowledged_under_their_own_number() -> None:
    (ack,) = LLRP.host({}).receive(Message(KINDS.KEEPALIVE, 99).to_bytes(), START_S)
    assert ack == Send(bytes.fromhex("04480000000A00000063"))


def test_the_power_and_the_session_go_to_every_antenna_asked_for() -> None:
    rig = Rig(LLRP, host={"antennas": [1, 3], "power_index": 5, "session": 2})
    rig.tags = [FieldTag(EPC, antenna=n) for n in (1, 2, 3, 4)]
    rig.run(1.0)
    assert {read.antenna for read in rig.reads} == {1, 3}
    added = next(d for d in rig.sent if Message.from_bytes(d).kind == KINDS.ADD_ROSPEC)
    for antenna in (1, 3):
        head = antenna.to_bytes(2, "big") + tlv(Tlv.RF_TRANSMITTER, bytes.fromhex("000100010005"))
        assert head in added
    assert tlv(Tlv.C1G2_SINGULATION_CONTROL, bytes.fromhex("80002000000000")) in added


def test_a_power_that_the_reader_does_not_have_is_said_and_left_out() -> None:
    rig = Rig(LLRP, host={"power_index": 99})
    rig.tags = population(21, 2)
    rig.run(1.0)
    assert rig.states() == ["online", "fault"]
    assert "1 to 24" in rig.events[1].detail
    assert rig.reads


@pytest.mark.parametrize("version", ["1.0.1", "1.1"])
def test_the_newest_common_version_is_spoken(version: str) -> None:
    rig = Rig(LLRP, host={"version": "auto"}, device={"reader_version": version})
    rig.tags = population(22, 3)
    rig.run(3.0)
    assert rig.epcs() == {tag.epc for tag in rig.tags}
    assert rig.states() == ["online"]
    spoken = [Message.from_bytes(data).version for data in rig.sent]
    assert spoken[0] == VERSION_1_1
    assert set(spoken[2:]) == {VERSION_1_1 if version == "1.1" else VERSION_1_0_1}


def test_a_refused_step_is_reported_once_and_everything_is_tried_again() -> None:
    rig = Rig(LLRP, host={"antennas": [9]}).run(5.0)
    assert rig.states() == ["online", "fault"]
    assert rig.events[1].detail == "ADD_ROSPEC refused: 101 the reader has 4 antennas"
    assert sent_kinds(rig).count(KINDS.ADD_ROSPEC) > 2


def test_an_inventory_that_the_reader_ends_is_begun_again() -> None:
    rig = Rig(LLRP)
    rig.tags = population(23, 2)
    rig.run(1.0)
    assert isinstance(rig.device, LlrpDevice)
    rig.device.receive(Message(KINDS.STOP_ROSPEC, 1, bytes(4)).to_bytes(), rig.now)
    ended = Message(
        KINDS.READER_EVENT_NOTIFICATION, 5, notification(0, tlv(249, b"\1", (1).to_bytes(4, "big"), bytes(4)))
    )
    rig._deliver(ended.to_bytes())
    rig.reads.clear()
    rig.run(2.0)
    assert rig.states() == ["online", "fault"]
    assert rig.epcs() == {tag.epc for tag in rig.tags}


@pytest.mark.parametrize(
    ("events", "state", "word"),
    [
        ([tlv(Tlv.ANTENNA_EVENT, b"\0\0\3")], DeviceState.FAULT, "antenna 3"),
        ([tlv(Tlv.ANTENNA_EVENT, b"\1\0\3")], DeviceState.ONLINE, "antenna 3"),
        ([tlv(Tlv.BUFFER_LEVEL_WARNING, b"\x5a")], DeviceState.DATA_LOSS, "90 %"),
        ([tlv(Tlv.BUFFER_OVERFLOW)], DeviceState.DATA_LOSS, "overflow"),
        ([tlv(Tlv.READER_EXCEPTION, b"\0\4warm")], DeviceState.FAULT, "warm"),
        ([tlv(Tlv.CONNECTION_CLOSED)], DeviceState.FAULT, "closes"),
        ([tlv(Tlv.CONNECTION_ATTEMPT, b"\0\2")], DeviceState.FAULT, "another client"),
        ([tlv(Tlv.CONNECTION_ATTEMPT, b"\0\x63")], DeviceState.FAULT, "99"),
        ([tlv(Tlv.CUSTOM, b"x"), tlv(Tlv.BUFFER_OVERFLOW)], DeviceState.DATA_LOSS, "overflow"),
    ],
)
def test_what_the_reader_says_about_itself_becomes_an_event(events: list[bytes], state: DeviceState, word: str) -> None:
    (output,) = LLRP.host({}).receive(event(*events), START_S)
    assert isinstance(output, DeviceEvent)
    assert output.state is state
    assert word in output.detail


def test_a_cut_event_or_answer_is_bad_bytes_and_no_event() -> None:
    for kind in (249, 250, 252, 255, 256):
        outputs = heard(LLRP.host({}), [event(tlv(kind))])
        assert [type(o) for o in outputs] == [BadBytes], kind
    short = Message(KINDS.GET_READER_CAPABILITIES_RESPONSE, 1, Status(0).to_bytes()).to_bytes()
    assert [type(o) for o in heard(LLRP.host({}), [short])] == [BadBytes]
    cut = Message(KINDS.ERROR_MESSAGE, 1, tlv(Tlv.LLRP_STATUS, b"\0\1\0\5ab")).to_bytes()
    assert [type(o) for o in heard(LLRP.host({}), [cut])] == [BadBytes]


def test_answers_to_nothing_that_was_asked_change_nothing() -> None:
    late = Message(KINDS.ADD_ROSPEC_RESPONSE, 77, Status(101, "late").to_bytes()).to_bytes()
    rig = Rig(LLRP).run(1.0)
    sent = len(rig.sent)
    rig._deliver(late)
    rig.run(0.1)
    assert rig.states() == ["online"]
    assert len(rig.sent) == sent


def test_a_busy_reader_that_answers_late_is_waited_for() -> None:
    device = LLRP.device({})
    host = LlrpHost.from_options({})
    host.start(START_S)
    greeting = device.tick(START_S, ())
    asked = [o.data for g in greeting for o in host.receive(g, START_S) if isinstance(o, Send)]
    outputs: list[HostOutput] = []
    for tenth in range(1, 40):
        outputs += host.tick(START_S + tenth / 10)
    assert len([o for o in outputs if isinstance(o, Send)]) >= 5
    assert not [o for o in outputs if isinstance(o, DeviceEvent)]
    (online, following) = host.receive(device.receive(asked[0], START_S + 4), START_S + 4)
    assert isinstance(online, DeviceEvent)
    assert isinstance(following, Send)


def test_capabilities_without_regulatory_data_are_enough() -> None:
    body = tlv(Tlv.GENERAL_CAPABILITIES, bytes.fromhex("00024000 00007ED9 00000001 0001 41"))
    assert Capabilities.of(body) == Capabilities(2, 32_473, 1, "A", {}, 0)
    with pytest.raises(FrameError):
        Capabilities.of(tlv(Tlv.GENERAL_CAPABILITIES, bytes(13)))
    assert Notification.of(notification(5)).attempt is None


@pytest.mark.parametrize(
    "options",
    [
        {"antennas": []},
        {"antennas": [0]},
        {"antennas": [1, 1]},
        {"antennas": "1"},
        {"antennas": [True]},
        {"power_index": -1},
        {"power_index": "5"},
        {"session": 4},
        {"session": True},
        {"keepalive_s": 0},
        {"keepalive_s": "2"},
        {"start": "none"},
        {"version": "2.0"},
        {"check_tag_crc": 1},
    ],
    ids=str,
)
def test_options_out_of_range_are_configuration_errors(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        LLRP.host(options)


def test_another_client_that_tries_to_connect_is_said_and_disturbs_nothing() -> None:
    rig = Rig(LLRP)
    rig.tags = population(24, 2)
    rig.run(1.0)
    sent = len(rig.sent)
    rig._deliver(event(tlv(Tlv.CONNECTION_ATTEMPT, b"\0\4")))
    rig.reads.clear()
    rig.run(1.0)
    assert rig.states() == ["online", "fault"]
    assert rig.epcs() == {tag.epc for tag in rig.tags}
    assert not [k for k in sent_kinds(rig)[sent:] if k != KINDS.KEEPALIVE_ACK]


def test_an_answer_of_another_kind_under_the_same_number_is_not_taken() -> None:
    host = LlrpHost.from_options({})
    host.start(START_S)
    greeting = event(tlv(Tlv.CONNECTION_ATTEMPT, b"\0\0"))
    (send,) = host.receive(greeting, START_S)
    assert isinstance(send, Send)
    number = Message.from_bytes(send.data).id
    wrong = Message(KINDS.ADD_ROSPEC_RESPONSE, number, Status(0).to_bytes()).to_bytes()
    assert not host.receive(wrong, START_S)


def test_a_refused_repetition_begins_everything_anew_without_a_fault() -> None:
    rig = Rig(LLRP)
    rig.tags = population(25, 2)
    dropped: list[int] = []

    def lossy(data: bytes) -> list[bytes]:
        """The reader's first answer to ADD_ROSPEC is lost, so the repetition finds the ROSpec there."""
        kinds = [Message.from_bytes(data).kind] if data else []
        if kinds == [KINDS.ADD_ROSPEC_RESPONSE] and not dropped:
            dropped.append(kinds[0])
            return []
        return [data] if data else []

    rig._out = lossy
    rig.run(3.0)
    assert dropped
    assert rig.states() == ["online"]
    assert rig.epcs() == {tag.epc for tag in rig.tags}


def test_what_only_looks_like_a_message_behind_a_half_one_does_not_end_the_wait() -> None:
    wrong = report(tlv(Tlv.TAG_REPORT_DATA, tv(Tv.ANTENNA_ID, 1)))
    whole = report(tag_data(tlv(Tlv.CUSTOM, wrong)), tag_data())
    host = LLRP.host({})
    cut = whole.index(wrong) + len(wrong)
    host.receive(whole[:cut], START_S)
    assert not [o for n in range(1, 9) for o in host.tick(START_S + n / 10)]
    assert len(reads_of(host.receive(whole[cut:], START_S + 1))) == 2
