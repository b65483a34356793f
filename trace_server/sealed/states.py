"""The life of a request to open, as a table."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.sealed.model import OpeningEvent, OpeningState

TRANSITIONS: Mapping[OpeningState, Mapping[OpeningEvent, OpeningState]] = {
    OpeningState.REQUESTED: {
        OpeningEvent.APPROVE: OpeningState.APPROVED,
        OpeningEvent.REFUSE: OpeningState.REFUSED,
    },
    OpeningState.APPROVED: {OpeningEvent.END: OpeningState.ENDED},
    OpeningState.REFUSED: {},
    OpeningState.ENDED: {},
}
