"""Use cases of the list: publish a new version when it would say something new, and hand out the newest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from trace_core.errors import Conflict
from trace_server import audit
from trace_server.blocklist import rules, store
from trace_server.blocklist.model import BlockList
from trace_server.db import Connection, Database, Dialect
from trace_server.equipment import store as equipment
from trace_server.equipment.model import Asset

LEGAL_TIME = ZoneInfo("Asia/Shanghai")
"""A last day ends at midnight there, wherever the server stands."""
ACTOR = "job:block-list"
RENEW_AFTER = timedelta(hours=6)
"""A list that says nothing new is published again after this: its age tells a gate how long it heard nothing."""
KEEP = timedelta(days=30)
"""Older versions are no gate's any more; that they were published stays in the audit log."""


def refresh(db: Database, now: datetime) -> int:
    """Publish a new version if what is blocked changed, or the newest grew old. Returns the version in force."""
    with db.begin() as conn:
        lines = _lines(conn, now)
        known = store.newest(conn)
        if known is not None and known[1] == rules.digest(lines) and now - known[0].issued_at < RENEW_AFTER:
            return known[0].version
        return _publish(conn, lines, version=known[0].version + 1 if known else 1, now=now, actor=ACTOR)


def set_recalled(conn: Connection, dialect: Dialect, cause: str, uris: Mapping[str, bool]) -> None:
    """Exactly these URIs (→ whether a class is named) are recalled by `cause`; the next version says so."""
    store.set_recalled(conn, dialect, cause, uris)


def fingerprint(db: Database, now: datetime) -> tuple[object, ...]:
    """Equal twice: nothing that is known to change the list has changed, the list need not be made to see it."""
    with db.read() as conn:
        return store.fingerprint(conn, now.astimezone(LEGAL_TIME).date())


def publish(db: Database, now: datetime, *, actor: str, version: int | None = None) -> int:
    """Publish now, whatever changed, under `version` or the next number. Returns the number.

    Gateways refuse a number below the one they hold: after a restore of this server name a higher one. Raises
    `Conflict` for a number that is not above the newest.
    """
    with db.begin() as conn:
        newest = store.current_version(conn)
        if version is not None and version <= newest:
            raise Conflict(f"version {newest} is published already", where="version", remedy="name a higher one")
        return _publish(conn, _lines(conn, now), version=version or newest + 1, now=now, actor=actor)


def import_assets(db: Database, document: object, *, actor: str, now: datetime) -> int:
    """Take the facts of assets; all rows or none. Returns how many. Raises `InputError` with the row's pointer."""
    assets = rules.read_assets(document)
    with db.begin() as conn:
        equipment.put_assets(db.dialect, conn, assets)
        audit.record(conn, now, actor, "block-list.assets", "assets", {"rows": len(assets)})
    return len(assets)


def assets(db: Database) -> Sequence[Asset]:
    """All assets, in the order of their URIs."""
    with db.read() as conn:
        return equipment.assets(conn)


def newest(db: Database) -> BlockList | None:
    """The list in force; None before the first."""
    with db.read() as conn:
        known = store.newest(conn)
    return known[0] if known else None


def _lines(conn: Connection, now: datetime) -> list[rules.Line]:
    blocked = store.blocked_batches(conn, now.astimezone(LEGAL_TIME).date())
    return rules.entries(blocked, store.recalled(conn)) + rules.equipment_lines(equipment.assets(conn))


def _publish(conn: Connection, lines: list[rules.Line], *, version: int, now: datetime, actor: str) -> int:
    store.publish(conn, version=version, issued_at=now, digest=rules.digest(lines), entries=lines)
    store.drop_before(conn, now - KEEP, keep=version)
    audit.record(conn, now, actor, "block-list.publish", str(version), {"entries": len(lines)})
    return version
