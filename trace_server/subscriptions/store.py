"""Every statement of subscriptions."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, or_, select, update

from trace_server.db import Connection
from trace_server.ingest.model import Position
from trace_server.ingest.store.stream import HEAD
from trace_server.ingest.tables import capture, capture_head, event, follower_position
from trace_server.subscriptions.model import Subscription, SubscriptionState
from trace_server.subscriptions.tables import subscription as table

LAST_ORDINAL: Final = 2**31 - 1
"""Behind the last event of a capture."""
_FIELDS: Final = tuple(field.name for field in fields(Subscription))


def add(conn: Connection, new: Subscription) -> None:
    """A new subscription."""
    conn.execute(insert(table), [_values(new)])


def save(conn: Connection, row: Subscription) -> None:
    """A subscription as it is now; `locked` or `due` has locked it."""
    conn.execute(update(table).where(table.c.subscription_key == row.subscription_key).values(**_values(row)))


def remove(conn: Connection, row: Subscription) -> None:
    """Forget it and its place in the stream."""
    conn.execute(delete(table).where(table.c.subscription_key == row.subscription_key))
    conn.execute(delete(follower_position).where(follower_position.c.follower == row.follower))


def find(conn: Connection, key: bytes) -> Subscription | None:
    """One subscription."""
    row = conn.execute(select(table).where(table.c.subscription_key == key)).first()
    return None if row is None else _subscription(row)


def locked(conn: Connection, key: bytes) -> Subscription | None:
    """One subscription, which nobody else changes until this transaction ends."""
    row = conn.execute(select(table).where(table.c.subscription_key == key).with_for_update()).first()
    return None if row is None else _subscription(row)


def of_owner(
    conn: Connection, query_name: str, made_at: datetime, owner: str, after: bytes, limit: int
) -> list[Subscription]:
    """Those of one client to one query behind `after`, by key."""
    stmt = (
        select(table)
        .where(table.c.query_name == query_name, table.c.owner == owner, table.c.subscription_key > after)
        .where(table.c.query_made_at == made_at)
        .order_by(table.c.subscription_key)
        .limit(limit)
    )
    return [_subscription(row) for row in conn.execute(stmt)]


def count_of(conn: Connection, owner: str) -> int:
    """How many subscriptions a client has."""
    return int(conn.execute(select(func.count()).select_from(table).where(table.c.owner == owner)).scalar_one())


def all_of(conn: Connection, state: SubscriptionState | None, limit: int) -> list[Subscription]:
    """The newest first."""
    stmt = select(table).order_by(table.c.created_at.desc(), table.c.subscription_key).limit(limit)
    if state is not None:
        stmt = stmt.where(table.c.state == state.value)
    return [_subscription(row) for row in conn.execute(stmt)]


def due(conn: Connection, now: datetime, *, is_locked: bool = True) -> Subscription | None:
    """The one that waited longest, locked unless somebody only wants to know.

    Streams are due only while something is stored behind their place.
    """
    place = follower_position
    head = select(func.coalesce(func.max(capture_head.c.seq), 0)).where(capture_head.c.name == HEAD).scalar_subquery()
    stmt = (
        select(table)
        .join_from(table, place, place.c.follower == table.c.follower)
        .where(table.c.state == SubscriptionState.ACTIVE.value, table.c.next_due <= now)
        .where(or_(table.c.lease_until.is_(None), table.c.lease_until <= now))
        .where(or_(table.c.is_stream.is_(False), _has_unseen(head)))
        .order_by(table.c.next_due, table.c.subscription_key)
        .limit(1)
    )
    if is_locked:
        stmt = stmt.with_for_update(skip_locked=True, of=table)
    row = conn.execute(stmt).first()
    return None if row is None else _subscription(row)


def head(conn: Connection) -> int:
    """Number of the newest numbered capture; all lower ones can be seen."""
    return int(
        conn.execute(
            select(func.coalesce(func.max(capture_head.c.seq), 0)).where(capture_head.c.name == HEAD)
        ).scalar_one()
    )


def place_at(conn: Connection, record_time: datetime) -> Position:
    """A place before every numbered event recorded at or after `record_time`, and before every one not numbered yet."""
    last = head(conn)
    stmt = (
        select(func.min(capture.c.seq))
        .join_from(event, capture, event.c.capture_key == capture.c.capture_key)
        .where(event.c.record_time >= record_time, capture.c.seq.isnot(None))
    )
    first = conn.execute(stmt).scalar_one()
    return Position(last + 1 if first is None else min(int(first), last + 1))


def _has_unseen(head: ColumnElement[int]) -> ColumnElement[bool]:
    place = follower_position.c
    return or_(place.seq < head, and_(place.seq == head, place.ordinal < LAST_ORDINAL))


def _values(row: Subscription) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _FIELDS} | {
        "state": row.state.value,
        "schedule": dict(row.schedule),
        "parameters": dict(row.parameters),
        "follower": row.follower,
    }


def _subscription(row: Row[*tuple[Any, ...]]) -> Subscription:
    values = {name: getattr(row, name) for name in _FIELDS}
    return Subscription(**{**values, "state": SubscriptionState(row.state)})
