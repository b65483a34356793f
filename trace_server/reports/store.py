"""SQL of reports."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, func, insert, or_, select, update

from trace_server.catalog.model import Batch
from trace_server.catalog.store import batches
from trace_server.catalog.tables import batch
from trace_server.commitments.tables import commitment
from trace_server.credit.tables import credit_change
from trace_server.db import Connection, Dialect
from trace_server.lists.tables import list_membership
from trace_server.reports.model import Asker, Claims, Difference, Held, Report, ReportState, ThirdPartyReport, Wish
from trace_server.reports.tables import credit_report, credit_report_file, credit_report_item, third_party_report

MAX_RECALLED = 200
_THIRD_PARTY = (
    "agency", "number", "uscc", "agency_name", "issued_on", "valid_to", "file_sha256", "purpose", "taken_by",
    "taken_at",
)  # fmt: skip


def add(conn: Connection, row: Report) -> None:
    """A new report."""
    conn.execute(insert(credit_report).values(**_values(row)))


def save(conn: Connection, row: Report) -> None:
    """Write over it; the caller holds the row."""
    conn.execute(update(credit_report).where(credit_report.c.report_no == row.report_no).values(**_values(row)))


def find(conn: Connection, report_no: str, *, lock: bool = False) -> Report | None:
    """One report; with `lock` nobody else changes it until the transaction ends."""
    query = select(credit_report).where(credit_report.c.report_no == report_no)
    row = conn.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _report(row)


def reports(conn: Connection, owner: str, *, after: tuple[datetime, str] | None, limit: int) -> list[Report]:
    """The newest first; `owner` "": of everybody, else of one company."""
    table = credit_report.c
    query = select(credit_report).order_by(table.requested_at.desc(), table.report_no.desc()).limit(limit)
    if owner:
        query = query.where(table.owner == owner)
    if after is not None:
        moment, last = after
        same = and_(table.requested_at == moment, table.report_no < last)
        query = query.where(or_(table.requested_at < moment, same))
    return [_report(row) for row in conn.execute(query)]


def keep_file(conn: Connection, dialect: Dialect, file_sha256: str, data: bytes) -> None:
    """Keep a file under its hash; once is enough."""
    dialect.insert_ignore(conn, credit_report_file, [{"file_sha256": file_sha256, "data": data}])


def file(conn: Connection, file_sha256: str) -> bytes | None:
    """A file by its hash."""
    table = credit_report_file.c
    found: bytes | None = conn.execute(select(table.data).where(table.file_sha256 == file_sha256)).scalar()
    return found


def add_items(conn: Connection, report_no: str, held: tuple[Held, ...]) -> None:
    """What the report states."""
    rows = [{"report_no": report_no, "kind": one.kind, "ref": one.ref, "version": one.version} for one in held]
    if rows:
        conn.execute(insert(credit_report_item), rows)


def items(conn: Connection, report_no: str) -> list[Held]:
    """What the report states, by kind and id."""
    table = credit_report_item.c
    query = select(table.kind, table.ref, table.version).where(table.report_no == report_no)
    return [Held(*row) for row in conn.execute(query.order_by(table.kind, table.ref))]


def change_after(conn: Connection, record_id: str, version: int) -> tuple[str, int] | None:
    """Op and version of the first entry in the change log that goes beyond `version` of a record."""
    table = credit_change.c
    query = select(table.op, table.version).where(table.record_id == UUID(record_id).bytes, table.version > version)
    row = conn.execute(query.order_by(table.version).limit(1)).first()
    return None if row is None else (row.op, row.version)


def version_now(conn: Connection, one: Held) -> int | None:
    """The current version of a list membership or a commitment."""
    if one.kind == "list":
        query = select(list_membership.c.version).where(list_membership.c.membership_id == one.ref)
    else:
        query = select(commitment.c.version).where(commitment.c.code == one.ref)
    found: int | None = conn.execute(query).scalar()
    return found


def add_third_party(conn: Connection, row: ThirdPartyReport) -> None:
    """A report of an agency that was taken in."""
    plain = {name: getattr(row, name) for name in _THIRD_PARTY}
    claims, found = asdict(row.claims), [asdict(one) for one in row.differences]
    conn.execute(insert(third_party_report).values(**plain, claims=claims, differences=found))


def third_party(conn: Connection, agency: str, number: str) -> ThirdPartyReport | None:
    """By the agency's code and its number."""
    table = third_party_report
    row = conn.execute(select(table).where(table.c.agency == agency, table.c.number == number)).one_or_none()
    return _third_party(row) if row else None


def third_party_of(conn: Connection, uscc: str, limit: int) -> list[ThirdPartyReport]:
    """Those about one subject, the newest first."""
    table = third_party_report
    query = select(table).where(table.c.uscc == uscc).order_by(table.c.taken_at.desc(), table.c.agency, table.c.number)
    return [_third_party(row) for row in conn.execute(query.limit(limit))]


def _third_party(row: Row[Any]) -> ThirdPartyReport:
    lists = row.claims["lists"]
    claims = Claims(row.claims["penalties"], None if lists is None else tuple(lists), row.claims["grade"])
    found = tuple(Difference(**one) for one in row.differences)
    return ThirdPartyReport(**{name: getattr(row, name) for name in _THIRD_PARTY}, claims=claims, differences=found)


def recalled_of(conn: Connection, uscc: str) -> list[Batch]:
    """Batches of a producer that a notice recalls, the newest notice first, at most `MAX_RECALLED`."""
    query = select(batch.c.gtin, batch.c.lot).where(batch.c.producer_uscc == uscc, batch.c.recall_level.is_not(None))
    keys = [(row.gtin, row.lot) for row in conn.execute(query.order_by(batch.c.recall_on.desc()).limit(MAX_RECALLED))]
    found = batches(conn, keys)
    return [found[key] for key in keys if key in found]


def batch_counts(conn: Connection, uscc: str) -> tuple[int, int]:
    """How many batches a producer has, and how many of them have an inspection."""
    query = select(func.count(), func.count(batch.c.inspection_report_no)).where(batch.c.producer_uscc == uscc)
    row = conn.execute(query).one()
    return int(row[0]), int(row[1])


def _values(row: Report) -> dict[str, Any]:
    plain = ("report_no", "requested_at", "job_id", "subject_name", "generated_at", "valid_to", "content_sha256",
             "file_sha256", "policy_version", "seal", "withdrawn_on", "withdraw_reason")  # fmt: skip
    return {
        **{name: getattr(row, name) for name in plain},
        "kind": row.wish.kind,
        "usccs": list(row.wish.usccs),
        "purpose": row.wish.purpose,
        "uri": row.wish.uri,
        "authorisation": row.wish.authorisation,
        "actor": row.asker.actor,
        "owner": row.asker.subject,
        "asker_name": row.asker.name,
        "state": row.state.value,
    }


def _report(row: Row[Any]) -> Report:
    return Report(
        report_no=row.report_no,
        wish=Wish(row.kind, tuple(row.usccs), row.purpose, row.uri, row.authorisation),
        asker=Asker(row.actor, row.owner, row.asker_name),
        state=ReportState(row.state),
        requested_at=row.requested_at,
        job_id=row.job_id,
        subject_name=row.subject_name,
        generated_at=row.generated_at,
        valid_to=row.valid_to,
        content_sha256=row.content_sha256,
        file_sha256=row.file_sha256,
        policy_version=row.policy_version,
        seal=row.seal,
        withdrawn_on=row.withdrawn_on,
        withdraw_reason=row.withdraw_reason,
    )
