"""The nightly sweep: every subject's grade on the new day, and again when another policy comes into force."""

from __future__ import annotations

from datetime import date, datetime

from trace_server.credit.grade_choice import policy_in_force
from trace_server.credit.grade_keeping import regrade
from trace_server.credit.grading.policy import GradePolicy
from trace_server.credit.steps import law_day
from trace_server.credit.store import grades
from trace_server.credit.store.grades import Sweep
from trace_server.services import Services

MAX_BATCH = 50
"""Subjects in one transaction: some tens of milliseconds of the write lock."""


def regrade_all(services: Services) -> int:
    """Finish the sweep of today if it is not finished; returns how many subjects got a new result."""
    changed = 0
    while True:
        now = services.clock()
        today = law_day(now)
        with services.db.read() as conn:
            policy = policy_in_force(conn, today)
            if policy is None:
                return changed
            if _is_done(grades.sweep(conn, policy.scheme), policy, today):
                return changed
        changed += _batch(services, policy, now, today)


def _is_done(state: Sweep | None, policy: GradePolicy, today: date) -> bool:
    return state is not None and state.is_done and _is_of(state, policy, today)


def _is_of(state: Sweep, policy: GradePolicy, today: date) -> bool:
    return (state.day, state.policy_version) == (today, policy.version)


def _batch(services: Services, policy: GradePolicy, now: datetime, today: date) -> int:
    dialect = services.db.dialect
    with services.db.begin() as conn:
        state = grades.sweep(conn, policy.scheme)
        after = state.after if state is not None and _is_of(state, policy, today) else ""
        codes = grades.subjects_after(conn, after, MAX_BATCH)
        changed = regrade(conn, dialect, now, today, (), codes)
        is_done = len(codes) < MAX_BATCH
        reached = Sweep(today, policy.version, codes[-1] if codes else after, is_done)
        grades.save_sweep(conn, dialect, policy.scheme, reached)
    return changed
