"""What objects took part in, with all that detectors ask of those events: one query a window, never one an event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select

from trace_server.db import Connection, Dialect
from trace_server.ingest import tables
from trace_server.ingest.model import GATEWAY, ActionCode, EventType, LinkRole, StoredEvent
from trace_server.ingest.store.stream import stored, to_event


@dataclass(frozen=True, slots=True)
class Part:
    """One object's part in one event. `quantity` in `uom` (UN/CEFACT Rec 20), None for single items."""

    object_key: bytes
    event_key: bytes
    event_time: datetime
    record_time: datetime
    role: LinkRole
    action: ActionCode | None
    peer_key: bytes | None
    quantity: float | None
    uom: str | None
    type: EventType
    source: str
    read_point: str | None
    biz_location: str | None
    biz_step: str | None
    disposition: str | None

    @property
    def is_gateway(self) -> bool:
        return self.source.startswith(GATEWAY)


_ROLES = {role.value: role for role in LinkRole}
_ACTIONS: dict[int | None, ActionCode | None] = {None: None} | {action.value: action for action in ActionCode}
_TYPES = {kind.value: kind for kind in EventType}
_LINK, _EVENT = tables.link.c, tables.event.c
_COLUMNS = (
    _LINK.object_key,
    _LINK.event_key,
    _LINK.event_time,
    _EVENT.record_time,
    _LINK.role,
    _LINK.action,
    _LINK.peer_key,
    _LINK.quantity,
    _LINK.uom,
    _EVENT.type,
    _EVENT.source,
    _EVENT.read_point,
    _EVENT.biz_location,
    _EVENT.biz_step,
    _EVENT.disposition,
)
_PARTS = select(*_COLUMNS).join_from(tables.link, tables.event, _LINK.event_key == _EVENT.event_key)


def parts_of(conn: Connection, dialect: Dialect, object_keys: Sequence[bytes]) -> list[Part]:
    """All parts of the objects, by event time."""
    rows = dialect.select_any(conn, lambda part: _PARTS.where(dialect.in_values(_LINK.object_key, part)), object_keys)
    return _ordered(rows)


def children_of(conn: Connection, dialect: Dialect, parents: Sequence[bytes]) -> list[Part]:
    """The parts of everything that was ever put into these containers, or taken out."""
    rows = dialect.select_any(
        conn,
        lambda part: _PARTS.where(dialect.in_values(_LINK.peer_key, part), _LINK.role == LinkRole.CHILD.value),
        parents,
    )
    return _ordered(rows)


def transformed(conn: Connection, dialect: Dialect, transformations: Sequence[bytes]) -> list[Part]:
    """Inputs and outputs of these transformations (`peer_key` of any of their parts), in all events that tell them; a
    member of an output's lot is not one.
    """
    roles = (LinkRole.INPUT.value, LinkRole.OUTPUT.value)
    rows = dialect.select_any(
        conn, lambda part: _PARTS.where(dialect.in_values(_LINK.peer_key, part), _LINK.role.in_(roles)), transformations
    )
    return _ordered(rows)


def transformations_at(conn: Connection, site: str, since: datetime, until: datetime, limit: int) -> list[bytes]:
    """Transformations that an event at this place (canonical URI) tells, `since` ≤ event time < `until`; those that
    were declared wrong are left out. Reads the events of that time.
    """
    rows = conn.execute(
        select(_LINK.peer_key)
        .distinct()
        .join_from(tables.link, tables.event, _LINK.event_key == _EVENT.event_key)
        .where(
            _EVENT.type == EventType.TransformationEvent.value,
            (_EVENT.biz_location == site) | (_EVENT.read_point == site),
            _EVENT.event_time >= since,
            _EVENT.event_time < until,
            _LINK.role.in_((LinkRole.INPUT.value, LinkRole.OUTPUT.value)),
            ~_is_wrong(),
        )
        .order_by(_LINK.peer_key)
        .limit(limit)
    )
    return [row.peer_key for row in rows]


def events_with(conn: Connection, dialect: Dialect, event_keys: Sequence[bytes]) -> list[StoredEvent]:
    """These events, by event time."""
    rows = dialect.select_any(conn, lambda part: stored().where(dialect.in_values(_EVENT.event_key, part)), event_keys)
    return sorted((to_event(row) for row in rows), key=lambda one: (one.event_time, one.event_key))


def bodies_with(conn: Connection, dialect: Dialect, event_keys: Sequence[bytes], word: str) -> dict[bytes, str]:
    """Event → its body, of those of the events whose body holds `word`."""
    rows = dialect.select_any(
        conn,
        lambda part: select(_EVENT.event_key, _EVENT.body).where(
            dialect.in_values(_EVENT.event_key, part), _EVENT.body.contains(word, autoescape=True)
        ),
        event_keys,
    )
    return {row.event_key: row.body for row in rows}


def members(conn: Connection, dialect: Dialect, lots: Sequence[bytes]) -> dict[bytes, int]:
    """Lot → how many items were made in it, by events that nobody declared wrong."""
    rows = dialect.select_any(
        conn,
        lambda part: (
            select(_LINK.peer_key, func.count(_LINK.object_key.distinct()).label("items"))
            .where(dialect.in_values(_LINK.peer_key, part), _LINK.role == LinkRole.MEMBER.value, ~_is_wrong())
            .group_by(_LINK.peer_key)
        ),
        lots,
    )
    return {row.peer_key: row.items for row in rows}


def last_made(conn: Connection, lot: bytes) -> tuple[datetime, bytes] | None:
    """Time and key of the last event, by event time, that made items of the lot."""
    row = conn.execute(
        select(_LINK.event_time, _LINK.event_key)
        .where(_LINK.peer_key == lot, _LINK.role == LinkRole.MEMBER.value, ~_is_wrong())
        .order_by(_LINK.event_time.desc(), _LINK.event_key.desc())
        .limit(1)
    ).first()
    return None if row is None else (row.event_time, row.event_key)


def _is_wrong() -> ColumnElement[bool]:
    """The link's event was declared wrong: such a declaration names the same objects."""
    other = tables.link.alias()
    return (
        select(other.c.object_key)
        .where(
            other.c.object_key == _LINK.object_key,
            other.c.role == LinkRole.RETRACTED.value,
            other.c.peer_key == _LINK.event_key,
        )
        .exists()
    )


def _ordered(rows: Iterable[Row[*tuple[Any, ...]]]) -> list[Part]:
    return sorted((_part(row) for row in rows), key=lambda one: (one.event_time, one.event_key))


def _part(row: Row[*tuple[Any, ...]]) -> Part:
    object_key, event_key, event_time, record_time, role, action, peer_key, quantity, uom, kind, *rest = row
    moments = (event_time, record_time)
    amount = (peer_key, quantity, uom)
    return Part(object_key, event_key, *moments, _ROLES[role], _ACTIONS[action], *amount, _TYPES[kind], *rest)
