"""One step of a record along its table: new version, log entry and audit entry, in the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone

from trace_core.errors import NotFound
from trace_server.audit import lifecycle
from trace_server.credit import store
from trace_server.credit.grade_keeping import regrade
from trace_server.credit.model import FieldChange, ViolationRecord
from trace_server.credit.states import OPS, TRANSITIONS, Step
from trace_server.db import Connection
from trace_server.services import Services

LAW_ZONE = timezone(timedelta(hours=8), "Asia/Shanghai")
"""Days of law are days in China, which keeps one offset all year."""


@dataclass(frozen=True, slots=True)
class Paper:
    """Why a step is taken: who takes it, the reason in a sentence, the number of the paper behind it."""

    actor: str
    reason: str = ""
    document: str | None = None


@dataclass(frozen=True, slots=True)
class Planned:
    """A step to take with the content of its version; `refusal` is the guard's sentence when it says no."""

    step: Step
    record: ViolationRecord
    refusal: str = ""
    diff: tuple[FieldChange, ...] = ()
    digest: str | None = None
    """Of the content; None keeps that of the version before."""


def law_day(now: datetime) -> date:
    """The day in Asia/Shanghai at an aware time."""
    return now.astimezone(LAW_ZONE).date()


def locked(conn: Connection, record_id: str) -> ViolationRecord:
    """The current version, locked until the transaction ends. Raises `NotFound`."""
    found = store.lock_record(conn, record_id)
    if found is None:
        raise NotFound("there is no such violation record", where=record_id)
    return found


def write(
    services: Services,
    conn: Connection,
    now: datetime,
    old: ViolationRecord,
    paper: Paper,
    planned: Planned,
    *,
    detail: dict[str, object],
) -> ViolationRecord:
    """Take a step as the last statements of a transaction. Raises `Conflict` when table or guard refuse."""
    entry = advance(conn, now, old, paper, planned, detail)
    store.update_record(conn, entry.record)
    # A corrected record may name another subject than before: both grades change.
    regrade(conn, services.db.dialect, now, law_day(now), [entry.record], [old.decision.subject_key()])
    store.append(conn, services.db.dialect, [entry])
    return entry.record


def advance(
    conn: Connection,
    now: datetime,
    old: ViolationRecord,
    paper: Paper,
    planned: Planned,
    detail: dict[str, object],
) -> store.Written:
    """Check a step and write its audit entry; the caller stores what comes back with `store.append`."""
    state = lifecycle.advance(
        conn,
        now,
        table=TRANSITIONS,
        state=old.state,
        event=planned.step,
        actor=paper.actor,
        object=old.record_id,
        action=f"credit.{OPS[planned.step]}" if planned.step is not Step.PUBLISH else "credit.publish",
        refusal=planned.refusal,
        detail={"version": old.version + 1, "document": paper.document, **detail},
    )
    record = replace(
        planned.record,
        version=old.version + 1,
        state=state,
        reason=paper.reason.strip() or None,
        document=paper.document,
        effective_at=now,
    )
    digest = planned.digest or store.digest_of(conn, old)
    return store.Written(record, OPS[planned.step], planned.diff, digest)


def expiry(record: ViolationRecord, today: date) -> Planned:
    """The plan to end a record, refused while its window is open."""
    open_still = today <= record.window_max_end
    return Planned(Step.EXPIRE, record, f"the window ends on {record.window_max_end}" if open_still else "")
