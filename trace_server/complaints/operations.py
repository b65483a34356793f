"""Use cases of the public and of the desk: draft, send, follow, handle. One transaction each.

What the public does leaves no audit entry, only whole hours in its own tables: the log's times and order would tell
who came when. Everything that the desk does is audited.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import datetime

from trace_core.errors import Conflict, NotAllowed, NotFound
from trace_server import audit
from trace_server.audit.lifecycle import advance
from trace_server.cases import operations as cases
from trace_server.cases.model import Actor, Case
from trace_server.cases.operations import NewCase
from trace_server.catalog import store as catalog
from trace_server.complaints import rules, store
from trace_server.complaints.model import Complaint, Draft, Entry, Event, Reward, State
from trace_server.complaints.states import TRANSITIONS
from trace_server.complaints.store import Wanted
from trace_server.db import Connection
from trace_server.sealed import operations as sealed
from trace_server.sealed.model import Purpose, SealedId
from trace_server.services import Services
from trace_server.workdays.operations import calendar

STALE = "somebody else changed it meanwhile"
NOT_MINE = "it is another department's"
ANYWHERE = "320900"
"""Region of what nobody could place: the whole city."""
PUBLIC_EVENTS = frozenset({Event.ACCEPT, Event.REFUSE, Event.VERIFY, Event.UNFOUND, Event.MEDIATE})
"""Steps whose words the reporter reads: the law wants an answer to each."""


@dataclass(frozen=True, slots=True)
class Followed:
    """What the holder of a token sees."""

    complaint: Complaint
    entries: tuple[Entry, ...]
    reward: Reward | None


@dataclass(frozen=True, slots=True)
class File:
    """What the desk sees: everything but who came."""

    complaint: Complaint
    entries: tuple[Entry, ...]
    reward: Reward | None


@dataclass(frozen=True, slots=True)
class Named:
    """What a label says: its code, and what the catalog makes of it."""

    gtin: str
    lot: str
    readable: str


def keep_draft(services: Services, token: str, draft: Draft) -> None:
    """Keep what was typed so far, for some hours from now."""
    until = rules.hour(services.clock()) + rules.DRAFT_LIFE
    with services.db.begin() as conn:
        store.put_draft(
            conn, services.db.dialect, rules.draft_key(token), sealed=rules.seal_draft(token, draft), until=until
        )


def read_draft(services: Services, token: str) -> Draft | None:
    """What was typed so far; None when it was sent, given up, or forgotten."""
    with services.db.read() as conn:
        found = store.draft(conn, rules.draft_key(token), services.clock())
    return rules.open_draft(token, found) if found else None


def drop_draft(services: Services, token: str) -> None:
    """Forget it at once."""
    with services.db.begin() as conn:
        store.drop_draft(conn, rules.draft_key(token))


def send(services: Services, token: str, draft: Draft, named: Named | None) -> str:
    """Hand in the draft; returns the token to follow it with, which is nowhere else.

    Raises `InputError` while something is missing, `Conflict` when the draft was sent already, `ConfigError` for a
    name that cannot be sealed.
    """
    kind = rules.require_complete(draft)
    now, follow = services.clock(), rules.new_token()
    with services.db.begin() as conn:
        if not store.drop_draft(conn, rules.draft_key(token)):
            raise Conflict("this was sent already", where="draft")
        goods = _goods(conn, named)
        sealed_id = SealedId("")
        if draft.is_named:
            who = {"name": draft.name, "contact": draft.contact}
            sealed_id = sealed.seal(services.settings, conn, now, Purpose.REPORTER, who)
        due = rules.due(calendar(conn), kind, State.RECEIVED, rules.hour(now))
        row = Complaint(
            complaint_id=f"report-{secrets.token_hex(8)}",
            kind=kind,
            state=State.RECEIVED,
            code=draft.code,
            code_known=goods.is_known,
            category=goods.category,
            subject=goods.subject,
            region=draft.region,
            place=draft.place,
            what=draft.what,
            has_photo=bool(draft.photo),
            department=rules.department_of(kind, draft.region),
            received_hour=rules.hour(now),
            due_at=due[0] if due else None,
            due_confirmed=due[1] if due else True,
            is_extended=False,
            sealed_id=sealed_id,
            case_id="",
            version=1,
        )
        store.add(conn, row, rules.token_hash(follow), draft.photo)
    return follow


def follow(services: Services, token: str) -> Followed:
    """State, clock and answers. Raises `NotFound`."""
    with services.db.begin() as conn:
        row = _by_token(conn, token)
        shown = tuple(entry for entry in store.entries(conn, row.complaint_id) if entry.is_public)
        return Followed(row, shown, store.reward(conn, row.complaint_id))


def add_message(services: Services, token: str, text: str) -> None:
    """Something more from the reporter. Raises `NotFound`, `InputError`, `Conflict` for a flood."""
    said = rules.require_text(text, "message", rules.MAX_MESSAGE)
    with services.db.begin() as conn:
        row = _by_token(conn, token)
        lines = store.entries(conn, row.complaint_id)
        mine = 0
        for entry in reversed(lines):
            if entry.author:
                break
            mine += 1
        if mine >= rules.MAX_MESSAGES:
            raise Conflict("wait for an answer before you write more", where="message")
        hour = rules.hour(services.clock())
        store.add_entry(conn, Entry(row.complaint_id, len(lines) + 1, hour, "", "message", said, is_public=True))
        _save(conn, row, replace(row, version=row.version + 1))


def list_complaints(
    services: Services, wanted: Wanted, *, after: tuple[datetime, str] | None, limit: int
) -> list[Complaint]:
    """In the order they came."""
    with services.db.read() as conn:
        return store.complaints(conn, wanted, after=after, limit=limit)


def count_complaints(services: Services, wanted: Wanted) -> dict[tuple[str, str], int]:
    """How many of each (kind, state) in the reader's scope."""
    with services.db.read() as conn:
        return store.counts(conn, wanted)


def read_file(services: Services, actor: Actor, complaint_id: str) -> File:
    """Everything but who came. Raises `NotFound`."""
    with services.db.read() as conn:
        row = _require(conn, actor, complaint_id)
        return File(row, tuple(store.entries(conn, complaint_id)), store.reward(conn, complaint_id))


def read_photo(services: Services, actor: Actor, complaint_id: str) -> bytes:
    """The photo, without what its file said. Raises `NotFound`."""
    with services.db.read() as conn:
        row = _require(conn, actor, complaint_id)
        found = store.photo(conn, row.complaint_id)
    if found is None:
        raise NotFound("there is no photo", where="complaint_id")
    return found


def take_step(
    services: Services, actor: Actor, complaint_id: str, event: Event, *, text: str, version: int
) -> Complaint:
    """One step, with its reason; what the law wants answered is shown to the reporter.

    Raises `NotFound`, `NotAllowed` for another department's, `Conflict`, `InputError`.
    """
    now = services.clock()
    with services.db.begin() as conn:
        row = _mine(conn, actor, complaint_id, version)
        said = rules.require_text(text, "text")
        state = advance(
            conn, now, table=TRANSITIONS[row.kind], state=row.state, event=event, actor=actor.name,
            object=complaint_id, action=f"complaint.{event}",
        )  # fmt: skip
        fresh = rules.due(calendar(conn), row.kind, state, now)
        due_at, confirmed = fresh or (
            (row.due_at, row.due_confirmed) if rules.clock_of(row.kind, state, rules.law_day(now)) else (None, True)
        )
        moved = replace(row, state=state, due_at=due_at, due_confirmed=confirmed, version=row.version + 1)
        _save(conn, row, moved)
        _write(conn, now, actor, moved, event, said, is_public=event in PUBLIC_EVENTS)
    return moved


def answer(
    services: Services, actor: Actor, complaint_id: str, *, text: str, is_public: bool, version: int
) -> Complaint:
    """A word to the reporter, or a note for colleagues. Raises as `take_step`."""
    now = services.clock()
    with services.db.begin() as conn:
        row = _mine(conn, actor, complaint_id, version)
        moved = replace(row, version=row.version + 1)
        _save(conn, row, moved)
        event = "answer" if is_public else "note"
        _write(conn, now, actor, moved, event, rules.require_text(text, "text"), is_public=is_public)
        audit.record(conn, now, actor.name, f"complaint.{event}", complaint_id)
    return moved


def extend(services: Services, actor: Actor, complaint_id: str, *, text: str, version: int) -> Complaint:
    """Extend the running period once, with the reason. Raises as `take_step`."""
    now = services.clock()
    with services.db.begin() as conn:
        row = _mine(conn, actor, complaint_id, version)
        if row.is_extended or row.due_at is None:
            raise Conflict("nothing is left to extend", where="event")
        until = rules.extended(calendar(conn), row.kind, row.state, row.due_at, now)
        moved = replace(
            row,
            due_at=until.at,
            due_confirmed=row.due_confirmed and until.is_confirmed,
            is_extended=True,
            version=row.version + 1,
        )
        _save(conn, row, moved)
        _write(conn, now, actor, moved, "extend", rules.require_text(text, "text"), is_public=True)
        audit.record(conn, now, actor.name, "complaint.extend", complaint_id, {"due": until.at.isoformat()})
    return moved


def assign(
    services: Services, actor: Actor, complaint_id: str, *, department: str, region: str, text: str, version: int
) -> Complaint:
    """Pass it on to the department that it belongs to. Raises as `take_step`."""
    now, target = services.clock(), rules.require_text(department, "department", 200)
    place = rules.require_region(region)
    with services.db.begin() as conn:
        row = _mine(conn, actor, complaint_id, version)
        moved = replace(row, department=target, region=place or row.region, version=row.version + 1)
        _save(conn, row, moved)
        why = rules.require_text(text, "text")
        _write(conn, now, actor, moved, "assign", f"{target}：{why}", is_public=False)
        audit.record(conn, now, actor.name, "complaint.assign", complaint_id, {"department": target})
    return moved


def open_case(services: Services, actor: Actor, complaint_id: str, *, title: str, version: int) -> Case:
    """A case with this as its clue; the case says the report's id and nothing of the reporter.

    Raises as `take_step`, and `Conflict` when it has a case.
    """
    now = services.clock()
    with services.db.begin() as conn:
        row = _mine(conn, actor, complaint_id, version)
        if row.case_id:
            raise Conflict("it has a case already", where="case_id")
        region, category = row.region or ANYWHERE, row.category or "consumer"
        new = NewCase(title, category, region, row.subject, reason=f"{complaint_id}: {title}")
        case = cases.open_within(services, conn, now, actor, new)
        linked = replace(row, case_id=case.case_id, version=row.version + 1)
        _save(conn, row, linked)
        _write(conn, now, actor, linked, "case", case.case_id, is_public=False)
        audit.record(conn, now, actor.name, "complaint.case", complaint_id, {"case": case.case_id})
    return case


def wanted_of(actor: Actor, *, kind: str = "", state: str = "") -> Wanted:
    """Narrowed to the actor's regions and categories, and to the retaliation that came to his department."""
    return Wanted(kind, state, actor.regions, actor.categories, actor.department)


def owned(conn: Connection, actor: Actor, complaint_id: str) -> Complaint:
    """One that the actor may see, for a step of another file. Raises `NotFound`."""
    return _require(conn, actor, complaint_id)


@dataclass(frozen=True, slots=True)
class _Goods:
    is_known: bool = False
    category: str = ""
    subject: str = ""


def _goods(conn: Connection, named: Named | None) -> _Goods:
    if named is None:
        return _Goods()
    product = catalog.product(conn, named.gtin)
    if product is None:
        return _Goods()
    batch = catalog.batch(conn, named.gtin, named.lot)
    return _Goods(batch is not None, product.category, batch.producer_uscc if batch else product.producer_uscc)


def _by_token(conn: Connection, token: str) -> Complaint:
    row = store.by_token(conn, rules.token_hash(token)) if rules.read_token(token) else None
    if row is None:
        raise NotFound("no report has this token", where="token")
    return row


def _require(conn: Connection, actor: Actor, complaint_id: str) -> Complaint:
    row = store.by_id(conn, complaint_id, wanted_of(actor))
    if row is None:
        raise NotFound("there is no such report", where="complaint_id")
    return row


def _mine(conn: Connection, actor: Actor, complaint_id: str, version: int) -> Complaint:
    row = _require(conn, actor, complaint_id)
    if row.department != actor.department:
        raise NotAllowed(NOT_MINE, where="department", remedy=row.department)
    if row.version != version:
        raise Conflict(STALE, where="version", remedy="reload it")
    return row


def _save(conn: Connection, was: Complaint, row: Complaint) -> None:
    if not store.save(conn, row, was=was.version):
        raise Conflict(STALE, where="version", remedy="reload it")


def _write(
    conn: Connection, now: datetime, actor: Actor, row: Complaint, event: str, text: str, *, is_public: bool
) -> None:
    number = len(store.entries(conn, row.complaint_id)) + 1
    store.add_entry(
        conn, Entry(row.complaint_id, number, rules.hour(now), actor.name, event, text, is_public=is_public)
    )
