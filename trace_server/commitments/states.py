"""The life of a commitment as a table (domain rules §4.2)."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.commitments.model import CommitmentEvent, CommitmentState, Performance

_FOUND = {
    CommitmentEvent.RECORD_BREACH: CommitmentState.BREACH,
    CommitmentEvent.RETURN: CommitmentState.IN_FORCE,
    CommitmentEvent.WITHDRAW: CommitmentState.WITHDRAWN,
}
_DETERMINED = {
    CommitmentEvent.ANNUL: CommitmentState.IN_FORCE,
    CommitmentEvent.WITHDRAW: CommitmentState.WITHDRAWN,
}

TRANSITIONS: Mapping[CommitmentState, Mapping[CommitmentEvent, CommitmentState]] = {
    CommitmentState.SIGNED: {
        CommitmentEvent.PUBLISH: CommitmentState.PUBLIC,
        CommitmentEvent.ENTER: CommitmentState.IN_FORCE,
        CommitmentEvent.WITHDRAW: CommitmentState.WITHDRAWN,
    },
    CommitmentState.PUBLIC: {
        CommitmentEvent.ENTER: CommitmentState.IN_FORCE,
        CommitmentEvent.WITHDRAW: CommitmentState.WITHDRAWN,
    },
    CommitmentState.IN_FORCE: {
        CommitmentEvent.FULFIL: CommitmentState.FULFILLED,
        CommitmentEvent.FIND_PARTLY: CommitmentState.PARTLY,
        CommitmentEvent.FIND_UNFULFILLED: CommitmentState.UNFULFILLED,
        CommitmentEvent.WITHDRAW: CommitmentState.WITHDRAWN,
    },
    CommitmentState.PARTLY: _FOUND,
    CommitmentState.UNFULFILLED: _FOUND,
    CommitmentState.FULFILLED: _DETERMINED,
    CommitmentState.BREACH: {**_DETERMINED, CommitmentEvent.REMEDY: CommitmentState.REMEDIED},
    CommitmentState.REMEDIED: _DETERMINED,
    CommitmentState.WITHDRAWN: {},
}
BY_OBJECTION = frozenset({CommitmentEvent.ANNUL, CommitmentEvent.WITHDRAW})
"""Steps that only an objection that was right takes."""
DETERMINES: Mapping[CommitmentEvent, Performance] = {
    CommitmentEvent.FULFIL: Performance.FULFILLED,
    CommitmentEvent.FIND_PARTLY: Performance.PARTLY,
    CommitmentEvent.FIND_UNFULFILLED: Performance.UNFULFILLED,
}
UNTOLD = frozenset({CommitmentEvent.FIND_PARTLY, CommitmentEvent.FIND_UNFULFILLED, CommitmentEvent.RETURN})
"""Steps that nobody outside hears of: a second person has yet to agree, or did not."""
EVENTS_BY_HAND = tuple(event for event in CommitmentEvent if event not in BY_OBJECTION)
