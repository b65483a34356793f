"""LLRP, the simulated reader: states, triggers, reports and the answers to a client that is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.core.readers.rig import START_S
from trace_core.errors import ConfigError
from trace_core.readers import protocols
from trace_core.readers._base import FieldTag, TagRead
from trace_core.readers.llrp.answers import Status, StatusCode
from trace_core.readers.llrp.device import LlrpDevice
from trace_core.readers.llrp.messages import Message, MessageType
from trace_core.readers.llrp.parameters import Tlv, parameters, tlv
from trace_core.readers.llrp.reports import ReportReader
from trace_core.readers.llrp.rospecs import BUFFER_TAGS, TRANSITIONS, Move, State
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
        self._rest = b""

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


# ROSpec states


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("move", list(Move))
def test_a_rospec_moves_as_the_table_says_and_no_other_way(state: State, move: Move) -> None:
    client = Client()
    client.add(BY_HAND, enable=state is not State.DISABLED)
    if state is State.ACTIVE:
        assert client.move(KINDS.START_ROSPEC, 1) == 0
    following = TRANSITIONS[state].get(move)
    assert client.move(MOVES[move], 1) == (StatusCode.FIELD_ERROR if following is None else 0)
    assert client.state(1) == (state if following is None else following)


class RoSpecLife(RuleBasedStateMachine):
    """Any commands in any order: the reader's answers and states are those of the table, and one is active."""

    def __init__(self) -> None:
        super().__init__()
        self.client = Client()
        self.known: dict[int, State] = {}

    @rule(rospec=st.integers(1, 3))
    def add(self, rospec: int) -> None:
        code = self.client.code(KINDS.ADD_ROSPEC, replace(BY_HAND, id=rospec).to_bytes())
        assert (code == 0) == (rospec not in self.known)
        self.known.setdefault(rospec, State.DISABLED)

    @rule(rospec=st.integers(0, 3))
    def delete(self, rospec: int) -> None:
        assert (self.client.move(KINDS.DELETE_ROSPEC, rospec) == 0) == (rospec in (0, *self.known))
        self.known = {known: state for known, state in self.known.items() if rospec not in (0, known)}

    @rule(rospec=st.integers(1, 3), move=st.sampled_from(list(Move)))
    def command(self, rospec: int, move: Move) -> None:
        following = TRANSITIONS[self.known[rospec]].get(move) if rospec in self.known else None
        busy = move is Move.START and State.ACTIVE in self.known.values()
        code = self.client.move(MOVES[move], rospec)
        assert (code == 0) == (following is not None and not busy)
        if code == 0 and following is not None:
            self.known[rospec] = following

    @rule(seconds=st.sampled_from([0.05, 1.0]))
    def wait(self, seconds: float) -> None:
        self.client.tags = TAGS
        self.client.run(seconds)

    @invariant()
    def states_agree(self) -> None:
        assert {rospec: self.client.state(rospec) for rospec in self.known} == self.known
        assert list(self.known.values()).count(State.ACTIVE) <= 1


TestRoSpecLife = RoSpecLife.TestCase
TestRoSpecLife.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)


def test_id_0_moves_all_and_deleting_all_of_none_succeeds() -> None:
    client = Client()
    assert client.move(KINDS.DELETE_ROSPEC, 0) == 0
    for rospec in (1, 2):
        client.add(replace(BY_HAND, id=rospec), enable=False)
    assert client.move(KINDS.ENABLE_ROSPEC, 0) == 0
    assert [client.state(n) for n in (1, 2)] == [State.INACTIVE] * 2
    assert client.move(KINDS.DELETE_ROSPEC, 0) == 0
    assert client.move(KINDS.DELETE_ROSPEC, 1) == StatusCode.FIELD_ERROR


def test_more_rospecs_than_the_reader_can_keep_are_refused() -> None:
    client = Client()
    for rospec in range(1, 9):
        client.add(replace(BY_HAND, id=rospec))
    assert client.code(KINDS.ADD_ROSPEC, replace(BY_HAND, id=9).to_bytes()) == StatusCode.FIELD_ERROR


def test_a_better_priority_pushes_the_active_rospec_aside_and_it_comes_back() -> None:
    client = Client()
    client.events_on(2)
    client.add(replace(BY_HAND, start=1, priority=5))
    client.add(replace(BY_HAND, id=2, stop=1, duration_ms=500))
    client.run(0.1)
    assert client.move(KINDS.START_ROSPEC, 2) == 0
    assert [client.state(n) for n in (1, 2)] == [State.INACTIVE, State.ACTIVE]
    client.run(1.0)
    assert [client.state(n) for n in (1, 2)] == [State.ACTIVE, State.INACTIVE]
    assert [(e[0], e[4]) for e in client.events(Tlv.ROSPEC_EVENT)] == [(0, 1), (2, 1), (0, 2), (1, 2), (0, 1)]


def test_only_one_rospec_is_active_and_commands_for_all_leave_out_who_cannot() -> None:
    client = Client()
    for rospec in (1, 2):
        client.add(replace(BY_HAND, id=rospec))
    assert client.move(KINDS.START_ROSPEC, 1) == 0
    assert client.move(KINDS.START_ROSPEC, 2) == StatusCode.FIELD_ERROR
    assert client.move(KINDS.STOP_ROSPEC, 0) == 0
    assert [client.state(n) for n in (1, 2)] == [State.INACTIVE] * 2


# Triggers and reports


def test_an_immediate_rospec_reads_from_its_enabling_on() -> None:
    client = Client()
    client.tags = TAGS
    client.add(replace(BY_HAND, start=1))
    assert client.state(1) == State.ACTIVE
    client.run(0.2)
    assert {(r.epc, r.antenna) for r in client.reads()} == {(t.epc, t.antenna) for t in TAGS}
    assert client.move(KINDS.STOP_ROSPEC, 1) == 0
    client.heard.clear()
    assert not client.run(1.0).reads()


def test_a_rospec_with_a_duration_ends_and_an_immediate_one_begins_again() -> None:
    for start, begun in ((0, 1), (1, 4)):
        client = Client()
        client.events_on(2)
        client.add(replace(BY_HAND, start=start, stop=1, duration_ms=300))
        if not start:
            assert client.move(KINDS.START_ROSPEC, 1) == 0
        client.run(1.15)
        kinds = [value[0] for value in client.events(Tlv.ROSPEC_EVENT)]
        assert kinds.count(0) == begun
        assert kinds.count(1) >= begun - 1


def test_a_periodic_rospec_starts_in_time() -> None:
    client = Client()
    client.events_on(2)
    client.add(replace(BY_HAND, start=2, offset_ms=500, period_ms=1_000, stop=1, duration_ms=200))
    client.run(0.45)
    assert not client.events(Tlv.ROSPEC_EVENT)
    client.run(4.0)
    assert [value[0] for value in client.events(Tlv.ROSPEC_EVENT)] == [0, 1] * 4


def test_a_periodic_rospec_that_is_late_keeps_its_beat() -> None:
    client = Client()
    client.events_on(2)
    client.add(replace(BY_HAND, start=2, offset_ms=500, period_ms=500, stop=1, duration_ms=800))
    client.run(4.0)
    starts = client.events(Tlv.ROSPEC_EVENT)
    assert [value[0] for value in starts] == [0, 1, 0, 1, 0, 1, 0]


def test_inventories_follow_each_other_and_each_has_its_antennas() -> None:
    client = Client()
    client.events_on(2, 6)
    client.tags = TAGS
    first, second = AiSpec((2,), stop=1, duration_ms=200), AiSpec((3, 4), stop=1, duration_ms=200)
    client.add(replace(BY_HAND, inventories=(first, second)))
    assert client.move(KINDS.START_ROSPEC, 1) == 0
    client.run(1.0)
    assert [value[5:] for value in client.events(Tlv.AISPEC_EVENT)] == [b"\0\1", b"\0\2"]
    antennas = [read.antenna for read in client.reads()]
    assert antennas.index(3) > len(antennas) - 1 - antennas[::-1].index(2)
    assert set(antennas) == {2, 3, 4}
    assert client.state(1) == State.INACTIVE


def test_reports_come_after_n_tags_or_at_the_end() -> None:
    inventory = AiSpec(stop=1, duration_ms=200)
    for trigger, every, sizes in ((1, 3, {3, 1, 2}), (1, 0, {4}), (2, 0, {4}), (2, 2, {2}), (1, 1, {1})):
        client = Client()
        client.tags = TAGS
        report = ReportSpec(trigger=trigger, every=every)
        client.add(replace(BY_HAND, start=1, inventories=(inventory,), report=report))
        client.run(1.0)
        counts = [len(list(parameters(body))) for body in client.bodies(KINDS.RO_ACCESS_REPORT)]
        assert len(counts) > 3
        assert set(counts) <= sizes
        assert counts[0] == (every or len(TAGS))


def test_an_end_without_tags_is_an_empty_report() -> None:
    client = Client()
    inventory = AiSpec(stop=1, duration_ms=200)
    client.add(replace(BY_HAND, start=1, inventories=(inventory,), report=ReportSpec(every=0)))
    client.run(0.5)
    assert client.bodies(KINDS.RO_ACCESS_REPORT)[0] == b""


def test_without_a_report_trigger_reads_wait_to_be_asked_for() -> None:
    client = Client()
    client.tags = TAGS
    client.add(replace(BY_HAND, start=1, report=ReportSpec(trigger=0)))
    client.run(1.0)
    assert not client.heard[1:]
    answer = client.ask(KINDS.GET_REPORT)
    assert answer.kind == KINDS.RO_ACCESS_REPORT
    reads = ReportReader().read(answer.to_bytes())
    assert {read.epc for read in reads if isinstance(read, TagRead)} == {tag.epc for tag in TAGS}
    assert client.ask(KINDS.GET_REPORT).body == b""


def test_a_full_buffer_warns_first_and_then_says_what_it_lost() -> None:
    client = Client()
    client.events_on(3)
    client.tags = [FieldTag(n.to_bytes(12, "big")) for n in range(BUFFER_TAGS + 5)]
    client.add(replace(BY_HAND, start=1, report=ReportSpec(trigger=0)))
    client.run(0.2)
    assert client.events(Tlv.BUFFER_LEVEL_WARNING) == [b"\x5a"]
    assert len(client.events(Tlv.BUFFER_OVERFLOW)) == 5


def test_both_forms_of_an_epc_are_reported_with_the_fields_asked_for() -> None:
    client = Client()
    client.tags = [FieldTag(bytes(12), rssi_dbm=-48.6), FieldTag(bytes(16))]
    client.add(replace(BY_HAND, start=1, report=ReportSpec(fields=0x0400, memory=0)))
    client.run(0.1)
    first, second = client.bodies(KINDS.RO_ACCESS_REPORT)[:2]
    assert first.hex() == "00f00013" + "8d" + "00" * 12 + "86cf"
    assert second.hex() == "00f0001c" + "00f100160080" + "00" * 16 + "86c9"


def test_an_observation_trigger_ends_with_its_tags_or_its_time() -> None:
    observation = tlv(Tlv.TAG_OBSERVATION_TRIGGER, bytes.fromhex("0000 0003 0000 0000 000001F4"))
    stop = tlv(Tlv.AI_STOP_TRIGGER, b"\3" + bytes(4), observation)
    plain = tlv(Tlv.AI_STOP_TRIGGER, bytes(5))
    encoded = BY_HAND.to_bytes().replace(plain, stop)
    grown = len(stop) - len(plain)
    for kind, value in ((Tlv.AI_SPEC, AiSpec().to_bytes()), (Tlv.ROSPEC, BY_HAND.to_bytes())):
        head = kind.to_bytes(2, "big")
        encoded = encoded.replace(head + len(value).to_bytes(2, "big"), head + (len(value) + grown).to_bytes(2, "big"))
    for tags, limit_s in ((TAGS, 0.2), ((), 0.7)):
        client = Client()
        client.tags = tags
        assert client.code(KINDS.ADD_ROSPEC, encoded) == 0
        assert client.move(KINDS.ENABLE_ROSPEC, 1) == 0
        assert client.move(KINDS.START_ROSPEC, 1) == 0
        client.run(limit_s)
        assert client.state(1) == State.INACTIVE


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
