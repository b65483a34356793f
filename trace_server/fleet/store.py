"""Every statement about heartbeats and settings of gateways."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, insert, select, update

from trace_server.db import Connection, Dialect
from trace_server.fleet.model import Heartbeat, SettingsVersion
from trace_server.fleet.tables import gateway_heartbeat, gateway_settings


def put_heartbeat(dialect: Dialect, conn: Connection, beat: Heartbeat) -> None:
    """Replace what was known of this gateway."""
    row = {
        "gateway_id": beat.gateway_id,
        "received_at": beat.received_at,
        "boot_id": beat.boot_id,
        "monotonic": beat.monotonic,
        "report": dict(beat.report),
    }
    dialect.upsert(conn, gateway_heartbeat, [row], key=["gateway_id"], update=[n for n in row if n != "gateway_id"])


def heartbeat(conn: Connection, gateway_id: str) -> Heartbeat | None:
    return heartbeats(conn, [gateway_id]).get(gateway_id)


def heartbeats(conn: Connection, gateway_ids: Collection[str]) -> dict[str, Heartbeat]:
    """The newest of each; a page's worth of ids."""
    found = select(gateway_heartbeat).where(gateway_heartbeat.c.gateway_id.in_(gateway_ids))
    return {
        row.gateway_id: Heartbeat(row.gateway_id, row.received_at, row.boot_id, row.monotonic, row.report)
        for row in conn.execute(found)
    }


def silent_since(conn: Connection, heard_before: datetime) -> list[tuple[str, datetime]]:
    """Gateways whose newest heartbeat is older, with its time."""
    columns = (gateway_heartbeat.c.gateway_id, gateway_heartbeat.c.received_at)
    found = select(*columns).where(gateway_heartbeat.c.received_at < heard_before).order_by(columns[0])
    return [(row.gateway_id, row.received_at) for row in conn.execute(found)]


def current_version(conn: Connection, gateway_id: str) -> int:
    """Newest settings version of a gateway, 0 before the first."""
    newest = select(func.coalesce(func.max(gateway_settings.c.version), 0))
    return int(conn.execute(newest.where(gateway_settings.c.gateway_id == gateway_id)).scalar_one())


def current_versions(conn: Connection, gateway_ids: Collection[str]) -> dict[str, SettingsVersion]:
    """The newest settings of each; a page's worth of ids."""
    newest = (
        select(gateway_settings.c.gateway_id, func.max(gateway_settings.c.version).label("version"))
        .where(gateway_settings.c.gateway_id.in_(gateway_ids))
        .group_by(gateway_settings.c.gateway_id)
        .subquery()
    )
    both = (gateway_settings.c.gateway_id == newest.c.gateway_id) & (gateway_settings.c.version == newest.c.version)
    rows = conn.execute(select(gateway_settings).join(newest, both))
    return {row.gateway_id: _version(row) for row in rows}


def add_version(conn: Connection, new: SettingsVersion) -> None:
    conn.execute(
        insert(gateway_settings).values(
            gateway_id=new.gateway_id,
            version=new.version,
            issued_at=new.issued_at,
            issued_by=new.issued_by,
            settings=dict(new.settings),
            result="",
            reason="",
        )
    )


def version(conn: Connection, gateway_id: str, number: int) -> SettingsVersion | None:
    which = (gateway_settings.c.gateway_id == gateway_id) & (gateway_settings.c.version == number)
    row = conn.execute(select(gateway_settings).where(which)).first()
    return _version(row) if row else None


def versions(conn: Connection, gateway_id: str) -> list[SettingsVersion]:
    """All, the newest first."""
    found = select(gateway_settings).where(gateway_settings.c.gateway_id == gateway_id)
    return [_version(row) for row in conn.execute(found.order_by(gateway_settings.c.version.desc()))]


def set_result(conn: Connection, gateway_id: str, number: int, result: str, reason: str, at: datetime) -> None:
    which = (gateway_settings.c.gateway_id == gateway_id) & (gateway_settings.c.version == number)
    conn.execute(update(gateway_settings).where(which).values(result=result, reason=reason, result_at=at))


def _version(row: Row[*tuple[Any, ...]]) -> SettingsVersion:
    return SettingsVersion(
        row.gateway_id,
        row.version,
        row.issued_at,
        row.issued_by,
        row.settings,
        result=row.result,
        reason=row.reason,
        result_at=row.result_at,
    )
