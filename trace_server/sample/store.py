"""What is asked of the database directly: whether it is empty, and what tells one city from another."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

from sqlalchemy import ColumnElement, Table, func, select, text

from trace_server.cases import tables as cases
from trace_server.catalog import tables as catalog
from trace_server.commitments import tables as commitments
from trace_server.complaints import tables as complaints
from trace_server.credit import tables as credit
from trace_server.db import Connection
from trace_server.detect import tables as detect
from trace_server.equipment import tables as equipment
from trace_server.indications import tables as indications
from trace_server.ingest import tables as ingest
from trace_server.lists import tables as lists
from trace_server.objections import tables as objections
from trace_server.recall import tables as recall
from trace_server.registers import tables as registers
from trace_server.repairs import tables as repairs
from trace_server.reports import tables as reports
from trace_server.shops import tables as shops

COUNTED: Mapping[str, Table] = {
    "subjects": catalog.subject,
    "licences": catalog.licence,
    "products": catalog.product,
    "batches": catalog.batch,
    "codes": catalog.issued_code,
    "ranges": registers.tag_range,
    "equipment": equipment.equipment,
    "indications": indications.indication,
    "events": ingest.event,
    "links": ingest.link,
    "objects": ingest.object_,
    "quarantined": ingest.quarantine,
    "alerts": detect.alert,
    "cases": cases.case,
    "records": credit.violation_record,
    "grades": credit.grade_head,
    "changes": credit.credit_change,
    "commitments": commitments.commitment,
    "repairs": repairs.repair_application,
    "objections": objections.objection,
    "memberships": lists.list_membership,
    "measures": lists.measure_application,
    "recalls": recall.recall,
    "recall_notices": recall.recall_notice,
    "complaints": complaints.complaint,
    "shops": shops.shop_mark,
    "takedowns": shops.shop_takedown,
    "reports": reports.credit_report,
}
_HELD = (catalog.subject, ingest.event, credit.violation_record, cases.case, complaints.complaint)
"""Somebody works with a database that has rows of these."""


def is_empty(conn: Connection) -> bool:
    """Whether nobody has worked with the database yet; accounts and settings do not count."""
    return all(conn.execute(select(table).limit(1)).first() is None for table in _HELD)


def counts(conn: Connection) -> dict[str, int]:
    """Rows by what they are."""
    return {name: _count(conn, table) for name, table in COUNTED.items()}


def alerts_by_rule(conn: Connection) -> dict[str, int]:
    """Rule → its alerts, open and closed."""
    rule = detect.alert.c.rule_id
    return {row.rule_id: int(row.n) for row in conn.execute(select(rule, func.count().label("n")).group_by(rule))}


def digest(conn: Connection) -> str:
    """SHA-256 in hexadecimal over everything that the seed decides: what the programs draw at random is left out."""
    total = hashlib.sha256()
    for line in _lines(conn):
        total.update(line.encode() + b"\n")
    return total.hexdigest()


def analyse(conn: Connection) -> None:
    """Let the planner know how large the tables are by now."""
    conn.execute(text("ANALYZE"))


def _lines(conn: Connection) -> Iterator[str]:
    told: tuple[tuple[ColumnElement[str], ...], ...] = (
        (catalog.subject.c.uscc, catalog.subject.c.name),
        (catalog.licence.c.uscc, catalog.licence.c.number),
        (catalog.batch.c.gtin, catalog.batch.c.lot),
        (catalog.place.c.uri, catalog.place.c.operator_uscc),
        (equipment.equipment.c.uri, equipment.equipment.c.device_code),
        (cases.case.c.title, cases.case.c.state),
        (commitments.commitment.c.code, commitments.commitment.c.state),
    )
    for columns in told:
        yield columns[0].table.name if hasattr(columns[0], "table") else ""
        yield from sorted("\t".join(map(str, row)) for row in conn.execute(select(*columns)))
    hashes = conn.execute(select(ingest.event.c.hash_key)).scalars()
    yield from sorted(bytes(key).hex() for key in hashes if key is not None)
    decided = credit.violation_record.c
    yield from sorted(conn.execute(select(decided.decision_no)).scalars())
    for rule, number in sorted(alerts_by_rule(conn).items()):
        yield f"{rule}\t{number}"


def _count(conn: Connection, table: Table) -> int:
    return int(conn.execute(select(func.count()).select_from(table)).scalar_one())
