"""The life of a violation record as a table: state → event → next state (domain rules §4.2).

`drafted` and `noticed` belong to the paper work before a decision has its number. A record is stored from
`confirmed` on: without a number there is no record. A correction changes the content, not the state: the
version before it is superseded.
"""

from __future__ import annotations

from enum import StrEnum

from trace_server.credit.model import Op, State


class Step(StrEnum):
    """Events of the table."""

    NOTICE = "notice"
    DISMISS = "dismiss"
    CONFIRM = "confirm"
    PUBLISH = "publish"
    WITHHOLD = "withhold"
    """Confirmed, but of a class that is not shown to the public."""
    CORRECT = "correct"
    REPAIR = "repair"
    EXPIRE = "expire"
    WITHDRAW = "withdraw"
    SUSPEND = "suspend"
    RESUME = "resume"
    RESUME_PUBLISHED = "resume-published"
    RESUME_UNPUBLISHED = "resume-unpublished"
    MARK = "mark"
    """An objection is under way: said on every output, the state stays."""
    UNMARK = "unmark"


INITIAL = State.CONFIRMED
"""The state in which a numbered decision enters the archive."""

TRANSITIONS: dict[State, dict[Step, State]] = {
    State.DRAFTED: {Step.NOTICE: State.NOTICED, Step.DISMISS: State.DISMISSED},
    State.NOTICED: {Step.CONFIRM: State.CONFIRMED},
    State.DISMISSED: {},
    State.CONFIRMED: {
        Step.PUBLISH: State.PUBLISHED,
        Step.WITHHOLD: State.UNPUBLISHED,
        Step.CORRECT: State.CONFIRMED,
        Step.SUSPEND: State.SUSPENDED,
        Step.WITHDRAW: State.WITHDRAWN,
        Step.EXPIRE: State.EXPIRED,
    },
    State.PUBLISHED: {
        Step.CORRECT: State.PUBLISHED,
        Step.REPAIR: State.REPAIRED,
        Step.EXPIRE: State.EXPIRED,
        Step.WITHDRAW: State.WITHDRAWN,
        Step.SUSPEND: State.SUSPENDED,
    },
    State.UNPUBLISHED: {
        Step.CORRECT: State.UNPUBLISHED,
        Step.REPAIR: State.REPAIRED,
        Step.EXPIRE: State.EXPIRED,
        Step.WITHDRAW: State.WITHDRAWN,
        Step.SUSPEND: State.SUSPENDED,
    },
    State.SUSPENDED: {
        Step.RESUME: State.CONFIRMED,
        Step.RESUME_PUBLISHED: State.PUBLISHED,
        Step.RESUME_UNPUBLISHED: State.UNPUBLISHED,
        Step.CORRECT: State.SUSPENDED,
        Step.WITHDRAW: State.WITHDRAWN,
        Step.EXPIRE: State.EXPIRED,
    },
    # A decision can still be annulled after its display has ended; every puller has to hear of it.
    State.REPAIRED: {Step.WITHDRAW: State.WITHDRAWN},
    State.EXPIRED: {Step.WITHDRAW: State.WITHDRAWN},
    State.WITHDRAWN: {},
}

OPS: dict[Step, Op] = {
    Step.CONFIRM: Op.UPSERT,
    Step.PUBLISH: Op.UPSERT,
    Step.WITHHOLD: Op.UPSERT,
    Step.CORRECT: Op.CORRECT,
    Step.REPAIR: Op.REPAIR,
    Step.EXPIRE: Op.EXPIRE,
    Step.WITHDRAW: Op.WITHDRAW,
    Step.SUSPEND: Op.SUSPEND,
    Step.RESUME: Op.RESUME,
    Step.RESUME_PUBLISHED: Op.RESUME,
    Step.RESUME_UNPUBLISHED: Op.RESUME,
    Step.MARK: Op.UPSERT,
    Step.UNMARK: Op.UPSERT,
}
"""The exchange operation each step emits: one a step, never none (the paper work before has no record yet)."""

for _state in (State.CONFIRMED, State.PUBLISHED, State.UNPUBLISHED, State.SUSPENDED):
    TRANSITIONS[_state] |= {Step.MARK: _state, Step.UNMARK: _state}

RESUME_TO: dict[State, Step] = {
    State.CONFIRMED: Step.RESUME,
    State.PUBLISHED: Step.RESUME_PUBLISHED,
    State.UNPUBLISHED: Step.RESUME_UNPUBLISHED,
}
"""Which resume step leads back to the state before the suspension."""
