"""Chafon: the parts that no other protocol has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.faults import Cable, CableFaults
from tests.core.readers.rig import START_S, Rig, bad_of, byte_by_byte, heard, population, reads_of
from trace_core.errors import ConfigError, FrameError
from trace_core.readers._base import FieldTag, TagRead
from trace_core.readers._checks import ends_with_mcrf4xx, mcrf4xx
from trace_core.readers.chafon import PROTOCOL
from trace_core.readers.chafon.device import ChafonDevice
from trace_core.readers.chafon.frames import BANDS, Command, Frame, Status, band_bytes, record_288
from trace_core.readers.chafon.host import ChafonHost

TAG = FieldTag(bytes.fromhex("304DB75F19600021F0138250"), bytes.fromhex("E28011602000701234567890"))
OTHER = FieldTag(bytes.fromhex("E2801160600002054CC2096F"), antenna=2)
R18 = {"model": "R18"}


def device(**options: object) -> ChafonDevice:
    session = PROTOCOL.device(options)
    assert isinstance(session, ChafonDevice)
    return session


def command(code: int, data: bytes = b"", address: int = 0) -> bytes:
    return Frame(address, code, data).to_bytes()


def answer(session: ChafonDevice, code: int, data: bytes = b"") -> tuple[int | None, bytes]:
    reply = Frame.reply_from(session.receive(command(code, data), START_S))
    assert reply.command == code
    return reply.status, reply.data


def reply(code: int, status: int, data: bytes = b"") -> bytes:
    return Frame(0, code, data, status).to_bytes()


def test_the_frame_check_has_the_published_check_value() -> None:
    assert mcrf4xx(b"123456789") == b"\x91\x6f"
    assert mcrf4xx(bytes.fromhex("040021")) == bytes.fromhex("D96A")
    assert ends_with_mcrf4xx(bytes.fromhex("040021D96A"))


@given(
    address=st.integers(0, 255),
    code=st.integers(0, 255),
    data=st.binary(max_size=240),
    status=st.one_of(st.none(), st.integers(0, 255)),
)
def test_a_frame_comes_back_from_its_bytes(address: int, code: int, data: bytes, status: int | None) -> None:
    frame = Frame(address, code, data, status)
    read = Frame.command_from if status is None else Frame.reply_from
    assert read(frame.to_bytes()) == frame


@pytest.mark.parametrize("data", [b"", b"\x04", bytes.fromhex("040021D96B"), bytes.fromhex("050021D96A")])
def test_what_is_not_exactly_one_frame_is_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        Frame.command_from(data)
    with pytest.raises(FrameError):
        Frame.reply_from(data)


def test_a_frame_that_is_too_long_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="bytes of data"):
        command(1, bytes(252))


@given(words=st.integers(1, 31), antenna=st.integers(1, 4), tid=st.booleans(), data=st.data())
def test_any_tag_comes_back_from_its_frame(words: int, antenna: int, tid: bool, data: st.DataObject) -> None:
    epc = data.draw(st.binary(min_size=2 * words, max_size=2 * words))
    tid_bytes = data.draw(st.binary(min_size=12, max_size=12)) if tid else None
    body = bytes((1 << antenna - 1, 1)) + record_288(epc, tid_bytes)
    for raw in (reply(1, 3, body), reply(0xEE, 0, body[:1] + body[2:])):
        assert reads_of(heard(PROTOCOL.host({}), [raw])) == [TagRead(epc, antenna, tid=tid_bytes)]
    single = reply(1, 1, bytes((1, len(epc))) + epc)
    assert reads_of(heard(PROTOCOL.host(R18), [single])) == [TagRead(epc)]


@pytest.mark.parametrize(
    "data",
    [
        b"\x01\x02" + record_288(TAG.epc),
        b"\x01\x01" + record_288(TAG.epc) + b"\0",
        b"\x03\x01" + record_288(TAG.epc),
        b"\x01\x01\x0b" + TAG.epc,
        b"\x01\x01\x00\x5c",
        b"\x01",
    ],
)
def test_records_that_do_not_fill_their_frame_are_a_data_fault_and_no_tag(data: bytes) -> None:
    outputs = heard(PROTOCOL.host({"model": "R288"}), [reply(1, 3, data)])
    assert not reads_of(outputs)
    assert [bad.reason for bad in bad_of(outputs)] == ["records"]


def test_an_r18_is_told_by_its_info_and_read_with_many_tags_in_a_frame() -> None:
    rig = Rig(PROTOCOL, device=R18)
    rig.tags = population(4, 40)
    rig.run(3.0)
    assert rig.epcs() == {tag.epc for tag in rig.tags}
    assert rig.states() == ["online"]
    assert rig.events[0].detail == "R18 type 08, version 1.23, address 00"
    assert not rig.bad
    rig.tags = []
    rig.run(0.2)
    rig.reads.clear()
    assert not rig.run(30.0).reads


def test_an_r18_is_read_byte_by_byte_and_through_a_bad_cable() -> None:
    slow = Rig(PROTOCOL, host=R18, device=R18, out=byte_by_byte, back=byte_by_byte)
    faults = CableFaults(lose=0.1, garble=0.1, repeat=0.1, noise=0.1, cut=0.1, split=0.3)
    bad = Rig(PROTOCOL, host=R18, device=R18, out=Cable(faults, 1).carry, back=Cable(faults, 2).carry)
    for rig, seconds in ((slow, 2.0), (bad, 40.0)):
        rig.tags = population(5, 10)
        assert rig.run(seconds).epcs() == {tag.epc for tag in rig.tags}


def test_the_host_stops_identifies_configures_and_asks_in_this_order() -> None:
    rig = Rig(PROTOCOL, host={"band": "CN900", "power_dbm": 30, "antennas": [2], "address": 0}).run(0.5)
    sent = [Frame.command_from(data) for data in rig.sent[:6]]
    assert [(f.command, f.data.hex()) for f in sent] == [
        (Command.STOP, ""),
        (Command.INFO, ""),
        (Command.FREQUENCY, "1340"),
        (Command.POWER, "1e"),
        (Command.SCAN_TIME, "03"),
        (Command.INVENTORY, "0400008103"),
    ]
    assert rig.device.settings.power == 30  # type: ignore[attr-defined]


def test_a_free_running_reader_is_read_and_stopped() -> None:
    session = PROTOCOL.host({})
    pushing = device()
    assert answer(pushing, Command.MODE_288, b"\x01") == (Status.OK, b"")
    pushed = pushing.tick(START_S + 10, [TAG, OTHER])
    outputs = heard(session, pushed)
    assert reads_of(outputs) == [TagRead(TAG.epc, 1), TagRead(OTHER.epc, 2)]
    assert len(pushed) == 3
    assert not bad_of(outputs)
    r18 = device(model="R18")
    assert answer(r18, Command.SET_WORK_MODE, b"\x01" + bytes(5)) == (Status.OK, b"")
    assert reads_of(heard(PROTOCOL.host(R18), r18.tick(START_S + 10, [TAG]))) == [TagRead(TAG.epc)]


def test_an_antenna_fault_is_told_once_and_the_next_antenna_is_read() -> None:
    session = PROTOCOL.host({})
    outputs = heard(session, [reply(1, Status.ANTENNA_FAULT)] * 3)
    assert [getattr(o, "detail", "") for o in outputs] == ["inventory status F8"]


def test_a_refused_inventory_is_a_fault_and_no_flood() -> None:
    rig = Rig(PROTOCOL, host={"model": "R288"}, device=R18)
    rig.run(10.0)
    assert rig.states() == ["online", "fault"]
    assert len(rig.sent) < 40


def test_an_unknown_type_or_status_is_shown() -> None:
    session = PROTOCOL.host({})
    outputs = heard(session, [reply(1, 0x77)])
    assert [getattr(o, "detail", "") for o in outputs] == ["inventory status 77"]


@pytest.mark.parametrize(
    "options",
    [
        {"model": "R99"},
        {"model": 18},
        {"address": 256},
        {"antennas": [5]},
        {"antennas": []},
        {"band": "MARS"},
        {"power_dbm": 34},
        {"scan_time": 2},
        {"session": 4},
        {"q": True},
    ],
)
def test_a_wrong_host_option_is_refused_with_its_name(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        ChafonHost.from_options(options)
    assert caught.value.where in options


@pytest.mark.parametrize("options", [{"model": "R99"}, {"address": -1}, {"round_ms": 0}])
def test_a_wrong_device_option_is_refused_with_its_name(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        device(**options)
    assert caught.value.where in options


def test_the_documented_band_bytes_are_those_of_the_reader() -> None:
    assert band_bytes(BANDS["EU"]) == b"\x4e\x00"


# The simulated reader


def test_a_gap_of_more_than_15_ms_ends_a_frame() -> None:
    session = device()
    ask = command(Command.INFO)
    session.receive(ask[:2], START_S)
    assert session.receive(ask[2:], START_S + 0.010) != b""
    session.receive(ask[:2], START_S + 1)
    assert session.receive(ask[2:], START_S + 1.016) == b""


def test_everything_but_stop_is_ignored_during_an_inventory() -> None:
    session = device()
    assert session.receive(command(Command.INVENTORY, bytes.fromhex("010000800A")), START_S) == b""
    assert session.receive(command(Command.INFO), START_S) == b""
    assert answer(session, Command.STOP) == (Status.OK, b"")
    assert not session.tick(START_S + 5, [TAG])
    assert answer(session, Command.INFO)[0] == Status.OK


def test_an_inventory_answers_at_the_latest_after_its_scan_time() -> None:
    session = device()
    session.receive(command(Command.INVENTORY, bytes.fromhex("0100008003")), START_S)
    crowd = [FieldTag(bytes((0x30, n // 256, n % 256, 0))) for n in range(500)]
    assert not session.tick(START_S + 0.29, crowd)
    frames = [Frame.reply_from(f) for f in session.tick(START_S + 0.31, crowd)]
    assert {f.status for f in frames[:-1]} == {Status.MORE_FOLLOW}
    assert (frames[-1].status, frames[-1].data) == (Status.TIMEOUT, b"\x01\x00")
    assert len(frames) < 120


def test_fast_id_adds_the_tid() -> None:
    session = device()
    session.receive(command(Command.INVENTORY, bytes.fromhex("210000800A")), START_S)
    reads = reads_of(heard(PROTOCOL.host({}), session.tick(START_S + 1, [TAG])))
    assert [read.tid for read in reads] == [TAG.tid]


@pytest.mark.parametrize(
    ("code", "data", "status"),
    [
        (0x99, b"", Status.BAD_COMMAND),
        (Command.POWER, b"\x22", Status.BAD_PARAMETER),
        (Command.POWER, b"", Status.BAD_LENGTH),
        (Command.FREQUENCY, b"\xff\xff", Status.BAD_PARAMETER),
        (Command.SCAN_TIME, b"\x02", Status.BAD_PARAMETER),
        (Command.BAUD, b"\x04", Status.BAD_PARAMETER),
        (Command.INVENTORY, b"\x01\x00\x00", Status.BAD_LENGTH),
        (Command.INVENTORY, bytes.fromhex("010000900A"), Status.BAD_PARAMETER),
        (Command.MODE_288, b"\x09", Status.BAD_PARAMETER),
        (Command.READ, b"", Status.NO_TAG),
        (Command.SET_WORK_MODE, bytes(6), Status.BAD_COMMAND),
    ],
)
def test_what_the_reader_cannot_do_is_refused_with_its_status(code: int, data: bytes, status: Status) -> None:
    assert answer(device(), code, data) == (status, b"")


def test_settings_are_remembered_and_told() -> None:
    session = device()
    assert answer(session, Command.POWER, b"\x14") == (Status.OK, b"")
    assert answer(session, Command.SCAN_TIME, b"\x05") == (Status.OK, b"")
    assert answer(session, Command.FREQUENCY, b"\x13\x40") == (Status.OK, b"")
    assert answer(session, Command.ANTENNAS, b"\x03") == (Status.OK, b"")
    assert answer(session, Command.INFO) == (Status.OK, bytes.fromhex("00160C03134014050300 0000".replace(" ", "")))
    assert answer(session, Command.CHECK_ANTENNAS) == (Status.OK, b"\x03")
    assert answer(session, Command.BAUD, b"\x06") == (Status.OK, b"")
    assert session.baud == 57_600
    session.tick(START_S, [])
    assert session.baud == 115_200


def test_a_new_address_is_answered_from_then_on() -> None:
    session = device()
    assert answer(session, Command.ADDRESS, b"\x05") == (Status.OK, b"")
    assert session.receive(command(Command.INFO), START_S) == b""
    assert session.receive(command(Command.INFO, address=5), START_S)[1] == 5
    assert session.receive(command(Command.INFO, address=0xFF), START_S)[1] == 5
    r18 = device(model="R18")
    assert answer(r18, Command.SET_WORK_MODE, bytes(6)) == (Status.OK, b"")
    assert answer(r18, Command.GET_WORK_MODE) == (Status.OK, bytes(6))
    assert answer(r18, Command.SET_WORK_MODE, b"") == (Status.BAD_LENGTH, b"")
