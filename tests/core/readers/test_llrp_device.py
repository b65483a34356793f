"""LLRP, the simulated reader: its connections and its answers, also to a client that is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.readers.rig import START_S
from trace_core.errors import ConfigError
from trace_core.readers import protocols
from trace_core.readers._base import FieldTag, TagRead
from trace_core.readers.llrp.answers import Status, StatusCode
from trace_core.readers.llrp.device import LlrpDevice
from trace_core.readers.llrp.messages import Message, MessageType
from trace_core.readers.llrp.parameters import Tlv, parameters, tlv
from trace_core.readers.llrp.reports import ReportReader
from trace_core.readers.llrp.rospecs import Move, State
from trace_core.readers.llrp.specs import AiSpec, ReportSpec, RoSpec, antenna_configuration, event_spec, keepalive_spec

LLRP = protocols()["llrp"]
KINDS = MessageType
TAGS = [FieldTag(bytes((n,)) * 12, antenna=1 + n % 4) for n in range(4)]
MOVES = {
    Move.ENABLE: KINDS.ENABLE_ROSPEC,
    Move.DISABLE: KINDS.DISABLE_ROSPEC,
    Move.START: KINDS.START_ROSPEC,
    Move.STOP: KINDS.STOP_ROSPEC,
}
BY_HAND = RoSpec(1, start=0, report=ReportSpec())


class Client:
    """Sends to a device and sorts what comes back; `run` lets time pass."""

    def __init__(self, **options: object) -> None:
        device = LLRP.device(options)
        assert isinstance(device, LlrpDevice)
        self.device = device
        self.now = START_S
        self.tags: Sequence[FieldTag] = ()
        self.heard: list[Message] = []

    def ask(self, kind: int, body: bytes = b"", *, version: int = 1) -> Message:
        """The answer to one message; what else came with it is in `heard`."""
        messages = split(self.device.receive(Message(kind, 42, body, version).to_bytes(), self.now))
        self.heard += messages[:-1]
        assert messages[-1].id == 42
        return messages[-1]

    def code(self, kind: int, body: bytes = b"") -> int:
        answer = self.ask(kind, body)
        assert answer.kind in (kind + 10, KINDS.ERROR_MESSAGE, KINDS.CLOSE_CONNECTION_RESPONSE)
        return Status.of(answer.body).code

    def add(self, spec: RoSpec, *, enable: bool = True) -> None:
        assert self.code(KINDS.ADD_ROSPEC, spec.to_bytes()) == 0
        if enable:
            assert self.move(KINDS.ENABLE_ROSPEC, spec.id) == 0

    def move(self, kind: int, rospec: int) -> int:
        return self.code(kind, rospec.to_bytes(4, "big"))

    def events_on(self, *kinds: int) -> None:
        assert self.code(KINDS.SET_READER_CONFIG, b"\0" + event_spec(kinds)) == 0

    def run(self, seconds: float) -> Client:
        for _ in range(round(seconds / 0.01)):
            self.now += 0.01
            for frame in self.device.tick(self.now, self.tags):
                self.heard += split(frame)
        return self

    def bodies(self, kind: int) -> list[bytes]:
        return [message.body for message in self.heard if message.kind == kind]

    def reads(self) -> list[TagRead]:
        reports = [m for m in self.heard if m.kind == KINDS.RO_ACCESS_REPORT]
        return [read for m in reports for read in ReportReader().read(m.to_bytes()) if isinstance(read, TagRead)]

    def events(self, kind: int) -> list[bytes]:
        data = [next(parameters(body))[1] for body in self.bodies(KINDS.READER_EVENT_NOTIFICATION)]
        return [value for inside in data for this, value in parameters(inside) if this == kind]

    def state(self, rospec: int) -> int:
        answer = self.ask(KINDS.GET_ROSPECS)
        found = {value[:4]: value[5] for kind, value in parameters(answer.body) if kind == Tlv.ROSPEC}
        return found[rospec.to_bytes(4, "big")]


def split(data: bytes) -> list[Message]:
    out = []
    while data:
        length = int.from_bytes(data[2:6], "big")
        out.append(Message.from_bytes(data[:length]))
        data = data[length:]
    return out


# Connections


def test_the_reader_speaks_first_and_once() -> None:
    client = Client().run(5.0)
    assert [m.kind for m in client.heard] == [KINDS.READER_EVENT_NOTIFICATION]
    assert client.events(Tlv.CONNECTION_ATTEMPT) == [b"\0\0"]


def test_a_second_client_is_told_why_it_is_turned_away() -> None:
    client = Client()
    client.heard = split(client.device.turn_away(START_S))
    assert client.events(Tlv.CONNECTION_ATTEMPT) == [b"\0\2"]


def test_settings_and_rospecs_outlive_the_connection() -> None:
    client = Client()
    client.add(BY_HAND)
    client.code(KINDS.SET_READER_CONFIG, b"\0" + keepalive_spec(1_000))
    client.device.detached()
    assert not client.run(3.0).bodies(KINDS.KEEPALIVE)
    client.device.attached(client.now)
    client.run(3.5)
    assert client.state(1) == State.INACTIVE
    assert len(client.bodies(KINDS.KEEPALIVE)) == 3
    assert client.heard[-1].kind == KINDS.KEEPALIVE
    assert len(client.events(Tlv.CONNECTION_ATTEMPT)) == 1


def test_what_was_seen_without_a_client_is_reported_to_the_next_one() -> None:
    client = Client()
    client.add(replace(BY_HAND, start=1))
    client.device.detached()
    client.tags = TAGS
    client.run(1.0)
    client.tags = ()
    assert not client.heard
    client.device.attached(client.now)
    client.run(0.1)
    assert {read.epc for read in client.reads()} == {tag.epc for tag in TAGS}
    assert all(read.count > 1 for read in client.reads())


def test_held_reports_wait_for_the_client_to_release_them() -> None:
    client = Client()
    client.add(replace(BY_HAND, start=1))
    hold = tlv(Tlv.EVENTS_AND_REPORTS, b"\x80")
    assert client.code(KINDS.SET_READER_CONFIG, b"\0" + hold) == 0
    client.device.detached()
    client.device.attached(client.now)
    client.tags = TAGS
    client.run(1.0)
    assert not client.reads()
    assert client.device.receive(Message(KINDS.ENABLE_EVENTS_AND_REPORTS, 1).to_bytes(), client.now) == b""
    client.run(0.1)
    assert client.reads()


def test_closing_is_answered_and_then_done() -> None:
    client = Client()
    assert not client.device.hangs_up()
    assert client.ask(KINDS.CLOSE_CONNECTION).kind == KINDS.CLOSE_CONNECTION_RESPONSE
    assert client.device.hangs_up()
    client.device.attached(client.now)
    assert not client.device.hangs_up()


# Answers


def test_every_request_is_answered_under_its_number_even_when_it_is_wrong() -> None:
    client = Client()
    for kind in range(1024):
        if kind in (KINDS.KEEPALIVE_ACK, KINDS.ENABLE_EVENTS_AND_REPORTS):
            continue
        for body in (b"", bytes(1), bytes(4), bytes(7)):
            raw = client.device.receive(Message(kind, 42, body).to_bytes(), client.now)
            assert all(message.id == 42 for message in split(raw))
        client = Client()


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        (500, b"", StatusCode.UNSUPPORTED_MESSAGE),
        (KINDS.CUSTOM_MESSAGE, bytes.fromhex("0000651A15"), StatusCode.UNSUPPORTED_MESSAGE),
        (KINDS.GET_SUPPORTED_VERSION, b"", StatusCode.UNSUPPORTED_MESSAGE),
        (KINDS.ADD_ACCESSSPEC, b"", StatusCode.FIELD_ERROR),
        (KINDS.DELETE_ACCESSSPEC, bytes(4), StatusCode.SUCCESS),
        (KINDS.ENABLE_ACCESSSPEC, b"\0\0\0\1", StatusCode.FIELD_ERROR),
        (KINDS.GET_ACCESSSPECS, b"", StatusCode.SUCCESS),
        (KINDS.GET_READER_CONFIG, bytes.fromhex("00090000000000"), StatusCode.FIELD_ERROR),
        (KINDS.SET_READER_CONFIG, b"\0" + event_spec([99]), StatusCode.FIELD_ERROR),
        (KINDS.SET_READER_CONFIG, b"\0" + tlv(Tlv.KEEPALIVE_SPEC, b"\1\0\0\0\0"), StatusCode.PARAMETER_ERROR),
        (KINDS.ADD_ROSPEC, tlv(Tlv.ROSPEC, b"\0"), StatusCode.PARAMETER_ERROR),
        (KINDS.ADD_ROSPEC, replace(BY_HAND, inventories=(AiSpec((5,)),)).to_bytes(), StatusCode.FIELD_ERROR),
    ],
)
def test_wrong_requests_get_the_standards_error(kind: int, body: bytes, code: int) -> None:
    assert Client().code(kind, body) == code


@pytest.mark.parametrize(("power", "code"), [(0, 101), (1, 0), (24, 0), (25, 101)])
def test_a_power_is_an_index_into_the_readers_table(power: int, code: int) -> None:
    configuration = antenna_configuration(0, hop_table=1, channel=1, power=power, session=None)
    spec = replace(BY_HAND, inventories=(AiSpec(configuration=configuration),))
    assert Client().code(KINDS.ADD_ROSPEC, spec.to_bytes()) == code


def test_a_setting_that_is_wrong_changes_nothing_of_its_message() -> None:
    client = Client()
    body = b"\0" + keepalive_spec(1_000) + event_spec([99])
    assert client.code(KINDS.SET_READER_CONFIG, body) == StatusCode.FIELD_ERROR
    assert client.device.settings.keepalive_ms == 0


def test_factory_settings_take_everything_back() -> None:
    client = Client()
    client.add(BY_HAND)
    client.code(KINDS.SET_READER_CONFIG, b"\0" + keepalive_spec(1_000))
    assert client.code(KINDS.SET_READER_CONFIG, b"\x80") == 0
    assert client.device.settings.keepalive_ms == 0
    assert not client.device.rospecs.operations


def test_the_configuration_says_what_was_set() -> None:
    client = Client()
    client.code(KINDS.SET_READER_CONFIG, b"\0" + keepalive_spec(7_000) + event_spec([2, 8]))
    everything = dict(parameters(client.ask(KINDS.GET_READER_CONFIG, bytes(7)).body))
    assert everything[Tlv.KEEPALIVE_SPEC] == keepalive_spec(7_000)[4:]
    assert everything[Tlv.READER_EVENT_SPEC].count(b"\x80") == 2
    keepalive = list(parameters(client.ask(KINDS.GET_READER_CONFIG, bytes.fromhex("00000800000000")).body))
    assert [kind for kind, _ in keepalive] == [Tlv.LLRP_STATUS, Tlv.KEEPALIVE_SPEC]
    assert len(list(parameters(client.ask(KINDS.GET_READER_CAPABILITIES, b"\1").body))) == 2


def test_a_version_that_the_reader_does_not_know_is_refused() -> None:
    for known, answered in (("1.0.1", KINDS.ERROR_MESSAGE), ("1.1", KINDS.GET_SUPPORTED_VERSION_RESPONSE)):
        assert Client(reader_version=known).ask(KINDS.GET_SUPPORTED_VERSION, version=2).kind == answered
    client = Client(reader_version="1.1")
    assert Status.of(client.ask(KINDS.SET_PROTOCOL_VERSION, b"\3", version=2).body).code == 110
    assert Status.of(client.ask(KINDS.SET_PROTOCOL_VERSION, b"\2", version=2).body).code == 0
    client.code(KINDS.SET_READER_CONFIG, b"\0" + keepalive_spec(500))
    client.run(1.0)
    assert {m.version for m in client.heard if m.kind == KINDS.KEEPALIVE} == {2}


def test_a_pulled_antenna_is_reported_and_reads_nothing() -> None:
    client = Client()
    client.events_on(8)
    client.tags = [FieldTag(bytes(12), antenna=2)]
    client.add(replace(BY_HAND, start=1))
    client.device.connect_antenna(2, connected=False)
    client.run(0.5)
    assert client.events(Tlv.ANTENNA_EVENT) == [b"\0\0\2"]
    assert not client.reads()
    client.device.connect_antenna(2, connected=True)
    client.run(0.5)
    assert client.events(Tlv.ANTENNA_EVENT) == [b"\0\0\2", b"\1\0\2"]
    assert client.reads()


@settings(max_examples=200, deadline=None)
@given(
    kind=st.sampled_from([k for k in KINDS if k < 100]),
    body=st.binary(max_size=80),
    version=st.integers(1, 2),
)
def test_no_body_makes_the_reader_raise(kind: int, body: bytes, version: int) -> None:
    client = Client(reader_version="1.1")
    client.device.receive(Message(kind, 1, body, version).to_bytes(), START_S)
    client.tags = TAGS
    client.run(0.2)


@pytest.mark.parametrize(
    "options",
    [
        {"reader_version": "2"},
        {"reader_antennas": 0},
        {"reader_antennas": True},
        {"round_ms": 0},
        {"round_ms": "5"},
    ],
    ids=str,
)
def test_device_options_out_of_range_are_configuration_errors(options: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        LLRP.device(options)
