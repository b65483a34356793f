"""名单: entries of the lists that other authorities keep."""

from __future__ import annotations

from collections.abc import Mapping

from trace_core.errors import Conflict, InputError
from trace_server.imports.cells import Cells
from trace_server.imports.model import Fault, ImportKind, Intake, RowRefused, Taken
from trace_server.imports.templates import column, own
from trace_server.lists import rules
from trace_server.lists.operations import Entry, Proposal, enter_within

_COLUMNS = {"list": "名单名称", "uscc": "统一社会信用代码", "listed_on": "列入日期", "reason": "列入事由",
            "document_no": "文书文号", "issuer": "认定单位"}  # fmt: skip


def take(intake: Intake, cells: Mapping[str, str]) -> Taken:
    """One entry, or its end."""
    row = Cells(cells)
    titles = {kind.title: kind.id for kind in rules.kinds().values() if kind.is_official}
    title = row.choice("名单名称", list(titles))
    proposal = Proposal(
        list_id=titles.get(title, ""),
        uscc=row.company("统一社会信用代码"),
        reason=row.text("列入事由", 4000),
        document_no=row.line("文书文号", 128),
        issuer=row.line("认定单位", 200),
    )
    ended_on = row.day("移出日期", required=False)
    entry = Entry(
        proposal=proposal,
        listed_on=row.past("列入日期", intake.today),
        until=row.day("截止日期", required=False),
        ended_on=ended_on,
        end_reason=row.text("移出事由", 1000, required=ended_on is not None),
    )
    row.end()
    return enter(intake, entry, _COLUMNS)


def enter(intake: Intake, entry: Entry, columns: Mapping[str, str]) -> Taken:
    """Hand an entry to the lists. `columns`: its member → column of the table."""
    try:
        made, is_new = enter_within(intake.services, intake.conn, intake.now, intake.actor, entry)
    except Conflict as error:
        raise RowRefused((Fault(columns["document_no"], "listed-already"),)) from error
    except InputError as error:
        raise RowRefused((Fault(columns.get(error.where, ""), "not-taken", {"why": str(error)}),)) from error
    return Taken(made.membership_id, is_new)


KIND = ImportKind(
    name="lists",
    title="名单",
    title_en="Entries of lists",
    templates=own(
        [
            column("名单名称"),
            column("主体名称", required=False),
            column("统一社会信用代码"),
            column("列入事由"),
            column("文书文号"),
            column("认定单位"),
            column("列入日期"),
            column("截止日期", required=False),
            column("移出日期", required=False),
            column("移出事由", required=False),
        ]
    ),
    take=take,
)
