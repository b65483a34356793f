"""Grade every subject under the policy in force and under a draft, from what is recorded now. Stores nothing."""

from __future__ import annotations

from datetime import date, datetime

from trace_core.errors import Conflict
from trace_server.credit.grade_choice import policy_in_force
from trace_server.credit.grade_keeping import compared
from trace_server.credit.grading.policy import GradePolicy
from trace_server.credit.store import grades
from trace_server.db import Connection
from trace_server.policies import rules, store
from trace_server.policies.model import Simulation
from trace_server.policies.rules import Outcome
from trace_server.services import Services

BATCH = 200
"""Subjects in one read transaction."""


def simulate(
    services: Services, draft: GradePolicy, *, run: int, as_of: date, seed: str, most: int | None, made_by: str,
    made_at: datetime,
) -> Simulation:  # fmt: skip
    """One run over all subjects, or over `most` of them drawn with the seed.

    Raises `Conflict` when no policy is in force on that day, or the draft is the one that is.
    """
    with services.db.read() as conn:
        current = policy_in_force(conn, as_of)
        codes = _codes(conn)
    if current is None:
        raise Conflict("no grading policy is in force", where="as_of", remedy="choose another day")
    chosen = codes if most is None or len(codes) <= most else rules.drawn(codes, seed, most)
    outcomes: list[Outcome] = []
    for start in range(0, len(chosen), BATCH):
        with services.db.read() as conn:
            outcomes += _outcomes(conn, chosen[start : start + BATCH], current, draft, as_of)
    return rules.simulated(
        outcomes, current, draft, run=run, as_of=as_of, seed=seed, population=len(codes), made_by=made_by,
        made_at=made_at,
    )  # fmt: skip


def _codes(conn: Connection) -> list[str]:
    found: list[str] = []
    while True:
        page = grades.subjects_after(conn, found[-1] if found else "", BATCH)
        found += page
        if len(page) < BATCH:
            return found


def _outcomes(
    conn: Connection, codes: list[str], current: GradePolicy, draft: GradePolicy, as_of: date
) -> list[Outcome]:
    regions = store.regions(conn, codes)
    found = []
    for uscc in codes:
        before, after = compared(conn, uscc, (current, draft), as_of)
        # The draft's version is part of its inputs, so the hash names text and inputs at once.
        found.append(Outcome(uscc, regions.get(uscc, ""), before.grade, after.grade, after.inputs_hash))
    return found
