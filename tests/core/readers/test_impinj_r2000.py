"""Impinj R2000: the parts that no other protocol has."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.faults import Cable, CableFaults
from tests.core.readers.rig import START_S, Rig, bad_of, frames_of, heard, population, reads_of
from trace_core.errors import ConfigError, FrameError
from trace_core.readers._base import DeviceEvent, FieldTag, TagRead
from trace_core.readers._checks import genibus, neg8
from trace_core.readers.impinj_r2000 import PROTOCOL
from trace_core.readers.impinj_r2000.device import R2000Device
from trace_core.readers.impinj_r2000.frames import Code, Command, Frame, tag_frame
from trace_core.readers.impinj_r2000.host import R2000Host

TAG = FieldTag(bytes.fromhex("3034B75F19600021F0138250"), bytes.fromhex("E2801160200070AA"), rssi_dbm=-55.0)
OTHER = FieldTag(bytes.fromhex("E2801160600002054CC2096F"), antenna=2, rssi_dbm=-60.0)
REALTIME = {"mode": "realtime"}
AT_ONCE = {"mode": "realtime", "sightings": 1}


def device(**options: object) -> R2000Device:
    session = PROTOCOL.device(options)
    assert isinstance(session, R2000Device)
    return session


def answer(session: R2000Device, code: int, data: bytes = b"", now: float = START_S) -> Frame:
    return Frame.from_bytes(session.receive(Frame(0xFF, code, data).to_bytes(), now))


def test_the_frame_check_has_the_published_check_value() -> None:
    assert neg8(b"123456789") == 0x23
    assert neg8(bytes.fromhex("A0030172")) == 0xEA


@given(address=st.integers(0, 255), command=st.integers(0, 255), data=st.binary(max_size=252))
def test_a_frame_comes_back_from_its_bytes(address: int, command: int, data: bytes) -> None:
    frame = Frame(address, command, data)
    assert Frame.from_bytes(frame.to_bytes()) == frame


@pytest.mark.parametrize("data", [b"", b"\xa0", bytes.fromhex("A0030172EB"), bytes.fromhex("A0030172EAA0")])
def test_what_is_not_exactly_one_frame_is_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        Frame.from_bytes(data)


def test_a_frame_or_tag_that_cannot_be_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="bytes of data"):
        Frame(1, 2, bytes(253)).to_bytes()
    with pytest.raises(ValueError, match="words"):
        tag_frame((1, 0x89), bytes(3), 1, -50)


@given(words=st.integers(1, 31), rssi=st.integers(-129, -2), port=st.integers(1, 8), data=st.data())
def test_any_tag_comes_back_from_its_frame_on_eight_ports(
    words: int, rssi: int, port: int, data: st.DataObject
) -> None:
    epc = data.draw(st.binary(min_size=2 * words, max_size=2 * words))
    raw = tag_frame((1, Command.INVENTORY), epc, port, rssi)
    reads = reads_of(heard(PROTOCOL.host({"ports": 8, **AT_ONCE}), [raw]))
    assert reads == [TagRead(epc, port, float(rssi))]


def _record(pc: int, body: bytes, *, crc: int | None = None, tail: bytes = b"\x45\x04\x01") -> bytes:
    field = pc.to_bytes(2, "big") + body
    field += (genibus(field) if crc is None else crc).to_bytes(2, "big")
    return Frame(1, Command.GET_BUFFER, b"\0\1" + bytes((len(field),)) + field + tail).to_bytes()


def test_a_buffer_record_is_read_with_its_count_and_without_xpc() -> None:
    raw = _record(0x3000, TAG.epc, tail=b"\x45\x05\x07")
    assert reads_of(heard(PROTOCOL.host({}), [raw])) == [TagRead(TAG.epc, 2, -60.0, count=7)]
    for pc, xpc in ((0x3200, b"\0\1"), (0x3A00, b"\0\1"), (0x3200, b"\x80\1\0\2"), (0x4200, b"\x80\1\0\2")):
        assert [r.epc for r in reads_of(heard(PROTOCOL.host({}), [_record(pc, xpc + TAG.epc)]))] == [TAG.epc]


@pytest.mark.parametrize(
    "raw",
    [
        _record(0x3000, TAG.epc, crc=0),
        _record(0x2800, TAG.epc),
        _record(0x0000, b""),
        _record(0x3000, TAG.epc, tail=b"\xc5\x04\x01"),
    ],
)
def test_a_record_that_contradicts_itself_is_a_data_fault_and_no_tag(raw: bytes) -> None:
    outputs = heard(PROTOCOL.host({}), [raw])
    assert not reads_of(outputs)
    assert bad_of(outputs)


@pytest.mark.parametrize("end_frames", ["V3", "V2.2"])
@pytest.mark.parametrize("host", [{}, REALTIME, {**REALTIME, "session": 1}, {**REALTIME, "session": 2, "phase": True}])
def test_every_kind_of_inventory_reads_every_antenna(end_frames: str, host: dict[str, object]) -> None:
    rig = Rig(PROTOCOL, host=host, device={"end_frames": end_frames})
    rig.tags = population(1, 16)
    rig.run(3.0)
    assert {(r.epc, r.antenna) for r in rig.reads} == {(t.epc, t.antenna) for t in rig.tags}
    assert rig.states() == ["online"]
    assert not rig.bad


def test_eight_ports_are_read_in_turn() -> None:
    rig = Rig(PROTOCOL, host={"ports": 8}, device={"ports": 8})
    rig.tags = [FieldTag(bytes((0x30, port)) * 6, antenna=port) for port in range(1, 9)]
    rig.run(4.0)
    assert {(r.epc, r.antenna) for r in rig.reads} == {(t.epc, t.antenna) for t in rig.tags}


def test_the_host_identifies_configures_selects_and_reads_in_this_order() -> None:
    rig = Rig(PROTOCOL, host={"address": 1, "region": "CHN", "power_dbm": 20, "antennas": [2]}).run(0.3)
    sent = [Frame.from_bytes(data) for data in rig.sent[:7]]
    assert [(f.command, f.data.hex()) for f in sent] == [
        (Command.FIRMWARE, ""),
        (Command.SET_REGION, "032b35"),
        (Command.SET_TEMPORARY_POWER, "14"),
        (Command.SET_ANTENNA, "01"),
        (Command.BUFFER_INVENTORY, "01"),
        (Command.GET_BUFFER, ""),
        (Command.SET_ANTENNA, "01"),
    ]
    assert rig.events[0].detail == "R2000 firmware 3.7, address 01"


def test_an_antenna_that_is_missing_is_told_once_and_the_others_are_read() -> None:
    rig = Rig(PROTOCOL)
    assert isinstance(rig.device, R2000Device)
    rig.device.broken_ports = {0, 2}
    rig.tags = [TAG, OTHER]
    rig.run(5.0)
    assert rig.epcs() == {OTHER.epc}
    assert [e.detail for e in rig.events[1:]] == ["antenna 1: error 22", "antenna 3: error 22"]


def test_a_reader_without_any_antenna_is_a_fault_and_no_flood() -> None:
    rig = Rig(PROTOCOL)
    assert isinstance(rig.device, R2000Device)
    rig.device.broken_ports = {0, 1, 2, 3}
    rig.run(10.0)
    assert len(rig.sent) < 200
    assert rig.states() == ["online"] + 4 * ["fault"]


def test_a_refused_setting_is_a_fault_and_reading_goes_on() -> None:
    rig = Rig(PROTOCOL, host={"power_dbm": 33})
    rig.device._answers.pop(Command.SET_TEMPORARY_POWER)  # type: ignore[attr-defined]
    rig.tags = [TAG]
    rig.run(2.0)
    assert rig.states() == ["online", "fault"]
    assert rig.epcs() == {TAG.epc}


def test_another_address_on_the_line_is_neither_heard_nor_answered() -> None:
    rig = Rig(PROTOCOL, host={"address": 7}).run(5.0)
    assert rig.states() == ["silent"]
    assert Rig(PROTOCOL, host={"address": 7}, device={"address": 7}).run(1.0).states() == ["online"]
    session = device(address=7)
    assert Frame.from_bytes(session.receive(Frame(0xFF, Command.FIRMWARE).to_bytes(), START_S)).address == 7


def test_realtime_reading_on_a_bad_line_invents_no_tag() -> None:
    tags = population(3, 100)
    frames = [tag_frame((1, Command.INVENTORY), tag.epc, tag.antenna, tag.rssi_dbm) for tag in tags]
    session = PROTOCOL.host(REALTIME)
    rng = random.Random(4)
    cable = Cable(CableFaults(lose=0.3, garble=0.4, repeat=0.2, noise=0.2, cut=0.2), seed=5)
    read = set()
    for _ in range(20_000):
        frame = rng.choice(frames)
        data = b"".join(cable.carry(frame)) if rng.random() < 0.25 else frame
        read |= {r.epc for r in reads_of(session.receive(data, START_S))}
    assert cable.damaged > 3_500
    assert read == {tag.epc for tag in tags}


def test_a_tag_seen_too_seldom_in_realtime_is_kept_for_quarantine() -> None:
    session = PROTOCOL.host(REALTIME)
    rare = tag_frame((1, Command.INVENTORY), OTHER.epc, 2, -60)
    known = tag_frame((1, Command.INVENTORY), TAG.epc, 1, -50)
    assert not reads_of(session.receive(rare * 2, START_S))
    assert len(reads_of(session.receive(known * 2_000, START_S))) == 2_000
    outputs = session.receive(tag_frame((1, Command.INVENTORY), TAG.epc[::-1], 1, -50), START_S)
    assert [(bad.reason, bad.data) for bad in bad_of(outputs)] == [("unconfirmed", rare)]


def test_one_inventory_fault_is_told_once() -> None:
    session = PROTOCOL.host({})
    outputs = session.receive(Frame(1, Command.INVENTORY, b"\x31").to_bytes() * 5, START_S)
    assert [o.detail for o in outputs if isinstance(o, DeviceEvent)] == ["inventory error 31"]


def test_frames_of_the_device_are_one_record_each() -> None:
    frames = frames_of(PROTOCOL, [TAG, OTHER], 1.0)
    records = [f for f in frames if len(f) > 6 and f[3] == Command.GET_BUFFER]
    assert records
    assert all(len(reads_of(heard(PROTOCOL.host({}), [f]))) == 1 for f in records)


@pytest.mark.parametrize(
    "options",
    [
        {"address": 256},
        {"ports": 5},
        {"antennas": []},
        {"antennas": [1, 1]},
        {"antennas": [5]},
        {"antennas": "1"},
        {"region": "MARS"},
        {"power_dbm": 34},
        {"power_dbm": True},
        {"session": 1},
        {"phase": True},
        {"phase": 1},
        {"repeat": 0},
        {"mode": "both"},
        {"sightings": 0},
        {"first_byte": "x"},
    ],
)
def test_a_wrong_host_option_is_refused_with_its_name(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        R2000Host.from_options(options)
    assert caught.value.where in options


@pytest.mark.parametrize("options", [{"address": -1}, {"end_frames": "V9"}, {"round_ms": 0}])
def test_a_wrong_device_option_is_refused_with_its_name(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        device(**options)
    assert caught.value.where in options


def test_a_battery_byte_is_no_antenna() -> None:
    raw = tag_frame((1, Command.INVENTORY), TAG.epc, 3, -50)
    assert reads_of(heard(PROTOCOL.host({"first_byte": "battery", **AT_ONCE}), [raw]))[0].antenna is None


# The simulated reader


def test_commands_during_a_round_are_lost_and_its_end_comes_after_its_tags() -> None:
    session = device()
    session.receive(Frame(1, Command.INVENTORY, b"\1").to_bytes(), START_S)
    assert session.receive(Frame(1, Command.FIRMWARE).to_bytes(), START_S + 0.01) == b""
    assert not session.tick(START_S + 0.02, [TAG])
    frames = [Frame.from_bytes(f) for f in session.tick(START_S + 0.1, [TAG, OTHER])]
    assert [len(f.data) for f in frames] == [16, 7]
    assert frames[-1].data[-1] == 1
    assert not session.tick(START_S + 1.0, [TAG])


def test_a_fast_switch_tells_missing_antennas_and_goes_on() -> None:
    for end_frames, ask, end in (("V3", "0001010102ff03ff0001", 7), ("V2.2", "0001020301", 8)):
        session = device(end_frames=end_frames)
        session.broken_ports = {0}
        session.receive(Frame(1, Command.FAST_SWITCH, bytes.fromhex(ask)).to_bytes(), START_S)
        frames = session.tick(START_S + 0.5, [TAG, OTHER])
        assert Frame.from_bytes(frames[0]).data == b"\x00\x22"
        assert len(Frame.from_bytes(frames[-1]).data) == end
        host = PROTOCOL.host({"antennas": [2], **AT_ONCE})
        outputs = heard(host, frames)
        assert [r.epc for r in reads_of(outputs)] == [OTHER.epc]
        assert not bad_of(outputs)


@pytest.mark.parametrize("command", [(Command.RESET, b""), (Command.SET_BAUD, b"\x03")])
def test_after_reset_and_new_speed_the_reader_is_dark_for_a_second(command: tuple[int, bytes]) -> None:
    session = device()
    reply = session.receive(Frame(1, *command).to_bytes(), START_S)
    assert reply == (b"" if command[0] == Command.RESET else Frame(1, Command.SET_BAUD, b"\x10").to_bytes())
    assert session.baud == 115_200
    session.tick(START_S, [])
    ask = Frame(1, Command.FIRMWARE).to_bytes()
    assert session.receive(ask, START_S + 0.9) == b""
    assert session.receive(ask, START_S + 1.1) != b""
    assert session.baud == (115_200 if command[0] == Command.RESET else 38_400)


@pytest.mark.parametrize(
    ("setter", "getter", "value"),
    [
        (Command.SET_ANTENNA, Command.GET_ANTENNA, b"\x02"),
        (Command.SET_POWER, Command.GET_POWER, b"\x14\x15\x14\x14"),
        (Command.SET_POWER, Command.GET_POWER, b"\x14"),
        (Command.SET_TEMPORARY_POWER, Command.GET_POWER, b"\x05"),
        (Command.SET_REGION, Command.GET_REGION, b"\x01\x07\x3b"),
        (Command.SET_DETECTOR, Command.GET_DETECTOR, b"\x03"),
        (Command.SET_IDENTIFIER, Command.GET_IDENTIFIER, b"warehouse 12"),
    ],
)
def test_a_setting_is_remembered(setter: Command, getter: Command, value: bytes) -> None:
    session = device()
    assert answer(session, setter, value).data == bytes((Code.OK,))
    assert answer(session, getter).data == value


@pytest.mark.parametrize(
    ("command", "data", "code"),
    [
        (0x99, b"", Code.FAILED),
        (Command.SET_ANTENNA, b"\x04", Code.BAD_ANTENNA),
        (Command.SET_POWER, b"\x22", Code.BAD_POWER),
        (Command.SET_REGION, b"\x09\x00\x01", Code.BAD_REGION),
        (Command.SET_REGION, b"\x02\x00\x09", Code.BAD_FREQUENCY),
        (Command.SET_ADDRESS, b"\xff", Code.BAD_ADDRESS),
        (Command.BEEPER, b"", Code.BAD_BEEPER),
        (Command.WRITE_GPIO, b"\x05\x01", Code.BAD_PARAMETER),
        (Command.INVENTORY, b"", Code.BAD_PARAMETER),
        (Command.FAST_SWITCH, b"\xff" * 10, Code.BAD_PARAMETER),
        (Command.READ_TAG, b"\x02\x00\x02", Code.NO_TAG),
        (Command.GET_BUFFER, b"", Code.BUFFER_EMPTY),
    ],
)
def test_what_the_reader_cannot_do_is_refused_with_its_code(command: int, data: bytes, code: Code) -> None:
    assert answer(device(), command, data).data == bytes((code,))


def test_the_buffer_is_kept_until_it_is_taken_or_cleared() -> None:
    session = device()
    session.receive(Frame(1, Command.BUFFER_INVENTORY, b"\1").to_bytes(), START_S)
    (end,) = session.tick(START_S + 0.1, [TAG])
    assert Frame.from_bytes(end).data[:3] == b"\0\0\1"
    for _ in range(2):
        session.receive(Frame(1, Command.GET_BUFFER).to_bytes(), START_S)
        assert [r.epc for r in reads_of(heard(PROTOCOL.host({}), session.tick(START_S, [])))] == [TAG.epc]
    assert answer(session, Command.COUNT_BUFFER).data == b"\0\1"
    session.receive(Frame(1, Command.TAKE_BUFFER).to_bytes(), START_S)
    assert session.tick(START_S, [])
    assert answer(session, Command.COUNT_BUFFER).data == b"\0\0"
    assert answer(session, Command.CLEAR_BUFFER).data == b"\x10"


def test_memory_of_the_selected_tag_can_be_read_and_not_written() -> None:
    session = device()
    session.tick(START_S, [TAG])
    assert answer(session, Command.READ_TAG, b"\x02\x00\x02").data[-7:-3] == bytes.fromhex("E2801160")
    assert answer(session, Command.READ_TAG, b"\x03\x00\x02").data == bytes((Code.READ_FAILED,))
    assert answer(session, Command.WRITE_TAG, bytes(9)).data == bytes((Code.WRITE_FAILED,))
    assert answer(session, Command.SELECT_EPC, b"\0\x0c" + OTHER.epc).data == b"\x10"
    assert answer(session, Command.READ_TAG, b"\x02\x00\x02").data == bytes((Code.NO_TAG,))
    assert answer(session, Command.SELECT_EPC, b"\1").data == b"\x10"
    assert answer(session, Command.KILL_TAG, bytes(4)).data == bytes((Code.KILL_FAILED,))
