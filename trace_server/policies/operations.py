"""Use cases of the policy lab: draft, simulate, review, approve by two, let it begin, roll back, compare.

One transaction each with its audit entry. What the grades follow is `grade_policy` of the credit archive: it is
written when a version is activated, and the nightly sweep sees it on its first day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from trace_core.errors import Conflict, InputError, NotFound
from trace_server import audit
from trace_server.audit.lifecycle import advance, next_state
from trace_server.credit.grade_choice import policy_in_force
from trace_server.credit.grading.policy import SCHEME
from trace_server.credit.grading.reading import shipped_policies, shipped_text
from trace_server.credit.steps import law_day
from trace_server.credit.store import grades
from trace_server.credit.store import policies as credit_policies
from trace_server.credit.store.policies import Adopted
from trace_server.db import Connection
from trace_server.policies import rules, store
from trace_server.policies.model import (
    Approval,
    Comparison,
    PolicyEvent,
    PolicyState,
    PolicyVersion,
    Risk,
    RiskReview,
    Simulation,
)
from trace_server.policies.simulating import simulate
from trace_server.policies.states import TRANSITIONS
from trace_server.services import Services

POLICY_ID = "credit-grade"
"""The one policy that has versions here."""
STALE = "somebody else changed it meanwhile"
MAX_AT_ONCE = 2000
"""Subjects that a request simulates: some seconds. The command line takes all."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A version with its simulation and comparisons, and the rules that lack a law."""

    row: PolicyVersion
    simulation: Simulation | None
    comparisons: tuple[Comparison, ...]
    without_basis: tuple[str, ...]


def starting_text(services: Services) -> str:
    """A draft that begins as the policy in force does, with the next number."""
    today = law_day(services.clock())
    with services.db.read() as conn:
        adopted = credit_policies.newest(conn, SCHEME, today)
        policy = policy_in_force(conn, today)
        number = store.next_number(conn, POLICY_ID)
    text = shipped_text() if adopted is None else adopted.text
    return rules.draft_text(text, number, policy or shipped_policies()[0], today)


def draft(services: Services, actor: str, text: str, reason: str, *, rollback_of: int = 0) -> PolicyVersion:
    """Register a draft. Raises `InputError` with the place, `Conflict` when its number is taken."""
    now = services.clock()
    policy_id = POLICY_ID
    words = rules.require_words(reason, "reason")
    with services.db.begin() as conn:
        number = store.next_number(conn, policy_id)
        policy = rules.parsed(text, number)
        row = PolicyVersion(
            policy_id=policy_id,
            number=number,
            state=PolicyState.DRAFT,
            text=text,
            rollback_of=rollback_of,
            created_by=actor,
            created_at=now,
            run=0,
            review=None,
            approvals=(),
            effective_from=None,
            reason=words,
            version=1,
        )
        if not store.add(conn, services.db.dialect, row):
            raise Conflict(STALE, where="version", remedy="reload it")
        detail = {"text": policy.version, "reason": words, "rollback_of": rollback_of}
        audit.record(conn, now, actor, "policy.draft", row.name, detail)
    return row


def roll_back(services: Services, actor: str, policy_id: str, number: int, reason: str) -> PolicyVersion:
    """A new draft with the content of an earlier version; 1 is the shipped default. Raises `NotFound`."""
    today = law_day(services.clock())
    with services.db.read() as conn:
        if number == 1 and policy_id == POLICY_ID:
            text, policy = shipped_text(), shipped_policies()[0]
        else:
            row = _require(conn, policy_id, number)
            text, policy = row.text, rules.parsed(row.text, row.number)
        fresh = store.next_number(conn, policy_id)
    return draft(services, actor, rules.draft_text(text, fresh, policy, today), reason, rollback_of=number)


def edit(services: Services, actor: str, policy_id: str, number: int, version: int, text: str) -> PolicyVersion:
    """Change the text of a draft. Raises as `draft`."""
    now = services.clock()
    with services.db.begin() as conn:
        row = _held(conn, policy_id, number, version)
        policy = rules.parsed(text, number)
        detail: dict[str, object] = {"text": policy.version}
        return _step(conn, now, actor, replace(row, text=text), PolicyEvent.EDIT, detail)


def run_simulation(
    services: Services, actor: str, policy_id: str, number: int, version: int, *, seed: str,
    as_of: date | None = None, most: int | None = MAX_AT_ONCE,
) -> tuple[PolicyVersion, Simulation]:  # fmt: skip
    """Simulate a version on a day, today by default. Raises `InputError`, `Conflict`, `NotFound`."""
    now = services.clock()
    rules.require_seed(seed)
    if most is not None and most < 1:
        raise InputError("a sample has at least one subject", where="sample")
    with services.db.read() as conn:
        row = _held(conn, policy_id, number, version)
        run = store.next_run(conn, policy_id, number)
    next_state(TRANSITIONS, row.state, PolicyEvent.SIMULATE)
    made = simulate(
        services, rules.parsed(row.text, number), run=run, as_of=as_of or law_day(now), seed=seed, most=most,
        made_by=actor, made_at=now,
    )  # fmt: skip
    with services.db.begin() as conn:
        held = _held(conn, policy_id, number, version)
        detail = {"run": run, "digest": made.digest, "changed": made.changed, "simulated": made.simulated}
        moved = _step(conn, now, actor, replace(held, run=run), PolicyEvent.SIMULATE, detail)
        store.add_simulation(conn, moved, made)
    return moved, made


def review(
    services: Services, actor: str, policy_id: str, number: int, version: int, risks: Sequence[Risk],
    check_after_days: Sequence[int],
) -> PolicyVersion:  # fmt: skip
    """Write down the risks with the response to each, and the days of comparison. Raises `InputError`, `Conflict`."""
    now = services.clock()
    written = RiskReview(rules.checked_risks(risks), rules.checked_days(check_after_days), actor, now)
    with services.db.begin() as conn:
        row = _held(conn, policy_id, number, version)
        detail = {"risks": len(written.risks), "check_after_days": list(written.check_after_days)}
        return _step(conn, now, actor, replace(row, review=written), PolicyEvent.REVIEW, detail)


def approve(services: Services, actor: str, policy_id: str, number: int, version: int, note: str) -> PolicyVersion:
    """One approval; the second, of another person, completes it. Raises `NotAllowed` for the author and twice."""
    now = services.clock()
    words = rules.require_words(note, "reason")
    with services.db.begin() as conn:
        row = _held(conn, policy_id, number, version)
        rules.require_approver(row, actor)
        approvals = (*row.approvals, Approval(actor, now, words))
        event = PolicyEvent.COMPLETE if len(approvals) >= rules.APPROVERS else PolicyEvent.APPROVE
        return _step(conn, now, actor, replace(row, approvals=approvals, reason=words), event, {"note": words})


def send_back(services: Services, actor: str, policy_id: str, number: int, version: int, reason: str) -> PolicyVersion:
    """Back to draft: simulation, review and approvals have to be made again. Raises `Conflict`."""
    now = services.clock()
    words = rules.require_words(reason, "reason")
    with services.db.begin() as conn:
        row = _held(conn, policy_id, number, version)
        bare = replace(row, run=0, review=None, approvals=(), reason=words)
        return _step(conn, now, actor, bare, PolicyEvent.RETURN, {"reason": words})


def activate(
    services: Services, actor: str, policy_id: str, number: int, version: int, from_day: date
) -> PolicyVersion:
    """Let it count from a day on. Raises `InputError` for the past, `Conflict` for a rule without a legal basis."""
    now = services.clock()
    today = law_day(now)
    with services.db.begin() as conn:
        row = _held(conn, policy_id, number, version)
        next_state(TRANSITIONS, row.state, PolicyEvent.ACTIVATE)
        rules.require_start(row, from_day, today)
        detail: dict[str, object] = {
            "from": from_day.isoformat(),
            "approved_by": [approval.actor for approval in row.approvals],
        }
        moved = _step(conn, now, actor, replace(row, effective_from=from_day), PolicyEvent.ACTIVATE, detail)
        policy = rules.parsed(row.text, number)
        credit_policies.adopt(conn, Adopted(policy_id, number, policy.scheme, from_day, row.text))
        _supersede(conn, now, actor, today)
    return moved


def withdraw(services: Services, actor: str, policy_id: str, number: int, version: int, reason: str) -> PolicyVersion:
    """Give a version up; one that counts already is followed by another. Raises `Conflict`."""
    now = services.clock()
    words = rules.require_words(reason, "reason")
    with services.db.begin() as conn:
        row = _held(conn, policy_id, number, version)
        begun = row.effective_from is not None and row.effective_from <= law_day(now)
        if row.state is PolicyState.ACTIVE and begun:
            raise Conflict("it counts already", where="state", remedy="roll back: a new version")
        credit_policies.forget(conn, policy_id, number)
        return _step(conn, now, actor, replace(row, reason=words), PolicyEvent.WITHDRAW, {"reason": words})


def open_version(services: Services, policy_id: str, number: int) -> Opened:
    """One version with all that belongs to it. Raises `NotFound`."""
    with services.db.read() as conn:
        row = _require(conn, policy_id, number)
        simulation = store.simulation(conn, policy_id, number, row.run) if row.run else None
        comparisons = tuple(store.comparisons(conn, policy_id, number))
    day = row.effective_from or law_day(services.clock())
    return Opened(row, simulation, comparisons, rules.parsed(row.text, number).without_basis(day))


def list_versions(services: Services) -> list[PolicyVersion]:
    """The newest first."""
    with services.db.read() as conn:
        return store.versions(conn)


def keep_up(services: Services) -> int:
    """Mark versions whose successor has begun, and make comparisons that are due; returns how many were made."""
    now = services.clock()
    with services.db.begin() as conn:
        _supersede(conn, now, "system", law_day(now))
    with services.db.read() as conn:
        active = store.versions(conn, PolicyState.ACTIVE)
    return sum(_compare_due(services, now, row) for row in active)


def _compare_due(services: Services, now: datetime, row: PolicyVersion) -> int:
    """A comparison of a day that was missed is made on the next run, and says when."""
    today, made = law_day(now), 0
    with services.db.begin() as conn:
        known = {one.after_days for one in store.comparisons(conn, row.policy_id, row.number)}
        for after in row.review.check_after_days if row.review else ():
            due = rules.due_day(row, after)
            if due is None or due > today or after in known:
                continue
            compared = _compared(conn, now, row, after, due)
            if compared is not None and store.add_comparison(conn, services.db.dialect, row, compared):
                detail = {"after_days": after, "observed": compared.observed}
                audit.record(conn, now, "system", "policy.compare", row.name, detail)
                made += 1
    return made


def _compared(conn: Connection, now: datetime, row: PolicyVersion, after: int, due: date) -> Comparison | None:
    """None while the sweep has not graded anybody under this version."""
    simulation = store.simulation(conn, row.policy_id, row.number, row.run)
    policy = rules.parsed(row.text, row.number)
    observed: Counter[str] = Counter()
    for (version, level), count in grades.level_counts(conn, policy.scheme).items():
        if version == policy.version:
            observed[level] += count
    total = sum(observed.values())
    if simulation is None or not total:
        return None
    shares = rules.shares(simulation, policy, observed)
    return Comparison(
        after_days=after,
        due_on=due,
        made_at=now,
        observed=total,
        shares=shares,
        load_predicted=rules.load_of(policy, {share.level: share.predicted * total for share in shares}),
        load_observed=rules.load_of(policy, dict(observed)),
    )


def _supersede(conn: Connection, now: datetime, actor: str, today: date) -> None:
    newest = credit_policies.newest(conn, SCHEME, today)
    for row in store.versions(conn, PolicyState.ACTIVE):
        begun = row.effective_from is not None and row.effective_from <= today
        if begun and newest is not None and (newest.policy_id, newest.number) != (row.policy_id, row.number):
            _step(conn, now, actor, row, PolicyEvent.SUPERSEDE, {"by": newest.number})


def _step(
    conn: Connection, now: datetime, actor: str, row: PolicyVersion, event: PolicyEvent, detail: dict[str, object]
) -> PolicyVersion:
    state = advance(
        conn, now, table=TRANSITIONS, state=row.state, event=event, actor=actor, object=row.name,
        action=f"policy.{event}", detail=detail,
    )  # fmt: skip
    moved = replace(row, state=state, version=row.version + 1)
    if not store.save(conn, moved, was=row.version):
        raise Conflict(STALE, where="version", remedy="reload it")
    return moved


def _require(conn: Connection, policy_id: str, number: int) -> PolicyVersion:
    row = store.find(conn, policy_id, number)
    if row is None:
        raise NotFound("there is no such version", where="number")
    return row


def _held(conn: Connection, policy_id: str, number: int, version: int) -> PolicyVersion:
    row = _require(conn, policy_id, number)
    if row.version != version:
        raise Conflict(STALE, where="version", remedy="reload it")
    return row
