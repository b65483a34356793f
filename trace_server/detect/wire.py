"""Alerts in JSON: one shape over HTTP and on the command line."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

from trace_core.errors import InputError
from trace_server.detect.detector import Detector
from trace_server.detect.model import Alert

_PLACE = re.compile(r"([0-9T:.+\-]{20,40})_([0-9a-f]{32})\Z")


def write_place(alert: Alert) -> str:
    """A cursor of the listing."""
    return f"{alert.opened_at.isoformat()}_{alert.alert_key.hex()}"


def read_place(text: str) -> tuple[datetime, bytes] | None:
    """The reverse; "" is the start. Raises `InputError`."""
    if not text:
        return None
    wrong = InputError("this is no cursor of this server", where="cursor", remedy="use next_cursor as it was given")
    found = _PLACE.match(text)
    if found is None:
        raise wrong
    try:
        moment = datetime.fromisoformat(found[1])
    except ValueError as error:
        raise wrong from error
    if moment.tzinfo is None:
        raise wrong
    return moment, bytes.fromhex(found[2])


def alert_json(alert: Alert, now: datetime) -> dict[str, Any]:
    """One alert. `subject_kind` is what it is now: `data` while a late upload may explain it."""
    return {
        "id": alert.alert_key.hex(),
        "rule": alert.rule_id,
        "rule_version": alert.rule_version,
        "state": alert.state.value,
        "subject_kind": alert.kind_at(now).value,
        "provisional_until": alert.provisional_until.isoformat() if alert.provisional_until else None,
        "subject": alert.subject,
        "group": alert.group_key,
        "count": alert.count,
        "first_seen": alert.first_seen.isoformat(),
        "last_seen": alert.last_seen.isoformat(),
        "opened_at": alert.opened_at.isoformat(),
        "cleared_why": alert.cleared_why,
        "values": dict(alert.values),
        "evidence": [
            {"event": one.event_key.hex(), "event_time": one.event_time.isoformat(), "value": one.value}
            for one in alert.evidence
        ],
    }


def detector_json(detector: Detector) -> dict[str, Any]:
    """What a detector declares."""
    return {
        "id": detector.id,
        "version": detector.version,
        "title": {"zh-CN": detector.title_zh, "en": detector.title_en},
        "subject_kind": detector.subject_kind.value,
        "guard": detector.guard,
        "basis": detector.basis,
        "params": [
            {"name": param.name, "default": param.default, "unit": param.unit, "basis": param.basis}
            for param in detector.params
        ],
    }
