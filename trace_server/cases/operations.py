"""Use cases: triage an alert, open a case, take its steps, transfer it, decide it. One transaction each, audited."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_server import audit
from trace_server.audit.lifecycle import advance
from trace_server.cases import rules, store
from trace_server.cases.model import (
    Actor,
    Case,
    CaseEvent,
    CaseState,
    Dossier,
    Entry,
    Precision,
    Transfer,
    Triage,
    Verdict,
)
from trace_server.cases.states import ENDED, SECOND_PERSON, TRANSITIONS
from trace_server.cases.store import Wanted
from trace_server.credit import operations as credit
from trace_server.credit.model import Circumstances, PenaltyDecision, ViolationRecord
from trace_server.db import Connection
from trace_server.detect.store import alerts_by_key
from trace_server.services import Services
from trace_server.workdays.operations import calendar
from trace_server.workdays.rules import deadline

NOTE = "note"
JOINT = "joint"
STALE = "somebody else changed the case meanwhile"


@dataclass(frozen=True, slots=True)
class NewCase:
    """What is known when a case is opened."""

    title: str
    category: str
    region: str
    subject: str = ""
    alerts: tuple[bytes, ...] = ()
    reason: str = ""
    """Why the alerts are taken seriously; needed when there are any."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a case. `version`: the one its author has read."""

    event: CaseEvent
    version: int
    text: str
    document_no: str = ""


def open_case(services: Services, actor: Actor, new: NewCase) -> Case:
    """Open a case, with the alerts it grows from. Raises `InputError`, `NotFound`, `Conflict` for a triaged alert."""
    with services.db.begin() as conn:
        return open_within(services, conn, services.clock(), actor, new)


def open_within(services: Services, conn: Connection, now: datetime, actor: Actor, new: NewCase) -> Case:
    """`open_case` in the caller's transaction. Raises as it."""
    title, subject = rules.new_case_fields(new.title, new.subject, new.category, new.region)
    if not rules.in_scope(new.region, new.category, actor):
        raise NotAllowed("this is outside your regions or categories", where="region")
    draft = Case(
        case_id=f"case-{secrets.token_hex(6)}",
        title=title,
        subject=subject,
        category=new.category,
        region=new.region,
        department=actor.department,
        state=CaseState.CLUE,
        handler=actor.name,
        proposed_by="",
        opened_by=actor.name,
        opened_at=now,
        due_at=None,
        due_confirmed=True,
        record_id="",
        version=1,
    )
    due_at, confirmed = rules.due(calendar(conn), draft, CaseState.CLUE, now)
    opened = replace(draft, due_at=due_at, due_confirmed=confirmed)
    store.add_case(conn, opened)
    if new.alerts:
        _triage(services, conn, now, actor, new.alerts, Verdict.SUSPECTED, new.reason, opened.case_id)
    _write(conn, now, actor, opened, "open", new.reason or title, "")
    audit.record(conn, now, actor.name, "case.open", opened.case_id, {"alerts": len(new.alerts), "subject": subject})
    return opened


def triage(services: Services, actor: Actor, keys: Collection[bytes], verdict: Verdict, reason: str) -> int:
    """Close alerts that need no case, with the reason; returns how many.

    Raises `InputError`, `NotFound`, `Conflict` when one of them has its verdict already.
    """
    if verdict is Verdict.SUSPECTED:
        raise InputError("a suspected alert belongs to a case", where="verdict", remedy="open a case with it")
    now = services.clock()
    with services.db.begin() as conn:
        done = _triage(services, conn, now, actor, keys, verdict, reason, "")
        audit.record(
            conn,
            now,
            actor.name,
            "alert.triage",
            sorted(keys)[0].hex(),
            {"count": done, "verdict": verdict, "why": reason},
        )
    return done


def take_step(services: Services, actor: Actor, case_id: str, step: Step) -> Case:
    """One step that needs nothing but words and a paper; transfers and decisions have uses of their own.

    Raises `NotFound`, `NotAllowed`, `Conflict` for a step the state does not have or a case changed meanwhile.
    """
    if step.event in (CaseEvent.TRANSFER, CaseEvent.RECEIVE, CaseEvent.REFUSE, CaseEvent.DECIDE):
        raise ValueError(f"{step.event} has a use case of its own")
    now = services.clock()
    with services.db.begin() as conn:
        return _step(conn, now, actor, _require(conn, case_id, actor), step)


def add_note(services: Services, actor: Actor, case_id: str, text: str, document_no: str = "") -> Case:
    """Evidence or a remark; the state stays. Raises `NotFound`, `NotAllowed`, `InputError`."""
    now = services.clock()
    with services.db.begin() as conn:
        case = _require(conn, case_id, actor)
        if actor.department != case.department:
            raise NotAllowed("the case is another department's", where="department")
        changed = _save(conn, case, replace(case, version=case.version + 1))
        _write(conn, now, actor, changed, NOTE, rules.require_text(text, "text"), document_no)
        audit.record(conn, now, actor.name, "case.note", case_id, {"document": document_no})
    return changed


def assign(services: Services, actor: Actor, case_id: str, handler: str, version: int) -> Case:
    """Give the case to somebody of the same department."""
    now = services.clock()
    with services.db.begin() as conn:
        case = _require(conn, case_id, actor)
        _require_version(case, version)
        changed = _save(conn, case, replace(case, handler=handler, version=case.version + 1))
        _write(conn, now, actor, changed, "assign", handler, "")
        audit.record(conn, now, actor.name, "case.assign", case_id, {"handler": handler})
    return changed


def transfer(
    services: Services, actor: Actor, case_id: str, *, to_department: str, is_outside: bool, reason: str, version: int
) -> Case:
    """Send a case on; it waits for the receipt. Raises as `take_step`."""
    now = services.clock()
    target = rules.require_text(to_department, "to_department")[:200]
    why = rules.require_text(reason, "reason")
    with services.db.begin() as conn:
        case = _require(conn, case_id, actor)
        if target == case.department:
            raise InputError("the case is there already", where="to_department")
        moved = _step(conn, now, actor, case, Step(CaseEvent.TRANSFER, version, f"{target}: {why}"))
        rule = rules.rule_of(CaseState.TRANSFERRED, now.date())
        due_at = deadline(calendar(conn), now, rule.period).at if rule else now
        number = len(store.transfers(conn, case_id)) + 1
        sent = Transfer(
            case_id, number, case.department, target, is_outside, why, actor.name, now, due_at, "", "", None, ""
        )
        store.add_transfer(conn, sent)
    return moved


def open_joint(services: Services, actor: Actor, case_id: str, *, to_department: str, reason: str) -> Case:
    """Open a linked case in another department on the same evidence (联合执法); from there each goes its own way.

    Raises `NotFound`, `NotAllowed` for another department's case, `Conflict` for an ended one or when that department
    has its linked case already, `InputError`.
    """
    now = services.clock()
    target = rules.require_text(to_department, "to_department")[:200]
    why = rules.require_text(reason, "reason")
    with services.db.begin() as conn:
        case = _require(conn, case_id, actor)
        if actor.department != case.department:
            raise NotAllowed("the case is another department's", where="department")
        if case.state in ENDED:
            raise Conflict(f"a case in state {case.state} has ended", where="case_id")
        root = store.root_of(conn, case_id)
        if any(one.department == target for one in store.joint_cases(conn, root)):
            raise Conflict("that department has a linked case already", where="to_department")
        draft = replace(
            case, case_id=f"case-{secrets.token_hex(6)}", department=target, state=CaseState.CLUE, handler=actor.name,
            proposed_by="", opened_by=actor.name, opened_at=now, record_id="", version=1,
        )  # fmt: skip
        due_at, confirmed = rules.due(calendar(conn), draft, CaseState.CLUE, now)
        opened = replace(draft, due_at=due_at, due_confirmed=confirmed)
        store.add_case(conn, opened)
        store.add_joint(conn, opened.case_id, root)
        _write(conn, now, actor, opened, JOINT, f"{case.department} {case_id}: {why}", "")
        _write(conn, now, actor, _save(conn, case, replace(case, version=case.version + 1)), JOINT,
               f"{target} {opened.case_id}: {why}", "")  # fmt: skip
        audit.record(conn, now, actor.name, "case.joint", opened.case_id, {"beside": case_id, "department": target})
    return opened


def answer_transfer(services: Services, actor: Actor, case_id: str, *, accept: bool, answer: str, version: int) -> Case:
    """Receipt or refusal by the department it was sent to; refused, the case is back where it came from.

    Raises `NotFound` when nothing waits, `NotAllowed` for another department.
    """
    now = services.clock()
    with services.db.begin() as conn:
        case = _require(conn, case_id, None)
        waiting = [one for one in store.transfers(conn, case_id) if not one.receipt]
        if not waiting:
            raise NotFound("no transfer of this case waits for an answer", where="case_id")
        sent = waiting[-1]
        if actor.department != sent.to_department and not (
            sent.is_outside and actor.department == sent.from_department
        ):
            raise NotAllowed("the department it was sent to answers", where="department", remedy=sent.to_department)
        event = CaseEvent.RECEIVE if accept else CaseEvent.REFUSE
        text = rules.require_text(answer, "answer")
        settled = replace(
            sent, receipt="received" if accept else "refused", answered_by=actor.name, answered_at=now, answer=text
        )
        store.save_transfer(conn, settled)
        if accept and sent.is_outside:  # out of our hands: the dossier ends with their receipt
            changed = _save(conn, case, replace(case, due_at=None, version=case.version + 1))
            _write(conn, now, actor, changed, event, text, "")
            audit.record(conn, now, actor.name, "case.receive", case_id, {"by": sent.to_department})
            return changed
        moved = _step(conn, now, actor, case, Step(event, version, text))
        if not accept:
            return moved
        return _save(
            conn, moved, replace(moved, department=sent.to_department, handler=actor.name, version=moved.version + 1)
        )


def decide(
    services: Services, actor: Actor, case_id: str, decision: PenaltyDecision, around: Circumstances, *, version: int
) -> tuple[Case, ViolationRecord]:
    """Hand the numbered decision to the credit archive, in one transaction with the case's step.

    The case is the evidence of the record. Raises as `take_step`, and `Conflict` when that decision is on record
    with other content.
    """
    now = services.clock()
    with services.db.begin() as conn:
        case = _require(conn, case_id, actor)
        if case.subject and decision.uscc not in (None, case.subject):
            raise InputError("the decision names another subject than the case", where="/decision/CF_XDR_SHXYM")
        step = Step(CaseEvent.DECIDE, version, decision.penalty_content, decision.decision_no)
        moved = _step(conn, now, actor, case, step)
        recorded = credit.record_within(
            conn, services.db.dialect, now, decision, replace(around, evidence_ref=case_id), actor=actor.name
        )
        decided = replace(
            moved, record_id=recorded.record.record_id, subject=case.subject or (decision.subject_key() or ""),
            version=moved.version + 1,
        )  # fmt: skip
        return _save(conn, moved, decided), recorded.record


def dossier(services: Services, actor: Actor, case_id: str) -> Dossier:
    """A case with everything that belongs to it. Raises `NotFound`, `NotAllowed`."""
    with services.db.read() as conn:
        case, root = _require(conn, case_id, actor), store.root_of(conn, case_id)
        return Dossier(
            case,
            tuple(store.entries(conn, case_id)),
            tuple(store.transfers(conn, case_id)),
            tuple(store.alerts_of(conn, root)),
            tuple(one for one in store.joint_cases(conn, root) if one.case_id != case_id),
        )


def list_cases(
    services: Services, actor: Actor, wanted: Wanted, *, after: tuple[datetime, str] | None = None, limit: int = 50
) -> list[Case]:
    """Cases in the scope of `actor`, oldest first."""
    with services.db.read() as conn:
        return store.cases(conn, actor, wanted, after=after, limit=limit)


def worklist(services: Services, actor: Actor, *, limit: int = 50) -> tuple[list[Case], list[Transfer]]:
    """What is due of the own department, most urgent first, and what waits for its receipt."""
    with services.db.read() as conn:
        mine = Wanted(department=actor.department)
        return store.due_cases(conn, actor, mine, limit=limit), store.transfers_to(conn, actor.department, limit=limit)


def count_cases(services: Services, actor: Actor, wanted: Wanted) -> dict[CaseState, int]:
    """How many cases in the scope of `actor` stand where."""
    with services.db.read() as conn:
        return store.count_by_state(conn, actor, wanted)


def triage_of(services: Services, keys: Collection[bytes]) -> dict[bytes, Triage]:
    """Alert → verdict, for those that have one."""
    with services.db.read() as conn:
        return store.triage_of(conn, services.db.dialect, keys)


def precision(services: Services) -> list[Precision]:
    """How often each rule was right."""
    with services.db.read() as conn:
        return store.precision(conn)


def possible_steps(case: Case, actor: Actor) -> list[CaseEvent]:
    """Steps that the table has and that `actor` may take, in the table's order."""
    if actor.department != case.department:
        return []
    second = case.proposed_by == actor.name
    return [event for event in TRANSITIONS[case.state] if not (second and event in SECOND_PERSON)]


def _step(conn: Connection, now: datetime, actor: Actor, case: Case, step: Step) -> Case:
    _require_version(case, step.version)
    rules.require_step(case, step.event, actor, step.document_no)
    text = rules.require_text(step.text, "text")
    state = advance(
        conn, now, table=TRANSITIONS, state=case.state, event=step.event, actor=actor.name, object=case.case_id,
        action=f"case.{step.event}", detail={"document": step.document_no},
    )  # fmt: skip
    due_at, confirmed = rules.due(calendar(conn), case, state, now)
    proposed_by = actor.name if step.event is CaseEvent.PROPOSE else case.proposed_by
    moved = replace(
        case, state=state, due_at=due_at, due_confirmed=confirmed, proposed_by=proposed_by, version=case.version + 1
    )
    saved = _save(conn, case, moved)
    _write(conn, now, actor, saved, step.event, text, step.document_no)
    return saved


def _triage(
    services: Services,
    conn: Connection,
    now: datetime,
    actor: Actor,
    keys: Collection[bytes],
    verdict: Verdict,
    reason: str,
    case_id: str,
) -> int:
    why = rules.require_text(reason, "reason")
    if not 1 <= len(keys) <= rules.MAX_ALERTS:
        raise InputError(f"1 to {rules.MAX_ALERTS} alerts", where="alerts")
    found = alerts_by_key(conn, services.db.dialect, keys, actor.regions)
    missing = sorted(set(keys) - set(found))
    if missing:
        raise NotFound(f"there is no alert {missing[0].hex()}", where="alerts")
    rows = [Triage(key, found[key].rule_id, verdict, why, actor.name, now, case_id) for key in sorted(set(keys))]
    if store.add_triage(conn, services.db.dialect, rows) != len(rows):
        raise Conflict("an alert has its verdict already", where="alerts", remedy="reload the list")
    return len(rows)


def _write(conn: Connection, now: datetime, actor: Actor, case: Case, event: str, text: str, document_no: str) -> None:
    number = store.next_number(conn, case.case_id)
    store.add_entry(conn, Entry(case.case_id, number, now, actor.name, event, text, document_no.strip()))


def _save(conn: Connection, old: Case, new: Case) -> Case:
    if not store.save_case(conn, new, was=old.version):
        raise Conflict(STALE, where="version", remedy="reload it")
    return new


def _require(conn: Connection, case_id: str, actor: Actor | None) -> Case:
    case = store.case_by_id(conn, case_id)
    if case is None:
        raise NotFound("there is no such case", where="case_id")
    if actor is not None:
        rules.require_scope(case, actor)
    return case


def _require_version(case: Case, version: int) -> None:
    if case.version != version:
        raise Conflict(STALE, where="version", remedy="reload it")
