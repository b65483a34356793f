"""Keep a subject's stored grade in step with its records, inside the transaction that changes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from trace_server.credit import store
from trace_server.credit.grade_choice import policy_in_force
from trace_server.credit.grading.coding import assess, result_digest
from trace_server.credit.grading.facts import standing
from trace_server.credit.grading.model import Assessment, grade_record
from trace_server.credit.grading.policy import GradePolicy
from trace_server.credit.model import State, ViolationRecord
from trace_server.credit.store import grades
from trace_server.db import Connection, Dialect

GRADED_STATES = (State.CONFIRMED, State.PUBLISHED, State.EXPIRED)
"""States that a policy may look at: those that deduct, and those that break the run of clean years."""


def regrade(
    conn: Connection,
    dialect: Dialect,
    now: datetime,
    today: date,
    changed: Sequence[ViolationRecord],
    subjects: Iterable[str | None] = (),
) -> int:
    """Store the grade of every subject that a change touches; returns how many got a new result.

    `changed` are versions that the transaction is about to write; `subjects` further codes, such as the one that a
    corrected record had before. Unchanged inputs write nothing. Without a policy in force there is no grade.
    """
    policy = policy_in_force(conn, today)
    codes = {*subjects, *(record.decision.subject_key() for record in changed)}
    if policy is None:
        return 0
    # In order of the code, so that two transactions never wait for each other.
    return sum(_regrade_one(conn, dialect, now, today, policy, code, changed) for code in sorted(filter(None, codes)))


def assessed(
    conn: Connection, uscc: str, policy: GradePolicy, as_of: date, changed: Sequence[ViolationRecord] = ()
) -> Assessment:
    """Grade and green channel of a subject by what is recorded now, on a day of the caller's choice."""
    return compared(conn, uscc, (policy,), as_of, changed)[0]


def compared(
    conn: Connection,
    uscc: str,
    policies: Sequence[GradePolicy],
    as_of: date,
    changed: Sequence[ViolationRecord] = (),
) -> tuple[Assessment, ...]:
    """As `assessed`, under each of several policies: the same inputs, read once."""
    rewritten = {record.record_id for record in changed}
    records = [r for r in store.of_subject(conn, uscc, GRADED_STATES) if r.record_id not in rewritten]
    records += [r for r in changed if r.decision.subject_key() == uscc and r.state in GRADED_STATES]
    stated = standing(grades.facts(conn, uscc))
    inputs = [grade_record(record) for record in records]
    return tuple(
        assess(inputs, stated.memberships, stated.commitments, stated.facts, policy, as_of) for policy in policies
    )


def _regrade_one(
    conn: Connection,
    dialect: Dialect,
    now: datetime,
    today: date,
    policy: GradePolicy,
    uscc: str,
    changed: Sequence[ViolationRecord],
) -> int:
    number = grades.lock(conn, dialect, uscc, policy.scheme)
    made = assessed(conn, uscc, policy, today, changed)
    digest = result_digest(made)
    if grades.digest_of(conn, uscc, policy.scheme, number) == digest:
        return 0
    grades.add(conn, now, uscc, number + 1, made, digest)
    return 1
