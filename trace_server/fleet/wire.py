"""The JSON of the fleet, the same for the API and the commands."""

from __future__ import annotations

import base64
import hmac
from typing import Any

from trace_core.errors import InputError
from trace_server.config import Settings
from trace_server.fleet.model import SettingsVersion, Standing
from trace_server.fleet.rules import table

_PURPOSE = b"suyuan fleet cursor v1"
_MAC_BYTES = 16


def standing_json(found: Standing) -> dict[str, Any]:
    """One gateway of the list."""
    known, beat = found.gateway, found.heartbeat
    report = beat.report if beat else {}
    running = table(report, "settings").get("version")
    return {
        "gateway_id": known.gateway_id,
        "site": known.site,
        "read_points": list(known.read_points),
        "state": known.state.value,
        "auto_approve": known.auto_approve,
        "health": found.health.value,
        "reasons": list(found.reasons),
        "software": str(report.get("software") or known.software),
        "hostname": known.hostname,
        "key_id": known.key_id or None,
        "key_made_at": known.key_made_at.isoformat() if known.key_made_at else None,
        "created_at": known.created_at.isoformat(),
        "last_seen": beat.received_at.isoformat() if beat else None,
        "settings_issued": found.settings_version,
        "settings_running": running if isinstance(running, int) else None,
        "report": dict(report) if beat else None,
    }


def settings_json(found: SettingsVersion) -> dict[str, Any]:
    """One settings version."""
    return {
        "gateway_id": found.gateway_id,
        "version": found.version,
        "issued_at": found.issued_at.isoformat(),
        "issued_by": found.issued_by,
        "settings": dict(found.settings),
        "result": found.result or None,
        "reason": found.reason,
        "result_at": found.result_at.isoformat() if found.result_at else None,
    }


def write_cursor(gateway_id: str, settings: Settings) -> str:
    """Opaque and signed: the list behind this id."""
    head = gateway_id.encode()
    return base64.urlsafe_b64encode(_mac(head, settings) + head).decode()


def read_cursor(text: str, settings: Settings) -> str:
    """The id in a cursor, "" for none. Raises `InputError`."""
    if not text:
        return ""
    try:
        raw = base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
        head = raw[_MAC_BYTES:].decode()
    except ValueError as error:
        raise _no_cursor() from error
    if not hmac.compare_digest(raw[:_MAC_BYTES], _mac(head.encode(), settings)):
        raise _no_cursor()
    return head


def _no_cursor() -> InputError:
    return InputError("this is no cursor of this server", where="cursor", remedy="use next_cursor as it was given")


def _mac(head: bytes, settings: Settings) -> bytes:
    return hmac.digest(settings.derived_key(_PURPOSE), head, "sha256")[:_MAC_BYTES]
