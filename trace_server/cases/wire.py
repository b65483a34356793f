"""Cases in JSON: one shape over HTTP and on the command line."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from trace_server.cases.model import Case, Dossier, Entry, Precision, Transfer


def case_json(case: Case) -> dict[str, Any]:
    """One case."""
    return {
        "case_id": case.case_id,
        "title": case.title,
        "subject": case.subject,
        "category": case.category,
        "region": case.region,
        "department": case.department,
        "state": case.state.value,
        "handler": case.handler,
        "opened_by": case.opened_by,
        "opened_at": case.opened_at.isoformat(),
        "due_at": _time(case.due_at),
        "due_confirmed": case.due_confirmed,
        "record_id": case.record_id,
        "version": case.version,
    }


def dossier_json(dossier: Dossier) -> dict[str, Any]:
    """A case with everything that belongs to it."""
    return {
        **case_json(dossier.case),
        "entries": [_entry_json(entry) for entry in dossier.entries],
        "transfers": [transfer_json(transfer) for transfer in dossier.transfers],
        "alerts": [key.hex() for key in dossier.alerts],
        "joint": [
            {"case_id": one.case_id, "department": one.department, "state": one.state.value} for one in dossier.joint
        ],
    }


def transfer_json(transfer: Transfer) -> dict[str, Any]:
    """One transfer with its receipt."""
    return {
        "case_id": transfer.case_id,
        "number": transfer.number,
        "from_department": transfer.from_department,
        "to_department": transfer.to_department,
        "is_outside": transfer.is_outside,
        "reason": transfer.reason,
        "sent_by": transfer.sent_by,
        "sent_at": transfer.sent_at.isoformat(),
        "due_at": transfer.due_at.isoformat(),
        "receipt": transfer.receipt,
        "answered_by": transfer.answered_by,
        "answered_at": _time(transfer.answered_at),
        "answer": transfer.answer,
    }


def precision_json(found: Precision) -> dict[str, Any]:
    """How often a rule was right; `share` is null before anything was triaged."""
    return {
        "rule": found.rule_id,
        "suspected": found.suspected,
        "benign": found.benign,
        "false_data": found.false_data,
        "share": found.share,
    }


def _entry_json(entry: Entry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "at": entry.at.isoformat(),
        "actor": entry.actor,
        "event": entry.event,
        "text": entry.text,
        "document_no": entry.document_no,
    }


def _time(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
