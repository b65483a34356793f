"""The transition table: complete, without dead ends that should not be, and closed where the law closes it."""

from __future__ import annotations

from trace_server.credit.model import STOPPED, State
from trace_server.credit.states import INITIAL, OPS, RESUME_TO, TRANSITIONS, Step


def test_every_state_has_a_row_and_every_step_is_used() -> None:
    assert set(TRANSITIONS) == set(State)
    assert {step for row in TRANSITIONS.values() for step in row} == set(Step)


def test_every_step_of_a_stored_record_emits_one_operation() -> None:
    reached, frontier = {INITIAL}, [INITIAL]
    while frontier:
        for step, state in TRANSITIONS[frontier.pop()].items():
            assert step in OPS
            if state not in reached:
                reached.add(state)
                frontier.append(state)
    assert reached == set(State) - {State.DRAFTED, State.NOTICED, State.DISMISSED}


def test_a_stopped_record_never_comes_back() -> None:
    for state in STOPPED:
        assert set(TRANSITIONS[state].values()) <= STOPPED


def test_a_record_cannot_be_shown_without_a_decision() -> None:
    for state in (State.DRAFTED, State.NOTICED):
        assert State.PUBLISHED not in TRANSITIONS[state].values()
    assert TRANSITIONS[State.NOTICED] == {Step.CONFIRM: State.CONFIRMED}


def test_each_state_that_can_be_suspended_has_its_way_back() -> None:
    for state, row in TRANSITIONS.items():
        assert (Step.SUSPEND in row) == (state in RESUME_TO)
    for state, step in RESUME_TO.items():
        assert TRANSITIONS[State.SUSPENDED][step] is state
