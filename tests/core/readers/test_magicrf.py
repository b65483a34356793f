"""MagicRF: the parts that no other protocol has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.readers.rig import START_S, Rig, bad_of, heard, reads_of
from trace_core.errors import ConfigError, FrameError
from trace_core.readers._base import DeviceEvent, FieldTag, Send, TagRead
from trace_core.readers.magicrf import PROTOCOL
from trace_core.readers.magicrf.device import MagicRfDevice
from trace_core.readers.magicrf.frames import AA, BB, DIALECTS, Command, Dialect, Frame, Kind, TagNotice, genibus
from trace_core.readers.magicrf.host import MagicRfHost

TAG = FieldTag(bytes.fromhex("3034B75F19600021F0138250"), bytes.fromhex("E2801160200070"), rssi_dbm=-55.0)
OTHER = FieldTag(bytes.fromhex("E2801160600002054CC2096F"), rssi_dbm=-60.0)
dialects = st.sampled_from(DIALECTS)


def command(code: int, parameters: bytes = b"", dialect: Dialect = BB) -> bytes:
    return Frame(Kind.COMMAND, code, parameters).to_bytes(dialect)


def device(**options: object) -> MagicRfDevice:
    session = PROTOCOL.device(options)
    assert isinstance(session, MagicRfDevice)
    return session


def answer(session: MagicRfDevice, code: int, parameters: bytes = b"", now: float = START_S) -> Frame:
    return Frame.from_bytes(session.receive(command(code, parameters), now))


def test_the_tag_crc_has_the_published_check_value() -> None:
    assert genibus(b"123456789") == 0xD64E


@given(kind=st.sampled_from(Kind), code=st.integers(0, 255), parameters=st.binary(max_size=70), dialect=dialects)
def test_a_frame_comes_back_from_its_bytes(kind: Kind, code: int, parameters: bytes, dialect: Dialect) -> None:
    frame = Frame(kind, code, parameters if kind is not Kind.NOTICE else parameters[:71])
    assert Frame.from_bytes(frame.to_bytes(dialect), dialect) == frame


@given(words=st.integers(1, 31), rssi=st.integers(-128, 127), data=st.data(), dialect=dialects)
def test_any_tag_comes_back_from_its_notice(words: int, rssi: int, data: st.DataObject, dialect: Dialect) -> None:
    epc = data.draw(st.binary(min_size=2 * words, max_size=2 * words))
    raw = TagNotice.of(epc, rssi).to_bytes(dialect)
    assert reads_of(heard(PROTOCOL.host({}), [raw])) == [TagRead(epc, rssi_dbm=float(rssi))]


@pytest.mark.parametrize(
    "data", [b"", b"\xbb", bytes.fromhex("BB000300010004"), bytes.fromhex("BB0003000100047EBB"), command(3, dialect=AA)]
)
def test_what_is_not_exactly_one_frame_is_refused(data: bytes) -> None:
    with pytest.raises(FrameError):
        Frame.from_bytes(data)


def test_a_frame_that_is_too_long_is_our_own_mistake() -> None:
    with pytest.raises(ValueError, match="parameters"):
        Frame(Kind.COMMAND, 3, bytes(2_000)).to_bytes()
    with pytest.raises(ValueError, match="words"):
        TagNotice.of(bytes(3), 0)


def _notice(pc: int, field: bytes, *, crc: int | None = None) -> bytes:
    body = pc.to_bytes(2, "big") + field
    check = genibus(body) if crc is None else crc
    return Frame(Kind.NOTICE, 0x22, b"\xc9" + body + check.to_bytes(2, "big")).to_bytes()


def test_xpc_words_are_not_part_of_the_epc_whether_the_length_counts_them_or_not() -> None:
    xpc, extended = b"\x00\x01", b"\x80\x01\x00\x02"
    for pc, extra in ((0x3200, xpc), (0x3A00, xpc), (0x3200, extended), (0x4200, extended)):
        assert [r.epc for r in reads_of(heard(PROTOCOL.host({}), [_notice(pc, extra + TAG.epc)]))] == [TAG.epc]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (_notice(0x3000, TAG.epc, crc=0), "tag_crc"),
        (_notice(0x2800, TAG.epc), "pc_length"),
        (_notice(0x0000, b""), "pc_length"),
        (_notice(0x0200, b"\x00\x01"), "pc_length"),
        (Frame(Kind.NOTICE, 0x22, b"\xc9").to_bytes(), "tag_crc"),
        (Frame(Kind.NOTICE, 0x22).to_bytes(), "tag_crc"),
    ],
)
def test_a_notice_that_contradicts_itself_is_a_data_fault_and_no_tag(raw: bytes, reason: str) -> None:
    outputs = heard(PROTOCOL.host({}), [raw])
    assert not reads_of(outputs)
    assert [bad.reason for bad in bad_of(outputs)] == [reason]
    assert bad_of(outputs)[0].data == raw


@pytest.mark.parametrize("host_dialect", ["auto", "BB", "AA"])
@pytest.mark.parametrize("device_dialect", ["BB", "AA"])
def test_the_host_finds_the_dialect_and_keeps_to_a_set_one(host_dialect: str, device_dialect: str) -> None:
    rig = Rig(PROTOCOL, host={"dialect": host_dialect}, device={"dialect": device_dialect})
    rig.tags = [TAG]
    rig.run(3.0)
    if host_dialect in ("auto", device_dialect):
        assert rig.epcs() == {TAG.epc}
        assert rig.states() == ["online"]
    else:
        assert not rig.reads
        assert rig.states() == ["silent"]


def test_another_module_with_the_other_dialect_can_be_plugged_in() -> None:
    rig = Rig(PROTOCOL, device={"dialect": "AA"}).run(1.0)
    rig.device = PROTOCOL.device({"dialect": "BB"})
    rig.tags = [TAG]
    rig.run(8.0)
    assert rig.epcs() == {TAG.epc}
    assert rig.states() == ["online", "silent", "online"]


def test_the_host_stops_identifies_configures_and_polls_in_this_order() -> None:
    rig = Rig(PROTOCOL, host={"dialect": "BB", "region": "CN900", "power_dbm": 20}).run(1.0)
    expected = [
        "BB00280000287E",
        "BB0003000100047E",
        "BB0007000101097E",
        "BB00B6000207D08F7E",
        "BB00270003222710837E",
    ]
    assert [sent.hex().upper() for sent in rig.sent] == expected
    assert rig.device.settings.region == 1  # type: ignore[attr-defined]
    assert rig.device.settings.power == 2_000  # type: ignore[attr-defined]
    assert rig.events[0].detail == "M100 26dBm V1.0"


def test_a_refused_setting_is_a_fault_and_reading_goes_on() -> None:
    rig = Rig(PROTOCOL, host={"region": "US"})
    rig.device._answers.pop(Command.SET_REGION)  # type: ignore[attr-defined]
    rig.tags = [TAG]
    rig.run(2.0)
    assert rig.states() == ["online", "fault"]
    assert rig.epcs() == {TAG.epc}


def test_reads_from_before_the_stop_are_thrown_away_and_later_ones_kept() -> None:
    session = PROTOCOL.host({"dialect": "BB"})
    session.start(START_S)
    old = TagNotice.of(OTHER.epc, -50).to_bytes()
    assert not reads_of(session.receive(old, START_S))
    stopped = Frame(Kind.RESPONSE, Command.STOP, b"\0").to_bytes()
    assert reads_of(session.receive(stopped + TagNotice.of(TAG.epc, -50).to_bytes(), START_S))


def test_a_module_that_does_not_answer_stop_is_identified_all_the_same() -> None:
    rig = Rig(PROTOCOL)
    rig.device._answers.pop(Command.STOP)  # type: ignore[attr-defined]
    rig.tags = [TAG]
    rig.run(2.0)
    assert rig.epcs() == {TAG.epc}


def test_inventory_is_renewed_before_its_count_ends() -> None:
    rig = Rig(PROTOCOL, host={"rounds": 200, "dialect": "BB"})
    rig.tags = [TAG]
    rig.run(60.0)
    renewals = sum(sent.startswith(bytes.fromhex("BB0027")) for sent in rig.sent)
    assert renewals > 5
    assert rig.states() == ["online"]
    assert rig.device._poll.rounds > 0  # type: ignore[attr-defined]


def test_an_empty_round_is_a_heartbeat_and_a_tag_that_comes_back_is_read() -> None:
    rig = Rig(PROTOCOL).run(30.0)
    assert rig.states() == ["online"]
    rig.tags = [TAG]
    rig.run(0.5)
    assert rig.epcs() == {TAG.epc}


def test_one_inventory_fault_is_told_once_until_tags_are_read_again() -> None:
    session = PROTOCOL.host({"dialect": "BB"})
    fault = Frame(Kind.RESPONSE, Command.ERROR, b"\x20").to_bytes()
    tag = TagNotice.of(TAG.epc, -50).to_bytes()
    outputs = session.receive(fault * 5 + tag + fault * 5, START_S)
    assert [o.detail for o in outputs if isinstance(o, DeviceEvent)] == ["inventory error 20"] * 2


def test_a_program_that_was_held_up_does_not_lose_the_frame_in_its_port() -> None:
    session = PROTOCOL.host({"dialect": "BB"})
    raw = TagNotice.of(TAG.epc, -50).to_bytes()
    session.receive(raw[:10], START_S)
    assert not session.tick(START_S + 0.2)
    assert reads_of(session.receive(raw[10:], START_S + 0.2))


def test_half_a_frame_is_given_up_when_its_rest_does_not_come() -> None:
    session = PROTOCOL.host({"dialect": "BB"})
    raw = TagNotice.of(TAG.epc, -50).to_bytes()
    session.receive(raw[:10], START_S)
    session.tick(START_S + 0.06)
    assert [bad.data for bad in bad_of(session.tick(START_S + 0.07))] == [raw[:10]]
    assert reads_of(session.receive(raw, START_S + 0.1))


@pytest.mark.parametrize(
    "options",
    [
        {"dialect": "CC"},
        {"dialect": 1},
        {"region": "MARS"},
        {"region": 1},
        {"power_dbm": 40},
        {"power_dbm": True},
        {"power_dbm": "20"},
        {"rounds": 0},
        {"rounds": 1e4},
    ],
)
def test_a_wrong_host_option_is_refused_with_its_name(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        MagicRfHost.from_options(options)
    assert caught.value.where in options


@pytest.mark.parametrize("options", [{"dialect": "CC"}, {"round_ms": 0}, {"round_ms": "fast"}])
def test_a_wrong_device_option_is_refused_with_its_name(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        MagicRfDevice.from_options(options)
    assert caught.value.where in options


# The simulated module


def test_an_unknown_command_or_bad_parameter_is_error_17() -> None:
    for code, parameters in ((0x99, b""), (0x03, b"\x09"), (0x07, b"\x63"), (0x27, b"\x22\0\0"), (0xB6, b"\1")):
        assert answer(device(), code, parameters) == Frame(Kind.RESPONSE, Command.ERROR, b"\x17")


def test_a_wrong_checksum_and_the_other_dialect_get_no_answer() -> None:
    session = device()
    raw = command(Command.GET_INFO, b"\0")
    assert session.receive(raw[:-2] + b"\0\x7e", START_S) == b""
    assert session.receive(command(Command.GET_INFO, b"\0", AA), START_S) == b""
    assert session.receive(raw, START_S + 1) != b""


def test_polling_goes_on_while_other_commands_are_answered_and_ends_with_its_count() -> None:
    session = device()
    session.receive(command(Command.MULTI_INVENTORY, b"\x22\0\x0a"), START_S)
    frames = list(session.tick(START_S + 0.1, ()))
    assert answer(session, Command.GET_INFO, b"\0", START_S + 0.1).command == Command.GET_INFO
    frames += session.tick(START_S + 0.9, ())
    assert len(frames) == 10
    assert all(Frame.from_bytes(f) == Frame(Kind.RESPONSE, Command.ERROR, b"\x15") for f in frames)
    assert not session.tick(START_S + 9.0, ())


def test_stop_ends_polling_at_once() -> None:
    session = device()
    session.receive(command(Command.MULTI_INVENTORY, b"\x22\x27\x10"), START_S)
    assert session.tick(START_S + 0.1, [TAG])
    assert answer(session, Command.STOP).parameters == b"\0"
    assert not session.tick(START_S + 1.0, [TAG])


def test_a_paused_simulator_does_not_send_a_flood() -> None:
    session = device()
    session.receive(command(Command.MULTI_INVENTORY, b"\x22\xff\xff"), START_S)
    assert len(session.tick(START_S + 3_600, ())) <= 60


@pytest.mark.parametrize(
    ("setter", "getter", "value"),
    [
        (Command.SET_REGION, Command.GET_REGION, b"\x03"),
        (Command.SET_CHANNEL, Command.GET_CHANNEL, b"\x05"),
        (Command.SET_POWER, Command.GET_POWER, b"\x07\xd0"),
        (Command.SET_QUERY, Command.GET_QUERY, b"\x11\x20"),
        (Command.SET_SELECT, Command.GET_SELECT, bytes.fromhex("0100000020300030") + bytes(5)),
        (Command.SET_DEMODULATOR, Command.GET_DEMODULATOR, b"\x02\x06\x00\xa0"),
    ],
)
def test_a_setting_is_remembered(setter: Command, getter: Command, value: bytes) -> None:
    session = device()
    assert answer(session, setter, value) == Frame(Kind.RESPONSE, setter, b"\0")
    assert answer(session, getter) == Frame(Kind.RESPONSE, getter, value)


def test_a_channel_that_the_region_does_not_have_is_refused() -> None:
    session = device()
    answer(session, Command.SET_REGION, b"\x03")
    assert answer(session, Command.SET_CHANNEL, b"\x0f").parameters == b"\x17"


def test_a_new_line_speed_comes_without_an_answer() -> None:
    session = device()
    assert session.receive(bytes.fromhex("BB0011000200C0D37E"), START_S) == b""
    assert session.baud == 19_200


def test_sleep_loses_the_byte_that_wakes_it_and_the_settings() -> None:
    session = device()
    answer(session, Command.SET_POWER, b"\x07\xd0")
    assert answer(session, Command.SLEEP).parameters == b"\0"
    assert session.receive(command(Command.GET_POWER), START_S + 1) == b""
    assert answer(session, Command.GET_POWER, now=START_S + 2).parameters == (2_600).to_bytes(2, "big")


def test_auto_sleep_comes_after_its_minutes_and_the_host_wakes_it() -> None:
    rig = Rig(PROTOCOL)
    session = rig.device
    assert isinstance(session, MagicRfDevice)
    answer(session, Command.STOP)
    assert answer(session, Command.AUTO_SLEEP, b"\x01").parameters == b"\x01"
    session.tick(START_S + 59, ())
    assert not session.asleep
    session.tick(START_S + 61, ())
    assert session.asleep
    rig.tags = [TAG]
    rig.run(6.0)
    assert rig.epcs() == {TAG.epc}


def test_select_before_every_operation_leaves_other_tags_out() -> None:
    session = device()
    mask = OTHER.epc[:4]
    answer(session, Command.SET_SELECT, b"\x01" + (32).to_bytes(4, "big") + bytes((32, 0)) + mask)
    answer(session, Command.SELECT_MODE, b"\x00")
    session.receive(command(Command.MULTI_INVENTORY, b"\x22\x00\x01"), START_S)
    frames = session.tick(START_S + 0.1, [TAG, OTHER])
    assert [r.epc for r in reads_of(heard(PROTOCOL.host({}), frames))] == [OTHER.epc]


def test_memory_of_the_first_tag_can_be_read() -> None:
    session = device()
    session.tick(START_S, [TAG])
    tid_words = bytes(4) + b"\x02" + (0).to_bytes(2, "big") + (2).to_bytes(2, "big")
    reply = answer(session, Command.READ_MEMORY, tid_words)
    assert reply.parameters == bytes.fromhex("0E3000") + TAG.epc + bytes.fromhex("E2801160")
    assert answer(session, Command.READ_MEMORY, tid_words[:-1] + b"\x20").parameters == b"\x09"
    session.tick(START_S, ())
    assert answer(session, Command.READ_MEMORY, tid_words).parameters == b"\x09"


def test_a_single_inventory_answers_with_a_notice_for_each_tag() -> None:
    session = device()
    session.tick(START_S, [TAG, OTHER])
    reply = session.receive(command(Command.SINGLE_INVENTORY), START_S)
    assert {r.epc for r in reads_of(heard(PROTOCOL.host({}), [reply]))} == {TAG.epc, OTHER.epc}


def test_start_sends_both_dialects_until_the_module_is_known() -> None:
    (first,) = PROTOCOL.host({}).start(START_S)
    assert isinstance(first, Send)
    assert first.data == command(Command.STOP) + command(Command.STOP, dialect=AA)
