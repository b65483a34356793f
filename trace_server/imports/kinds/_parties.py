"""What several tables have in common: a subject that its own register has to know before a thing of it is kept."""

from __future__ import annotations

from trace_core.errors import Conflict
from trace_server.catalog import operations as catalog
from trace_server.catalog import store as goods
from trace_server.catalog.model import RowError, SubjectKind
from trace_server.credit.fields import TRADER
from trace_server.imports.cells import Cells
from trace_server.imports.model import Fault, Intake, RowRefused
from trace_server.registers import keeping
from trace_server.registers.parties import CodeScheme

KINDS = {TRADER: SubjectKind.SOLE_TRADER.value}


def subject_document(intake: Intake, uscc: str, name: str, kind: str, source: str) -> list[dict[str, object]]:
    """The subject as the catalogue takes it, when it does not know it yet; else nothing."""
    if goods.subject(intake.conn, uscc) is not None:
        return []
    return [
        {
            "uscc": uscc,
            "name": name,
            "kind": KINDS.get(kind, SubjectKind.LEGAL_PERSON.value),
            "region": uscc[2:8],
            "status": "active",
            "source": source,
            "as_of": intake.today.isoformat(),
        }
    ]


def import_into_catalog(intake: Intake, document: dict[str, object], columns: dict[str, str]) -> bool:
    """Hand a document to the catalogue; True when it changed something. `columns`: its member → official column.

    Raises `RowRefused` with what the catalogue does not take.
    """
    result = catalog.import_within(intake.conn, intake.services.db, document, actor=intake.actor, now=intake.now)
    if result.errors:
        raise RowRefused(tuple(_fault(error, columns) for error in result.errors))
    return result.changed > 0


def note_old_codes(intake: Intake, cells: Cells, uscc: str, columns: dict[str, CodeScheme], source: str) -> None:
    """Keep the old codes of a row. Raises `RowRefused` when one of them is another subject's."""
    for name, scheme in columns.items():
        code = cells.line(name, 50, required=False)
        if not code:
            continue
        try:
            keeping.note_code_within(
                intake.conn, intake.services.db.dialect, intake.now, intake.actor, code, scheme, uscc, source
            )
        except Conflict as error:
            raise RowRefused((Fault(name, "code-of-another"),)) from error


def _fault(error: RowError, columns: dict[str, str]) -> Fault:
    member = error.pointer.rpartition("/")[2]
    return Fault(columns.get(member, ""), "not-taken", {"why": error.message})
