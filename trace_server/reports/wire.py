"""Reports as JSON."""

from __future__ import annotations

import base64
from dataclasses import asdict
from typing import Any

from trace_server.config import Settings
from trace_server.reports import signing
from trace_server.reports.kinds import require
from trace_server.reports.model import Report, ThirdPartyReport, Verification


def third_party_json(row: ThirdPartyReport) -> dict[str, Any]:
    """A report of a credit service agency."""
    return {
        "agency": row.agency,
        "number": row.number,
        "uscc": row.uscc,
        "agency_name": row.agency_name,
        "issued_on": row.issued_on.isoformat(),
        "valid_to": row.valid_to.isoformat(),
        "file_sha256": row.file_sha256,
        "purpose": row.purpose,
        "claims": asdict(row.claims),
        "differences": [asdict(one) for one in row.differences],
        "taken_at": row.taken_at.isoformat() if row.taken_at else None,
    }


def report_json(row: Report) -> dict[str, Any]:
    """As its owner sees it."""
    return {
        "report_no": row.report_no,
        "kind": row.wish.kind,
        "title": require(row.wish.kind).title,
        "usccs": list(row.wish.usccs),
        "subject_name": row.subject_name,
        "purpose": row.wish.purpose,
        "uri": row.wish.uri,
        "authorisation": row.wish.authorisation,
        "requested_by": row.asker.actor,
        "state": row.state.value,
        "requested_at": row.requested_at.isoformat(),
        "generated_at": row.generated_at.isoformat() if row.generated_at else None,
        "valid_to": row.valid_to.isoformat() if row.valid_to else None,
        "content_sha256": row.content_sha256,
        "file_sha256": row.file_sha256,
        "policy_version": row.policy_version,
        "job": row.job_id,
    }


def verification_json(found: Verification, settings: Settings) -> dict[str, Any]:
    """As anybody sees it: enough to compare a paper with, and to check the signature without asking again."""
    told: dict[str, Any] = {
        "report_no": found.report_no,
        "standing": found.standing.value,
        "since": found.since.isoformat() if found.since else None,
        "why": found.why,
        "report": None,
    }
    row = found.report
    if row is not None and row.generated_at is not None and row.valid_to is not None:
        told["report"] = {
            "kind": row.wish.kind,
            "title": require(row.wish.kind).title,
            "subject_name": row.subject_name,
            "subjects": len(row.wish.usccs),
            "uscc": row.wish.usccs[0] if len(row.wish.usccs) == 1 else "",
            "generated_at": row.generated_at.isoformat(),
            "valid_to": row.valid_to.isoformat(),
            "content_sha256": row.content_sha256,
            "file_sha256": row.file_sha256,
            "signed": signing.statement(row).decode(),
            "signature": row.seal,
            "public_key": base64.urlsafe_b64encode(signing.public_key(settings)).decode(),
        }
    return told
