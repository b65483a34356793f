"""Use cases of lists: propose, notify, list, end, check a subject, and take feedback. One transaction each, audited.

A membership is a fact that the grade reads: it is stated to credit in the same transaction.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from trace_core.errors import Conflict, InputError, NotFound
from trace_core.ids import uscc as codes
from trace_server import audit
from trace_server.audit.lifecycle import advance
from trace_server.credit.grade_facts import state_within
from trace_server.credit.grading.facts import FactKind, StatedFact
from trace_server.credit.shared import Told, share_within
from trace_server.db import Connection
from trace_server.lists import rules, store
from trace_server.lists.model import Application, ListEvent, ListState, Membership, PageLink, Restriction
from trace_server.lists.states import ENDS, OPS, TRANSITIONS
from trace_server.services import Job, Services
from trace_server.workdays.model import Period, Unit
from trace_server.workdays.operations import calendar
from trace_server.workdays.rules import LEGAL_TIME, deadline

WORKER = "worker"
BATCH = 100
OBJECTIONABLE = (ListState.PROPOSED, ListState.NOTICED, ListState.LISTED)
MAX_APPLICATIONS = 500


@dataclass(frozen=True, slots=True)
class Proposal:
    """Whom to put on which list, why, and by which paper."""

    list_id: str
    uscc: str
    reason: str
    document_no: str
    issuer: str


def propose(services: Services, actor: str, proposal: Proposal) -> Membership:
    """Raises `InputError`, `IdentifierError`, `Conflict` when the subject is on the list already."""
    now, kind = services.clock(), rules.kind(proposal.list_id)
    code = codes.parse(proposal.uscc).code
    row = Membership(
        membership_id=f"list-{secrets.token_hex(6)}",
        list_id=kind.id,
        uscc=code,
        reason=rules.require_text(proposal.reason, "reason"),
        legal_basis=kind.legal_basis,
        document_no=rules.require_text(proposal.document_no, "document_no")[:128],
        issuer=rules.require_text(proposal.issuer, "issuer")[:200],
        state=ListState.PROPOSED,
        proposed_by=actor,
        noticed_at=None,
        objections_until=None,
        listed_on=None,
        until=None,
        ended_on=None,
        end_reason="",
        version=1,
        objection="",
    )
    with services.db.begin() as conn:
        open_states = (ListState.PROPOSED, ListState.NOTICED, ListState.LISTED)
        if any(one.list_id == kind.id and one.state in open_states for one in store.of_subject(conn, code)):
            raise Conflict("the subject is on this list or proposed for it already", where="uscc")
        store.add(conn, row)
        audit.record(conn, now, actor, "list.propose", row.membership_id, {"list": kind.id, "uscc": code})
    return row


@dataclass(frozen=True, slots=True)
class Entry:
    """What the register of the authority that keeps a list says of a subject; `ended_on`: first day off the list."""

    proposal: Proposal
    listed_on: date
    until: date | None
    ended_on: date | None
    end_reason: str


def enter_within(
    services: Services, conn: Connection, now: datetime, actor: str, entry: Entry
) -> tuple[Membership, bool]:
    """Take over an entry of an official register; True when something is new. One entry for a subject and a paper.

    Notice and hearing were its keeper's. Raises `InputError` for a list that no authority keeps, `Conflict` when
    another paper has the subject on the list. The last statements of a transaction.
    """
    kind, wanted = rules.kind(entry.proposal.list_id), entry.proposal
    code = codes.parse(wanted.uscc).code
    if not kind.is_official:
        raise InputError("this list is not an authority's", where="list")
    if entry.listed_on > _today(now) or (entry.ended_on is not None and entry.ended_on < entry.listed_on):
        raise InputError("the days of the entry do not fit", where="listed_on")
    mine = [one for one in store.of_subject(conn, code) if one.list_id == kind.id]
    row = next((one for one in mine if one.document_no == wanted.document_no), None)
    is_new = row is None
    if row is None:
        if any(one.state in OBJECTIONABLE for one in mine):
            raise Conflict("the subject is on this list or proposed for it already", where="uscc")
        row = _entered(conn, now, actor, entry, code)
        share_within(conn, services.db.dialect, now, _told(row, ListEvent.LIST))
        _tell_credit(services, conn, now, actor, row)
    if entry.ended_on is None or row.state is not ListState.LISTED:
        return row, is_new
    event = ListEvent.REMOVE_EARLY if kind.end_months else ListEvent.CURE
    state = advance(
        conn, now, table=TRANSITIONS, state=row.state, event=event, actor=actor, object=row.membership_id,
        action=f"list.{event}", detail={"list": kind.id, "uscc": code, "reason": entry.end_reason, "register": True},
    )  # fmt: skip
    moved = replace(
        row, state=state, ended_on=entry.ended_on, end_reason=entry.end_reason or "移出", version=row.version + 1
    )
    if not store.save(conn, moved, was=row.version):
        raise Conflict("somebody else changed it meanwhile", where="version", remedy="reload it")
    _tell_credit(services, conn, now, actor, moved)
    share_within(conn, services.db.dialect, now, _told(moved, event))
    return moved, True


def _entered(conn: Connection, now: datetime, actor: str, entry: Entry, code: str) -> Membership:
    kind, wanted = rules.kind(entry.proposal.list_id), entry.proposal
    until = entry.until
    if until is None and kind.end_months:
        until = rules.add_months(entry.listed_on, kind.end_months)
    row = Membership(
        membership_id=f"list-{secrets.token_hex(6)}", list_id=kind.id, uscc=code,
        reason=rules.require_text(wanted.reason, "reason"), legal_basis=kind.legal_basis,
        document_no=rules.require_text(wanted.document_no, "document_no")[:128],
        issuer=rules.require_text(wanted.issuer, "issuer")[:200], state=ListState.PROPOSED, proposed_by=actor,
        noticed_at=None, objections_until=None, listed_on=entry.listed_on, until=until, ended_on=None, end_reason="",
        version=1, objection="",
    )  # fmt: skip
    state = advance(
        conn, now, table=TRANSITIONS, state=row.state, event=ListEvent.LIST, actor=actor, object=row.membership_id,
        action="list.list", detail={"list": kind.id, "uscc": code, "paper": row.document_no, "register": True},
    )  # fmt: skip
    listed = replace(row, state=state)
    store.add(conn, listed)
    return listed


def take_step(
    services: Services, actor: str, membership_id: str, event: ListEvent, *, version: int, reason: str
) -> Membership:
    """One step of a membership. Raises `NotFound`, `NotAllowed`, `InputError`, `Conflict`."""
    now = services.clock()
    with services.db.begin() as conn:
        row = store.by_id(conn, membership_id)
        if row is None:
            raise NotFound("there is no such membership", where="membership_id")
        if row.version != version:
            raise Conflict("somebody else changed it meanwhile", where="version", remedy="reload it")
        moved = _step(services, conn, now, actor, row, event, rules.require_text(reason, "reason"))
        share_within(conn, services.db.dialect, now, _told(moved, event))
        return moved


def mark_within(conn: Connection, now: datetime, actor: str, row: Membership, objection: str) -> None:
    """Say on every output that an objection is under way, or with "" that it has ended; in the caller's transaction.

    Raises `Conflict` when one is under way already, or the membership has ended.
    """
    if objection and row.objection:
        raise Conflict("an objection about this list entry is under way", where="membership_id")
    if objection and row.state not in OBJECTIONABLE:
        raise Conflict(f"there is nothing to object to in state {row.state}", where="membership_id")
    audit.record(conn, now, actor, "list.mark" if objection else "list.unmark", row.membership_id,
                 {"objection": objection or row.objection})  # fmt: skip
    if not store.save(conn, replace(row, objection=objection, version=row.version + 1), was=row.version):
        raise Conflict("somebody else changed it meanwhile", where="version", remedy="reload it")


def uphold_within(
    services: Services, conn: Connection, now: datetime, actor: str, row: Membership, reason: str
) -> Membership:
    """An objection was right: what is listed is revoked, what is proposed is dropped, and the mark ends."""
    is_early = row.state in (ListState.PROPOSED, ListState.NOTICED)
    event = ListEvent.DROP if is_early else ListEvent.REVOKE
    return _step(services, conn, now, actor, replace(row, objection=""), event, reason)


def check(services: Services, uscc: str, field: str, caller: str, purpose: str) -> Restriction:
    """What a subject may do in a field today; who asked and what for is on record."""
    code, now = codes.parse(uscc).code, services.clock()
    why = rules.require_text(purpose, "purpose")
    with services.db.begin() as conn:
        found = rules.restriction(code, field.strip(), _today(now), store.of_subject(conn, code))
        audit.record(conn, now, caller, "list.check", code, {"field": field, "effect": found.effect, "purpose": why})
    return found


def open_page(services: Services, uscc: str, field: str, caller: str, purpose: str) -> PageLink:
    """Let another system show the live check on a page of its own; who, what for and in which field is on record."""
    code, now = codes.parse(uscc).code, services.clock()
    why = rules.require_text(purpose, "purpose")
    until = int((now + rules.PAGE_LIFE).timestamp())
    link = PageLink(code, field.strip(), until, rules.page_signature(_page_key(services), code, field.strip(), until))
    with services.db.begin() as conn:
        audit.record(conn, now, caller, "list.page", code, {"field": link.field, "purpose": why, "until": until})
    return link


def read_page(services: Services, link: PageLink) -> Restriction | None:
    """The check behind such a page as it is now; None for a link that is not ours or is over."""
    signature = rules.page_signature(_page_key(services), link.uscc, link.field, link.until)
    now = services.clock()
    if not hmac.compare_digest(signature.encode(), link.signature.encode()) or now.timestamp() > link.until:
        return None
    with services.db.read() as conn:
        return rules.restriction(link.uscc, link.field, _today(now), store.of_subject(conn, link.uscc))


def _page_key(services: Services) -> bytes:
    return services.settings.derived_key(b"restriction-page")


def report_application(
    services: Services, actor: str, uscc: str, measure_id: str, department: str, result: str
) -> Application:
    """Feedback of a department that applied a measure. Raises `InputError` for an unknown measure."""
    if measure_id not in {measure.id for measure in rules.measures()}:
        raise InputError("there is no such measure", where="measure_id")
    now = services.clock()
    row = Application(
        application_id=f"app-{secrets.token_hex(6)}",
        uscc=codes.parse(uscc).code,
        measure_id=measure_id,
        department=rules.require_text(department, "department")[:200],
        result=rules.require_text(result, "result"),
        reported_by=actor,
        reported_at=now,
    )
    with services.db.begin() as conn:
        store.add_application(conn, row)
        audit.record(conn, now, actor, "list.application", row.uscc, {"measure": measure_id})
    return row


def of_subject(services: Services, uscc: str) -> tuple[list[Membership], list[Application]]:
    """All memberships of a subject, and what was applied because of them."""
    code = codes.parse(uscc).code
    with services.db.read() as conn:
        return store.of_subject(conn, code), store.applications(conn, code, MAX_APPLICATIONS)


def on_list(services: Services, list_id: str, *, after: str = "", limit: int = 50) -> list[Membership]:
    """Who is on a list now."""
    kind = rules.kind(list_id)
    with services.db.read() as conn:
        return store.on_list(conn, kind.id, after=after, limit=limit)


def memberships(
    services: Services, list_id: str, states: Collection[ListState], *, after: str = "", limit: int = 50
) -> list[Membership]:
    """Of one list or "" for all, in these states or in all; proposals too."""
    with services.db.read() as conn:
        return store.memberships(conn, list_id, states, after=after, limit=limit)


def open_membership(services: Services, membership_id: str) -> Membership:
    """Raises `NotFound`."""
    with services.db.read() as conn:
        row = store.by_id(conn, membership_id)
    if row is None:
        raise NotFound("there is no such membership", where="membership_id")
    return row


def possible_steps(row: Membership, today: date) -> list[ListEvent]:
    """What a person may do next by the table and the list's rules; a second person and open periods still refuse."""
    kind = rules.kind(row.list_id)
    barred = {ListEvent.EXPIRE}
    if kind.needs_notice and row.state is ListState.PROPOSED:
        barred.add(ListEvent.LIST)
    if not kind.needs_notice:
        barred.add(ListEvent.NOTICE)
    if kind.end_months:
        barred.add(ListEvent.CURE)
    first = rules.early_from(row)
    if first is None or today < first:
        barred.add(ListEvent.REMOVE_EARLY)
    return [event for event in TRANSITIONS[row.state] if event not in barred]


def expire(services: Services) -> int:
    """The periodic job: end every membership whose period is over; returns how many."""
    now = services.clock()
    with services.db.begin() as conn:
        due = store.over(conn, _today(now), BATCH)
        told: list[Told] = []
        for row in due:
            moved = _step(services, conn, now, WORKER, row, ListEvent.EXPIRE, "its period is over")
            told += _told(moved, ListEvent.EXPIRE)
        share_within(conn, services.db.dialect, now, told)
    return len(due)


jobs: list[Job] = [Job("lists-expire", 600.0, expire)]


def _step(
    services: Services, conn: Connection, now: datetime, actor: str, row: Membership, event: ListEvent, reason: str
) -> Membership:
    today = _today(now)
    over = row.objections_until is not None and now >= row.objections_until
    rules.require_step(row, event, actor, today, objections_over=over)
    state = advance(
        conn, now, table=TRANSITIONS, state=row.state, event=event, actor=actor, object=row.membership_id,
        action=f"list.{event}", detail={"list": row.list_id, "uscc": row.uscc, "reason": reason},
    )  # fmt: skip
    moved = replace(_dated(conn, row, event, now), state=state, version=row.version + 1)
    if event in ENDS:
        moved = replace(moved, ended_on=row.listed_on if event is ListEvent.REVOKE else today, end_reason=reason)
    if not store.save(conn, moved, was=row.version):
        raise Conflict("somebody else changed it meanwhile", where="version", remedy="reload it")
    if event is ListEvent.LIST or event in ENDS:
        _tell_credit(services, conn, now, actor, moved)
    return moved


def _dated(conn: Connection, row: Membership, event: ListEvent, now: datetime) -> Membership:
    kind = rules.kind(row.list_id)
    if event is ListEvent.NOTICE:
        period = Period(kind.objection_working_days, Unit.WORKING_DAYS)
        return replace(row, noticed_at=now, objections_until=deadline(calendar(conn), now, period).at)
    if event is ListEvent.LIST:
        today = _today(now)
        return replace(
            row, listed_on=today, until=rules.add_months(today, kind.end_months) if kind.end_months else None
        )
    return row


def _tell_credit(services: Services, conn: Connection, now: datetime, actor: str, row: Membership) -> None:
    """State the membership as a fact, so that the grade follows at once; a revoked one ended before it began."""
    kind = rules.kind(row.list_id)
    if not kind.fact or row.listed_on is None:
        return
    last = row.until if row.ended_on is None else row.ended_on - timedelta(days=1)
    never_held = last is not None and last < row.listed_on
    day = None if never_held else last
    fact = StatedFact(row.uscc, FactKind(kind.fact), row.membership_id, row.listed_on, day, None, row.issuer)
    state_within(conn, services.db.dialect, now, fact, actor=actor, is_void=never_held)


def _told(row: Membership, event: ListEvent) -> list[Told]:
    """What pullers hear: the listing and its end. A proposal is nobody's business yet."""
    if event not in OPS or row.listed_on is None:
        return []
    kind = rules.kind(row.list_id)
    record = {
        "名单名称": kind.title,
        "统一社会信用代码": row.uscc,
        "文书文号": row.document_no,
        "列入事由": row.reason,
        "列入依据": row.legal_basis,
        "认定单位": row.issuer,
        "列入日期": row.listed_on.strftime("%Y/%m/%d"),
        "截止日期": row.until.strftime("%Y/%m/%d") if row.until else "",
    }
    told = Told(
        kind="list", key=row.membership_id, op=OPS[event], state=row.state.value, region=row.uscc[2:8], category="",
        department="", record=record, key_fields=("名单名称", "统一社会信用代码", "文书文号"), reason=row.end_reason,
    )  # fmt: skip
    return [told]


def _today(now: datetime) -> date:
    return now.astimezone(LEGAL_TIME).date()
