"""Memberships and answers in JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from trace_server.lists.model import Application, Measure, Membership, PageLink, Restriction


def membership_json(row: Membership) -> dict[str, Any]:
    """One membership."""
    return {
        "membership_id": row.membership_id,
        "list": row.list_id,
        "uscc": row.uscc,
        "reason": row.reason,
        "legal_basis": row.legal_basis,
        "document_no": row.document_no,
        "issuer": row.issuer,
        "state": row.state.value,
        "objections_until": row.objections_until.isoformat() if row.objections_until else None,
        "listed_on": row.listed_on.isoformat() if row.listed_on else None,
        "until": row.until.isoformat() if row.until else None,
        "ended_on": row.ended_on.isoformat() if row.ended_on else None,
        "end_reason": row.end_reason,
        "objection": bool(row.objection),
        "version": row.version,
    }


def measure_json(measure: Measure) -> dict[str, Any]:
    """One measure of the catalogue."""
    return {
        "measure_id": measure.id,
        "list": measure.list,
        "field": measure.field,
        "effect": measure.effect.value,
        "title": {"zh-CN": measure.title, "en": measure.title_en},
        "department": measure.department,
        "legal_basis": measure.legal_basis,
        "effective_from": measure.effective_from.isoformat(),
        "confirmed": measure.confirmed,
    }


def restriction_json(found: Restriction) -> dict[str, Any]:
    """The answer to a check."""
    return {
        "uscc": found.uscc,
        "field": found.field,
        "effect": found.effect.value,
        "until": found.until.isoformat() if found.until else None,
        "measures": [
            {**measure_json(measure), "because_of": row.document_no, "issuer": row.issuer,
             "until": row.until.isoformat() if row.until else None, "objection": bool(row.objection)}
            for measure, row in found.measures
        ],
    }  # fmt: skip


def page_json(link: PageLink, public_url: str) -> dict[str, Any]:
    """Addresses of a check's page and badge."""
    query = urlencode({"field": link.field, "until": link.until, "s": link.signature})
    path = f"{public_url.rstrip('/')}/check/{link.uscc}"
    until = datetime.fromtimestamp(link.until, UTC)
    return {"page": f"{path}?{query}", "badge": f"{path}/badge.svg?{query}", "valid_until": until.isoformat()}


def application_json(row: Application) -> dict[str, Any]:
    """Feedback on a measure."""
    return {
        "application_id": row.application_id,
        "uscc": row.uscc,
        "measure_id": row.measure_id,
        "department": row.department,
        "result": row.result,
        "reported_at": row.reported_at.isoformat(),
    }
