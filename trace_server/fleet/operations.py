"""Use cases of the fleet; each change is one transaction with its audit entry."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from trace_core.errors import Conflict, NotFound
from trace_core.fleet import Sealed, SettingsDocument, check_remote, encode_settings, seal_settings, settings_input
from trace_server import audit
from trace_server.accounts import store as accounts
from trace_server.accounts.model import Gateway
from trace_server.blocklist.signing import ListSigner
from trace_server.blocklist.store import current_version
from trace_server.db import Connection, Database
from trace_server.fleet import rules, store
from trace_server.fleet.model import Heartbeat, Orders, SettingsVersion, Standing


def hear(db: Database, now: datetime, gateway: Gateway, body: bytes) -> Orders:
    """Keep a heartbeat, and what it says of the settings. Returns what the gateway should know.

    Raises `InputError` for what is no heartbeat, `Conflict` for one that was heard before.
    """
    beat = rules.read_heartbeat(gateway.gateway_id, body, now)
    with db.begin() as conn:
        known = store.heartbeat(conn, gateway.gateway_id)
        if known is not None and known.boot_id == beat.boot_id and known.monotonic >= beat.monotonic:
            raise Conflict("this heartbeat was heard before", where="/monotonic")
        store.put_heartbeat(db.dialect, conn, beat)
        _note_outcome(conn, now, gateway.gateway_id, beat)
        return Orders(
            server_time=now,
            config_version=store.current_version(conn, gateway.gateway_id),
            block_list_version=current_version(conn),
            rotate_key=rules.is_rotation_due(gateway, now),
        )


def set_settings(
    db: Database, now: datetime, actor: str, gateway_id: str, settings: dict[str, Any], base: int | None = None
) -> SettingsVersion:
    """Issue the next version for a gateway: the whole document, not a change to it.

    `base`: the version that the editor saw; `Conflict` when it is not the newest any more. Raises `NotFound`, or
    `InputError` with the pointer of what may not be set from afar.
    """
    check_remote(settings)
    rules.require_storable(settings, "/settings")
    with db.begin() as conn:
        if accounts.gateway_by_id(conn, gateway_id) is None:  # locked: two editors make two versions
            raise NotFound(f"there is no gateway {gateway_id!r}", where="gateway_id")
        newest = store.current_version(conn, gateway_id)
        if base is not None and base != newest:
            raise Conflict(f"version {newest} is the newest, not {base}", where="base", remedy="look at it first")
        issued = SettingsVersion(gateway_id, newest + 1, now, actor, settings)
        store.add_version(conn, issued)
        detail = {"version": issued.version, "settings": settings}
        audit.record(conn, now, actor, "gateway.settings", gateway_id, detail)
    return issued


def show_settings(db: Database, gateway_id: str, version: int | None = None) -> SettingsVersion:
    """One version, the newest by default. Raises `NotFound`."""
    with db.read() as conn:
        found = store.version(conn, gateway_id, version or store.current_version(conn, gateway_id))
    if found is None:
        raise NotFound(f"no settings of gateway {gateway_id!r}", where="version", remedy="issue some")
    return found


def list_settings(db: Database, gateway_id: str) -> Sequence[SettingsVersion]:
    """All versions of a gateway, the newest first."""
    with db.read() as conn:
        return store.versions(conn, gateway_id)


def sealed_settings(db: Database, gateway_id: str, signer: ListSigner) -> bytes:
    """The newest version as it travels. The same version gives the same bytes. Raises `NotFound`."""
    issued = show_settings(db, gateway_id)
    content = encode_settings(SettingsDocument(gateway_id, issued.version, issued.issued_at, issued.settings))
    return seal_settings(Sealed(signer.key_id, signer.key.sign(settings_input(content)), content))


def list_standings(db: Database, now: datetime, after: str, limit: int) -> list[Standing]:
    """At most `limit` gateways behind id `after`, with their health."""
    with db.read() as conn:
        found = accounts.gateways_after(conn, after, limit)
        return _standings(conn, found, now)


def standing(db: Database, now: datetime, gateway_id: str) -> Standing:
    """One gateway. Raises `NotFound`."""
    with db.read() as conn:
        found = accounts.gateway_of_id(conn, gateway_id)
        if found is None:
            raise NotFound(f"there is no gateway {gateway_id!r}", where="gateway_id")
        return _standings(conn, [found], now)[0]


def _standings(conn: Connection, found: Sequence[Gateway], now: datetime) -> list[Standing]:
    ids = [gateway.gateway_id for gateway in found]
    beats, newest = store.heartbeats(conn, ids), store.current_versions(conn, ids)
    standings = []
    for gateway in found:
        beat, issued = beats.get(gateway.gateway_id), newest.get(gateway.gateway_id)
        health, reasons = rules.judge(gateway, beat, issued, now)
        standings.append(Standing(gateway, health, reasons, beat, issued.version if issued else 0))
    return standings


def _note_outcome(conn: Connection, now: datetime, gateway_id: str, beat: Heartbeat) -> None:
    told = rules.outcome(beat.report)
    if told is None:
        return
    number, result, reason = told
    issued = store.version(conn, gateway_id, number)
    if issued is None or (issued.result, issued.reason) == (result, reason):
        return
    store.set_result(conn, gateway_id, number, result, reason, now)
    detail = {"version": number, "result": result, "reason": reason}
    audit.record(conn, now, f"gateway:{gateway_id}", "gateway.settings-tried", gateway_id, detail)
