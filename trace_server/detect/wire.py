"""Alerts in JSON: one shape over HTTP and on the command line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from trace_server.detect.detector import Detector
from trace_server.detect.model import Alert
from trace_server.detect.tanks import Act, Load


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
        "region": alert.region,
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
        "severity": detector.severity.value,
        "subject_kind": detector.subject_kind.value,
        "also_kinds": [kind.value for kind in detector.also_kinds],
        "guard": detector.guard,
        "basis": detector.basis,
        "by_events": detector.find is not None,
        "sweep_every_s": detector.sweep_every_s if detector.sweep is not None else None,
        "params": [
            {"name": param.name, "default": param.default, "unit": param.unit, "basis": param.basis}
            for param in detector.params
        ],
    }


def tank_json(act: Act) -> dict[str, str]:
    """A load or a cleaning of a tank."""
    told = {"event": act.part.event_key.hex(), "event_time": act.part.event_time.isoformat()}
    if isinstance(act, Load):
        kind = "food" if act.is_food else "non-food"
        return {"act": "load", **told, "cargo": act.cargo, "cargo_class": kind, "permit": act.permit}
    return {"act": "cleaning", **told, "certificate": act.certificate}
