"""司法信息: judgments of courts, and dishonest debtors (失信被执行人), who are on a list when they are companies."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.credit.fields import PERSON, SUBJECT_KINDS
from trace_server.imports.cells import Cells
from trace_server.imports.kinds.lists import enter
from trace_server.imports.model import IdentityCells, ImportKind, Intake, Taken
from trace_server.imports.templates import column, own
from trace_server.lists.operations import Entry, Proposal
from trace_server.registers import keeping
from trace_server.registers.parties import Judgment, JudgmentKind

LIST = "court_dishonest"
KINDS = {"失信被执行人": JudgmentKind.DISHONEST, "判决": JudgmentKind.JUDGMENT}
_COLUMNS = {"uscc": "当事人代码", "listed_on": "发布日期", "reason": "失信行为情形", "document_no": "案号",
            "issuer": "法院"}  # fmt: skip


def take(intake: Intake, cells: Mapping[str, str]) -> Taken:
    """One party of one case."""
    row = Cells(cells)
    judgment = _judgment(intake, row)
    row.end()
    dialect = intake.services.db.dialect
    is_new = keeping.record_judgment_within(intake.conn, dialect, intake.now, intake.actor, judgment)
    if judgment.kind is JudgmentKind.DISHONEST and judgment.uscc:
        proposal = Proposal(LIST, judgment.uscc, judgment.conduct, judgment.case_no, judgment.court)
        why = "法院删除失信信息" if judgment.ended_on else ""
        entry = Entry(proposal, judgment.published_on, None, judgment.ended_on, why)
        is_new = enter(intake, entry, _COLUMNS).is_new or is_new
    return Taken(judgment.judgment_id, is_new)


def _judgment(intake: Intake, row: Cells) -> Judgment:
    kind = KINDS.get(row.choice("信息类别", list(KINDS)), JudgmentKind.JUDGMENT)
    party = row.choice("当事人类别", SUBJECT_KINDS)
    is_person = party == PERSON
    code = row.line("当事人代码", 18) if is_person else row.company("当事人代码")
    court, case_no = row.line("法院", 200), row.line("案号", 128)
    published, ended = row.past("发布日期", intake.today), row.day("撤销日期", required=False)
    if ended is not None and (ended < published or ended > intake.today):
        row.fault("撤销日期", "ends-before" if ended < published else "in-the-future")
    return Judgment(
        judgment_id=keeping.judgment_id(court, case_no, code),
        kind=kind,
        case_no=case_no,
        court=court,
        party_name=row.line("当事人名称", 200),
        uscc="" if is_person else code,
        person_id=code if is_person and keeping.PERSON_ID.fullmatch(code) else "",
        basis_no=row.line("执行依据文号", 128, required=False),
        duty=row.text("生效法律文书确定的义务", 4000, required=False),
        performance=row.line("履行情况", 200, required=False),
        conduct=row.text("失信行为情形", 4000, required=kind is JudgmentKind.DISHONEST),
        filed_on=row.day("立案日期", required=False),
        published_on=published,
        ended_on=ended,
        source=intake.order.source,
        recorded_by=intake.actor,
        recorded_at=intake.now,
    )


KIND = ImportKind(
    name="judgments",
    title="司法信息",
    title_en="Court information",
    templates=own(
        [
            column("信息类别"),
            column("当事人名称"),
            column("当事人类别"),
            column("当事人代码"),
            column("法院"),
            column("案号"),
            column("执行依据文号", required=False),
            column("生效法律文书确定的义务", required=False),
            column("履行情况", required=False),
            column("失信行为情形", required=False),
            column("立案日期", required=False),
            column("发布日期"),
            column("撤销日期", required=False),
        ]
    ),
    take=take,
    identities=(IdentityCells("当事人名称", "", "当事人代码", "当事人类别", is_code=True),),
    needs_source=True,
)
