"""What an objection does to a record: marked while it is under way, then corrected, withdrawn or left as it was.

All of them are the last statements of the caller's transaction, which has `old` locked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from trace_core.errors import Conflict, InputError
from trace_server.credit import store
from trace_server.credit.coding import UNDER_OBJECTION, open_codes
from trace_server.credit.fields import FIELDS, SEALED
from trace_server.credit.model import STOPPED, Circumstances, ViolationRecord
from trace_server.credit.operations import correct_within
from trace_server.credit.rules import check_reason, parse_decision
from trace_server.credit.states import Step
from trace_server.credit.steps import Paper, Planned, law_day, write
from trace_server.db import Connection
from trace_server.services import Services


def mark(
    services: Services, conn: Connection, now: datetime, old: ViolationRecord, objection: str, actor: str
) -> ViolationRecord:
    """Say on every output that an objection is under way. Raises `Conflict` when one is, or the record has ended."""
    if old.objection:
        raise Conflict("an objection about this record is under way", where=old.record_id)
    planned = Planned(Step.MARK, replace(old, objection=objection))
    return write(services, conn, now, old, Paper(actor, UNDER_OBJECTION), planned, detail={"objection": objection})


def unmark(services: Services, conn: Connection, now: datetime, old: ViolationRecord, paper: Paper) -> None:
    """The objection was rejected. A record that has ended meanwhile shares nothing that could bear a mark."""
    if old.state in STOPPED:
        return
    planned = Planned(Step.UNMARK, replace(old, objection=""))
    write(services, conn, now, old, paper, planned, detail={"objection": old.objection})


def withdraw_upheld(services: Services, conn: Connection, now: datetime, old: ViolationRecord, paper: Paper) -> None:
    """The objection was right: the record should not be there."""
    check_reason(paper.reason, paper.document)
    planned = Planned(Step.WITHDRAW, replace(old, objection=""))
    write(services, conn, now, old, paper, planned, detail={"objection": old.objection})


def correct_upheld(
    services: Services,
    conn: Connection,
    now: datetime,
    old: ViolationRecord,
    changes: Mapping[str, str],
    paper: Paper,
) -> None:
    """The objection was right in part: `changes` are the mended fields by official code, "" takes a field away.

    Raises `InputError` for a field that does not exist or is sealed, `BadDecision` when the whole no longer fits.
    """
    known = {field.code for field in FIELDS} - {field.code for field in SEALED}
    if unknown := sorted(set(changes) - known):
        raise InputError(f"there is no field {unknown[0]} to correct", where="changes", remedy="credit fields")
    sealed = store.sealed_identity(conn, old.record_id)
    identity = {field.code: sealed[field.attribute] for field in SEALED if field.attribute in sealed}
    mended = {**open_codes(old.decision), **identity, **changes}
    decision = parse_decision({code: text for code, text in mended.items() if text}, today=law_day(now))
    around = Circumstances(old.category, old.procedure, old.severity, old.batches, old.evidence_ref)
    correct_within(services, conn, now, replace(old, objection=""), decision, around, paper)
