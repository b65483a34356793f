"""LLRP, the client's end and how it finds messages: what `test_every_protocol.py` cannot know."""

from __future__ import annotations

import time

import pytest

from tests.core.readers.rig import START_S, Rig, heard, population, reads_of
from trace_core.errors import ConfigError, FrameError
from trace_core.readers import protocols
from trace_core.readers._base import BadBytes, DeviceEvent, DeviceState, FieldTag, HostOutput, Send, TagRead
from trace_core.readers.llrp.answers import Capabilities, Notification, Status, notification
from trace_core.readers.llrp.device import LlrpDevice
from trace_core.readers.llrp.host import GREETING_S, LlrpHost
from trace_core.readers.llrp.messages import (
    MAX_MESSAGE,
    TO_HOST,
    VERSION_1_0_1,
    VERSION_1_1,
    Message,
    MessageType,
    Scanner,
)
from trace_core.readers.llrp.parameters import Tlv, Tv, tlv, tv
from trace_core.readers.llrp.reports import ReportReader, epc_parameter

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
