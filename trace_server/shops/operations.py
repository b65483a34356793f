"""Use cases of online sellers: marks and their steps, platforms' reports, takedown notices. All audited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_server import audit
from trace_server.audit.lifecycle import advance
from trace_server.catalog import store as catalog
from trace_server.catalog.model import Licence, Subject
from trace_server.catalog.operations import SHANGHAI
from trace_server.db import Connection, Database
from trace_server.services import Services
from trace_server.shops import rules, store
from trace_server.shops.model import (
    Listing,
    MarkEvent,
    MarkState,
    Notice,
    NoticeEvent,
    NoticeState,
    Outcome,
    Sale,
    Shop,
    Standing,
)
from trace_server.shops.states import MARKS, NOTICES

ACTOR = "job:takedowns"
MAX_REPORT = 1_000
"""Rows of one report."""
MAX_ROUND = 500
"""Notices that one run issues: the next run goes on."""


@dataclass(frozen=True, slots=True)
class NewShop:
    """What a mark is asked for with; either `uscc` or `person_ref`."""

    name: str
    platform: str
    platform_name: str
    url: str
    uscc: str = ""
    person_ref: str = ""
    licence_no: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """A mark as it is shown to the public, at a moment."""

    shop: Shop
    standing: Standing
    subject: Subject | None
    licence: Licence | None
    as_of: datetime


def register(services: Services, actor: str, wanted: NewShop) -> Shop:
    """A mark that a second person must confirm. Raises `InputError`."""
    now = services.clock()
    if bool(wanted.uscc) == bool(wanted.person_ref):
        raise InputError("a seller is a subject or a verified person", where="uscc", remedy="give one of the two")
    row = Shop(
        mark=rules.new_mark(),
        uscc=rules.code(wanted.uscc, "uscc") if wanted.uscc else "",
        person_ref=rules.text(wanted.person_ref, "person_ref", 64) if wanted.person_ref else "",
        name=rules.text(wanted.name, "name"),
        platform=rules.code(wanted.platform, "platform"),
        platform_name=rules.text(wanted.platform_name, "platform_name"),
        url=rules.shop_url(wanted.url, "url"),
        licence_no=rules.text(wanted.licence_no, "licence_no", 64) if wanted.licence_no else "",
        state=MarkState.PENDING,
        requested_by=actor,
        requested_at=now,
        decided_by="",
        decided_at=None,
        reason="",
        version=1,
    )
    with services.db.begin() as conn:
        store.add_shop(conn, row)
        detail = {"name": row.name, "uscc": row.uscc, "platform": row.platform, "url": row.url}
        audit.record(conn, now, actor, "shop.register", row.mark, detail)
    return row


def take_step(services: Services, actor: str, mark: str, event: MarkEvent, *, version: int, reason: str) -> Shop:
    """Confirm, suspend, resume or revoke. Raises `NotFound`, `Conflict`, `InputError`, `NotAllowed` for whoever
    asked for a mark and confirms it."""
    now, why = services.clock(), rules.text(reason, "reason", 1000)
    with services.db.begin() as conn:
        row = store.shop(conn, rules.read_mark(mark), is_locked=True)
        if row is None:
            raise NotFound("there is no such mark", where="mark")
        if row.version != version:
            raise Conflict("somebody else changed it meanwhile", where="version", remedy="reload it")
        if event is MarkEvent.CONFIRM and row.requested_by == actor:
            raise NotAllowed("a second person confirms a mark", where="actor", remedy="ask a colleague")
        state = advance(
            conn, now, table=MARKS, state=row.state, event=event, actor=actor, object=row.mark,
            action=f"shop.{event}", detail={"reason": why},
        )  # fmt: skip
        moved = replace(row, state=state, decided_by=actor, decided_at=now, reason=why, version=row.version + 1)
        store.save_shop(conn, moved)
    return moved


def shown(services: Services, text: str) -> Shown | None:
    """A mark as it stands now; None: there is none."""
    now, mark = services.clock(), rules.read_mark(text)
    if not mark:
        return None
    with services.db.read() as conn:
        row = store.shop(conn, mark)
        if row is None:
            return None
        subject = catalog.subject(conn, row.uscc) if row.uscc else None
        licences = catalog.licences(conn, row.uscc) if row.uscc else []
    today = now.astimezone(SHANGHAI).date()
    licence = next((one for one in licences if one.number == row.licence_no), None)
    return Shown(row, rules.standing(row, subject, licences, today), subject, licence, now)


def list_shops(db: Database, *, uscc: str = "", after: str = "", limit: int = 50) -> list[Shop]:
    """Marks in their order. Raises `InputError` for a wrong code."""
    with db.read() as conn:
        return store.shops(conn, uscc=rules.code(uscc, "uscc") if uscc else "", after=after, limit=limit)


def report_listings(services: Services, actor: str, platform: str, rows: Sequence[Listing]) -> int:
    """Take a platform's listings; returns how many said something newer. Raises `InputError`."""
    now = services.clock()
    _require_size(rows)
    if len({row.listing_no for row in rows}) != len(rows):
        raise InputError("a listing stands twice in the report", where="/listings")
    for number, row in enumerate(rows):
        where = f"/listings/{number}"
        if row.ended_at is not None and row.ended_at < row.listed_at:
            raise InputError("the listing ends before it begins", where=f"{where}/ended_at")
        if max(row.as_of, row.ended_at or row.as_of) > now + timedelta(minutes=5):
            raise InputError("the report is of the future", where=f"{where}/as_of")
    with services.db.begin() as conn:
        taken = store.put_listings(conn, services.db.dialect, rows)
        audit.record(conn, now, actor, "shop.listings", platform, {"rows": len(rows), "taken": taken})
    return taken


def report_sales(services: Services, actor: str, platform: str, rows: Sequence[Sale]) -> int:
    """Take a platform's sales by batch; one that is known stays as it is. Raises `InputError`."""
    now = services.clock()
    _require_size(rows)
    with services.db.begin() as conn:
        store.add_sales(conn, services.db.dialect, list({row.sale_no: row for row in rows}.values()))
        audit.record(conn, now, actor, "shop.sales", platform, {"rows": len(rows)})
    return len(rows)


def issue_due(services: Services) -> int:
    """Tell platforms of listings of blocked batches, and lift the notices of batches that are free again."""
    now = services.clock()
    today = now.astimezone(SHANGHAI).date()
    with services.db.begin() as conn:
        for listing, notice_no in store.unnoticed(conn, today, MAX_ROUND):
            _issue(services, conn, now, listing, notice_no or rules.EXPIRED)
        free = store.unblocked(conn, today, MAX_ROUND)
        for notice in free:
            state = advance(
                conn, now, table=NOTICES, state=notice.state, event=NoticeEvent.LIFT, actor=ACTOR,
                object=notice.notice_id, action="takedown.lift",
            )  # fmt: skip
            store.put_notice(conn, services.db.dialect, replace(notice, state=state))
    return len(free)


def answer(
    services: Services, actor: str, platform: str, notice_id: str, outcome: Outcome, *,
    text: str, removed_at: datetime | None = None,
) -> Notice:  # fmt: skip
    """Record what a platform did; `removed_at` ends the listing, default now. Raises `NotFound`, `InputError`,
    `Conflict` for a notice that was lifted."""
    now, said = services.clock(), rules.text(text, "text", 2000)
    with services.db.begin() as conn:
        notice = store.notice(conn, notice_id)
        if notice is None or notice.platform != platform:
            raise NotFound("there is no such notice", where="notice_id")
        ended = removed_at or now
        if ended > now:
            raise InputError("the listing was removed in the future", where="removed_at")
        state = advance(
            conn, now, table=NOTICES, state=notice.state, event=NoticeEvent.ANSWER, actor=actor,
            object=notice_id, action="takedown.answer", detail={"outcome": outcome.value, "text": said},
        )  # fmt: skip
        moved = replace(notice, state=state, outcome=outcome.value, answer=said, answered_at=now)
        store.put_notice(conn, services.db.dialect, moved)
        if outcome is Outcome.REMOVED:
            store.end_listing(conn, platform, notice.listing_no, ended)
    return moved


def notices(
    db: Database, platform: str = "", *, after: tuple[datetime, str] | None = None, limit: int = 50
) -> list[Notice]:
    """Takedown notices in the order they were issued; `platform` "": to everybody."""
    with db.read() as conn:
        return store.notices(conn, platform, after=after, limit=limit)


def _issue(services: Services, conn: Connection, now: datetime, listing: Listing, cause: str) -> None:
    due_at, basis = rules.due_at(cause, now)
    row = Notice(
        notice_id=rules.notice_id(listing.platform, listing.listing_no, cause),
        platform=listing.platform,
        listing_no=listing.listing_no,
        gtin=listing.gtin,
        lot=listing.lot,
        cause=cause,
        basis=basis,
        issued_at=now,
        due_at=due_at,
        state=NoticeState.ISSUED,
        outcome="",
        answer="",
        answered_at=None,
    )
    store.put_notice(conn, services.db.dialect, row)
    detail = {"platform": row.platform, "listing": row.listing_no, "cause": cause, "due_at": due_at.isoformat()}
    audit.record(conn, now, ACTOR, "takedown.issue", row.notice_id, detail)


def _require_size(rows: Sequence[object]) -> None:
    if not 1 <= len(rows) <= MAX_REPORT:
        raise InputError(f"a report has 1 to {MAX_REPORT} rows", where="/")
