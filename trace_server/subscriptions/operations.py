"""Use cases of subscriptions: make, end, take, deliver, try again.

The place of each is a follower of the captures (ADR 0003). Who delivers holds a lease on the row, not a transaction:
none is open while a receiver answers. The place moves only after the receiver has taken the batch, so that a death in
between sends it again and skips nothing.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from trace_core.epcis.jsonld import STANDARD
from trace_core.errors import Conflict
from trace_server.accounts import store as accounts
from trace_server.accounts.model import Permission
from trace_server.audit import operations as audit
from trace_server.audit.lifecycle import advance, next_state
from trace_server.db import Connection, Database
from trace_server.ingest.model import Position
from trace_server.ingest.representation import complete_event
from trace_server.ingest.store import stream
from trace_server.masterdata.operations import StoredMasterData
from trace_server.query import matching
from trace_server.query import store as queries
from trace_server.query.model import MasterData, NamedQuery, NoMasterData, Order, Query
from trace_server.query.parameters import parse_query
from trace_server.subscriptions import store
from trace_server.subscriptions.model import (
    Batch,
    DeliveryFailed,
    LeaseLost,
    NoSuchSubscription,
    Subscription,
    SubscriptionEvent,
    SubscriptionInvalid,
    SubscriptionState,
)
from trace_server.subscriptions.schedule import parse_schedule
from trace_server.subscriptions.states import TRANSITIONS

LEASE: Final = timedelta(seconds=90)
"""Longer than one batch can take: then the one who delivered is dead."""
BACK_OFF: Final = timedelta(seconds=2)
MAX_BACK_OFF: Final = timedelta(hours=1)
MAX_FAILURES: Final = 16
"""In a row, about six hours; then a person must look."""
MAX_PER_CLIENT: Final = 100
MAX_FAILURE_TEXT: Final = 2000


def require_subscribable(named: NamedQuery) -> None:
    """Raises `SubscriptionInvalid` when it limits or sorts its answer."""
    query = _parsed(named.parameters, named.context, NoMasterData())
    is_sorted = bool(query.order_fields) or query.order_by is not Order.RECORD_TIME or query.is_descending
    if query.event_count_limit is not None or query.max_event_count is not None or is_sorted:
        raise SubscriptionInvalid(
            "a query with orderBy, eventCountLimit or maxEventCount cannot be subscribed to", where=named.name
        )


def subscribe(db: Database, new: Subscription) -> Subscription:
    """Keep `new` and its first place. Raises `Conflict` beyond `MAX_PER_CLIENT`."""
    with db.begin() as conn:
        db.dialect.exclude(conn, f"subscriptions.{new.owner}")
        if store.count_of(conn, new.owner) >= MAX_PER_CLIENT:
            raise Conflict("the client has too many subscriptions", remedy=f"at most {MAX_PER_CLIENT}: end one first")
        store.add(conn, new)
        place = start(conn, new.initial_record_time)
        stream.move(conn, db.dialect, new.follower, place, new.created_at)
        audit.record(
            conn, new.created_at, new.owner, "subscriptions.subscribe", _object(new), {"query": new.query_name}
        )
    return new


def start(conn: Connection, initial_record_time: datetime | None) -> Position:
    """Where a subscription begins: behind all that followers can see now, or at the first event of that time."""
    if initial_record_time is None:
        return Position(store.head(conn) + 1)
    return store.place_at(conn, initial_record_time)


def find(db: Database, named: NamedQuery, owner: str, key: bytes) -> Subscription:
    """One of the client's subscriptions to the query. Raises `NoSuchSubscription`."""
    with db.read() as conn:
        return _require(store.find(conn, key), named, owner)


def list_of(db: Database, named: NamedQuery, owner: str, after: bytes, limit: int) -> list[Subscription]:
    """At most `limit` of the client's subscriptions to the query behind `after`."""
    with db.read() as conn:
        return store.of_owner(conn, named.name, named.created_at, owner, after, limit)


def list_all(db: Database, state: SubscriptionState | None, limit: int) -> list[Subscription]:
    """Everybody's, the newest first."""
    with db.read() as conn:
        return store.all_of(conn, state, limit)


def unsubscribe(db: Database, now: datetime, named: NamedQuery, owner: str, key: bytes) -> None:
    """End one. A delivery under way may still arrive. Raises `NoSuchSubscription`."""
    with db.begin() as conn:
        found = _require(store.locked(conn, key), named, owner)
        store.remove(conn, found)
        audit.record(conn, now, owner, "subscriptions.unsubscribe", _object(found))


def retry(db: Database, now: datetime, actor: str, key: bytes) -> Subscription:
    """Deliver a dead one again, from the place where it stopped. Raises `NoSuchSubscription`, `Conflict`."""
    with db.begin() as conn:
        found = store.locked(conn, key)
        if found is None:
            raise NoSuchSubscription("there is no such subscription", where=key.hex())
        state = advance(
            conn,
            now,
            table=TRANSITIONS,
            state=found.state,
            event=SubscriptionEvent.RETRY,
            actor=actor,
            object=_object(found),
            action="subscriptions.retry",
        )
        found = replace(found, state=state, failures=0, next_due=now)
        store.save(conn, found)
    return found


def claim(db: Database, now: datetime) -> Subscription | None:
    """The next due one under a new lease; None when nothing is due. Those whose reason is gone are ended here."""
    with db.read() as conn:
        if store.due(conn, now, is_locked=False) is None:  # the usual answer, and it needs no writer's turn
            return None
    with db.begin() as conn:
        while (found := store.due(conn, now)) is not None:
            reason = _why_over(conn, found)
            if not reason:
                break
            store.remove(conn, found)
            audit.record(conn, now, "worker", "subscriptions.end", _object(found), {"reason": reason})
        if found is None:
            return None
        found = replace(found, lease=secrets.token_bytes(16), lease_until=now + LEASE)
        store.save(conn, found)
    return found


def next_batch(db: Database, row: Subscription, limit: int) -> Batch:
    """Look at the next `limit` events and choose those that match."""
    with db.begin() as conn:
        place = stream.position_of(conn, db.dialect, row.follower)
    return look(db, place, row.parameters, row.context, row.initial_record_time, limit)


def look(
    db: Database,
    place: Position,
    parameters: Mapping[str, object],
    context: object,
    initial: datetime | None,
    limit: int,
) -> Batch:
    """The next `limit` events behind `place`, and which of them match by the master data of now."""
    with db.read() as conn:
        # Read before the events: all captures up to this one are seen by what follows.
        head = store.head(conn)
        page = stream.read_after(conn, place, limit)
        query = _parsed(parameters, context, StoredMasterData(conn, db.dialect))
        chosen = tuple(
            one
            for one in page
            if (initial is None or one.record_time >= initial) and matching.matches(complete_event(one), query)
        )
    after = Position(page[-1].capture_seq, page[-1].ordinal) if page else place
    is_last = len(page) < limit
    end = Position(head, store.LAST_ORDINAL)
    if is_last and (after.seq, after.ordinal) < (end.seq, end.ordinal):
        after = end
    return Batch(chosen, len(page), after, is_last)


def settle(db: Database, now: datetime, row: Subscription, batch: Batch, *, was_sent: bool) -> Subscription:
    """`batch` is dealt with: move the place, note when, keep the lease. Raises `LeaseLost`."""
    with db.begin() as conn:
        held = _held(conn, row)
        stream.move(conn, db.dialect, row.follower, batch.after, now)
        after = replace(
            held,
            failures=0,
            last_failure="",
            last_notified_at=now if was_sent else held.last_notified_at,
            reported=held.reported + was_sent,
            lease_until=now + LEASE,
            next_due=now,
        )
        if batch.is_last:
            due = now if held.is_stream else parse_schedule(held.schedule).next_after(now)
            after = replace(after, last_run_at=now, reported=0, next_due=due)
        store.save(conn, after)
    return after


def release(db: Database, row: Subscription) -> None:
    """Let others deliver the next batch. Raises `LeaseLost`."""
    with db.begin() as conn:
        store.save(conn, replace(_held(conn, row), lease=None, lease_until=None))


def note_failure(db: Database, now: datetime, row: Subscription, failure: DeliveryFailed) -> Subscription:
    """The batch was not taken: wait, or give up after `MAX_FAILURES`. The place stays. Raises `LeaseLost`."""
    with db.begin() as conn:
        held = _held(conn, row)
        failures = held.failures + 1
        words = str(failure)[:MAX_FAILURE_TEXT].replace("\0", "\N{REPLACEMENT CHARACTER}")
        after = replace(
            held,
            failures=failures,
            last_failure=words,
            next_due=now + wait(failures, random.random()),  # noqa: S311 – spreads load, no secret
            lease=None,
            lease_until=None,
        )
        stream.note_failure(conn, db.dialect, row.follower, words, now)
        if failures >= MAX_FAILURES:
            after = replace(after, state=next_state(TRANSITIONS, held.state, SubscriptionEvent.GIVE_UP))
            audit.record(conn, now, "worker", "subscriptions.give-up", _object(held), {"failures": failures})
        store.save(conn, after)
    return after


def wait(failures: int, chance: float) -> timedelta:
    """How long after failure number `failures`: doubled each time up to an hour, and of that half to all by `chance`
    (0 to 1), so that receivers that failed together are not asked together."""
    longest: timedelta = min(BACK_OFF * 2 ** min(failures - 1, 20), MAX_BACK_OFF)
    spread: timedelta = longest * (0.5 + chance / 2)
    return spread


def _parsed(parameters: Mapping[str, object], context: object, known: MasterData) -> Query:
    return parse_query(parameters, STANDARD.extended(context, "@context"), known)


def _why_over(conn: Connection, row: Subscription) -> str:
    named = queries.named(conn, row.query_name)
    if named is None or named.created_at != row.query_made_at:
        return "the query was forgotten"
    client = accounts.client_by_id(conn, row.owner.removeprefix("client:"))
    if client is None or client.is_revoked or Permission.EVENTS_READ not in client.permissions:
        return "the client may no longer read events"
    return ""


def _held(conn: Connection, row: Subscription) -> Subscription:
    found = store.locked(conn, row.subscription_key)
    if found is None or found.lease is None or found.lease != row.lease:
        raise LeaseLost("another worker delivers this subscription, or it was ended", where=row.id)
    return found


def _require(found: Subscription | None, named: NamedQuery, owner: str) -> Subscription:
    if found is None or found.owner != owner:
        raise NoSuchSubscription("there is no such subscription", where="subscriptionID")
    if (found.query_name, found.query_made_at) != (named.name, named.created_at):
        raise NoSuchSubscription("there is no such subscription", where="subscriptionID")
    return found


def _object(row: Subscription) -> str:
    return f"subscription:{row.id}"
