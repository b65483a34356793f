"""An objection in JSON: the API and the commands share it."""

from __future__ import annotations

from typing import Any

from trace_server.objections.model import Objection, ObjectionState


def objection_json(row: Objection, *, within: bool) -> dict[str, Any]:
    """Who raised it sees how it stands; a proposal that no second person has decided on is told `within` only."""
    is_pending = row.state is ObjectionState.PROPOSED and not within
    return {
        "objection_id": row.objection_id,
        "kind": row.kind.value,
        "target": row.target,
        "uscc": row.uscc,
        "state": ObjectionState.RAISED.value if is_pending else row.state.value,
        "claim": row.claim,
        "papers": list(row.papers),
        "representative": row.representative,
        "raised_at": row.raised_at.isoformat(),
        "due_at": row.due_at.isoformat() if row.due_at else None,
        "remedy": "" if is_pending else row.remedy.value,
        "changes": {} if is_pending else dict(row.changes),
        "reason": "" if is_pending else row.reason,
        "document_no": "" if is_pending else row.document_no,
        "version": row.version,
    }
