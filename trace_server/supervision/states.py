"""Lives of a plan and of a task as tables."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.supervision.model import PlanEvent, PlanState, TaskEvent, TaskState

PLANS: Mapping[PlanState, Mapping[PlanEvent, PlanState]] = {
    PlanState.DRAFT: {
        PlanEvent.CHANGE: PlanState.DRAFT,
        PlanEvent.COMMIT: PlanState.COMMITTED,
        PlanEvent.WITHDRAW: PlanState.WITHDRAWN,
    },
    PlanState.COMMITTED: {PlanEvent.DRAW: PlanState.DRAWN, PlanEvent.WITHDRAW: PlanState.WITHDRAWN},
    # No way back from a draw: a plan that could be withdrawn now could be drawn until it pleases.
    PlanState.DRAWN: {PlanEvent.PUBLISH: PlanState.PUBLISHED},
    PlanState.PUBLISHED: {},
    PlanState.WITHDRAWN: {},
}
TASKS: Mapping[TaskState, Mapping[TaskEvent, TaskState]] = {
    TaskState.PLANNED: {TaskEvent.FINISH: TaskState.DONE, TaskEvent.CANCEL: TaskState.CANCELLED},
    TaskState.DONE: {TaskEvent.CORRECT: TaskState.DONE},
    TaskState.CANCELLED: {},
}
