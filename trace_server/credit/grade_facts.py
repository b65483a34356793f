"""Take in a fact that grading depends on: audit entry, fact and new grade in one transaction."""

from __future__ import annotations

from datetime import datetime

from trace_server.audit.operations import record as audit_record
from trace_server.credit.grade_keeping import regrade
from trace_server.credit.grading.facts import StatedFact, check_fact
from trace_server.credit.steps import law_day
from trace_server.credit.store import grades
from trace_server.db import Connection, Dialect
from trace_server.services import Services


def state_fact(services: Services, fact: StatedFact, *, actor: str) -> bool:
    """Record a fact by (subject, kind, number of the paper); True when the grade changed with it.

    The same paper again with another last day ends or mends the fact. Raises `InputError` for a fact without a
    paper or with days that do not fit.
    """
    with services.db.begin() as conn:
        return state_within(conn, services.db.dialect, services.clock(), fact, actor=actor)


def state_within(
    conn: Connection, dialect: Dialect, now: datetime, fact: StatedFact, *, actor: str, is_void: bool = False
) -> bool:
    """As `state_fact`, in the caller's transaction. `is_void`: the paper never held; what it said is taken back."""
    check_fact(fact)
    detail: dict[str, object] = {
        "kind": fact.kind.value,
        "ref": fact.ref,
        "from": fact.from_day.isoformat(),
        "until": fact.until_day.isoformat() if fact.until_day else None,
        "void": is_void,
    }
    # First the audit log, then the grade: the order in which every credit change takes its locks.
    audit_record(conn, now, actor, "credit.fact", fact.uscc, detail)
    if is_void:
        grades.forget_fact(conn, fact)
    else:
        grades.save_fact(conn, dialect, fact, actor=actor, now=now)
    return regrade(conn, dialect, now, law_day(now), (), [fact.uscc]) > 0
