"""The life of an application as a table."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.repairs.model import RepairEvent, RepairState

TRANSITIONS: Mapping[RepairState, Mapping[RepairEvent, RepairState]] = {
    RepairState.SUBMITTED: {RepairEvent.RETURN: RepairState.RETURNED, RepairEvent.ACCEPT: RepairState.ACCEPTED},
    RepairState.RETURNED: {RepairEvent.SUBMIT: RepairState.SUBMITTED},
    RepairState.ACCEPTED: {RepairEvent.GRANT: RepairState.GRANTED, RepairEvent.REFUSE: RepairState.REFUSED},
    RepairState.GRANTED: {},
    RepairState.REFUSED: {},
}
