"""Use cases of the credit archive. Each is one transaction: one new version, one log entry, one audit entry.

A record comes from a decision with a number and from nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime

from trace_core.errors import Conflict, InputError, NotAllowed
from trace_server.audit.operations import record as audit_record
from trace_server.credit import store
from trace_server.credit.coding import field_changes
from trace_server.credit.grade_keeping import regrade
from trace_server.credit.grading.model import Assessment
from trace_server.credit.grading.policy import SCHEME
from trace_server.credit.identity import content_digest, record_id_of
from trace_server.credit.model import (
    Archive,
    Change,
    Circumstances,
    CreditLine,
    Filter,
    Op,
    PenaltyDecision,
    SharedChange,
    State,
    ViolationRecord,
)
from trace_server.credit.regimes import Policy, shipped_policy
from trace_server.credit.rules import check_reason
from trace_server.credit.states import INITIAL, RESUME_TO, Step
from trace_server.credit.steps import Paper, Planned, expiry, law_day, locked, write
from trace_server.credit.store import grades, log
from trace_server.credit.windows import severity_of, window_of
from trace_server.db import Connection, Dialect
from trace_server.services import Services


@dataclass(frozen=True, slots=True)
class Recorded:
    """Answer to a recording: `created` is False when the same decision was there already."""

    record: ViolationRecord
    created: bool


@dataclass(frozen=True, slots=True)
class CheckedGrade:
    """A stored grade; `checked_on`: the newest day for which it is known to hold."""

    assessment: Assessment
    checked_on: date


@dataclass(frozen=True, slots=True)
class FeedPage:
    """A stretch of the change log; the next one begins behind `upto`."""

    changes: tuple[Change | SharedChange, ...]
    upto: int
    has_more: bool


def record_decision(
    services: Services, decision: PenaltyDecision, around: Circumstances, *, actor: str, policy: Policy | None = None
) -> Recorded:
    """Make the violation record of a numbered decision, in state `confirmed`.

    Idempotent by (决定书文号, 机关代码): the same content again gives the record that is there. Raises `Conflict`
    when that decision is recorded with other content: that is a correction, never a second record.
    """
    with services.db.begin() as conn:
        return record_within(conn, services.db.dialect, services.clock(), decision, around, actor=actor, policy=policy)


def record_within(
    conn: Connection,
    dialect: Dialect,
    now: datetime,
    decision: PenaltyDecision,
    around: Circumstances,
    *,
    actor: str,
    policy: Policy | None = None,
) -> Recorded:
    """As `record_decision`, in the caller's transaction: a case and its record are written together or not at all."""
    policy = policy or shipped_policy()
    record = _first_version(decision, around, now, actor, policy)
    digest = content_digest(decision, around)
    if not store.insert_record(conn, dialect, record, policy.basis(law_day(now))):
        return Recorded(_same_or_conflict(conn, record.record_id, decision, digest), created=False)
    if decision.sealed():
        store.replace_sealed(conn, dialect, record.record_id, decision.sealed())
    facts = {"version": 1, "decision": decision.decision_no, "authority": decision.authority_code}
    audit_record(conn, now, actor, "credit.record", record.record_id, facts)
    regrade(conn, dialect, now, law_day(now), [record])
    store.append(conn, dialect, [store.Written(record, Op.UPSERT, (), digest)])
    return Recorded(record, created=True)


def publish(services: Services, record_id: str, paper: Paper) -> ViolationRecord:
    """Show a confirmed record to the public, or withhold it when policy keeps its class from the public.

    Somebody else has checked this version for secrets (`publication.review`): raises `NotAllowed` without that check,
    or when it was the actor's own. Raises `Conflict` when the state does not allow the step or the window is over.
    """
    now = services.clock()
    with services.db.begin() as conn:
        record = locked(conn, record_id)
        checked = store.review_of(conn, record_id, record.version)
        if record.state is State.CONFIRMED and checked is None:
            raise NotAllowed("nobody has checked this version for secrets", where="review", remedy="ask a colleague")
        if checked is not None and checked.reviewed_by == paper.actor:
            raise NotAllowed("a second person reviews a record before it is published", remedy="ask a colleague")
        over = law_day(now) > record.window_max_end
        step = Step.PUBLISH if record.public else Step.WITHHOLD
        planned = Planned(step, record, refusal="the window of publication is over" if over else "")
        detail: dict[str, object] = {"reviewer": checked.reviewed_by} if checked is not None else {}
        return write(services, conn, now, record, paper, planned, detail=detail)


def correct(
    services: Services,
    record_id: str,
    decision: PenaltyDecision,
    around: Circumstances,
    paper: Paper,
    *,
    policy: Policy | None = None,
) -> ViolationRecord:
    """A new version with other content in the same state; the log entry lists each field before and after.

    Raises `InputError` when nothing differs, `Conflict` when number or authority differ: those name another decision.
    """
    with services.db.begin() as conn:
        old = locked(conn, record_id)
        return correct_within(services, conn, services.clock(), old, decision, around, paper, policy=policy)


def correct_within(
    services: Services,
    conn: Connection,
    now: datetime,
    old: ViolationRecord,
    decision: PenaltyDecision,
    around: Circumstances,
    paper: Paper,
    *,
    policy: Policy | None = None,
) -> ViolationRecord:
    """As `correct`, in the caller's transaction, which has `old` locked; an objection stays as `old` has it."""
    check_reason(paper.reason, paper.document)
    record_id = old.record_id
    if record_id_of(decision.decision_no, decision.authority_code) != record_id:
        raise Conflict("number and authority name another decision", where=record_id, remedy="withdraw and record anew")
    fresh = _first_version(decision, around, now, paper.actor, policy or shipped_policy())
    digest = content_digest(decision, around)
    sealed_differs = store.sealed_identity(conn, record_id) != decision.sealed()
    if digest == store.digest_of(conn, old) and not sealed_differs:
        raise InputError("the correction changes nothing", where=record_id, remedy="send the corrected fields")
    record = replace(fresh, recorded_by=old.recorded_by, objection=old.objection)
    if sealed_differs:
        store.replace_sealed(conn, services.db.dialect, record_id, decision.sealed())
    planned = Planned(Step.CORRECT, record, diff=field_changes(old.decision, decision), digest=digest)
    return write(services, conn, now, old, paper, planned, detail={})


def repair(services: Services, record_id: str, paper: Paper) -> ViolationRecord:
    """Stop publication, sharing and use after credit repair; raises `Conflict` before the least window is over."""
    with services.db.begin() as conn:
        return repair_within(services, conn, services.clock(), record_id, paper)


def repair_within(services: Services, conn: Connection, now: datetime, record_id: str, paper: Paper) -> ViolationRecord:
    """As `repair`, in the caller's transaction; the last statements of it."""
    check_reason(paper.reason, paper.document)
    old = locked(conn, record_id)
    early = law_day(now) < old.window_min_end
    planned = Planned(Step.REPAIR, old, f"repair is possible from {old.window_min_end}" if early else "")
    return write(services, conn, now, old, paper, planned, detail={})


def expire(services: Services, record_id: str, paper: Paper) -> ViolationRecord:
    """End a record whose longest window is over; raises `Conflict` before that."""

    def decide(record: ViolationRecord, today: date) -> Planned:
        return expiry(record, today)

    return _take(services, record_id, paper, decide)


def withdraw(services: Services, record_id: str, paper: Paper) -> ViolationRecord:
    """The decision was changed, revoked or void: only a notice with the reason stays public."""
    check_reason(paper.reason, paper.document)
    return _take(services, record_id, paper, lambda record, _today: Planned(Step.WITHDRAW, record))


def suspend(services: Services, record_id: str, paper: Paper) -> ViolationRecord:
    """Stop showing and grading while a review or lawsuit orders it."""
    check_reason(paper.reason, paper.document)
    return _take(services, record_id, paper, lambda record, _today: Planned(Step.SUSPEND, record))


def resume(services: Services, record_id: str, paper: Paper) -> ViolationRecord:
    """Lead a suspended record back into the state it had before. Raises `Conflict` when it is not suspended."""
    check_reason(paper.reason, paper.document)
    now = services.clock()
    with services.db.begin() as conn:
        old = locked(conn, record_id)
        before = store.state_before(conn, old, State.SUSPENDED) or INITIAL
        step = RESUME_TO.get(before, Step.RESUME)
        return write(services, conn, now, old, paper, Planned(step, old), detail={})


def records_of(conn: Connection, uscc: str) -> list[ViolationRecord]:
    """All records of a subject in their current version, newest decision first; for authorised callers only."""
    return store.of_subject(conn, uscc)


def feed(conn: Connection, *, after: int, limit: int, wanted: Filter | None = None) -> FeedPage:
    """Entries of the change log behind `after`, in the order of commits, at most `limit`.

    `conn` is one read transaction: `upto` is how far the caller may go on, past entries that it does not want.
    Raises `Conflict` when `after` is ahead of the log: it was restored from a backup, and going on from there
    would skip what is written next.
    """
    head = store.head_seq(conn)
    if after > head:
        raise Conflict("the change log ends before this cursor", where="cursor", remedy="begin again without a cursor")
    found = log.changes(conn, after, head, wanted or Filter(), limit + 1)
    has_more = len(found) > limit
    upto = found[limit - 1].seq if has_more else head
    return FeedPage(tuple(found[:limit]), upto, has_more)


def archive(conn: Connection, uscc: str, today: date) -> Archive:
    """What the public may see of a subject today: never unpublished, suspended, repaired or expired records."""
    found = store.of_subject(conn, uscc, (State.PUBLISHED, State.WITHDRAWN))
    gone = [record for record in found if record.state is State.WITHDRAWN and today <= record.window_max_end]
    was_public = store.ever_published(conn, [record.record_id for record in gone]) if gone else set()
    return Archive(
        uscc,
        today,
        shown=tuple(record for record in found if record.is_shown(today)),
        withdrawn=tuple(record for record in gone if record.record_id in was_public),
    )


def credit_line(conn: Connection, uscc: str, today: date) -> CreditLine:
    """What the code page says of a subject: penalties shown today, the newest decision's day, and the grade."""
    shown = [record for record in store.of_subject(conn, uscc, (State.PUBLISHED,)) if record.is_shown(today)]
    latest_on = max((record.decision.decided_on for record in shown), default=None)
    grade = grades.line(conn, uscc, SCHEME)
    if grade is None:
        return CreditLine(uscc, today, len(shown), latest_on)
    return CreditLine(uscc, today, len(shown), latest_on, grade.scheme, grade.level, grade.is_rated, grade.as_of)


def checked_grade(conn: Connection, uscc: str) -> CheckedGrade | None:
    """The stored grade with its explanation, and the newest day for which it is known to hold."""
    found = grades.current(conn, uscc, SCHEME)
    if found is None:
        return None
    as_of = found.assessment.grade.as_of
    sweep = grades.sweep(conn, SCHEME)
    reached = sweep is not None and (sweep.is_done or uscc <= sweep.after)
    return CheckedGrade(found.assessment, max(as_of, sweep.day) if sweep is not None and reached else as_of)


def _take(
    services: Services,
    record_id: str,
    paper: Paper,
    decide: Callable[[ViolationRecord, date], Planned],
) -> ViolationRecord:
    now = services.clock()
    with services.db.begin() as conn:
        old = locked(conn, record_id)
        return write(services, conn, now, old, paper, decide(old, law_day(now)), detail={})


def _first_version(
    decision: PenaltyDecision, around: Circumstances, now: datetime, actor: str, policy: Policy
) -> ViolationRecord:
    severity = severity_of(decision, around, policy)
    window = window_of(decision, around, severity, policy, law_day(now))
    return ViolationRecord(
        record_id=record_id_of(decision.decision_no, decision.authority_code),
        version=1,
        state=INITIAL,
        decision=decision.opened(),
        category=around.category,
        procedure=around.procedure,
        severity=severity,
        regime=window.regime,
        policy_version=policy.version,
        public=window.public,
        window_min_end=window.min_end,
        window_max_end=window.max_end,
        batches=around.batches,
        evidence_ref=around.evidence_ref,
        recorded_by=actor,
        effective_at=now,
    )


def _same_or_conflict(conn: Connection, record_id: str, decision: PenaltyDecision, digest: str) -> ViolationRecord:
    found = store.current(conn, record_id)
    if found is None:
        raise Conflict("the same decision is being recorded", where=record_id, remedy="send it again")
    if digest not in store.digests(conn, record_id) or decision.sealed() != store.sealed_identity(conn, record_id):
        raise Conflict(
            "this decision is recorded with other content",
            where="/decision/CF_WSH",
            remedy="correct the record instead",
        )
    return found
