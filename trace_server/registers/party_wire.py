"""Base registers in JSON: one shape over HTTP and on the command line."""

from __future__ import annotations

from typing import Any

from trace_server.registers.keeping import SubjectView
from trace_server.registers.parties import Judgment, OldCode, Paper, Person, Premises


def person_json(row: Person) -> dict[str, Any]:
    """A person, as anybody with the permission may know it: the name masked, the rest sealed."""
    return {
        "person_id": row.person_id,
        "masked_name": row.masked_name,
        "document_kind": row.document_kind,
        "sealed_id": row.sealed_id,
        "source": row.source,
        "added_at": row.added_at.isoformat(),
    }


def code_json(row: OldCode) -> dict[str, Any]:
    """An old code and whose it is."""
    return {"code": row.code, "scheme": row.scheme.value, "uscc": row.uscc, "source": row.source}


def premises_json(row: Premises) -> dict[str, Any]:
    """Where a subject works."""
    return {
        "premises_id": row.premises_id,
        "address": row.address,
        "region": row.region,
        "latitude": row.latitude,
        "longitude": row.longitude,
        "licence_no": row.licence_no,
        "source": row.source,
        "as_of": row.as_of.isoformat(),
    }


def paper_json(row: Paper) -> dict[str, Any]:
    """A document."""
    return {
        "document_id": row.document_id,
        "type": row.type,
        "number": row.number,
        "issuer": row.issuer,
        "issued_on": row.issued_on.isoformat(),
        "valid_to": row.valid_to.isoformat() if row.valid_to else None,
        "sha256": row.sha256,
        "verified_by": row.verified_by,
        "verified_at": row.verified_at.isoformat() if row.verified_at else None,
        "added_by": row.added_by,
        "added_at": row.added_at.isoformat(),
    }


def judgment_json(row: Judgment) -> dict[str, Any]:
    """What a court told."""
    return {
        "judgment_id": row.judgment_id,
        "kind": row.kind.value,
        "case_no": row.case_no,
        "court": row.court,
        "party_name": row.party_name,
        "published_on": row.published_on.isoformat(),
        "ended_on": row.ended_on.isoformat() if row.ended_on else None,
        "source": row.source,
    }


def view_json(seen: SubjectView) -> dict[str, Any]:
    """All that the registers say of a subject."""
    subject = seen.subject
    return {
        "uscc": seen.uscc,
        "is_registered": subject is not None,
        "name": subject.name if subject else "",
        "status": subject.status.value if subject else "",
        "region": subject.region if subject else "",
        "names": [
            {
                "name": one.name,
                "first_on": one.first_on.isoformat(),
                "last_on": one.last_on.isoformat(),
                "source": one.source,
            }
            for one in seen.names
        ],
        "old_codes": [code_json(one) for one in seen.old_codes],
        "premises": [premises_json(one) for one in seen.premises],
        "documents": [paper_json(one) for one in seen.papers],
        "judgments": [judgment_json(one) for one in seen.judgments],
    }
