"""The life of a tag range as a table."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.registers.model import RangeEvent, RangeState

TRANSITIONS: Mapping[RangeState, Mapping[RangeEvent, RangeState]] = {
    RangeState.REQUESTED: {RangeEvent.GRANT: RangeState.GRANTED, RangeEvent.REFUSE: RangeState.REFUSED},
    RangeState.GRANTED: {RangeEvent.REVOKE: RangeState.REVOKED},
    RangeState.REFUSED: {},
    RangeState.REVOKED: {},
}
