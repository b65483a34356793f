"""Records and log entries as the JSON that leaves the archive: feed, subject view and commands share it.

A record that has stopped (repaired, expired, withdrawn) is no longer shared: its entries, the older ones too, keep
the keys that a consumer needs to find and drop its copy, and nothing else.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from trace_server.credit.coding import OBJECTION_FIELD, UNDER_OBJECTION, shared_codes
from trace_server.credit.model import STOPPED, Change, SharedChange, SharedVersion, ViolationRecord
from trace_server.credit.regimes import Policy

KEY_CODES = ("CF_WSH", "CF_CFJGDM")
"""What names a decision; all that is left of a stopped record."""


def change_json(change: Change | SharedChange, policy: Policy) -> dict[str, Any]:
    """One item of the feed; `record` by official code, `ext` ours."""
    if isinstance(change, SharedChange):
        item = change.item
        told = shared_json(item, has_stopped=change.stopped)
        return {"seq": change.seq, "op": item.op.value, "supersedes": item.version - 1 or None, **told}
    record = change.record
    ext = _ext(record, policy, stopped=change.stopped)
    if change.diff and not change.stopped:
        ext["changes"] = [{"code": d.code, "before": d.before, "after": d.after} for d in change.diff]
    return {
        "seq": change.seq,
        "op": change.op.value,
        "record_id": record.record_id,
        "version": record.version,
        "supersedes": change.supersedes,
        "effective_at": _utc(record.effective_at),
        "record": _codes(record, stopped=change.stopped),
        "ext": ext,
    }


def record_json(record: ViolationRecord, policy: Policy, *, has_stopped: bool = False) -> dict[str, Any]:
    """A version of a record, in the form of a feed item without its place in the log.

    `has_stopped`: a later version has ended it, so that the content of this one is not shared either.
    """
    stopped = has_stopped or record.state in STOPPED
    return {
        "record_id": record.record_id,
        "version": record.version,
        "effective_at": _utc(record.effective_at),
        "record": _codes(record, stopped=stopped),
        "ext": _ext(record, policy, stopped=stopped),
    }


def shared_json(item: SharedVersion, *, has_stopped: bool = False) -> dict[str, Any]:
    """As `record_json`, of something that is no penalty."""
    stopped = has_stopped or item.has_stopped
    ext: dict[str, Any] = {"kind": item.kind, "state": item.state, "shared": not stopped, "reason": item.reason or None}
    ext["document"] = item.document or None
    if not stopped:
        ext |= {"region": item.region, "category": item.category or None}
        ext["objection"] = item.record.get(OBJECTION_FIELD) == UNDER_OBJECTION
    return {
        "record_id": item.record_id,
        "version": item.version,
        "effective_at": _utc(item.effective_at),
        "record": {name: text for name, text in item.record.items() if not stopped or name in item.key_fields},
        "ext": ext,
    }


def _codes(record: ViolationRecord, *, stopped: bool) -> dict[str, str]:
    codes = shared_codes(record.decision)
    return {code: codes[code] for code in KEY_CODES} if stopped else codes


def _ext(record: ViolationRecord, policy: Policy, *, stopped: bool) -> dict[str, Any]:
    ext: dict[str, Any] = {
        "kind": "penalty",
        "state": record.state.value,
        "shared": not stopped,
        "reason": record.reason,
        "document": record.document,
        "policy_version": record.policy_version,
    }
    if stopped:
        return ext
    regime = policy.regime(record.regime)
    return ext | {
        "severity": record.severity.value,
        "severity_name": regime.names[record.severity] if regime else None,
        "regime": record.regime,
        "public": record.public,
        "window_min_end": record.window_min_end.isoformat(),
        "window_max_end": record.window_max_end.isoformat(),
        "category": record.category,
        "procedure": record.procedure.value,
        "region": record.region(),
        "batches": list(record.batches),
        "evidence_ref": record.evidence_ref,
        "objection": bool(record.objection),
    }


def _utc(moment: datetime) -> str:
    """RFC 3339 in UTC, spelled as every answer of the API spells it."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
