"""Every SQL statement of the chains: one query a level, whatever the number of objects in it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select

from trace_server.db import Connection, Dialect
from trace_server.ingest.model import ActionCode, EventType
from trace_server.ingest.model import LinkRole as StoredRole
from trace_server.ingest.tables import capture, event, link, object_
from trace_server.trace.model import EventRow, Group, Link, LinkRole

KEYS_AT_ONCE = 200_000
"""Objects of one statement: what it groups then fits into the memory that PostgreSQL gives a sort."""
_WHAT = (
    link.c.event_time,
    link.c.event_key,
    link.c.peer_key,
    link.c.role,
    link.c.action,
    link.c.quantity,
    link.c.uom,
)
_EVENT = (
    event.c.event_key,
    event.c.event_time,
    event.c.record_time,
    event.c.type,
    event.c.biz_step,
    event.c.disposition,
    event.c.read_point,
    event.c.biz_location,
    event.c.source,
    event.c.event_id,
    event.c.is_correction,
    event.c.hash_key,
)
_TYPES = {one.value: one.name for one in EventType}
_ROLES: dict[tuple[int, int | None], LinkRole] = {
    (StoredRole.OBJECT, ActionCode.ADD): LinkRole.COMMISSION,
    (StoredRole.OBJECT, ActionCode.DELETE): LinkRole.DECOMMISSION,
    (StoredRole.CHILD, ActionCode.ADD): LinkRole.CHILD_ADD,
    (StoredRole.CHILD, ActionCode.DELETE): LinkRole.CHILD_DELETE,
    (StoredRole.PARENT, ActionCode.DELETE): LinkRole.PARENT_CLEARED,
    (StoredRole.PARENT, ActionCode.ADD): LinkRole.PARENT,
    (StoredRole.PARENT, ActionCode.OBSERVE): LinkRole.PARENT,
    (StoredRole.INPUT, None): LinkRole.INPUT,
    (StoredRole.OUTPUT, None): LinkRole.OUTPUT,
    (StoredRole.MEMBER, ActionCode.ADD): LinkRole.MEMBER,
    (StoredRole.MEMBER, None): LinkRole.MEMBER,
}


def links_of(conn: Connection, dialect: Dialect, objects: Sequence[bytes]) -> list[Group]:
    """All links of the objects."""
    rows = _rows(conn, dialect, _own(dialect), objects)
    named = _events_naming_children(conn, dialect, rows)
    return _groups(rows, named)


def made_or_used(conn: Connection, dialect: Dialect, events: Sequence[bytes], role: LinkRole) -> list[Group]:
    """The INPUT or OUTPUT links of transformations; the peer of such a link is its event."""
    stored = StoredRole.INPUT if role is LinkRole.INPUT else StoredRole.OUTPUT
    return _groups(_rows(conn, dialect, _ends(dialect, stored), events), frozenset())


def parts_of(conn: Connection, dialect: Dialect, objects: Sequence[bytes]) -> list[Group]:
    """The links that put something into these containers or made something one of these lots."""
    return _groups(_rows(conn, dialect, _parts(dialect), objects), frozenset())


# Built once for each kind of database: to build a statement takes longer than to run it for one item.


@cache
def _own(dialect: Dialect) -> Select[*tuple[Any, ...]]:
    return _grouped(dialect, dialect.in_keys(link.c.object_key))


@cache
def _ends(dialect: Dialect, role: StoredRole) -> Select[*tuple[Any, ...]]:
    return _grouped(dialect, dialect.in_keys(link.c.peer_key), link.c.role == role.value)


@cache
def _parts(dialect: Dialect) -> Select[*tuple[Any, ...]]:
    role = or_(
        and_(link.c.role == StoredRole.CHILD.value, link.c.action == ActionCode.ADD.value),
        link.c.role == StoredRole.MEMBER.value,
    )
    return _grouped(dialect, dialect.in_keys(link.c.peer_key), role)


@cache
def _events(dialect: Dialect) -> Select[*tuple[Any, ...]]:
    return select(*_EVENT).where(dialect.in_keys(event.c.event_key))


@cache
def _naming_children(dialect: Dialect) -> Select[*tuple[Any, ...]]:
    role = and_(link.c.role == StoredRole.CHILD.value, link.c.action == ActionCode.DELETE.value)
    return select(link.c.event_key).where(dialect.in_keys(link.c.peer_key), role).distinct()


def _grouped(dialect: Dialect, *where: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """A row for what one event did in one way, whatever the number of things: a pallet's thousand items give few."""
    return select(*_WHAT, dialect.key_list(link.c.object_key).label("objects")).where(*where).group_by(*_WHAT)


def _rows(
    conn: Connection, dialect: Dialect, statement: Select[*tuple[Any, ...]], keys: Sequence[bytes]
) -> list[Row[*tuple[Any, ...]]]:
    found: list[Row[*tuple[Any, ...]]] = []
    for start in range(0, len(keys), KEYS_AT_ONCE):
        found += dialect.select_keys(conn, statement, keys[start : start + KEYS_AT_ONCE])
    return found


def events_of(conn: Connection, dialect: Dialect, keys: Sequence[bytes]) -> list[EventRow]:
    """The events with these keys, in no order."""
    found = []
    for (
        key,
        moment,
        recorded,
        kind,
        step,
        disposition,
        point,
        location,
        source,
        name,
        correction,
        hash_key,
    ) in dialect.select_keys(conn, _events(dialect), keys):
        found.append(
            EventRow(
                key,
                moment,
                recorded,
                _TYPES[kind],
                step or "",
                disposition or "",
                point or "",
                location or "",
                source,
                name or "",
                correction,
                hash_key,
            )
        )
    return found


def uris_of(conn: Connection, dialect: Dialect, keys: Sequence[bytes]) -> dict[bytes, str]:
    """Object key → canonical URI."""
    rows = dialect.select_any(
        conn,
        lambda part: select(object_.c.object_key, object_.c.canonical_uri).where(
            dialect.in_values(object_.c.object_key, part)
        ),
        keys,
    )
    return {row.object_key: row.canonical_uri for row in rows}


def clocks_of(conn: Connection, dialect: Dialect, events: Sequence[bytes]) -> dict[bytes, str]:
    """Event → state of its sender's clock, for those whose sender told it."""
    rows = dialect.select_any(
        conn,
        lambda part: (
            select(event.c.event_key, capture.c.clock_state)
            .join_from(event, capture, event.c.capture_key == capture.c.capture_key)
            .where(dialect.in_values(event.c.event_key, part), capture.c.clock_state.isnot(None))
        ),
        events,
    )
    return {row.event_key: row.clock_state for row in rows}


def count_links(conn: Connection, dialect: Dialect, objects: Sequence[bytes]) -> int:
    """How many links the objects have now; links are only ever added, so an equal count means nothing new."""
    rows = dialect.select_any(
        conn,
        lambda part: select(func.count()).select_from(link).where(dialect.in_values(link.c.object_key, part)),
        objects,
    )
    return sum(row[0] for row in rows)


def _events_naming_children(
    conn: Connection, dialect: Dialect, rows: Iterable[Row[*tuple[Any, ...]]]
) -> frozenset[bytes]:
    """Of the events that took things out of a container, those that say which."""
    parents = {
        key for row in rows if row.role == StoredRole.PARENT and row.action == ActionCode.DELETE for key in row.objects
    }
    if not parents:
        return frozenset()
    found = dialect.select_keys(conn, _naming_children(dialect), sorted(parents))
    return frozenset(row.event_key for row in found)


def _groups(rows: Iterable[Row[*tuple[Any, ...]]], named: frozenset[bytes]) -> list[Group]:
    """By event time, then by what they say: so the links of each object come in one order, whoever is asked for."""
    found: list[Group] = []
    for event_time, event_key, peer_key, stored_role, action, quantity, uom, objects in rows:
        role = _ROLES.get((stored_role, action), LinkRole.OBJECT)
        if role is LinkRole.PARENT_CLEARED and event_key in named:
            role = LinkRole.PARENT
        found.append(Group(Link(event_time, event_key, peer_key, role, quantity, uom or ""), objects))
    found.sort(key=_order)
    return found


def _order(group: Group) -> tuple[object, ...]:
    link = group.link
    return (link.event_time, link.event_key, link.role, link.peer_key or b"", link.quantity or 0.0)
