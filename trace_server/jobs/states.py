"""The life of a job: state → event → next state."""

from __future__ import annotations

from trace_server.jobs.model import JobEvent, JobState

TRANSITIONS: dict[JobState, dict[JobEvent, JobState]] = {
    JobState.QUEUED: {JobEvent.CLAIM: JobState.RUNNING, JobEvent.GIVE_UP: JobState.DEAD},
    JobState.RUNNING: {
        # Its worker died: the lease ran out.
        JobEvent.CLAIM: JobState.RUNNING,
        JobEvent.FINISH: JobState.DONE,
        JobEvent.PUT_BACK: JobState.QUEUED,
        JobEvent.GIVE_UP: JobState.DEAD,
    },
    JobState.DONE: {},
    JobState.DEAD: {JobEvent.RETRY: JobState.QUEUED},
}
