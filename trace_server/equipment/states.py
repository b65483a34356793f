"""How a thing goes through its life (domain.md §4.2), and what the calendar makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from trace_server.equipment.kinds import due_soon_days
from trace_server.equipment.model import Asset, State, Step

_END = {Step.FAILED: State.OUT_OF_SERVICE, Step.TAKE_OUT: State.OUT_OF_SERVICE, Step.SCRAP: State.SCRAPPED}
TRANSITIONS: Mapping[State, Mapping[Step, State]] = {
    State.REGISTERED: {
        Step.PUT_IN_USE: State.IN_USE,
        Step.FALL_DUE: State.OVERDUE,
        Step.PASSED: State.REGISTERED,
        **_END,
    },
    State.IN_USE: {
        Step.NEAR_DUE: State.DUE_SOON,
        Step.FALL_DUE: State.OVERDUE,
        Step.PASSED: State.IN_USE,
        **_END,
    },
    State.DUE_SOON: {Step.FALL_DUE: State.OVERDUE, Step.PASSED: State.IN_USE, **_END},
    State.OVERDUE: {Step.PASSED: State.INSPECTED, **_END},
    State.INSPECTED: {
        Step.PUT_IN_USE: State.IN_USE,
        Step.FALL_DUE: State.OVERDUE,
        Step.PASSED: State.INSPECTED,
        **_END,
    },
    State.OUT_OF_SERVICE: {
        Step.PUT_IN_USE: State.IN_USE,
        Step.PASSED: State.OUT_OF_SERVICE,
        Step.FAILED: State.OUT_OF_SERVICE,
        Step.SCRAP: State.SCRAPPED,
    },
    State.SCRAPPED: {},
}
"""Final is only scrap: who scraps by mistake registers what is not scrap under a new tag."""


def state_on(asset: Asset, day: date) -> State:
    """The state on a day of Asia/Shanghai: the stored one, and the calendar's steps after it."""
    if asset.scrap_on is not None and asset.scrap_on <= day:
        return State.SCRAPPED
    steps, due = TRANSITIONS[asset.state], asset.inspection_due
    if due is None:
        return asset.state
    if day > due and Step.FALL_DUE in steps:
        return steps[Step.FALL_DUE]
    if due - day <= timedelta(days=due_soon_days()) and Step.NEAR_DUE in steps and day <= due:
        return steps[Step.NEAR_DUE]
    return asset.state
