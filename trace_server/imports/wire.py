"""Imports in JSON: one shape over HTTP and on the command line."""

from __future__ import annotations

from typing import Any

from trace_server.imports.feeds import Feed
from trace_server.imports.model import ImportKind, Row, Run
from trace_server.imports.registered import require
from trace_server.imports.rules import sentence


def run_json(run: Run) -> dict[str, Any]:
    """One import."""
    return {
        "import_id": run.import_id,
        "kind": run.order.kind,
        "template": run.order.template,
        "format": run.format,
        "file_name": run.order.file_name,
        "source": run.order.source,
        "category": run.order.category,
        "sha256": run.sha256,
        "state": run.state.value,
        "rows": run.total,
        "taken": run.taken,
        "unchanged": run.unchanged,
        "refused": run.refused,
        "submitted_by": run.owner,
        "created_at": run.created_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "job": run.job_key.hex() if run.job_key else None,
    }


def errors_json(run: Run, rows: list[Row], language: str) -> list[dict[str, Any]]:
    """One object for each fault of these rows."""
    kind = require(run.order.kind)
    return [error for row in rows for error in _row_errors(kind, run, row, language)]


def feed_json(feed: Feed) -> dict[str, Any]:
    """One item of the catalogue and how its feed stands."""
    item = feed.item
    return {
        "id": item.id,
        "item": item.item,
        "item_en": item.item_en,
        "kind": item.kind,
        "source": item.source,
        "department": item.department,
        "every_days": item.every_days,
        "publicity": item.publicity.value,
        "basis": item.basis,
        "confirmed": item.confirmed,
        "state": feed.state.value,
        "last_at": feed.last_at.isoformat() if feed.last_at else None,
        "due_at": feed.due_at.isoformat() if feed.due_at else None,
        "days_late": feed.days_late,
    }


def _row_errors(kind: ImportKind, run: Run, row: Row, language: str) -> list[dict[str, Any]]:
    return [
        {
            "row": row.number,
            "field": fault.column,
            "code": fault.code,
            "message": sentence(kind, run.order.template, fault, language),
        }
        for fault in row.faults
    ]
