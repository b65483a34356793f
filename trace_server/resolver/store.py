"""SQL of the resolver."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update

from trace_core.ids.canonical import canonical_key
from trace_server.db import Connection, Dialect
from trace_server.resolver.model import Host, HostState, Link
from trace_server.resolver.rules import MAX_LINKS, target
from trace_server.resolver.tables import resolver_host, resolver_link


def host(conn: Connection, name: str) -> Host | None:
    """One host of the register."""
    row = conn.execute(select(resolver_host).where(resolver_host.c.host == name)).one_or_none()
    return _host(row) if row else None


def hosts(conn: Connection) -> list[Host]:
    """The register, by name."""
    return [_host(row) for row in conn.execute(select(resolver_host).order_by(resolver_host.c.host))]


def add_host(conn: Connection, row: Host) -> None:
    """A host that the register does not have."""
    conn.execute(insert(resolver_host).values(**_host_values(row)))


def save_host(conn: Connection, row: Host) -> None:
    """A host as it is now."""
    conn.execute(update(resolver_host).where(resolver_host.c.host == row.host).values(**_host_values(row)))


def add_link(conn: Connection, link: Link, actor: str, now: datetime) -> None:
    """One more link of its anchor."""
    conn.execute(
        insert(resolver_link).values(
            object_key=canonical_key(link.anchor),
            link_id=link.link_id,
            anchor=link.anchor,
            link_type=link.link_type,
            href=link.href,
            title=link.title,
            language=link.language,
            media_type=link.media_type,
            is_default=link.is_default,
            forward_query=link.forward_query,
            created_by=actor,
            created_at=now,
        )
    )


def link(conn: Connection, link_id: str, anchor: str) -> Link | None:
    """One link of `anchor`."""
    query = select(resolver_link).where(
        resolver_link.c.object_key == canonical_key(anchor), resolver_link.c.link_id == link_id
    )
    row = conn.execute(query).one_or_none()
    return _link(row) if row else None


def remove_link(conn: Connection, link_id: str, anchor: str) -> None:
    """Forget one link."""
    conn.execute(
        delete(resolver_link).where(
            resolver_link.c.object_key == canonical_key(anchor), resolver_link.c.link_id == link_id
        )
    )


def count_links(conn: Connection, anchor: str) -> int:
    """How many links start from `anchor`."""
    query = select(func.count()).where(resolver_link.c.object_key == canonical_key(anchor))
    return int(conn.execute(query).scalar_one())


def links(conn: Connection, dialect: Dialect, anchors: Sequence[str], *, approved_only: bool = True) -> list[Link]:
    """Links of `anchors`, in the order of the anchors, then by type and age; `approved_only`: to approved hosts."""
    keys = [canonical_key(anchor) for anchor in anchors]
    query = (
        select(resolver_link)
        .where(dialect.in_values(resolver_link.c.object_key, keys))
        .order_by(resolver_link.c.link_type, resolver_link.c.created_at, resolver_link.c.link_id)
        .limit(MAX_LINKS)
    )
    found = [_link(row) for row in conn.execute(query)]
    if approved_only and found:
        allowed = {row.host for row in hosts(conn) if row.state is HostState.APPROVED}
        found = [one for one in found if target(one.href) in allowed]
    return sorted(found, key=lambda one: anchors.index(one.anchor))


def _host_values(row: Host) -> dict[str, object]:
    return {
        "host": row.host,
        "state": row.state,
        "proposed_by": row.proposed_by,
        "decided_by": row.decided_by,
        "reason": row.reason,
        "updated_at": row.updated_at,
    }


def _host(row: Row[Any]) -> Host:
    return Host(row.host, HostState(row.state), row.proposed_by, row.decided_by, row.reason, row.updated_at)


def _link(row: Row[Any]) -> Link:
    names = ("anchor", "link_type", "href", "title", "language", "media_type", "is_default", "forward_query", "link_id")
    return Link(*(getattr(row, name) for name in names))
