"""Reports of credit service agencies (第三方信用报告): taken in with identity, validity and digest, and compared."""

from __future__ import annotations

import re
from dataclasses import replace

from trace_core.errors import Conflict, InputError, NotAllowed
from trace_core.ids import uscc
from trace_server import audit
from trace_server.credit.steps import law_day
from trace_server.credit.store import head_seq
from trace_server.reports import store
from trace_server.reports.gathering import facts_of
from trace_server.reports.model import Asker, Claims, Difference, Facts, ThirdPartyReport
from trace_server.services import Services

MAX_REPORTS = 500
_SHA256 = re.compile(r"[0-9a-f]{64}")


def take(services: Services, asker: Asker, given: ThirdPartyReport) -> ThirdPartyReport:
    """Take a report in; the difference list is made against this server's facts of the moment.

    Raises `NotAllowed` for a company, `InputError` for a report that is not valid today, `IdentifierError`,
    `Conflict` for another content under the same agency and number.
    """
    if asker.subject:
        raise NotAllowed("an authority takes such reports in", where="agency")
    now = services.clock()
    today = law_day(now)
    for name in ("number", "agency_name", "purpose"):
        if not getattr(given, name).strip():
            raise InputError("it is missing", where=name)
    if not _SHA256.fullmatch(given.file_sha256):
        raise InputError("a SHA-256 has 64 hexadecimal digits", where="file_sha256")
    if given.issued_on > today:
        raise InputError("it was issued in the future", where="issued_on")
    if given.valid_to < today:
        raise InputError("it is no longer valid", where="valid_to", remedy="ask the agency for a new one")
    row = replace(given, agency=uscc.parse(given.agency).code, uscc=uscc.parse(given.uscc).code)
    with services.db.begin() as conn:
        known = store.third_party(conn, row.agency, row.number)
        if known is not None:
            if known.file_sha256 != row.file_sha256 or known.claims != row.claims:
                raise Conflict("this number of the agency has another content", where="number")
            return known
        facts = facts_of(conn, row.uscc, now, head_seq(conn))
        taken = replace(row, differences=differences(row.claims, facts), taken_by=asker.actor, taken_at=now)
        store.add_third_party(conn, taken)
        detail = {"agency": row.agency, "purpose": row.purpose, "file_sha256": row.file_sha256,
                  "differences": len(taken.differences)}  # fmt: skip
        audit.record(conn, now, asker.actor, "reports.third-party", row.uscc, detail)
    return taken


def of_subject(services: Services, code: str) -> list[ThirdPartyReport]:
    """Those about one subject, the newest first."""
    with services.db.read() as conn:
        return store.third_party_of(conn, uscc.parse(code).code, MAX_REPORTS)


def differences(claims: Claims, facts: Facts) -> tuple[Difference, ...]:
    """What the report says and this server knows otherwise; nothing is said of what it leaves out."""
    found = []
    if claims.penalties is not None and claims.penalties != len(facts.penalties):
        found.append(Difference("penalties", str(claims.penalties), str(len(facts.penalties))))
    ours = sorted({one.list_id for one in facts.memberships})
    if claims.lists is not None and sorted(set(claims.lists)) != ours:
        found.append(Difference("lists", ", ".join(sorted(set(claims.lists))), ", ".join(ours)))
    level = facts.grade.assessment.grade.level if facts.grade is not None else ""
    if claims.grade is not None and claims.grade != level:
        found.append(Difference("grade", claims.grade, level))
    return tuple(found)
