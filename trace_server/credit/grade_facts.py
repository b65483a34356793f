"""Take in a fact that grading depends on: audit entry, fact and new grade in one transaction."""

from __future__ import annotations

from trace_server.audit.operations import record as audit_record
from trace_server.credit.grade_keeping import regrade
from trace_server.credit.grading.facts import StatedFact, check_fact
from trace_server.credit.steps import law_day
from trace_server.credit.store import grades
from trace_server.services import Services


def state_fact(services: Services, fact: StatedFact, *, actor: str) -> bool:
    """Record a fact by (subject, kind, number of the paper); True when the grade changed with it.

    The same paper again with another last day ends or mends the fact. Raises `InputError` for a fact without a
    paper or with days that do not fit.
    """
    check_fact(fact)
    now = services.clock()
    with services.db.begin() as conn:
        detail: dict[str, object] = {
            "kind": fact.kind.value,
            "ref": fact.ref,
            "from": fact.from_day.isoformat(),
            "until": fact.until_day.isoformat() if fact.until_day else None,
        }
        # First the audit log, then the grade: the order in which every credit change takes its locks.
        audit_record(conn, now, actor, "credit.fact", fact.uscc, detail)
        grades.save_fact(conn, services.db.dialect, fact, actor=actor, now=now)
        return regrade(conn, services.db.dialect, now, law_day(now), (), [fact.uscc]) > 0
