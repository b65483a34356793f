"""Recalls as JSON, the same over HTTP and from the command line; and scope and notice as they come in."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from trace_server.recall.model import Affected, HolderNotice, Milestone, Recall, Reconciliation


def recall_json(row: Recall) -> dict[str, Any]:
    """Without the affected set."""
    scope = row.scope
    return asdict(row) | {
        "state": row.state.value,
        "created_at": row.created_at.isoformat(),
        "announced_at": _time(row.announced_at),
        "notified_at": _time(row.notified_at),
        "reconciled_at": _time(row.reconciled_at),
        "scope": {
            "batches": [{"gtin": gtin, "lot": lot} for gtin, lot in scope.batches],
            "items": list(scope.items),
            "site": scope.site,
            "since": _time(scope.since),
            "until": _time(scope.until),
        },
    }


def affected_json(row: Affected) -> dict[str, Any]:
    return {name: value for name, value in asdict(row).items() if name != "key"} | {"status": row.status.value}


def notice_json(row: HolderNotice) -> dict[str, Any]:
    return asdict(row) | {"sent_at": row.sent_at.isoformat(), "answered_at": _time(row.answered_at)}


def sums_json(sums: Reconciliation) -> dict[str, Any]:
    return asdict(sums) | {"lines": [asdict(line) for line in sums.lines], "unanswered": list(sums.unanswered)}


def milestone_json(row: Milestone) -> dict[str, Any]:
    return asdict(row) | {"due_at": row.due_at.isoformat(), "done_at": _time(row.done_at)}


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
