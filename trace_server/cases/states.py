"""The life of a case as a table."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.cases.model import CaseEvent, CaseState

TRANSITIONS: Mapping[CaseState, Mapping[CaseEvent, CaseState]] = {
    CaseState.CLUE: {
        CaseEvent.FILE: CaseState.FILED,
        CaseEvent.DISMISS: CaseState.DISMISSED,
        CaseEvent.TRANSFER: CaseState.TRANSFERRED,
    },
    CaseState.FILED: {
        CaseEvent.INVESTIGATE: CaseState.INVESTIGATING,
        CaseEvent.TRANSFER: CaseState.TRANSFERRED,
    },
    CaseState.INVESTIGATING: {
        CaseEvent.PROPOSE: CaseState.PROPOSED,
        CaseEvent.DISMISS: CaseState.DISMISSED,
        CaseEvent.TRANSFER: CaseState.TRANSFERRED,
    },
    CaseState.PROPOSED: {CaseEvent.NOTICE: CaseState.NOTICED, CaseEvent.RETURN: CaseState.INVESTIGATING},
    CaseState.NOTICED: {
        CaseEvent.DECIDE: CaseState.DECIDED,
        CaseEvent.RETURN: CaseState.INVESTIGATING,
        CaseEvent.DISMISS: CaseState.DISMISSED,
    },
    CaseState.DECIDED: {CaseEvent.EXECUTE: CaseState.EXECUTED},
    CaseState.EXECUTED: {CaseEvent.CLOSE: CaseState.CLOSED},
    CaseState.TRANSFERRED: {CaseEvent.RECEIVE: CaseState.CLUE, CaseEvent.REFUSE: CaseState.CLUE},
    CaseState.CLOSED: {},
    CaseState.DISMISSED: {},
}
ENDED = frozenset({CaseState.CLOSED, CaseState.DISMISSED})

SECOND_PERSON = frozenset({CaseEvent.NOTICE, CaseEvent.RETURN, CaseEvent.DECIDE})
"""Steps that the one who proposed may not take himself."""
WITH_DOCUMENT = frozenset({CaseEvent.FILE, CaseEvent.NOTICE, CaseEvent.DISMISS, CaseEvent.CLOSE})
"""Steps that rest on a numbered paper."""
