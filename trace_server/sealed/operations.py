"""Seal, ask to open, allow by a second person, look, erase, rotate. Every step but the sealing is in the audit log."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from trace_core.errors import Conflict, NotAllowed, NotFound
from trace_server import audit
from trace_server.audit.lifecycle import advance
from trace_server.config import Settings
from trace_server.db import Connection
from trace_server.sealed import rules, store
from trace_server.sealed.model import KeyUse, Opened, Opening, OpeningEvent, OpeningState, Purpose, SealedId
from trace_server.sealed.rules import Keys
from trace_server.sealed.states import TRANSITIONS
from trace_server.services import Services

ROTATE_AT_ONCE = 500


def can_seal(settings: Settings) -> bool:
    """Whether the key is set."""
    return bool(settings.sealed_key)


def seal(settings: Settings, conn: Connection, now: datetime, purpose: Purpose, fields: Mapping[str, str]) -> SealedId:
    """Seal `fields` in the caller's transaction; only the hour of `now` is kept.

    Writes no audit entry: its time and neighbours would tell when a reporter came. Callers whose subjects are no
    secret write their own. Raises `InputError`, `ConfigError` without a key.
    """
    keys, sealed_id = Keys.parse(settings.sealed_key), rules.new_sealed_id()
    sealed = keys.seal(sealed_id, purpose, rules.require_fields(fields))
    store.add(conn, sealed_id, purpose, key_id=keys.newest, sealed=sealed, hour=rules.hour(now))
    return sealed_id


def index_of(settings: Settings, purpose: Purpose, text: str) -> bytes:
    """32 bytes to find an equal text by (an id number), without opening; nobody without the key can try texts out."""
    return Keys.parse(settings.sealed_key).index(purpose, text)


def request_opening(services: Services, actor: str, sealed_id: SealedId, purpose: Purpose, reason: str) -> Opening:
    """Ask to see a value. Raises `NotFound`, `InputError` without a reason, `Conflict` when the caller has asked."""
    now, why = services.clock(), rules.require_reason(reason)
    with services.db.begin() as conn:
        if store.value(conn, sealed_id, purpose) is None:
            raise NotFound("there is no such sealed value, or it was erased", where="sealed_id")
        if any(_is_open(one, now) and one.requested_by == actor for one in store.openings_of(conn, sealed_id)):
            raise Conflict("your request is open already", where="sealed_id")
        row = Opening(
            opening_id=f"opening-{secrets.token_hex(8)}",
            sealed_id=sealed_id,
            purpose=purpose,
            state=OpeningState.REQUESTED,
            requested_by=actor,
            reason=why,
            requested_at=now,
            decided_by="",
            decision="",
            decided_at=None,
            until=None,
            views=0,
        )
        store.add_opening(conn, row)
        audit.record(conn, now, actor, "sealed.request", sealed_id, {"opening": row.opening_id, "reason": why})
    return row


def decide_opening(
    services: Services, actor: str, opening_id: str, purpose: Purpose, *, approve: bool, reason: str
) -> Opening:
    """Allow or refuse somebody else's request. Raises `NotAllowed` for one's own, `NotFound`, `Conflict`."""
    now, why = services.clock(), rules.require_reason(reason)
    with services.db.begin() as conn:
        row = _require(conn, opening_id, purpose)
        if actor == row.requested_by:
            raise NotAllowed("a second person decides", where="opening_id", remedy="ask a colleague")
        event = OpeningEvent.APPROVE if approve else OpeningEvent.REFUSE
        moved = replace(
            row,
            state=_step(conn, now, row, event, actor, reason=why),
            decided_by=actor,
            decision=why,
            decided_at=now,
            until=now + rules.APPROVAL_LIFE if approve else None,
        )
        store.save_opening(conn, moved)
    return moved


def look(services: Services, actor: str, opening_id: str, purpose: Purpose) -> Opened:
    """What was sealed: only for the one who asked, only once allowed, only for a quarter of an hour; each look logged.

    Raises `NotAllowed` for anybody else, `Conflict` when it is not allowed yet or over, `NotFound` when erased.
    """
    now = services.clock()
    with services.db.begin() as conn:
        row = _require(conn, opening_id, purpose)
        if actor != row.requested_by:
            raise NotAllowed("only the person who asked may look", where="opening_id")
        is_over = row.state is OpeningState.APPROVED and row.until is not None and now >= row.until
        if is_over:
            moved = replace(row, state=_step(conn, now, row, OpeningEvent.END, actor))
            store.save_opening(conn, moved)
        elif row.state is not OpeningState.APPROVED:
            raise Conflict(f"the request is {row.state}", where="opening_id")
        else:
            sealed = store.value(conn, row.sealed_id, purpose)
            if sealed is None:
                raise NotFound("the value was erased", where="opening_id")
            fields = Keys.parse(services.settings.sealed_key).open(row.sealed_id, purpose, sealed)
            until = row.until if row.views and row.until else now + rules.LOOK
            moved = replace(row, until=until, views=row.views + 1)
            store.save_opening(conn, moved)
            detail = {"opening": opening_id, "view": moved.views, "approved_by": row.decided_by}
            audit.record(conn, now, actor, "sealed.open", row.sealed_id, detail)
            return Opened(fields, until)
    raise Conflict("the time to look is over", where="opening_id", remedy="ask again, with a reason")


def openings(services: Services, sealed_id: SealedId) -> list[Opening]:
    """All requests about a value, oldest first, with nothing of what is sealed."""
    with services.db.read() as conn:
        return store.openings_of(conn, sealed_id)


def erase(
    services: Services, conn: Connection, actor: str, sealed_id: SealedId, purpose: Purpose, *, reason: str
) -> None:
    """Overwrite a value for good, in the caller's transaction. Raises `NotFound`, `InputError`."""
    why = rules.require_reason(reason)
    if store.value(conn, sealed_id, purpose) is None:
        raise NotFound("there is no such sealed value, or it was erased", where="sealed_id")
    store.replace_value(conn, sealed_id, key_id="", sealed=None)
    audit.record(conn, services.clock(), actor, "sealed.erase", sealed_id, {"reason": why})


def rotate(services: Services, actor: str) -> int:
    """Seal what lies under older keys with the newest one; returns how many. May be stopped and run again."""
    keys, total = Keys.parse(services.settings.sealed_key), 0
    while True:
        with services.db.begin() as conn:
            old = store.under_other_keys(conn, keys.newest, ROTATE_AT_ONCE)
            for sealed_id, purpose, sealed in old:
                again = keys.seal(sealed_id, purpose, keys.open(sealed_id, purpose, sealed))
                store.replace_value(conn, sealed_id, key_id=keys.newest, sealed=again)
            if old:
                detail = {"values": len(old), "key": keys.newest}
                audit.record(conn, services.clock(), actor, "sealed.rotate", "sealed_value", detail)
        if not old:
            return total
        total += len(old)


def key_uses(services: Services) -> list[KeyUse]:
    """How many values lie under which key: an old key may go when none does."""
    newest = Keys.parse(services.settings.sealed_key).newest
    with services.db.read() as conn:
        found = store.count_by_key(conn)
    return [KeyUse(key, count, key == newest) for key, count in sorted(({newest: 0} | found).items())]


def _require(conn: Connection, opening_id: str, purpose: Purpose) -> Opening:
    row = store.locked_opening(conn, opening_id, purpose)
    if row is None:
        raise NotFound("there is no such request", where="opening_id")
    return row


def _is_open(row: Opening, now: datetime) -> bool:
    if row.state is OpeningState.APPROVED:
        return row.until is not None and now < row.until
    return row.state is OpeningState.REQUESTED


def _step(
    conn: Connection, now: datetime, row: Opening, event: OpeningEvent, actor: str, *, reason: str = ""
) -> OpeningState:
    return advance(
        conn, now, table=TRANSITIONS, state=row.state, event=event, actor=actor, object=row.sealed_id,
        action=f"sealed.{event}", detail={"opening": row.opening_id, "reason": reason},
    )  # fmt: skip
