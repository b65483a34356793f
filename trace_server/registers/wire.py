"""Tag ranges in JSON: one shape over HTTP and on the command line."""

from __future__ import annotations

from typing import Any

from trace_server.registers.model import TagRange


def range_json(row: TagRange) -> dict[str, Any]:
    """One range."""
    return {
        "range_id": row.range_id,
        "uscc": row.uscc,
        "gtin": row.gtin,
        "first": row.span.first,
        "last": row.span.last,
        "quota": row.quota,
        "issued": row.issued,
        "left": row.left,
        "state": row.state.value,
        "purpose": row.purpose,
        "requested_by": row.requested_by,
        "requested_at": row.requested_at.isoformat(),
        "decided_by": row.decided_by,
        "decided_at": row.decided_at.isoformat() if row.decided_at else None,
        "reason": row.reason,
        "valid_from": row.valid_from.isoformat() if row.valid_from else None,
        "valid_to": row.valid_to.isoformat() if row.valid_to else None,
        "version": row.version,
    }
