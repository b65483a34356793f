"""How a recall goes on."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.recall.model import RecallEvent, RecallState

TRANSITIONS: Mapping[RecallState, Mapping[RecallEvent, RecallState]] = {
    RecallState.DRAFT: {RecallEvent.ANNOUNCE: RecallState.ANNOUNCED, RecallEvent.ORDER: RecallState.ORDERED},
    RecallState.ANNOUNCED: {RecallEvent.NOTIFY: RecallState.NOTIFYING, RecallEvent.ORDER: RecallState.ORDERED},
    RecallState.ORDERED: {RecallEvent.NOTIFY: RecallState.NOTIFYING},
    RecallState.NOTIFYING: {RecallEvent.RECOVER: RecallState.RECOVERING},
    RecallState.RECOVERING: {RecallEvent.RECONCILE: RecallState.RECONCILED},
    RecallState.RECONCILED: {RecallEvent.DISPOSE: RecallState.DISPOSED, RecallEvent.REOPEN: RecallState.RECOVERING},
    RecallState.DISPOSED: {RecallEvent.CLOSE: RecallState.CLOSED, RecallEvent.REOPEN: RecallState.RECOVERING},
    RecallState.CLOSED: {RecallEvent.REOPEN: RecallState.RECOVERING},
}
IN_FORCE = frozenset(RecallState) - {RecallState.DRAFT}
"""Announced: the public sees it and gates refuse the goods; also after it was closed, for good."""
TELLING = frozenset({RecallState.NOTIFYING, RecallState.RECOVERING})
"""A holder that comes in now is told at once."""
