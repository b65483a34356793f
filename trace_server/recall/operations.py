"""Use cases of a recall: draft it, announce it by two persons, tell the holders, hear them, and close the sums."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import IO

from trace_core.errors import Conflict, InputError, NotAllowed, NotFound
from trace_core.ids import canonical, gs1
from trace_server import audit
from trace_server.audit.lifecycle import advance
from trace_server.db import Connection, Database
from trace_server.exports.model import Export
from trace_server.recall import closure, publishing, rules, store
from trace_server.recall.model import (
    Affected,
    AffectedLot,
    Answer,
    HolderNotice,
    Milestone,
    Notice,
    Recall,
    RecallEvent,
    RecallState,
    Reconciliation,
    Scope,
    Spared,
)
from trace_server.recall.sheet import affected_sheet
from trace_server.recall.states import IN_FORCE, TELLING, TRANSITIONS
from trace_server.workdays.operations import calendar
from trace_server.workdays.rules import LEGAL_TIME

ACTOR = "job:recall"
EXPORT_PAGE = 5000
"""Rows of one look while a file is written."""
MAX_SCOPE = 1000
MAX_URI = 512
_OVER = frozenset({RecallState.RECONCILED, RecallState.DISPOSED, RecallState.CLOSED})


def create(
    db: Database, now: datetime, actor: str, *, category: str, level: int, scope: Scope, notice: Notice
) -> Recall:
    """Draft a recall and work out its first affected set; nobody outside sees it. Raises `InputError`."""
    rules.policy_of(category, level, now.astimezone(LEGAL_TIME).date())
    row = Recall(
        recall_id=secrets.token_hex(8),
        state=RecallState.DRAFT,
        category=category,
        level=level,
        scope=_checked_scope(scope),
        notice=_checked_notice(notice),
        created_by=actor,
        created_at=now,
        announced_by="",
        announced_at=None,
        notified_at=None,
        reconciled_at=None,
        version=0,
    )
    with db.begin() as conn:
        store.add(conn, row)
        audit.record(conn, now, actor, "recall.create", row.recall_id, {"level": level, "category": category})
        return _refresh(conn, db, now, actor, row)


def announce(db: Database, now: datetime, actor: str, recall_id: str, reason: str, *, order: bool = False) -> Recall:
    """Make it public: batches carry the notice, gates refuse the goods. Not by the one who drafted it.

    `order`: 责令召回, by the authority. Raises `NotFound`, `Conflict`, `NotAllowed`, `InputError` without a reason.
    """
    if not reason.strip():
        raise InputError("a reason is needed", where="reason", remedy="say on what finding it is announced")
    event = RecallEvent.ORDER if order else RecallEvent.ANNOUNCE
    with db.begin() as conn:
        row = _locked(conn, db, recall_id)
        if row.created_by == actor:
            raise NotAllowed("a second person announces a recall", where="recall_id", remedy="ask a colleague")
        row = replace(
            _step(conn, now, actor, row, event, {"reason": reason.strip()}),
            announced_by=actor,
            announced_at=row.announced_at or now,
        )
        store.save(conn, row)
        row = _refresh(conn, db, now, actor, row)
        publishing.publish(conn, db.dialect, row, store.affected(conn, recall_id))
    return row


def notify(db: Database, now: datetime, actor: str, recall_id: str) -> Recall:
    """Write a notice for every holder, also for those who sold. Raises `NotFound`, `Conflict`."""
    with db.begin() as conn:
        row = _locked(conn, db, recall_id)
        rows = store.affected(conn, recall_id)
        told = _tell(conn, db, now, row, rows)
        row = _step(conn, now, actor, row, RecallEvent.NOTIFY, {"holders": told})
        row = replace(row, notified_at=row.notified_at or now)
        store.save(conn, row)
    return row


def answer(db: Database, now: datetime, actor: str, recall_id: str, holder: str, given: Answer) -> HolderNotice:
    """What a holder says it did; a later answer replaces the earlier. Raises `InputError`, `NotFound`, `Conflict`."""
    if min(given.in_stock, given.sold, given.returned, given.destroyed) < 0:
        raise InputError("a quantity is below 0", where="in_stock")
    with db.begin() as conn:
        row = _locked(conn, db, recall_id)
        found = store.notices(conn, recall_id=recall_id, holder=holder)
        if not found:
            raise NotFound("this holder got no notice of that recall", where="recall_id")
        if row.state not in TELLING:
            raise Conflict(f"a recall in state {row.state} takes no answers", where="state")
        said = replace(found[0], answer=given, answered_by=actor, answered_at=now)
        store.save_answer(conn, said)
        audit.record(conn, now, actor, "recall.answer", recall_id, {"holder": holder, "pieces": given.total})
        if row.state is RecallState.NOTIFYING:
            store.save(conn, _step(conn, now, ACTOR, row, RecallEvent.RECOVER, {}))
    return said


def finish_step(db: Database, now: datetime, actor: str, recall_id: str, event: RecallEvent, reason: str) -> Recall:
    """Reconcile, dispose or close. Sums that do not close need a reason that names why; it is audited.

    Raises `NotFound`, `Conflict`, `InputError` for another event.
    """
    if event not in (RecallEvent.RECONCILE, RecallEvent.DISPOSE, RecallEvent.CLOSE):
        raise InputError(f"{event} is not taken here", where="event", remedy="reconcile, dispose or close")
    with db.begin() as conn:
        row = _locked(conn, db, recall_id)
        sums = rules.reconcile_sums(store.sums(conn, recall_id), store.notices(conn, recall_id=recall_id))
        refusal = ""
        if event is RecallEvent.RECONCILE and not sums.closes and not reason.strip():
            refusal = f"the sums do not close: {sums.unaccounted} unaccounted, {len(sums.unanswered)} unanswered"
        detail = {"reason": reason.strip(), "unaccounted": sums.unaccounted, "affected": sums.affected}
        row = _step(conn, now, actor, row, event, detail, refusal)
        if event is RecallEvent.RECONCILE:
            row = replace(row, reconciled_at=now)
        store.save(conn, row)
    return row


def get(db: Database, recall_id: str) -> Recall:
    """Raises `NotFound`."""
    with db.read() as conn:
        return _found(conn, recall_id)


def list_recalls(db: Database, *, after: tuple[datetime, str] | None = None, limit: int | None = None) -> list[Recall]:
    """Newest first; `after`: time of creation and id of the last one seen."""
    with db.read() as conn:
        return store.recalls(conn, after=after, limit=limit)


def count_recalls(db: Database) -> int:
    """All of them, drafts too."""
    with db.read() as conn:
        return store.count_recalls(conn)


def affected(db: Database, recall_id: str) -> list[Affected]:
    """The newest affected set, nearest to the scope first. Raises `NotFound`."""
    with db.read() as conn:
        _found(conn, recall_id)
        return store.affected(conn, recall_id)


def affected_page(
    db: Database, recall_id: str, after: tuple[int, bytes] | None, limit: int
) -> tuple[list[Affected], int]:
    """A stretch of the newest affected set by depth and key, and how many rows it has. Raises `NotFound`."""
    with db.read() as conn:
        _found(conn, recall_id)
        return store.affected_page(conn, recall_id, after, limit), store.count_affected(conn, recall_id)


def affected_lots(db: Database, recall_id: str, limit: int) -> list[AffectedLot]:
    """Batches of the newest affected set, nearest to the scope first. Raises `NotFound`."""
    with db.read() as conn:
        _found(conn, recall_id)
        return store.affected_lots(conn, recall_id, limit)


def proof(db: Database, recall_id: str, uri: str = "", *, batch: tuple[str, str] = ("", "")) -> tuple[Affected, ...]:
    """Why this thing, or the nearest thing of this (GTIN, lot), is affected: step by step back to the scope.

    Raises `NotFound` for what is not in the newest affected set.
    """
    with db.read() as conn:
        _found(conn, recall_id)
        if uri:
            row = store.affected_row(conn, recall_id, canonical.object_key(uri))
        else:
            row = store.nearest_of_lot(conn, recall_id, *batch) if all(batch) else None
        way: list[Affected] = []
        while row is not None and row not in way:
            way.append(row)
            row = store.affected_row(conn, recall_id, canonical.object_key(row.via)) if row.via else None
    if not way:
        raise NotFound("this is not affected", where="uri")
    return tuple(way)


def export_affected(db: Database, recall_id: str, export: Export, out: IO[bytes]) -> int:
    """Write the newest affected set into a file, page by page in flat memory; returns how many rows.

    Raises `NotFound`.
    """
    with db.read() as conn:
        row = _found(conn, recall_id)
        return export.write(affected_sheet(row, _all_pages(conn, recall_id)), out)


def _all_pages(conn: Connection, recall_id: str) -> Iterator[Affected]:
    after: tuple[int, bytes] | None = None
    while page := store.affected_page(conn, recall_id, after, EXPORT_PAGE):
        yield from page
        after = page[-1].depth, page[-1].key


def spared(db: Database, recall_id: str) -> list[Spared]:
    """What is not affected though one could think so, and why. Raises `NotFound`."""
    with db.read() as conn:
        _found(conn, recall_id)
        return closure.not_affected(conn, db.dialect, store.affected(conn, recall_id))


def notices(
    db: Database,
    *,
    recall_id: str | None = None,
    holder: str | None = None,
    after: tuple[str, str] | None = None,
    limit: int | None = None,
) -> list[HolderNotice]:
    """The delivery list of a recall, or all that one holder got; `after`: recall and holder of the last one seen."""
    with db.read() as conn:
        return store.notices(conn, recall_id=recall_id, holder=holder, after=after, limit=limit)


def count_notices(db: Database, *, recall_id: str | None = None, holder: str | None = None) -> int:
    """How many `notices` gives in all."""
    with db.read() as conn:
        return store.count_notices(conn, recall_id=recall_id, holder=holder)


def reconciliation(db: Database, recall_id: str) -> Reconciliation:
    """The sums as they are now. Raises `NotFound`."""
    with db.read() as conn:
        _found(conn, recall_id)
        return rules.reconcile_sums(store.sums(conn, recall_id), store.notices(conn, recall_id=recall_id))


def milestones(db: Database, recall_id: str, now: datetime) -> tuple[Milestone, ...]:
    """Periods of the class and whether they are late. Raises `NotFound`."""
    with db.read() as conn:
        return rules.milestones(_found(conn, recall_id), calendar(conn), now)


def refresh(conn: Connection, db: Database, recall_id: str, now: datetime) -> Recall:
    """Work the affected set out again after late events; a change is a new version, audited, and reaches the gates."""
    row = _locked(conn, db, recall_id)
    before = row.version
    row = _refresh(conn, db, now, ACTOR, row)
    if row.version != before and row.state in IN_FORCE:
        publishing.publish(conn, db.dialect, row, store.affected(conn, recall_id))
    return row


def _refresh(conn: Connection, db: Database, now: datetime, actor: str, row: Recall) -> Recall:
    found, truncated = closure.affected_set(conn, db.dialect, row)
    if truncated:
        raise InputError("the scope reaches more things than one recall can hold", remedy="split it by batch")
    old = {one.key: one for one in store.affected(conn, row.recall_id)}
    new = {one.key: one for one in found}
    changed = [one for one in found if old.get(one.key) != one]
    gone = [key for key, one in old.items() if new.get(key) != one]
    if not changed and not gone and row.version:
        return row
    row = replace(row, version=row.version + 1)
    store.replace_affected(conn, db.dialect, row.recall_id, gone, changed, row.version)
    added, removed = len(new.keys() - old.keys()), len(old.keys() - new.keys())
    detail: dict[str, int] = {"version": row.version, "affected": len(new), "added": added, "removed": removed}
    if row.state in TELLING or row.state in _OVER:
        detail["holders"] = _tell(conn, db, now, row, found)
    if row.state in _OVER and (added or detail["holders"]):
        row = replace(_step(conn, now, actor, row, RecallEvent.REOPEN, detail), reconciled_at=None)
    store.save(conn, row)
    audit.record(conn, now, actor, "recall.affected", row.recall_id, detail)
    return row


def _tell(conn: Connection, db: Database, now: datetime, row: Recall, rows: Sequence[Affected]) -> int:
    things = Counter[str]()
    for one in rows:
        if one.holder:
            things[one.holder] += rules.pieces(one)
    letters = [
        HolderNotice(row.recall_id, holder, count, now, None, "", None) for holder, count in sorted(things.items())
    ]
    return store.add_notices(conn, db.dialect, letters)


def _step(
    conn: Connection,
    now: datetime,
    actor: str,
    row: Recall,
    event: RecallEvent,
    detail: Mapping[str, object],
    refusal: str = "",
) -> Recall:
    state = advance(
        conn,
        now,
        table=TRANSITIONS,
        state=row.state,
        event=event,
        actor=actor,
        object=row.recall_id,
        action="recall.state",
        refusal=refusal,
        detail=dict(detail),
    )
    return replace(row, state=state)


def _locked(conn: Connection, db: Database, recall_id: str) -> Recall:
    db.dialect.exclude(conn, f"recall.{recall_id}")
    return _found(conn, recall_id)


def _found(conn: Connection, recall_id: str) -> Recall:
    row = store.find(conn, recall_id)
    if row is None:
        raise NotFound("there is no such recall", where="recall_id")
    return row


def _checked_scope(scope: Scope) -> Scope:
    if not (scope.batches or scope.items or scope.site):
        raise InputError("nothing is named", where="scope", remedy="name batches, items, or a site with its time")
    if len(scope.batches) + len(scope.items) > MAX_SCOPE:
        raise InputError(f"more than {MAX_SCOPE} starts", where="scope", remedy="name batches instead of items")
    for uri in scope.items:
        if ":" not in uri or len(uri) > MAX_URI:
            raise InputError(f"{uri!r:.80} is no identifier", where="scope/items")
    if scope.site and (scope.since is None or scope.until is None or scope.since >= scope.until):
        raise InputError("a site needs a time from which until which it counts", where="scope/since")
    return Scope(
        batches=tuple(sorted({(gs1.gtin(gtin), lot) for gtin, lot in scope.batches})),
        items=tuple(sorted({canonical.canonical_uri(uri) for uri in scope.items})),
        site=canonical.canonical_uri(scope.site) if scope.site else "",
        since=scope.since,
        until=scope.until,
    )


def _checked_notice(notice: Notice) -> Notice:
    for name in ("notice_no", "authority", "reason", "action", "return_to", "phone"):
        if not getattr(notice, name).strip():
            raise InputError(f"{name} is missing", where=f"notice/{name}", remedy="the public page shows it")
    return notice
