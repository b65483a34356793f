"""What time does to records: windows end, and a later, milder rule shortens them. Small transactions throughout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from trace_server.credit import store
from trace_server.credit.grade_keeping import regrade
from trace_server.credit.model import Circumstances, FieldChange, ViolationRecord
from trace_server.credit.regimes import Policy, shipped_policy
from trace_server.credit.states import TRANSITIONS, Step
from trace_server.credit.steps import Paper, Planned, advance, expiry, law_day, locked
from trace_server.credit.windows import window_of
from trace_server.db import Connection
from trace_server.services import Services

MAX_BATCH = 100
"""Records in one transaction, so that it never holds the log's head row for long."""
WORKER = "worker"


def expire_due(services: Services) -> int:
    """End every record whose longest window is over; returns how many."""
    ended = 0
    while True:
        done = _expire_batch(services)
        ended += done
        if done < MAX_BATCH:
            return ended


def refresh_windows(services: Services, policy: Policy | None = None) -> int:
    """Look at records last checked under older rules, and shorten windows for which a milder rule came into force.

    A shortened window is a correction with its own version; a longer one is never taken. Returns how many changed.
    """
    policy = policy or shipped_policy()
    shortened = 0
    while True:
        looked_at, changed = _refresh_batch(services, policy)
        shortened += changed
        if looked_at < MAX_BATCH:
            return shortened


def keep_up(services: Services) -> int:
    """The periodic job: first what the rules of today say, then what has ended."""
    return refresh_windows(services) + expire_due(services)


def _expire_batch(services: Services) -> int:
    now = services.clock()
    today = law_day(now)
    paper = Paper(WORKER, "the longest window of publication is over")
    with services.db.begin() as conn:
        due = [locked(conn, record_id) for record_id in store.due_to_expire(conn, today, MAX_BATCH)]
        plans = [
            (old, expiry(old, today))
            for old in due
            if old.window_max_end < today and Step.EXPIRE in TRANSITIONS[old.state]
        ]
        return _take_all(services, conn, now, paper, plans)


def _refresh_batch(services: Services, policy: Policy) -> tuple[int, int]:
    now = services.clock()
    today = law_day(now)
    basis = policy.basis(today)
    paper = Paper(WORKER, "a milder rule on publication came into force")
    with services.db.begin() as conn:
        ids = store.stale_windows(conn, basis, MAX_BATCH)
        found = [locked(conn, record_id) for record_id in ids]
        plans = [
            (old, plan)
            for old in found
            if Step.CORRECT in TRANSITIONS[old.state] and (plan := _milder(old, policy, today)) is not None
        ]
        store.mark_checked(conn, ids, basis)
        return len(ids), _take_all(services, conn, now, paper, plans)


def _milder(old: ViolationRecord, policy: Policy, today: date) -> Planned | None:
    window = window_of(old.decision, Circumstances(old.category, old.procedure), old.severity, policy, today)
    if (window.max_end, window.min_end, window.public) >= (old.window_max_end, old.window_min_end, old.public):
        return None
    record = replace(
        old,
        regime=window.regime,
        policy_version=policy.version,
        public=window.public,
        window_min_end=window.min_end,
        window_max_end=window.max_end,
    )
    ends = (old.window_max_end.strftime("%Y/%m/%d"), window.max_end.strftime("%Y/%m/%d"))
    return Planned(Step.CORRECT, record, diff=(FieldChange("CF_GSJZQ", *ends),))


def _take_all(
    services: Services,
    conn: Connection,
    now: datetime,
    paper: Paper,
    plans: Sequence[tuple[ViolationRecord, Planned]],
) -> int:
    entries = [advance(conn, now, old, paper, plan, {}) for old, plan in plans]
    for entry in entries:
        store.update_record(conn, entry.record)
    if entries:
        regrade(conn, services.db.dialect, now, law_day(now), [entry.record for entry in entries])
        store.append(conn, services.db.dialect, entries)
    return len(entries)
