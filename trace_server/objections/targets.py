"""What an objection is about: found, marked, and corrected or withdrawn by its own register.

Each function but `find` writes the last statements of the caller's transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from trace_core.errors import InputError, NotFound
from trace_server.commitments import operations as commitments
from trace_server.commitments.model import CommitmentEvent
from trace_server.credit import objecting
from trace_server.credit.steps import Paper, locked
from trace_server.db import Connection
from trace_server.lists import operations as lists
from trace_server.lists import store as list_store
from trace_server.lists.model import Membership
from trace_server.objections.model import Objection, Remedy, TargetKind
from trace_server.services import Services


@dataclass(frozen=True, slots=True)
class Decision:
    """Who decides when, why, and by which paper."""

    now: datetime
    actor: str
    reason: str
    document_no: str


def find(conn: Connection, kind: TargetKind, target: str) -> str:
    """USCC of the subject that it is about, "" for a natural person. Raises `NotFound`."""
    if kind is TargetKind.COMMITMENT:
        return commitments.require(conn, target).uscc
    if kind is TargetKind.LIST:
        return _membership(conn, target).uscc
    return locked(conn, _record_id(target)).decision.subject_key() or ""


def mark(services: Services, conn: Connection, now: datetime, row: Objection) -> None:
    """Say on every output that the objection is under way. Raises `Conflict` when another one is."""
    if row.kind is TargetKind.COMMITMENT:
        commitments.mark_within(services, conn, now, row.raised_by, row.target, row.objection_id)
    elif row.kind is TargetKind.LIST:
        lists.mark_within(conn, now, row.raised_by, _membership(conn, row.target), row.objection_id)
    else:
        objecting.mark(services, conn, now, locked(conn, row.target), row.objection_id, row.raised_by)


def reject(services: Services, conn: Connection, row: Objection, decision: Decision) -> None:
    """Nothing changes but the mark, which ends."""
    now, actor = decision.now, decision.actor
    if row.kind is TargetKind.COMMITMENT:
        commitments.unmark_within(services, conn, now, actor, row.target)
    elif row.kind is TargetKind.LIST:
        lists.mark_within(conn, now, actor, _membership(conn, row.target), "")
    else:
        paper = Paper(actor, decision.reason, decision.document_no or None)
        objecting.unmark(services, conn, now, locked(conn, row.target), paper)


def uphold(services: Services, conn: Connection, row: Objection, decision: Decision) -> None:
    """Correct or withdraw; the mark ends with it. Raises `Conflict` when the register does not allow it any more."""
    now, actor, reason = decision.now, decision.actor, decision.reason
    if row.kind is TargetKind.COMMITMENT:
        event = CommitmentEvent.ANNUL if row.remedy is Remedy.CORRECT else CommitmentEvent.WITHDRAW
        commitments.uphold_within(services, conn, now, actor, row.target, event, reason, decision.document_no)
    elif row.kind is TargetKind.LIST:
        lists.uphold_within(services, conn, now, actor, _membership(conn, row.target), reason)
    else:
        paper, record = Paper(actor, reason, decision.document_no), locked(conn, row.target)
        if row.remedy is Remedy.CORRECT:
            objecting.correct_upheld(services, conn, now, record, row.changes, paper)
        else:
            objecting.withdraw_upheld(services, conn, now, record, paper)


def _membership(conn: Connection, membership_id: str) -> Membership:
    found = list_store.by_id(conn, membership_id)
    if found is None:
        raise NotFound("there is no such membership", where="target")
    return found


def _record_id(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError as err:
        raise InputError("this is no record id", where="target") from err
