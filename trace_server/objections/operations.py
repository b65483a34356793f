"""Use cases of objections: raise, propose, decide. One transaction each, audited; the register follows in it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from trace_core.errors import Conflict, NotAllowed, NotFound
from trace_server import audit
from trace_server.audit.lifecycle import advance
from trace_server.credit.steps import law_day
from trace_server.db import Connection
from trace_server.objections import rules, store, targets
from trace_server.objections.model import Objection, ObjectionEvent, ObjectionState, Remedy, TargetKind
from trace_server.objections.states import DECIDES, TRANSITIONS
from trace_server.services import Services
from trace_server.workdays.operations import calendar
from trace_server.workdays.rules import deadline


@dataclass(frozen=True, slots=True)
class Claim:
    """What is wrong with what, and who says so for the subject (`representative`, "" for the subject itself)."""

    kind: TargetKind
    target: str
    text: str
    papers: tuple[str, ...] = ()
    representative: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the authority; `remedy` and `changes` go with a proposal."""

    event: ObjectionEvent
    version: int
    reason: str
    document_no: str = ""
    remedy: Remedy = Remedy.NONE
    changes: Mapping[str, str] = field(default_factory=dict)


def raise_objection(services: Services, actor: str, claim: Claim, *, owner: str | None) -> Objection:
    """Raise an objection; `owner`: USCC that the caller acts for, None for the authority that took the paper in.

    What it is about is marked in the same transaction. Raises `NotFound`, `NotAllowed` for somebody else's,
    `Conflict` when an objection is under way or there is nothing left to object to, `InputError`.
    """
    now = services.clock()
    text, papers = rules.require_text(claim.text, "claim"), rules.require_papers(claim.papers)
    speaker = rules.require_text(claim.representative, "representative", rules.MAX_NAME) if owner is None else ""
    with services.db.begin() as conn:
        uscc = targets.find(conn, claim.kind, claim.target)
        if owner is not None and uscc != owner:
            raise NotAllowed("this is about another subject", where="target")
        row = Objection(
            objection_id=f"objection-{secrets.token_hex(6)}",
            kind=claim.kind,
            target=claim.target,
            uscc=uscc,
            state=ObjectionState.RAISED,
            claim=text,
            papers=papers,
            representative=claim.representative.strip()[: rules.MAX_NAME] or speaker,
            raised_by=actor,
            raised_at=now,
            due_at=_due(conn, ObjectionState.RAISED, now),
            remedy=Remedy.NONE,
            changes={},
            proposed_by="",
            decided_by="",
            reason="",
            document_no="",
            version=1,
        )
        store.add(conn, row)
        audit.record(conn, now, actor, "objection.raise", row.objection_id, {"kind": row.kind, "target": row.target})
        targets.mark(services, conn, now, row)
    return row


def take_step(services: Services, actor: str, objection_id: str, step: Step) -> Objection:
    """Propose, return, uphold or reject. An upheld objection changes the register in the same transaction.

    Raises `NotFound`, `NotAllowed` when the one who proposed also decides, `Conflict`, `InputError`.
    """
    now = services.clock()
    with services.db.begin() as conn:
        row = _require(conn, objection_id)
        if row.version != step.version:
            raise Conflict("somebody else changed it meanwhile", where="version", remedy="reload it")
        rules.require_second(row, step.event, actor)
        moved = _step(conn, now, actor, row, step)
        decision = targets.Decision(now, actor, moved.reason, moved.document_no)
        if step.event is ObjectionEvent.UPHOLD:
            targets.uphold(services, conn, moved, decision)
        elif step.event is ObjectionEvent.REJECT:
            targets.reject(services, conn, moved, decision)
    return moved


def open_objection(services: Services, objection_id: str, *, owner: str) -> Objection:
    """One objection; `owner` "" is the authority. Somebody else's does not exist: raises `NotFound`."""
    with services.db.read() as conn:
        row = _require(conn, objection_id)
    if owner and row.uscc != owner:
        raise NotFound("there is no such objection", where="objection_id")
    return row


def list_objections(
    services: Services, uscc: str, state: ObjectionState | None, *, after: tuple[datetime, str] | None, limit: int
) -> list[Objection]:
    """In the order they were raised; `uscc` "": of everybody."""
    with services.db.read() as conn:
        return store.objections(conn, uscc, state, after=after, limit=limit)


def count_objections(services: Services, uscc: str = "") -> dict[str, int]:
    """How many stand in each state."""
    with services.db.read() as conn:
        return store.counts(conn, uscc)


def _step(conn: Connection, now: datetime, actor: str, row: Objection, step: Step) -> Objection:
    event, reason = step.event, rules.require_text(step.reason, "reason")
    document = step.document_no.strip()
    if event in DECIDES:
        rules.require_text(document, "document_no", rules.MAX_DOCUMENT)
    changed = row
    if event is ObjectionEvent.PROPOSE:
        rules.require_remedy(row.kind, step.remedy, step.changes)
        changed = replace(row, remedy=step.remedy, changes=dict(step.changes), proposed_by=actor)
    elif event is ObjectionEvent.RETURN:
        changed = replace(row, remedy=Remedy.NONE, changes={}, proposed_by="")
    state = advance(
        conn, now, table=TRANSITIONS, state=row.state, event=event, actor=actor, object=row.objection_id,
        action=f"objection.{event}",
        detail={"kind": row.kind, "target": row.target, "remedy": changed.remedy, "document": document},
    )  # fmt: skip
    moved = replace(
        changed,
        state=state,
        due_at=_due(conn, state, now),
        decided_by=actor if event in DECIDES else "",
        reason=reason,
        document_no=document,
        version=row.version + 1,
    )
    if not store.save(conn, moved, was=row.version):
        raise Conflict("somebody else changed it meanwhile", where="version", remedy="reload it")
    return moved


def _due(conn: Connection, state: ObjectionState, now: datetime) -> datetime | None:
    period = rules.period(state, law_day(now))
    return deadline(calendar(conn), now, period).at if period else None


def _require(conn: Connection, objection_id: str) -> Objection:
    row = store.by_id(conn, objection_id)
    if row is None:
        raise NotFound("there is no such objection", where="objection_id")
    return row
