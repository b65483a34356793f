"""JSON over MQTT: what the registry suite cannot know."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.readers.rig import START_S, Rig, bad_of, reads_of
from trace_core.errors import ConfigError
from trace_core.readers._base import DeviceEvent, FieldTag, HostOutput
from trace_core.readers.mqtt_json import PROTOCOL
from trace_core.readers.mqtt_json.fields import epc_of, moment_of

TAG = FieldTag(bytes.fromhex("3034B75F19600021F0138250"), bytes.fromhex("E280116020007012"), 2, -52.5)
EPC = TAG.epc.hex()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
NAMES = (
    "epc epcHex EPC idHex id tag tid rssi peakRssiCdbm antenna timestamp hostname reads data tag_reads "
    "eventType tagInventoryEvent eventNum PC lastSeenTime"
)
reader_names = st.sampled_from(NAMES.split())


def hear(document: object, **options: object) -> list[HostOutput]:
    return list(PROTOCOL.host(options).receive(json.dumps(document).encode(), START_S))


def states(outputs: list[HostOutput]) -> list[str]:
    return [output.state.value for output in outputs if isinstance(output, DeviceEvent)]


@pytest.mark.parametrize("dialect", ["impinj", "zebra", "generic"])
@pytest.mark.parametrize("host", ["auto", None])
def test_each_dialect_of_the_simulated_reader_is_read(dialect: str, host: str | None) -> None:
    rig = Rig(PROTOCOL, host={"dialect": host or dialect}, device={"dialect": dialect, "hostname": "gate"})
    rig.tags = [TAG]
    rig.run(2.0)
    read = rig.reads[0]
    assert (read.epc, read.antenna) == (TAG.epc, 2)
    assert read.rssi_dbm == pytest.approx(-52.5, abs=0.5)
    assert read.reader_time is not None
    assert read.reader_time.timestamp() == pytest.approx(START_S, abs=0.1)
    assert read.tid == (None if dialect == "generic" else TAG.tid)
    assert read.reader == (None if dialect == "zebra" else "gate")
    assert rig.states() == ["online"]
    assert len(rig.reads) == 4


@given(value=json_values)
def test_any_json_is_answered_with_outputs_and_never_with_an_exception(value: object) -> None:
    for output in hear(value):
        assert output


@given(fields=st.dictionaries(reader_names, json_values | st.text("0123456789abcdefABCDEF=+/-_", max_size=40)))
def test_any_value_under_the_known_names_is_answered_without_an_exception(fields: dict[str, object]) -> None:
    kind = {"eventType": "tagInventory", "tagInventoryEvent": fields}
    for document in (fields, {"data": fields}, kind, [fields, fields], {"tag_reads": [fields]}):
        outputs = hear(document)
        assert all(0 < len(read.epc) <= 62 and len(read.epc) % 2 == 0 for read in reads_of(outputs))


def test_a_deeply_nested_payload_is_bad_bytes() -> None:
    outputs = PROTOCOL.host({}).receive(b"[" * 200_000, START_S)
    assert [bad.reason for bad in bad_of(outputs)] == ["not_json"]


def test_a_payload_that_is_too_large_is_kept_in_part() -> None:
    outputs = PROTOCOL.host({}).receive(b" " * 2_000_000, START_S)
    assert [(bad.reason, len(bad.data)) for bad in bad_of(outputs)] == [("too_large", 4_096)]


def test_bad_items_do_not_keep_good_ones_out_and_are_quarantined_once() -> None:
    outputs = hear([{"epc": EPC}, 5, {"x": 1}, {"x": 2}, {"epc": EPC[:22] + "51"}])
    assert len(reads_of(outputs)) == 2
    assert sorted(bad.reason for bad in bad_of(outputs)) == ["no_epc", "not_an_object"]


def test_good_and_bad_reads_in_one_list_are_told_apart() -> None:
    outputs = hear({"tag_reads": [{"epc": EPC}, {"nothing": 1}]})
    assert len(reads_of(outputs)) == 1
    assert [bad.reason for bad in bad_of(outputs)] == ["no_epc"]


def test_a_gap_in_the_event_numbers_is_data_loss() -> None:
    session = PROTOCOL.host({})
    seen: list[HostOutput] = []
    for number in (10, 11, 11, 14, 1, 2):
        document = {"data": {"idHex": EPC, "eventNum": number}, "type": "SIMPLE"}
        seen += session.receive(json.dumps(document).encode(), START_S)
    losses = [o.detail for o in seen if isinstance(o, DeviceEvent) and o.state == "data_loss"]
    assert losses == ["2 messages are missing before 14"]


def test_silence_is_reported_only_when_a_limit_is_set() -> None:
    for limit, expected in ((0, ["online"]), (5, ["online", "silent", "online"])):
        session = PROTOCOL.host({"silence_s": limit})
        outputs = list(session.start(START_S))
        outputs += session.receive(b"connected", START_S)
        outputs += session.tick(START_S + 6)
        outputs += session.tick(START_S + 12)
        outputs += session.receive(json.dumps({"epc": EPC}).encode(), START_S + 13)
        assert states(outputs) == expected


def test_the_configured_reader_name_stands_in_for_a_missing_one() -> None:
    assert reads_of(hear({"epc": EPC}, reader="gate 3"))[0].reader == "gate 3"
    assert reads_of(hear({"epc": EPC, "hostname": "own"}, reader="gate 3"))[0].reader == "own"


def test_base64_is_taken_where_hex_cannot_be_meant() -> None:
    assert epc_of({"epc": "MDS3XxlgACHwE4JQ"}) == TAG.epc
    assert epc_of({"epc": "-_8AAAAAAAAAAAAA"}) == bytes.fromhex("FBFF00000000000000000000")
    assert epc_of({"epc": EPC}) == TAG.epc
    assert epc_of({"epc": "gate"}) is None


@pytest.mark.parametrize("value", [1_714_550_400, 1_714_550_400_000, 1_714_550_400_000_000, 1_714_550_400_000_000_000])
def test_the_unit_of_a_time_is_told_by_its_magnitude(value: int) -> None:
    expected = datetime(2024, 5, 1, 8, tzinfo=UTC)
    assert moment_of(value) == expected
    assert moment_of(str(value)) == expected
    assert moment_of("2024-05-01T10:00:00+02:00") == expected


@pytest.mark.parametrize("value", [None, True, 0, -5, 1e300, "soon", "2024-05-01T10:00:00", "9" * 30, [], "٣"])
def test_a_time_that_says_no_moment_is_none(value: object) -> None:
    assert moment_of(value) is None


@pytest.mark.parametrize(
    "options", [{"dialect": "x"}, {"reads": 1}, {"reader": 1}, {"silence_s": -1}, {"silence_s": "1"}]
)
def test_a_wrong_host_option_is_refused_with_its_name(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        PROTOCOL.host(options)
    assert caught.value.where in options


@pytest.mark.parametrize("options", [{"dialect": "x"}, {"report_ms": 0}, {"report_ms": True}, {"hostname": 1}])
def test_a_wrong_device_option_is_refused_with_its_name(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        PROTOCOL.device(options)
    assert caught.value.where in options


def test_a_zebra_reader_answers_commands_and_others_do_not() -> None:
    command = b'{"command":"stop","command_id":"1","payload":{}}'
    assert PROTOCOL.device({}).receive(command, START_S) == b""
    zebra = PROTOCOL.device({"dialect": "zebra"})
    assert json.loads(zebra.receive(command, START_S))["response"] == "success"
    assert not zebra.tick(START_S, [TAG])
    assert json.loads(zebra.receive(b'{"command":"fly"}', START_S))["response"] == "failure"
    assert zebra.receive(b"[]", START_S) == b""
    assert zebra.receive(b"{", START_S) == b""
