"""The life of a report or complaint, and of a reward, as tables."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.complaints.model import Event, Kind, RewardEvent, RewardState, State

_START: Mapping[State, Mapping[Event, State]] = {
    State.RECEIVED: {Event.ACCEPT: State.ACCEPTED, Event.REFUSE: State.REFUSED},
    State.ACCEPTED: {Event.INVESTIGATE: State.INVESTIGATING},
    State.REFUSED: {},
    State.CLOSED: {},
}
_REPORT: Mapping[State, Mapping[Event, State]] = {
    **_START,
    State.INVESTIGATING: {Event.VERIFY: State.VERIFIED, Event.UNFOUND: State.UNFOUNDED},
    State.VERIFIED: {Event.CLOSE: State.CLOSED},
    State.UNFOUNDED: {Event.CLOSE: State.CLOSED},
}
_COMPLAINT: Mapping[State, Mapping[Event, State]] = {
    **_START,
    State.INVESTIGATING: {Event.MEDIATE: State.MEDIATED, Event.UNFOUND: State.UNFOUNDED},
    State.MEDIATED: {Event.CLOSE: State.CLOSED},
    State.UNFOUNDED: {Event.CLOSE: State.CLOSED},
}
TRANSITIONS: Mapping[Kind, Mapping[State, Mapping[Event, State]]] = {
    Kind.REPORT: _REPORT,
    Kind.COMPLAINT: _COMPLAINT,
    Kind.RETALIATION: _REPORT,
}
REWARD_TRANSITIONS: Mapping[RewardState, Mapping[RewardEvent, RewardState]] = {
    RewardState.ASSESSED: {RewardEvent.APPROVE: RewardState.APPROVED, RewardEvent.REFUSE: RewardState.REFUSED},
    RewardState.APPROVED: {RewardEvent.CLAIM: RewardState.CLAIMED, RewardEvent.FORFEIT: RewardState.FORFEITED},
    RewardState.REFUSED: {},
    RewardState.CLAIMED: {},
    RewardState.FORFEITED: {},
}
