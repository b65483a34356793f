"""Use cases: apply, return, accept, grant, refuse. One transaction each, audited; a grant ends the record in it."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime

from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_server import audit
from trace_server.audit.lifecycle import advance
from trace_server.credit import operations as credit
from trace_server.credit.model import State
from trace_server.credit.steps import Paper, law_day, locked
from trace_server.db import Connection
from trace_server.repairs import rules, store
from trace_server.repairs.model import Application, RepairEvent, RepairState
from trace_server.repairs.states import TRANSITIONS
from trace_server.services import Services
from trace_server.workdays.operations import calendar
from trace_server.workdays.rules import deadline

REPAIRABLE = frozenset({State.PUBLISHED, State.UNPUBLISHED})


def apply(
    services: Services,
    actor: str,
    record_id: str,
    *,
    owner: str | None,
    correction: str,
    promise: str,
    papers: tuple[str, ...],
) -> Application:
    """Hand in an application; `owner`: USCC that the caller acts for, None for the authority on somebody's behalf.

    Raises `NotFound`, `NotAllowed` for somebody else's record, `Conflict` when one is open or nothing can be
    repaired, `InputError` before the least window is over.
    """
    now = services.clock()
    with services.db.begin() as conn:
        record = locked(conn, record_id)
        subject = record.decision.subject_key() or ""
        if owner is not None and subject != owner:
            raise NotAllowed("the record is another subject's", where="record_id")
        if record.state not in REPAIRABLE:
            raise Conflict(f"a record in state {record.state} cannot be repaired", where="record_id")
        if law_day(now) < record.window_min_end:
            raise InputError(
                f"repair is possible from {record.window_min_end}",
                where="record_id",
                remedy="apply then, free of charge",
            )
        if any(one.state in rules.OPEN for one in store.of_record(conn, record_id)):
            raise Conflict("an application about this record is open", where="record_id")
        row = Application(
            application_id=f"repair-{secrets.token_hex(6)}",
            record_id=record_id,
            uscc=subject,
            state=RepairState.SUBMITTED,
            correction=rules.require_text(correction, "correction"),
            promise=rules.require_text(promise, "promise"),
            papers=rules.require_papers(papers),
            submitted_by=actor,
            submitted_at=now,
            due_at=_due(conn, RepairState.SUBMITTED, now),
            accepted_by="",
            decided_by="",
            reason="",
            document_no="",
            version=1,
        )
        store.add(conn, row)
        audit.record(conn, now, actor, "repair.apply", row.application_id, {"record": record_id})
    return row


def hand_in_again(
    services: Services,
    actor: str,
    application_id: str,
    *,
    owner: str | None,
    correction: str,
    papers: tuple[str, ...],
    version: int,
) -> Application:
    """Complete a returned application."""
    now = services.clock()
    with services.db.begin() as conn:
        row = _require(conn, application_id, version)
        if owner is not None and row.uscc != owner:
            raise NotAllowed("the application is another subject's", where="application_id")
        changed = replace(
            row, correction=rules.require_text(correction, "correction"), papers=rules.require_papers(papers)
        )
        return _step(conn, now, actor, changed, RepairEvent.SUBMIT, "handed in again", "")


def decide(
    services: Services,
    actor: str,
    application_id: str,
    event: RepairEvent,
    *,
    reason: str,
    document_no: str,
    version: int,
) -> Application:
    """Return, accept, grant or refuse. A grant ends the record's display everywhere in the same transaction.

    Raises `NotAllowed` when the one who accepted also decides, `Conflict`, `InputError`.
    """
    if event is RepairEvent.SUBMIT:
        raise ValueError("the applicant hands in")
    now = services.clock()
    with services.db.begin() as conn:
        row = _require(conn, application_id, version)
        if event in (RepairEvent.GRANT, RepairEvent.REFUSE):
            if actor == row.accepted_by:
                raise NotAllowed("a second person decides", where="actor", remedy="ask a colleague")
            rules.require_text(document_no, "document_no")
        why = rules.require_text(reason, "reason")
        moved = _step(conn, now, actor, row, event, why, document_no.strip())
        if event is RepairEvent.GRANT:
            paper = Paper(actor, why, document_no.strip())
            credit.repair_within(services, conn, now, row.record_id, paper)
    return moved


def list_applications(
    services: Services, uscc: str, state: RepairState | None, *, after: tuple[datetime, str] | None, limit: int
) -> list[Application]:
    """Applications in the order they came; `uscc` "": of everybody."""
    with services.db.read() as conn:
        return store.applications(conn, uscc, state, after=after, limit=limit)


def find(services: Services, application_id: str) -> Application | None:
    """One application."""
    with services.db.read() as conn:
        return store.by_id(conn, application_id)


def _step(
    conn: Connection, now: datetime, actor: str, row: Application, event: RepairEvent, reason: str, document_no: str
) -> Application:
    state = advance(
        conn, now, table=TRANSITIONS, state=row.state, event=event, actor=actor, object=row.application_id,
        action=f"repair.{event}", detail={"record": row.record_id, "document": document_no},
    )  # fmt: skip
    is_decision = event in (RepairEvent.GRANT, RepairEvent.REFUSE)
    moved = replace(
        row,
        state=state,
        due_at=_due(conn, state, now),
        accepted_by=actor if event is RepairEvent.ACCEPT else row.accepted_by,
        decided_by=actor if is_decision else row.decided_by,
        reason=reason,
        document_no=document_no,
        version=row.version + 1,
    )
    if not store.save(conn, moved, was=row.version):
        raise Conflict("somebody else changed it meanwhile", where="version", remedy="reload it")
    return moved


def _due(conn: Connection, state: RepairState, now: datetime) -> datetime | None:
    period = rules.period(state, law_day(now))
    return deadline(calendar(conn), now, period).at if period else None


def _require(conn: Connection, application_id: str, version: int) -> Application:
    row = store.by_id(conn, application_id)
    if row is None:
        raise NotFound("there is no such application", where="application_id")
    if row.version != version:
        raise Conflict("somebody else changed it meanwhile", where="version", remedy="reload it")
    return row
