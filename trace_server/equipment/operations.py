"""Use cases of the register: each change in one transaction with its audit entry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_core.ids.canonical import canonical_uri
from trace_server import audit
from trace_server.audit.lifecycle import advance
from trace_server.db import Connection, Database
from trace_server.equipment import rules, store
from trace_server.equipment.model import Asset, Inspection, State, Step
from trace_server.equipment.rules import Registration
from trace_server.equipment.states import TRANSITIONS, state_on

LEGAL_TIME = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who acts. `owner`: USCC that the caller is bound to, None when it may act for anybody."""

    actor: str
    owner: str | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """One thing with its inspections, newest first, and its state on `day`."""

    asset: Asset
    state: State
    inspections: tuple[Inspection, ...]
    day: date


@dataclass(frozen=True, slots=True)
class Result:
    """What an inspection found. `next_due`: of the certificate; needed when it passed."""

    inspected_on: date
    certificate_no: str
    body: str
    passed: bool
    next_due: date | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which things; empty members do not narrow."""

    owner: str = ""
    kind: str = ""
    state: State | None = None


def local_day(now: datetime) -> date:
    """The day in Asia/Shanghai."""
    return now.astimezone(LEGAL_TIME).date()


def register(db: Database, now: datetime, caller: Caller, given: Registration) -> Record:
    """A new thing. Raises `InputError`, `IdentifierError`, `NotAllowed` for others' things, `Conflict` when known."""
    row = rules.checked(given, local_day(now))
    _require_own(caller, row.owner)
    with db.begin() as conn:
        if store.asset(conn, row.uri) is not None:
            raise Conflict("this tag or plate is registered already", where="uri", remedy="update it")
        _require_free_code(conn, row)
        store.add(conn, row)
        audit.record(conn, now, caller.actor, "equipment.register", row.uri, _told(row))
    return Record(row, state_on(row, local_day(now)), (), local_day(now))


def update(db: Database, now: datetime, caller: Caller, given: Registration, *, revision: int) -> Record:
    """Other facts of a known thing: transfer, new registration number, new tag data. State and inspections stay.

    The last day of use is moved by `inspect` alone once there is one. Raises as `register`, and `NotFound`.
    """
    today = local_day(now)
    row = rules.checked(given, today)
    with db.begin() as conn:
        known = _known(conn, row.uri, caller)
        _require_own(caller, row.owner)
        _require_free_code(conn, row)
        if known.inspection_due is not None and row.inspection_due != known.inspection_due:
            raise Conflict("the last day of use comes from an inspection", where="inspection_due", remedy="record it")
        if state_on(known, today) is State.SCRAPPED:
            raise Conflict("it is scrapped", where="state")
        changed = replace(row, state=known.state, revision=revision + 1)
        _save(conn, changed, revision)
        audit.record(conn, now, caller.actor, "equipment.update", row.uri, _told(changed))
        return _record(conn, db, changed, today)


def inspect(db: Database, now: datetime, caller: Caller, uri: str, result: Result, *, revision: int) -> Record:
    """Take the result of an inspection: a passed one moves the last day of use, a failed one ends the use.

    Raises `InputError`, `NotFound`, `Conflict` for another revision, a scrapped thing or a day that has a result.
    """
    today = local_day(now)
    _check_result(result, today)
    with db.begin() as conn:
        known = _known(conn, canonical_uri(uri), caller)
        before = store.inspections(conn, db.dialect, [known.uri]).get(known.uri, [])
        if any(row.inspected_on >= result.inspected_on for row in before):
            raise Conflict("there is a result of that day or a later one", where="inspected_on")
        step = Step.PASSED if result.passed else Step.FAILED
        state = _advance(conn, now, caller, known, step, {"certificate": result.certificate_no})
        row = Inspection(
            uri=known.uri,
            inspected_on=result.inspected_on,
            certificate_no=result.certificate_no,
            body=result.body,
            passed=result.passed,
            next_due=result.next_due if result.passed else None,
            due_before=known.inspection_due,
            recorded_by=caller.actor,
            recorded_at=now,
        )
        due = result.next_due if result.passed else known.inspection_due
        changed = replace(known, state=state, inspection_due=due, revision=revision + 1, as_of=today)
        _save(conn, changed, revision)
        store.add_inspection(conn, row)
        return _record(conn, db, changed, today)


def put_in_use(db: Database, now: datetime, caller: Caller, uri: str, *, revision: int) -> Record:
    """Begin or resume the use. Raises `Conflict` after a failed or overdue inspection."""
    return _step(db, now, caller, uri, Step.PUT_IN_USE, revision, "")


def take_out(db: Database, now: datetime, caller: Caller, uri: str, *, revision: int, reason: str) -> Record:
    """停用: gates refuse it, and its dates raise no alarm."""
    return _step(db, now, caller, uri, Step.TAKE_OUT, revision, reason)


def scrap(db: Database, now: datetime, caller: Caller, uri: str, *, revision: int, reason: str) -> Record:
    """报废: final, gates refuse it from today."""
    return _step(db, now, caller, uri, Step.SCRAP, revision, reason)


def show(db: Database, now: datetime, name: str, *, owner: str | None = None) -> Record:
    """By URI in any spelling, or by device code. Raises `NotFound`, also for a thing of others."""
    with db.read() as conn:
        found = store.asset(conn, canonical_uri(name)) or store.by_device_code(conn, "".join(name.split()).upper())
        if found is None or (owner is not None and found.owner != owner):
            raise NotFound("no such equipment", where="uri")
        return _record(conn, db, found, local_day(now))


def page(db: Database, now: datetime, wanted: Filter, *, after: str = "", limit: int = 100) -> list[Asset]:
    """Things behind the URI `after`, by URI."""
    with db.read() as conn:
        return store.page(
            conn,
            after=after,
            limit=limit,
            today=local_day(now),
            owner=wanted.owner,
            kind=wanted.kind,
            state=wanted.state,
        )


def _step(db: Database, now: datetime, caller: Caller, uri: str, step: Step, revision: int, reason: str) -> Record:
    today = local_day(now)
    with db.begin() as conn:
        known = _known(conn, canonical_uri(uri), caller)
        refusal = _refusal(conn, db, known, today) if step is Step.PUT_IN_USE else ""
        state = _advance(conn, now, caller, known, step, {"reason": reason} if reason else {}, refusal)
        changed = replace(known, state=state, revision=revision + 1, as_of=today)
        if step is Step.PUT_IN_USE and known.in_use_on is None:
            changed = replace(changed, in_use_on=today)
        if step is Step.SCRAP:
            changed = replace(changed, scrap_on=today)
        _save(conn, changed, revision)
        return _record(conn, db, changed, today)


def _refusal(conn: Connection, db: Database, known: Asset, today: date) -> str:
    newest = store.inspections(conn, db.dialect, [known.uri]).get(known.uri, [])
    if newest and not newest[0].passed:
        return "its newest inspection failed"
    if known.inspection_due is not None and known.inspection_due < today:
        return "its inspection is overdue"
    return ""


def _advance(
    conn: Connection,
    now: datetime,
    caller: Caller,
    known: Asset,
    step: Step,
    detail: dict[str, object],
    refusal: str = "",
) -> State:
    """The next stored state; the calendar's states are entered by date alone."""
    return advance(
        conn,
        now,
        table=TRANSITIONS,
        state=state_on(known, local_day(now)),
        event=step,
        actor=caller.actor,
        object=known.uri,
        action=f"equipment.{step}",
        refusal=refusal,
        detail=detail,
    )


def _known(conn: Connection, uri: str, caller: Caller) -> Asset:
    found = store.asset(conn, uri)
    if found is None or (caller.owner is not None and found.owner != caller.owner):
        raise NotFound("no such equipment", where="uri", remedy="register it")
    return found


def _save(conn: Connection, row: Asset, revision: int) -> None:
    if not store.save(conn, row, known=revision):
        raise Conflict("it was changed meanwhile", where="version", remedy="read it again")


def _record(conn: Connection, db: Database, row: Asset, today: date) -> Record:
    inspections = store.inspections(conn, db.dialect, [row.uri]).get(row.uri, [])
    return Record(row, state_on(row, today), tuple(inspections), today)


def _require_own(caller: Caller, owner: str) -> None:
    if caller.owner is not None and caller.owner != owner:
        raise NotAllowed("others' equipment is theirs to register", where="owner")


def _require_free_code(conn: Connection, row: Asset) -> None:
    other = store.by_device_code(conn, row.device_code) if row.device_code else None
    if other is not None and other.uri != row.uri:
        raise Conflict(f"the device code belongs to {other.uri}", where="device_code")


def _check_result(result: Result, today: date) -> None:
    if result.inspected_on > today:
        raise InputError("a day that has not come", where="inspected_on")
    if result.passed and (result.next_due is None or result.next_due <= result.inspected_on):
        raise InputError("a later day is needed", where="next_due", remedy="as the certificate says")


def _told(row: Asset) -> dict[str, object]:
    days = {"inspection_due": row.inspection_due, "scrap_on": row.scrap_on, "in_use_on": row.in_use_on}
    texts: dict[str, object] = {
        "device_code": row.device_code,
        "kind": row.kind,
        "owner": row.owner,
        "no": row.registration_no,
    }
    return texts | {name: day.isoformat() for name, day in days.items() if day is not None}
