"""Use cases of webhooks: make, change the secret, end, take, settle, replay.

Who delivers holds a lease on the hook, not a transaction. A change that a receiver refuses is set aside and tried
again; later changes of the same record wait behind it, those of other records do not. The place moves in the
transaction that stores what arrived: a death in between sends again and skips nothing.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from trace_core.errors import Conflict
from trace_server.accounts import store as accounts
from trace_server.accounts.model import Permission
from trace_server.audit.lifecycle import next_state
from trace_server.audit.operations import record as audit
from trace_server.credit.model import Change, Filter, SharedChange
from trace_server.credit.store import head_seq, log
from trace_server.db import Connection, Database
from trace_server.exchange import rules, store
from trace_server.exchange.model import (
    Delivery,
    DeliveryEvent,
    DeliveryState,
    Hook,
    HookLost,
    HookState,
    NoSuchHook,
)
from trace_server.exchange.states import DELIVERIES

PAGE = 50


@dataclass(frozen=True, slots=True)
class Work:
    """What one turn may send: what was refused before, then new changes up to `upto`."""

    again: tuple[tuple[Delivery, Change | SharedChange], ...]
    fresh: tuple[Change | SharedChange, ...]
    blocked: frozenset[str]
    """Records of which an earlier change has not arrived."""
    upto: int
    """The place behind all of `fresh`."""


def make(db: Database, now: datetime, new: Hook) -> Hook:
    """Keep `new`. Raises `Conflict` beyond `MAX_HOOKS` of one client."""
    with db.begin() as conn:
        db.dialect.exclude(conn, f"hooks.{new.owner}")
        if len(store.hooks(conn, new.owner, rules.MAX_HOOKS)) >= rules.MAX_HOOKS:
            raise Conflict("the client has too many webhooks", remedy=f"at most {rules.MAX_HOOKS}: end one first")
        store.add_hook(conn, new)
        audit(conn, now, new.owner, "exchange.hook", _object(new), {"suite": new.suite, "place": new.place})
    return new


def list_of(db: Database, owner: str, *, limit: int = rules.MAX_HOOKS) -> list[Hook]:
    """Active hooks of a client; "" for everybody's."""
    with db.read() as conn:
        return store.hooks(conn, owner, limit)


def change_secret(db: Database, now: datetime, owner: str, key: bytes, sealed: str) -> Hook:
    """A new secret for HMAC; the old one signs beside it for a day. Raises `NoSuchHook`, `Conflict`."""
    with db.begin() as conn:
        hook = _require(conn, owner, key)
        if not hook.sealed_token:
            raise Conflict("this webhook is signed with the server's key", where="suite")
        hook = replace(hook, sealed_token=sealed, old_sealed_token=hook.sealed_token, old_until=now + rules.OVERLAP)
        store.save_hook(conn, hook)
        audit(conn, now, owner, "exchange.hook-secret", _object(hook), {})
    return hook


def end(db: Database, now: datetime, owner: str, key: bytes) -> None:
    """Send nothing more. What was received stays as proof. Raises `NoSuchHook`."""
    with db.begin() as conn:
        _end(conn, now, owner, _require(conn, owner, key), "the client ended it")


def deliveries(
    db: Database, owner: str, key: bytes, state: DeliveryState | None, *, after: int, limit: int
) -> list[Delivery]:
    """What became of each change on its way to one hook. Raises `NoSuchHook`."""
    with db.read() as conn:
        if not any(hook.hook_key == key for hook in store.hooks(conn, owner, 1000, ended=True)):
            raise NoSuchHook("there is no such webhook", where="hook_id")
        return store.deliveries(conn, key, state, after, limit)


def replay(db: Database, now: datetime, actor: str, owner: str, key: bytes, seq: int | None = None) -> int:
    """Try what was given up again, all of it or one change; how many. Raises `NoSuchHook`.

    `owner` "": an operator, for any client.
    """
    with db.begin() as conn:
        hook = _require(conn, owner, key)
        dead = store.deliveries(conn, key, DeliveryState.DEAD, -1, 10_000)
        chosen = [one for one in dead if seq in (None, one.seq)]
        moved = [
            replace(one, state=next_state(DELIVERIES, one.state, DeliveryEvent.REPLAY), failures=0, next_due=now)
            for one in chosen
        ]
        store.save_deliveries(conn, db.dialect, moved)
        store.save_hook(conn, replace(hook, failures=0, next_due=now))
        audit(conn, now, actor, "exchange.replay", _object(hook), {"changes": len(moved)})
    return len(moved)


def claim(db: Database, now: datetime) -> Hook | None:
    """The next hook that is due, under a new lease. Those of clients that may no longer read are ended here."""
    with db.read() as conn:
        if store.due_hook(conn, now, head_seq(conn), is_locked=False) is None:
            return None
    with db.begin() as conn:
        head = head_seq(conn)
        while (hook := store.due_hook(conn, now, head)) is not None:
            client = accounts.client_by_id(conn, hook.owner.removeprefix("client:"))
            if client is not None and not client.is_revoked and Permission.CREDIT_READ in client.permissions:
                break
            _end(conn, now, "worker", hook, "the client may no longer read credit records")
        if hook is None:
            return None
        hook = replace(hook, lease=secrets.token_bytes(16), lease_until=now + rules.LEASE)
        store.save_hook(conn, hook)
    return hook


def next_work(db: Database, now: datetime, hook: Hook) -> Work:
    """What to send now."""
    with db.read() as conn:
        head = head_seq(conn)
        again = []
        for one in store.due_deliveries(conn, hook.hook_key, now, PAGE):
            (change,) = log.changes(conn, one.seq - 1, one.seq, Filter(), 1)
            again.append((one, change))
        found = log.changes(conn, hook.place, head, hook.wanted, PAGE)
        upto = found[-1].seq if len(found) == PAGE else head
        blocked = frozenset(store.open_records(conn, hook.hook_key))
    return Work(tuple(again), tuple(found), blocked, max(upto, hook.place))


def settle(
    db: Database, now: datetime, hook: Hook, place: int, made: Sequence[Delivery], failures: int, failure: str
) -> Hook:
    """Store what became of a turn and let others go on. Raises `HookLost`."""
    arrived = [one for one in made if one.state is DeliveryState.DELIVERED]
    with db.begin() as conn:
        held = store.locked_hook(conn, hook.hook_key)
        if held is None or held.lease is None or held.lease != hook.lease:
            raise HookLost("another worker delivers to this webhook, or it was ended", where=hook.id)
        store.save_deliveries(conn, db.dialect, made)
        for record_id in {one.record_id for one in arrived}:
            free = store.next_held(conn, hook.hook_key, record_id)
            if free is not None and not any(one.record_id == record_id and _is_open(one) for one in made):
                state = next_state(DELIVERIES, free.state, DeliveryEvent.FREE)
                store.save_deliveries(conn, db.dialect, [replace(free, state=state, next_due=now)])
        pause = failures - rules.PATIENCE + 1
        chance = random.random()  # noqa: S311 – spreads load, no secret
        after = replace(
            held,
            place=place,
            failures=failures,
            last_failure=failure or ("" if arrived else held.last_failure),
            last_delivered_at=now if arrived else held.last_delivered_at,
            next_due=now + rules.wait(pause, chance) if pause > 0 else now,
            lease=None,
            lease_until=None,
        )
        store.save_hook(conn, after)
    return after


def refused(delivery: Delivery, failure: str, now: datetime) -> Delivery:
    """After a failure: later, or given up."""
    failures = delivery.failures + 1
    is_over = failures >= rules.MAX_FAILURES
    chance = random.random()  # noqa: S311 – spreads load, no secret
    return replace(
        delivery,
        state=next_state(DELIVERIES, delivery.state, DeliveryEvent.GIVE_UP if is_over else DeliveryEvent.REFUSE),
        failures=failures,
        failure=rules.words(failure),
        next_due=now + rules.wait(failures, chance),
    )


def accepted(delivery: Delivery, receipt: bytes, now: datetime) -> Delivery:
    """It arrived; what the receiver said is kept."""
    state = next_state(DELIVERIES, delivery.state, DeliveryEvent.ACCEPT)
    text = rules.words(receipt.decode("utf-8", "replace"))
    return replace(delivery, state=state, failure="", delivered_at=now, receipt=text)


def started(hook: Hook, change: Change | SharedChange, now: datetime, *, is_held: bool) -> Delivery:
    """A change that was not tried yet."""
    record_id, version, op = rules.about(change)
    state = DeliveryState.HELD if is_held else DeliveryState.WAITING
    return Delivery(hook.hook_key, change.seq, record_id, version, op.value, state, 0, "", now, None, "")


def _is_open(one: Delivery) -> bool:
    return one.state in (DeliveryState.WAITING, DeliveryState.DEAD)


def _end(conn: Connection, now: datetime, actor: str, hook: Hook, reason: str) -> None:
    store.save_hook(conn, replace(hook, state=HookState.ENDED, lease=None, lease_until=None))
    store.forget_open(conn, hook.hook_key)
    audit(conn, now, actor, "exchange.hook-end", _object(hook), {"reason": reason})


def _require(conn: Connection, owner: str, key: bytes) -> Hook:
    found = store.locked_hook(conn, key)
    if found is None or found.state is HookState.ENDED or owner not in ("", found.owner):
        raise NoSuchHook("there is no such webhook", where="hook_id")
    return found


def _object(hook: Hook) -> str:
    return f"hook:{hook.id}"
