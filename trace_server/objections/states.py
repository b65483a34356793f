"""The life of an objection as a table."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.objections.model import ObjectionEvent, ObjectionState

TRANSITIONS: Mapping[ObjectionState, Mapping[ObjectionEvent, ObjectionState]] = {
    ObjectionState.RAISED: {
        ObjectionEvent.PROPOSE: ObjectionState.PROPOSED,
        ObjectionEvent.REJECT: ObjectionState.REJECTED,
    },
    ObjectionState.PROPOSED: {
        ObjectionEvent.UPHOLD: ObjectionState.UPHELD,
        ObjectionEvent.RETURN: ObjectionState.RAISED,
    },
    ObjectionState.UPHELD: {},
    ObjectionState.REJECTED: {},
}
DECIDES = frozenset({ObjectionEvent.UPHOLD, ObjectionEvent.REJECT})
