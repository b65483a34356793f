"""The only way along a transition table `{state: {event: next}}` (every module's `states.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from trace_core.errors import Conflict
from trace_server.audit.operations import record
from trace_server.db import Connection

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


def next_state(table: Mapping[State, Mapping[Event, State]], state: State, event: Event) -> State:
    """The state after `event`. Raises `Conflict` when `table` has no such step."""
    steps = table.get(state, {})
    if event not in steps:
        possible = ", ".join(sorted(steps)) or "nothing: this state is final"
        raise Conflict(f"{event} is not possible in state {state}", where="state", remedy=f"possible: {possible}")
    return steps[event]


def advance(  # noqa: PLR0913 – what an audit entry needs to say
    conn: Connection,
    now: datetime,
    *,
    table: Mapping[State, Mapping[Event, State]],
    state: State,
    event: Event,
    actor: str,
    object: str,
    action: str,
    refusal: str = "",
    detail: Mapping[str, object] | None = None,
) -> State:
    """Take one step and write it to the audit log; the caller stores the state it gets back.

    `refusal` is the sentence of the caller's guard when it says no, "" when it lets the step pass. Raises
    `Conflict` for a refused or impossible step; nothing is written then.
    """
    after = next_state(table, state, event)
    if refusal:
        raise Conflict(refusal, where="state")
    record(conn, now, actor, action, object, {**(detail or {}), "event": event, "from": state, "to": after})
    return after
