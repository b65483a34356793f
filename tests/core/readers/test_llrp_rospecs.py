"""LLRP, the simulated reader's ROSpecs: their states, triggers and reports."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tests.core.readers.test_llrp_device import BY_HAND, KINDS, MOVES, TAGS, Client
from trace_core.readers._base import FieldTag, TagRead
from trace_core.readers.llrp.answers import StatusCode
from trace_core.readers.llrp.parameters import Tlv, parameters, tlv
from trace_core.readers.llrp.reports import ReportReader
from trace_core.readers.llrp.rospecs import BUFFER_TAGS, TRANSITIONS, Move, State
from trace_core.readers.llrp.specs import AiSpec, ReportSpec

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
