"""FEIG OBID i-scan: the parts that no other protocol has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.readers.rig import START_S, Rig, bad_of, heard, population, reads_of
from trace_core.errors import ConfigError, FrameError
from trace_core.readers._base import FieldTag, TagRead
from trace_core.readers.feig_obid import PROTOCOL
from trace_core.readers.feig_obid.device import FeigDevice
from trace_core.readers.feig_obid.frames import Control, Frame, Iso, Status
from trace_core.readers.feig_obid.host import FeigHost

UID = bytes.fromhex("E01680FF08005024")
TAG = FieldTag(UID)
UHF = FieldTag(bytes.fromhex("3034B75F19600021F0138250"), bytes.fromhex("E28011602000"))
READ, WRITE = bytes((Iso.READ_BLOCKS,)), bytes((Iso.WRITE_BLOCKS,))


def device(**options: object) -> FeigDevice:
    session = PROTOCOL.device(options)
    assert isinstance(session, FeigDevice)
    return session


def ask(session: FeigDevice, control: int, data: bytes = b"", now: float = START_S, address: int = 0) -> bytes:
    return session.receive(Frame(address, control, data).to_bytes(), now)


def answer(session: FeigDevice, control: int, data: bytes = b"") -> tuple[int | None, bytes]:
    reply = Frame.reply_from(ask(session, control, data))
    assert reply.control == control
    return reply.status, reply.data


def inventory(session: FeigDevice, tags: list[FieldTag], mode: int = 0) -> Frame:
    assert ask(session, Control.ISO, bytes((Iso.INVENTORY, mode))) == b""
    assert not session.tick(START_S, tags)
    (reply,) = session.tick(START_S + 2, tags)
    return Frame.reply_from(reply)


def reply(status: int, data: bytes = b"", *, long: bool = False) -> bytes:
    return Frame(0, Control.ISO, data, status, long).to_bytes()


@given(
    address=st.integers(0, 255),
    control=st.sampled_from(Control),
    data=st.binary(max_size=240),
    status=st.one_of(st.none(), st.integers(0, 255)),
    long=st.booleans(),
)
def test_a_frame_comes_back_from_its_bytes(
    address: int, control: int, data: bytes, status: int | None, long: bool
) -> None:
    frame = Frame(address, control, data, status, long)
    assert (Frame.command_from if status is None else Frame.reply_from)(frame.to_bytes()) == frame


@pytest.mark.parametrize(
    "data", [b"", b"\x05", b"\x02\x00", bytes.fromhex("05FF65E5CC"), bytes.fromhex("05FF65E5CB00")]
)
def test_what_is_not_exactly_one_frame_is_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        Frame.command_from(data)
    with pytest.raises(FrameError):
        Frame.reply_from(data)


def test_a_frame_that_is_too_long_for_its_form_is_our_own_mistake() -> None:
    for long, size in ((False, 251), (True, 2_044)):
        with pytest.raises(ValueError, match="bytes of data"):
            Frame(0, 0xB0, bytes(size), long=long).to_bytes()


@given(uids=st.lists(st.binary(min_size=7, max_size=7), min_size=1, max_size=24, unique=True), long=st.booleans())
def test_any_tags_come_back_from_their_reply(uids: list[bytes], long: bool) -> None:
    found = [b"\xe0" + uid for uid in uids]
    raw = reply(0, bytes((len(found),)) + b"".join(b"\x03\x00" + uid for uid in found), long=long)
    assert reads_of(heard(PROTOCOL.host({}), [raw])) == [TagRead(uid, tid=uid) for uid in found]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "records"),
        (b"\x02\x03\x00" + UID, "records"),
        (b"\x01\x03\x00" + UID + b"\0", "records"),
        (b"\x01\x04\x00" + UID, "tag_type"),
        (b"\x01\x03\x00" + UID[::-1], "uid"),
    ],
)
def test_a_reply_that_contradicts_itself_is_a_data_fault_and_no_tag(data: bytes, reason: str) -> None:
    outputs = heard(PROTOCOL.host({}), [reply(0, data)])
    assert not reads_of(outputs)
    assert [bad.reason for bad in bad_of(outputs)] == [reason]


def test_the_host_identifies_and_then_resets_the_field_before_each_inventory() -> None:
    rig = Rig(PROTOCOL, host={"address": 0})
    rig.tags = [TAG]
    rig.run(0.3)
    assert [sent.hex().upper() for sent in rig.sent[:6]] == [
        Frame(0, Control.VERSION).to_bytes().hex().upper(),
        Frame(0, Control.RF_RESET).to_bytes().hex().upper(),
        Frame(0, Control.ISO, b"\x01\x00").to_bytes().hex().upper(),
        Frame(0, Control.RF_RESET).to_bytes().hex().upper(),
        Frame(0, Control.ISO, b"\x01\x00").to_bytes().hex().upper(),
        Frame(0, Control.RF_RESET).to_bytes().hex().upper(),
    ]
    assert rig.events[0].detail == "OBID i-scan software 2.3, hardware type 47, type 50, address 00"
    assert len(rig.reads) > 3


def test_more_tags_than_fit_into_a_reply_are_all_read() -> None:
    rig = Rig(PROTOCOL)
    rig.tags = population(6, 100, PROTOCOL)
    rig.run(3.0)
    assert rig.epcs() == {tag.epc for tag in rig.tags}
    assert any(Frame.command_from(sent).data == b"\x01\x80" for sent in rig.sent)
    assert not rig.bad


def test_a_tag_of_another_kind_is_not_seen_and_a_uid_in_its_tid_is() -> None:
    rig = Rig(PROTOCOL)
    rig.tags = [UHF, FieldTag(UHF.epc, UID)]
    assert rig.run(1.0).epcs() == {UID}


def test_a_lost_inventory_costs_no_tag() -> None:
    rig = Rig(PROTOCOL)
    rig.run(0.5)
    rig.tags = [TAG]
    rig.unplugged = True
    rig.run(0.1)
    rig.unplugged = False
    assert rig.run(2.0).epcs() == {UID}
    assert rig.states() == ["online"]


def test_faults_are_told_once_with_their_status_and_do_not_flood() -> None:
    raw = [reply(0x83), reply(0x95, b"\x0f"), reply(0x83)]
    assert [getattr(o, "detail", "") for o in heard(PROTOCOL.host({}), raw)] == [
        "inventory: status 83",
        "inventory: status 95, ISO error 0F",
    ]
    rig = Rig(PROTOCOL)
    rig.device._answers.pop(Control.RF_RESET)  # type: ignore[attr-defined]
    rig.tags = [TAG]
    rig.run(2.0)
    assert rig.states() == ["online", "fault", "fault"]
    assert rig.epcs() == {UID}


def test_another_address_on_the_line_is_neither_heard_nor_answered() -> None:
    assert Rig(PROTOCOL, host={"address": 7}).run(5.0).states() == ["silent"]
    assert Rig(PROTOCOL, host={"address": 7}, device={"address": 7}).run(1.0).states() == ["online"]
    session = PROTOCOL.host({"address": 7})
    assert not heard(session, [reply(0, b"\x01\x03\x00" + UID)])


@pytest.mark.parametrize("options", [{"address": 256}, {"address": "0"}])
def test_a_wrong_host_option_is_refused_with_its_name(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        FeigHost.from_options(options)
    assert caught.value.where in options


@pytest.mark.parametrize("options", [{"address": -1}, {"round_ms": 0}])
def test_a_wrong_device_option_is_refused_with_its_name(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        device(**options)
    assert caught.value.where in options


# The simulated reader


def test_a_tag_that_was_read_stays_quiet_until_it_leaves_or_the_field_is_reset() -> None:
    session = device()
    assert inventory(session, [TAG]).data == b"\x01\x03\x00" + UID
    assert inventory(session, [TAG]).status == Status.NO_TAG
    assert answer(session, Control.RF_RESET) == (Status.OK, b"")
    assert inventory(session, [TAG]).status == Status.OK
    session.tick(START_S, [])
    assert inventory(session, [TAG]).status == Status.OK


def test_a_reply_has_the_form_of_its_command() -> None:
    session = device()
    assert session.receive(Frame(0, Control.ISO, b"\x01\x00", long=True).to_bytes(), START_S) == b""
    (raw,) = session.tick(START_S + 1, [TAG])
    assert Frame.reply_from(raw).long
    assert Frame.reply_from(session.receive(Frame(0, Control.VERSION, long=True).to_bytes(), START_S + 1)).long


def test_nothing_is_heard_during_an_inventory_and_after_a_reset() -> None:
    session = device()
    ask(session, Control.ISO, b"\x01\x00")
    assert ask(session, Control.VERSION) == b""
    session.tick(START_S + 1, [])
    assert answer(session, Control.CPU_RESET) == (Status.OK, b"")
    assert ask(session, Control.VERSION, now=START_S + 0.4) == b""
    assert ask(session, Control.VERSION, now=START_S + 0.6) != b""


def test_a_pause_of_more_than_12_ms_ends_a_frame() -> None:
    session = device()
    raw = Frame(0, Control.VERSION).to_bytes()
    session.receive(raw[:2], START_S)
    assert session.receive(raw[2:], START_S + 0.010) != b""
    session.receive(raw[:2], START_S + 1)
    assert session.receive(raw[2:], START_S + 1.013) == b""


@pytest.mark.parametrize(
    ("control", "data", "status"),
    [
        (0x99, b"", Status.BAD_COMMAND),
        (Control.ISO, b"", Status.BAD_PARAMETER),
        (Control.ISO, b"\x01", Status.BAD_PARAMETER),
        (Control.ISO, b"\x01\x40", Status.BAD_PARAMETER),
        (Control.ISO, READ + b"\x02\x00\x01", Status.BAD_PARAMETER),
        (Control.ISO, READ + b"\x00\x00", Status.BAD_LENGTH),
        (Control.ISO, READ + b"\x01" + UID + b"\x00\x01", Status.NO_TAG),
        (Control.READ_CONFIG, b"\x20", Status.RESERVED_BLOCK),
        (Control.READ_CONFIG, b"", Status.BAD_LENGTH),
        (Control.WRITE_CONFIG, b"\x01", Status.BAD_LENGTH),
        (Control.WRITE_CONFIG, b"\x20" + bytes(14), Status.RESERVED_BLOCK),
        (Control.BAUD_DETECTION, b"\x01", Status.BAD_LENGTH),
        (Control.INFO, b"\x77", Status.BAD_PARAMETER),
    ],
)
def test_what_the_reader_cannot_do_is_refused_with_its_status(control: int, data: bytes, status: Status) -> None:
    raw = ask(device(), control, data)
    assert raw[3] == status


def test_a_bad_check_and_another_address_get_no_answer() -> None:
    session = device()
    assert session.receive(bytes.fromhex("05FF65E5CC"), START_S) == b""
    assert ask(session, Control.VERSION, now=START_S + 1, address=5) == b""


def test_configuration_in_the_eeprom_outlives_a_reset() -> None:
    session = device()
    answer(session, Control.WRITE_CONFIG, b"\x83" + b"E" * 14)
    answer(session, Control.WRITE_CONFIG, b"\x03" + b"R" * 14)
    assert answer(session, Control.READ_CONFIG, b"\x03") == (Status.OK, b"R" * 14)
    assert answer(session, Control.READ_CONFIG, b"\x83") == (Status.OK, b"E" * 14)
    answer(session, Control.CPU_RESET)
    read = ask(session, Control.READ_CONFIG, b"\x03", now=START_S + 1)
    assert Frame.reply_from(read).data == b"E" * 14


def test_blocks_of_a_tag_are_written_and_read_by_uid_and_without() -> None:
    session = device()
    session.tick(START_S, [TAG])
    write = WRITE + b"\x01" + UID + b"\x02\x02\x04" + b"COLDSAFE"
    assert answer(session, Control.ISO, write) == (Status.OK, b"")
    for mode in (b"\x00", b"\x01" + UID):
        read = answer(session, Control.ISO, READ + mode + b"\x02\x02")
        assert read == (Status.OK, b"\x02\x04\x00COLD\x00SAFE")
    assert answer(session, Control.ISO, READ + b"\x00\x1b\x02") == (Status.ISO_ERROR, b"\x10")
    assert answer(session, Control.ISO, WRITE + b"\x00\x02\x02\x04COLD")[0] == Status.BAD_LENGTH
    session.tick(START_S, [])
    assert answer(session, Control.ISO, READ + b"\x00\x02\x02") == (Status.NO_TAG, b"")
