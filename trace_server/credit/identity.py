"""What makes two papers the same decision, and two sendings the same content."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from uuid import UUID

from trace_server.credit.coding import open_codes
from trace_server.credit.model import Circumstances, PenaltyDecision

_BRACKETS = str.maketrans("[]()【】〖〗", "〔〕〔〕〔〕〔〕")


def record_id_of(decision_no: str, authority_code: str) -> str:
    """Id of the record of a decision: the same for every spelling of brackets, widths and spaces in 决定书文号."""
    number = "".join(unicodedata.normalize("NFKC", decision_no).split()).translate(_BRACKETS).upper()
    digest = hashlib.sha256(f"{authority_code}\n{number}".encode()).digest()
    return str(UUID(bytes=digest[:16]))


def content_digest(decision: PenaltyDecision, around: Circumstances) -> str:
    """SHA-256 (hex) of what was sent, without identity documents: a digest of those could be guessed from."""
    content = {
        "decision": open_codes(decision),
        "category": around.category,
        "procedure": around.procedure.value,
        "severity": around.severity.value if around.severity else None,
        "batches": sorted(around.batches),
        "evidence_ref": around.evidence_ref,
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
