"""法人库: subjects of a business register, with former names, old codes and where they work."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.catalog import store as catalog
from trace_server.catalog.model import SubjectStatus
from trace_server.credit.fields import LEGAL_PERSON, TRADER
from trace_server.imports.cells import Cells
from trace_server.imports.kinds._parties import KINDS, import_into_catalog, note_old_codes
from trace_server.imports.model import ImportKind, Intake, Taken
from trace_server.imports.templates import column, own
from trace_server.registers import keeping
from trace_server.registers.parties import CodeScheme, Premises
from trace_server.registers.store import parties

STATUSES = {
    "存续": SubjectStatus.ACTIVE, "在业": SubjectStatus.ACTIVE, "开业": SubjectStatus.ACTIVE,
    "经营异常": SubjectStatus.ABNORMAL, "吊销": SubjectStatus.REVOKED, "注销": SubjectStatus.CLOSED,
    "停业": SubjectStatus.CLOSED,
}  # fmt: skip
_OLD = {"工商注册号": CodeScheme.REGISTRATION_NO, "组织机构代码": CodeScheme.ORGANISATION_CODE,
        "税务登记号": CodeScheme.TAX_NO}  # fmt: skip
_MEMBERS = {"uscc": "统一社会信用代码", "name": "名称", "kind": "主体类型", "status": "登记状态"}
REGISTERED_SITE = "registered"
"""Premises id of the address in the business register."""


def take(intake: Intake, cells: Mapping[str, str]) -> Taken:
    """One subject; a new name keeps the old one in the history."""
    row, source = Cells(cells), intake.order.source
    uscc, name = row.company("统一社会信用代码"), row.line("名称", 200)
    kind, status = row.choice("主体类型", (LEGAL_PERSON, TRADER)), row.choice("登记状态", list(STATUSES))
    address = row.line("住所", 400, required=False)
    row.line("行政区划", 6, required=False)
    old_names = [one for text in cells.get("曾用名", "").replace("；", ";").split(";") if (one := text.strip())]
    row.end()
    known = catalog.subject(intake.conn, uscc)
    region = cells.get("行政区划", "").strip() or uscc[2:8]
    told = (name, KINDS.get(kind, "legal_person"), region, STATUSES[status].value, source)
    is_same = known is not None and told == (known.name, known.kind, known.region, known.status, known.source)
    if not is_same:
        members = dict(zip(("name", "kind", "region", "status", "source"), told, strict=True))
        members |= {"uscc": uscc, "as_of": intake.today.isoformat(), "name_en": known.name_en if known else ""}
        import_into_catalog(intake, {"subjects": [members]}, _MEMBERS)
    dialect = intake.services.db.dialect
    if known is not None and known.name != name:
        keeping.note_name_within(intake.conn, dialect, uscc, known.name, known.as_of, known.source)
    for one in (*old_names, name):
        day = intake.today if one == name or known is None else known.as_of
        keeping.note_name_within(intake.conn, dialect, uscc, one[:200], day, source)
    note_old_codes(intake, row, uscc, _OLD, source)
    if address:
        site = Premises(uscc, REGISTERED_SITE, address, region[:6], None, None, "", source, intake.today)
        parties.save_premises(intake.conn, dialect, site)
    return Taken(uscc, not is_same)


KIND = ImportKind(
    name="subjects",
    title="法人和个体工商户",
    title_en="Subjects of the business register",
    templates=own(
        [
            column("统一社会信用代码"),
            column("名称"),
            column("主体类型"),
            column("登记状态"),
            column("行政区划", required=False),
            column("曾用名", required=False),
            column("工商注册号", required=False),
            column("组织机构代码", required=False),
            column("税务登记号", required=False),
            column("住所", required=False),
        ]
    ),
    take=take,
    needs_source=True,
)
