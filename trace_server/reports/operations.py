"""Use cases of reports: ask, look, download, withdraw, verify."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_server import audit
from trace_server.audit.lifecycle import advance
from trace_server.audit.store import entries
from trace_server.credit.operations import checked_grade
from trace_server.credit.steps import law_day
from trace_server.credit.store import version
from trace_server.db import Connection
from trace_server.jobs.operations import enqueue
from trace_server.reports import kinds, rules, store
from trace_server.reports.kinds.green import NOT_GREEN
from trace_server.reports.model import (
    Asker,
    Held,
    Report,
    ReportEvent,
    ReportState,
    Standing,
    Verification,
    Wish,
)
from trace_server.reports.parts import PENALTY
from trace_server.reports.states import TRANSITIONS
from trace_server.services import Services
from trace_server.workdays.rules import LEGAL_TIME

JOB_KIND = "credit.report"
MAX_REASON = 500


def request(services: Services, asker: Asker, wish: Wish) -> Report:
    """Ask for a report; the worker makes it. Raises `InputError`, `NotAllowed`, `IdentifierError`."""
    kind = kinds.require(wish.kind)
    wanted = rules.checked(wish, kind, asker)
    now = services.clock()
    number = rules.new_number(law_day(now))
    with services.db.begin() as conn:
        if kind.needs_green and not _is_green(conn, wanted.usccs[0]):
            raise InputError(NOT_GREEN, where="usccs", remedy=f"/credit/{wanted.usccs[0]} says which")
        job = enqueue(conn, services.db.dialect, now, JOB_KIND, {"report_no": number}, owner=asker.actor)
        row = Report(number, wanted, asker, ReportState.REQUESTED, now, job.hex())
        store.add(conn, row)
        detail = {"kind": wanted.kind, "subjects": list(wanted.usccs), "purpose": wanted.purpose,
                  "authorisation": wanted.authorisation}  # fmt: skip
        audit.record(conn, now, asker.actor, "reports.request", number, detail)
    return row


def open_report(services: Services, asker: Asker, report_no: str) -> Report:
    """One report. Raises `NotFound`, also for one that `asker` may not see."""
    with services.db.read() as conn:
        return _require(conn, asker, report_no)


def list_reports(
    services: Services, asker: Asker, *, after: tuple[datetime, str] | None = None, limit: int = 50
) -> list[Report]:
    """The newest first: a company's own, everybody's for an authority."""
    with services.db.read() as conn:
        return store.reports(conn, asker.subject, after=after, limit=limit)


def download(services: Services, asker: Asker, report_no: str) -> tuple[Report, bytes]:
    """The file; who took it is logged. Raises `NotFound`, `NotAllowed` for a file under another
    person's authorisation, `Conflict` while it is made or after it was withdrawn."""
    now = services.clock()
    with services.db.begin() as conn:
        row = _require(conn, asker, report_no)
        if kinds.require(row.wish.kind).needs_authorisation and row.asker.actor != asker.actor:
            raise NotAllowed("the authorisation is somebody else's", where="report_no", remedy="ask with your own")
        if row.state is not ReportState.ISSUED:
            raise Conflict(f"the report is {row.state}", where="report_no", remedy="look again in a moment")
        data = store.file(conn, row.file_sha256)
        if data is None:
            raise NotFound("the file is gone", where="report_no", remedy="ask for a new report")
        detail = {"kind": row.wish.kind, "file_sha256": row.file_sha256}
        audit.record(conn, now, asker.actor, "reports.download", row.report_no, detail)
    return row, data


def withdraw(services: Services, asker: Asker, report_no: str, reason: str) -> Report:
    """It should not have been issued. Raises `NotAllowed` for a company, `InputError` without a reason, `Conflict`."""
    if asker.subject:
        raise NotAllowed("an authority withdraws reports", where="report_no")
    why = " ".join(reason.split())
    if not 2 <= len(why) <= MAX_REASON:
        raise InputError("say why", where="reason", remedy=f"2 to {MAX_REASON} characters")
    now = services.clock()
    with services.db.begin() as conn:
        row = _require(conn, asker, report_no, lock=True)
        state = advance(
            conn, now, table=TRANSITIONS, state=row.state, event=ReportEvent.WITHDRAW, actor=asker.actor,
            object=row.report_no, action="reports.withdraw", detail={"reason": why},
        )  # fmt: skip
        moved = replace(row, state=state, withdrawn_on=law_day(now), withdraw_reason=why)
        store.save(conn, moved)
    return moved


def verify(services: Services, text: str) -> Verification:
    """What anybody may know of a number: a number that was never issued is an answer too."""
    number = rules.typed_number(text)
    today = law_day(services.clock())
    with services.db.read() as conn:
        row = store.find(conn, number) if number else None
        if row is None or row.state is ReportState.REQUESTED or row.valid_to is None:
            return Verification(number or text[:64], Standing.UNKNOWN)
        if row.state is ReportState.WITHDRAWN:
            return Verification(number, Standing.WITHDRAWN, row, row.withdrawn_on, row.withdraw_reason)
        changed = min(filter(None, (_change(conn, one) for one in store.items(conn, number))), default=None)
        if changed is None and kinds.require(row.wish.kind).needs_green and not _is_green(conn, row.wish.usccs[0]):
            return Verification(number, Standing.SUPERSEDED, row, today, "green")
    if changed is not None:
        return Verification(number, Standing.SUPERSEDED, row, changed[0].astimezone(LEGAL_TIME).date(), changed[1])
    if today > row.valid_to:
        return Verification(number, Standing.EXPIRED, row, row.valid_to)
    return Verification(number, Standing.VALID, row)


def _is_green(conn: Connection, uscc: str) -> bool:
    found = checked_grade(conn, uscc)
    return found is not None and found.assessment.green.eligible


def _change(conn: Connection, one: Held) -> tuple[datetime, str] | None:
    """When and why one thing of a report stopped being as it says, None while it is."""
    if one.kind == PENALTY:
        found = store.change_after(conn, one.ref, one.version)
        record = version(conn, one.ref, found[1]) if found else None
        if found is None or record is None:
            return None
        return record.effective_at, rules.why_of(found[0], has_objection=bool(record.objection))
    now = store.version_now(conn, one)
    if now is None or now == one.version:
        return None
    # Each version of a membership or commitment was made with one entry in the audit log.
    steps = [(entry.at, entry.action) for entry in entries(conn, about=one.ref)]
    at, action = steps[max(0, len(steps) - (now - one.version))]
    return at, rules.why_of_step(action)


def _require(conn: Connection, asker: Asker, report_no: str, *, lock: bool = False) -> Report:
    row = store.find(conn, rules.typed_number(report_no), lock=lock)
    if row is None or not rules.is_open_to(row, asker):
        raise NotFound("there is no such report", where="report_no")
    return row
