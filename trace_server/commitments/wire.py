"""A commitment in JSON: the API and the commands share it."""

from __future__ import annotations

from typing import Any

from trace_server.commitments import rules
from trace_server.commitments.model import Commitment


def commitment_json(row: Commitment, *, within: bool) -> dict[str, Any]:
    """`record` by official name; a finding that no second person has confirmed is told `within` the authority only."""
    told: dict[str, Any] = {
        "code": row.code,
        "state": (row.state if within else row.told_state).value,
        "record": rules.shared_fields(row),
        "objection": bool(row.objection),
        "remedied_on": row.remedied_on.isoformat() if row.remedied_on else None,
        "signed_at": row.signed_at.isoformat(),
        "reason": row.reason if within or row.told_state is row.state else "",
        "document_no": row.document_no if within or row.told_state is row.state else "",
        "version": row.version,
    }
    if within and row.told_finding is not row.finding:
        found = row.finding
        told["proposed"] = {
            "承诺履行状态": found.performance.value,
            "未履行的承诺内容": found.unfulfilled,
            "违诺责任追究内容": found.pursued,
        }
    return told
