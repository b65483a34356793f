"""The life of an import as a table."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.imports.model import RunEvent, RunState

TRANSITIONS: Mapping[RunState, Mapping[RunEvent, RunState]] = {
    RunState.QUEUED: {RunEvent.FINISH: RunState.DONE},
    RunState.DONE: {RunEvent.DISCARD: RunState.DISCARDED},
    RunState.DISCARDED: {},
}
