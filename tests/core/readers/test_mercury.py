"""ThingMagic Mercury: the parts that no other protocol has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.readers.rig import START_S, Rig, bad_of, frames_of, heard, population, reads_of
from trace_core.errors import ConfigError, FrameError
from trace_core.readers._base import FieldTag, TagRead
from trace_core.readers._checks import genibus, mercury
from trace_core.readers.mercury import PROTOCOL
from trace_core.readers.mercury.device import MercuryDevice
from trace_core.readers.mercury.frames import KNOWN_FLAGS, Frame, Op, Status, read_record, record
from trace_core.readers.mercury.host import MercuryHost, start_stream

TAG = FieldTag(bytes.fromhex("3034B75F19600021F0138250"), rssi_dbm=-55.0)
OTHER = FieldTag(bytes.fromhex("E2801160600002054CC2096F"), antenna=2, rssi_dbm=-60.0)


def device(**options: object) -> MercuryDevice:
    session = PROTOCOL.device(options)
    assert isinstance(session, MercuryDevice)
    return session


def answer(session: MercuryDevice, op: int, data: bytes = b"", now: float = START_S) -> tuple[int | None, bytes]:
    reply = Frame.reply_from(session.receive(Frame(op, data).to_bytes(), now))
    assert reply.op == op
    return reply.status, reply.data


def streamed(tag: bytes, flags: int = 0, metadata: bytes = b"", kind: int = 1) -> bytes:
    head = b"\x10\x00\x1b" + flags.to_bytes(2, "big") + bytes((kind,))
    return Frame(Op.READ_MULTIPLE, head + metadata + (8 * len(tag)).to_bytes(2, "big") + tag, 0).to_bytes()


def checked(pc: int, body: bytes) -> bytes:
    field = pc.to_bytes(2, "big") + body
    return field + genibus(field).to_bytes(2, "big")


def slow_crc(data: bytes) -> int:
    """As the vendor's documents describe it, bit by bit."""
    register = 0xFFFF
    for byte in data:
        for bit in range(7, -1, -1):
            top = register & 0x8000
            register = (register << 1 & 0xFFFF) | (byte >> bit & 1)
            if top:
                register ^= 0x1021
    return register


@given(st.binary(min_size=2, max_size=300))
def test_the_frame_check_is_the_vendors(data: bytes) -> None:
    assert mercury(data) == slow_crc(data)
    assert mercury(b"123456789") == 0xA69D


@given(op=st.integers(0, 255), data=st.binary(max_size=255), status=st.one_of(st.none(), st.integers(0, 0xFFFF)))
def test_a_frame_comes_back_from_its_bytes(op: int, data: bytes, status: int | None) -> None:
    frame = Frame(op, data, status)
    assert (Frame.command_from if status is None else Frame.reply_from)(frame.to_bytes()) == frame


@pytest.mark.parametrize("data", [b"", b"\xff", bytes.fromhex("FF00031D0D"), bytes.fromhex("FE00031D0C")])
def test_what_is_not_exactly_one_frame_is_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        Frame.command_from(data)
    with pytest.raises(FrameError):
        Frame.reply_from(data)


def test_a_frame_that_is_too_long_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="bytes of data"):
        Frame(1, bytes(256)).to_bytes()


@given(words=st.integers(1, 31), flags=st.integers(0, KNOWN_FLAGS), rssi=st.integers(-128, 127), data=st.data())
def test_any_tag_comes_back_from_its_record_whatever_metadata_it_has(
    words: int, flags: int, rssi: int, data: st.DataObject
) -> None:
    epc = data.draw(st.binary(min_size=2 * words, max_size=2 * words))
    raw = record(FieldTag(epc, antenna=3, rssi_dbm=rssi), flags, 12_345)
    expected = TagRead(epc, 3 if flags & 4 else None, float(rssi) if flags & 2 else None)
    assert read_record(raw, 0, flags) == (expected, len(raw))


def test_data_in_the_metadata_is_stepped_over() -> None:
    raw = streamed(checked(0x3000, TAG.epc), 0x0081, b"\x05" + b"\x00\x14" + b"\xaa\xbb\xc0")
    assert reads_of(heard(PROTOCOL.host({}), [raw])) == [TagRead(TAG.epc, count=5)]


def test_xpc_words_are_not_part_of_the_epc_whether_the_length_counts_them_or_not() -> None:
    for pc, xpc in ((0x3200, b"\0\1"), (0x3A00, b"\0\1"), (0x3200, b"\x80\1\0\2"), (0x4200, b"\x80\1\0\2")):
        outputs = heard(PROTOCOL.host({}), [streamed(checked(pc, xpc + TAG.epc))])
        assert [r.epc for r in reads_of(outputs)] == [TAG.epc]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (streamed(checked(0x3000, TAG.epc)[:-1] + b"\0"), "tag_crc"),
        (streamed(checked(0x2800, TAG.epc)), "pc_length"),
        (streamed(checked(0x0000, b"")), "tag_crc"),
        (streamed(checked(0x3000, TAG.epc), 0x8000), "metadata"),
        (streamed(checked(0x3000, TAG.epc), 0x0080, b"\xff\xff"), "length"),
        (streamed(checked(0x3000, TAG.epc) + b"\0"), "length"),
        (Frame(Op.READ_MULTIPLE, b"\x10", 0).to_bytes(), "short"),
        (Frame(Op.READ_MULTIPLE, b"\x10\x00\x1b\x00\x08\x01\x00", 0).to_bytes(), "short"),
    ],
)
def test_a_streamed_tag_that_contradicts_itself_is_a_data_fault_and_no_tag(raw: bytes, reason: str) -> None:
    outputs = heard(PROTOCOL.host({}), [raw])
    assert not reads_of(outputs)
    assert [bad.reason for bad in bad_of(outputs)] == [reason]


def test_the_host_stops_identifies_configures_and_streams_in_this_order() -> None:
    rig = Rig(PROTOCOL, host={"region": "PRC", "power_dbm": 5, "antennas": [1, 3]}).run(0.5)
    assert [sent.hex().upper() for sent in rig.sent] == [
        "FF032F0000025E86",
        "FF00031D0C",
        Frame(Op.PROGRAM).to_bytes().hex().upper(),
        Frame(Op.SET_REGION, b"\x06").to_bytes().hex().upper(),
        "FF029201F440AD",
        "FF02930005517D",
        Frame(Op.SET_ANTENNAS, bytes.fromhex("0201010303")).to_bytes().hex().upper(),
        Frame(Op.CLEAR).to_bytes().hex().upper(),
        "FF102F00000122000005072210001B03E801FFDD2B",
    ]
    assert rig.events[0].detail == "ThingMagic M6e Nano, firmware 01.09.04.04"


def test_a_module_in_its_bootloader_is_booted_and_read() -> None:
    rig = Rig(PROTOCOL, device={"in_bootloader": True})
    rig.tags = [TAG, OTHER]
    rig.run(2.0)
    assert rig.epcs() == {TAG.epc, OTHER.epc}
    assert rig.states() == ["online"]


def test_the_ports_that_the_module_has_are_read() -> None:
    rig = Rig(PROTOCOL, device={"ports": 1})
    rig.tags = [TAG, OTHER]
    rig.run(2.0)
    assert rig.epcs() == {TAG.epc}
    assert rig.states() == ["online"]


def test_a_module_that_was_left_streaming_is_stopped_and_its_old_reads_are_thrown_away() -> None:
    rig = Rig(PROTOCOL)
    rig.device.receive(Frame(Op.SET_ANTENNAS, b"\x02\x01\x01").to_bytes(), START_S)
    rig.device.receive(Frame(Op.STREAM, start_stream(0x01FF)).to_bytes(), START_S)
    old = rig.device.tick(START_S + 1, [OTHER, TAG])
    session = PROTOCOL.host({})
    session.start(START_S)
    assert not reads_of(session.receive(b"".join(old), START_S))
    rig.tags = [TAG]
    assert rig.run(2.0).epcs() == {TAG.epc}
    assert rig.states() == ["online"]


def test_refused_settings_are_faults_and_reading_goes_on() -> None:
    rig = Rig(PROTOCOL, host={"power_dbm": 33, "antennas": [1, 9]})
    rig.tags = [TAG]
    rig.run(2.0)
    assert [event.detail for event in rig.events[1:]] == [
        "command 92 refused with status 0103",
        "command 91 refused with status 0105",
    ]
    assert rig.epcs() == {TAG.epc}


def test_heat_and_return_loss_are_faults_and_the_heartbeat_goes_on() -> None:
    rig = Rig(PROTOCOL)
    rig.tags = [TAG]
    assert isinstance(rig.device, MercuryDevice)
    rig.run(1.0)
    rig.device.too_hot = True
    rig.run(10.0)
    assert [event.detail for event in rig.events[1:]] == ["too hot, reading pauses"]
    rig.device.too_hot = False
    rig.reads.clear()
    assert rig.run(1.0).reads
    outputs = heard(PROTOCOL.host({}), [Frame(Op.READ_MULTIPLE, b"", status).to_bytes() for status in (0x505, 0x7F01)])
    assert [getattr(o, "detail", "") for o in outputs] == [
        "high return loss, check the antenna",
        "reading: status 7F01",
    ]


def test_a_stream_that_ends_or_is_refused_is_started_again() -> None:
    rig = Rig(PROTOCOL)
    rig.tags = [TAG]
    rig.run(1.0)
    for ended in (streamed(checked(0x3000, TAG.epc), kind=0), Frame(Op.STREAM, b"", 0x0105).to_bytes()):
        rig.device.receive(Frame(Op.STREAM, b"\0\0\2").to_bytes(), rig.now)
        rig._deliver(ended)
        rig.run(0.1)
        rig.reads.clear()
        rig.run(1.0)
        assert rig.reads


@pytest.mark.parametrize(
    "options", [{"antennas": [16]}, {"antennas": 1}, {"region": "MARS"}, {"power_dbm": 34}, {"power_dbm": "5"}]
)
def test_a_wrong_host_option_is_refused_with_its_name(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        MercuryHost.from_options(options)
    assert caught.value.where in options


@pytest.mark.parametrize("options", [{"ports": 0}, {"cycle_ms": 0}, {"in_bootloader": 1}])
def test_a_wrong_device_option_is_refused_with_its_name(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        device(**options)
    assert caught.value.where in options


# The simulated module


def test_the_vendor_drivers_connect_is_answered() -> None:
    session = device()
    for op, data in (
        (Op.VERSION, b""), (Op.PROGRAM, b""), (Op.GET_POWER_MODE, b""), (Op.GET_OPTION, b"\x01\x12"),
        (Op.GET_PROTOCOL, b""), (Op.PROTOCOLS, b""), (Op.GET_ANTENNAS, b"\x05"), (Op.GET_OPTION, b"\x01\x0c"),
        (Op.GET_OPTION, b"\x01\x0d"), (Op.REGIONS, b""), (Op.SET_REGION, b"\x02"), (Op.SET_POWER, b"\x07\xd0"),
        (Op.CLEAR, b""), (Op.SET_ANTENNAS, b"\x02\x01\x01"), (Op.SET_OPTION, b"\x01\x0c\x00"),
        (Op.STREAM, start_stream(0x01FF)),
    ):  # fmt: skip
        assert answer(session, op, data)[0] == Status.OK, op
    assert session.tick(START_S + 0.1, [TAG])
    assert answer(session, Op.STREAM, b"\0\0\2") == (Status.OK, b"\x02\0\0")
    assert not session.tick(START_S + 5, [TAG])


def test_synchronous_reading_lasts_its_timeout_and_fills_the_buffer() -> None:
    session = device()
    answer(session, Op.SET_ANTENNAS, b"\x02\x01\x01\x02\x02")
    tags = [FieldTag(tag.epc, antenna=1 + n % 2, rssi_dbm=tag.rssi_dbm) for n, tag in enumerate(population(8, 20))]
    assert session.receive(Frame(Op.READ_MULTIPLE, bytes.fromhex("10001B01F4")).to_bytes(), START_S) == b""
    assert not session.tick(START_S + 0.4, tags)
    assert session.receive(Frame(Op.VERSION).to_bytes(), START_S + 0.4) == b""
    (found,) = session.tick(START_S + 0.51, tags)
    assert Frame.reply_from(found).data == bytes.fromhex("10001B00000014")
    read: set[bytes] = set()
    while (fetched := answer(session, Op.FETCH, b"\x00\x07\x00"))[0] == Status.OK:
        position = 4
        for _ in range(fetched[1][3]):
            one = read_record(fetched[1], position, 0x0007)
            assert not isinstance(one, str)
            read.add(one[0].epc)
            position = one[1]
    assert fetched[0] == Status.NO_TAG
    assert read == {tag.epc for tag in tags}


def test_a_single_read_gives_epc_and_crc_without_pc() -> None:
    session = device()
    session.receive(Frame(Op.READ_SINGLE, b"\x00\x64").to_bytes(), START_S)
    (found,) = session.tick(START_S + 0.2, [TAG])
    assert Frame.reply_from(found).data == TAG.epc + checked(0x3000, TAG.epc)[-2:]
    session.receive(Frame(Op.READ_SINGLE, b"\x00\x64").to_bytes(), START_S)
    (nothing,) = session.tick(START_S + 0.2, [])
    assert Frame.reply_from(nothing).status == Status.NO_TAG


@pytest.mark.parametrize(
    ("op", "data", "status"),
    [
        (0x99, b"", Status.BAD_OPCODE),
        (Op.SET_POWER, b"\x0f\xff", Status.POWER_TOO_HIGH),
        (Op.SET_POWER, b"\x00\x01", Status.POWER_TOO_LOW),
        (Op.SET_POWER, b"\x01", Status.BAD_LENGTH),
        (Op.SET_REGION, b"\x77", Status.BAD_REGION),
        (Op.BAUD, b"\0\0\0\1", Status.BAD_BAUD),
        (Op.SET_ANTENNAS, b"\x02\x05\x05", Status.BAD_PARAMETER),
        (Op.SET_PROTOCOL, b"\x00\x09", Status.BAD_PARAMETER),
        (Op.STREAM, b"\0\0\1", Status.BAD_PARAMETER),
        (Op.STREAM, start_stream(0xF000), Status.BAD_PARAMETER),
        (Op.READ_MULTIPLE, b"", Status.BAD_LENGTH),
        (Op.FETCH, b"", Status.BAD_PARAMETER),
        (Op.GET_OPTION, b"\x01\x77", Status.BAD_PARAMETER),
        (Op.SET_GPIO, b"\x09\x01", Status.BAD_PARAMETER),
        (Op.BOOT, b"", Status.BAD_OPCODE),
    ],
)
def test_what_the_module_cannot_do_is_refused_with_its_status(op: int, data: bytes, status: Status) -> None:
    assert answer(device(), op, data) == (status, b"")


def test_settings_are_remembered() -> None:
    session = device()
    for setter, getter, value in (
        (Op.SET_POWER, Op.GET_POWER, b"\x07\xd0"),
        (Op.SET_REGION, Op.GET_REGION, b"\x02"),
        (Op.SET_POWER_MODE, Op.GET_POWER_MODE, b"\x01"),
    ):
        assert answer(session, setter, value) == (Status.OK, b"")
        assert answer(session, getter) == (Status.OK, value)
    answer(session, Op.SET_ANTENNAS, b"\x02\x03\x03")
    assert answer(session, Op.GET_ANTENNAS, b"\x02") == (Status.OK, b"\x02\x03\x03")
    answer(session, Op.SET_PROTOCOL_OPTION, b"\x05\x00\x02")
    assert answer(session, Op.GET_PROTOCOL_OPTION, b"\x05\x00") == (Status.OK, b"\x05\x00\x02")
    answer(session, Op.SET_GPIO, b"\x01\x01")
    assert answer(session, Op.GET_GPIO) == (Status.OK, b"\x01\x01\x01\x01")


def test_a_new_line_speed_counts_from_the_reply_on() -> None:
    session = device()
    assert answer(session, Op.BAUD, (921_600).to_bytes(4, "big")) == (Status.OK, b"")
    assert session.baud == 115_200
    session.tick(START_S, [])
    assert session.baud == 921_600


def test_a_bad_check_gets_no_answer_and_a_paused_simulator_sends_no_flood() -> None:
    session = device()
    assert session.receive(bytes.fromhex("FF00031D0D"), START_S) == b""
    answer(session, Op.STREAM, start_stream(0))
    assert len(session.tick(START_S + 3_600, [TAG])) < 30


def test_the_heartbeat_comes_once_a_second() -> None:
    frames = frames_of(PROTOCOL, [], 10.5)
    assert 9 <= sum(frame == bytes.fromhex("FF0022040084E0") for frame in frames) <= 11
