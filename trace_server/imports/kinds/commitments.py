"""信用承诺: commitments that other units have accepted, by the national template."""

from __future__ import annotations

import re
from collections.abc import Mapping

from trace_core.errors import Conflict, InputError
from trace_server.commitments.model import Finding, Performance, Promise, Publicity
from trace_server.commitments.operations import register_within
from trace_server.commitments.rules import types
from trace_server.credit.fields import PERSON, SUBJECT_KINDS
from trace_server.imports.cells import Cells
from trace_server.imports.model import Fault, IdentityCells, ImportKind, Intake, RowRefused, Taken
from trace_server.imports.templates import column, own

UNKEPT = (Performance.PARTLY, Performance.UNFULFILLED)
_CODE = re.compile(r"[0-9]{20}")
_COLUMNS = {
    "subject_name": "承诺人名称", "subject_kind": "承诺人类别", "subject_code": "承诺人代码", "type": "承诺类型",
    "cause": "承诺事由", "content": "承诺内容", "liability": "违诺责任", "made_on": "承诺作出日期",
    "valid_until": "承诺有效期", "acceptor_name": "承诺受理单位", "acceptor_code": "承诺受理单位代码",
    "publicity": "公开类型", "remarks": "备注", "repair_id": "关联信用修复", "unfulfilled": "未履行的承诺内容",
    "pursued": "违诺责任追究内容", "authority_code": "认定单位代码",
}  # fmt: skip


def take(intake: Intake, cells: Mapping[str, str]) -> Taken:
    """One commitment; a finding that it was not kept waits for a second person."""
    row = Cells(cells)
    code = row.line("承诺编码", 20)
    if code and not _CODE.fullmatch(code):
        row.fault("承诺编码", "bad-commitment-code")
    promise, finding = _promise(intake, row), _finding(row)
    row.end()
    try:
        made, is_new = register_within(intake.services, intake.conn, intake.now, intake.actor, code, promise, finding)
    except Conflict as error:
        raise RowRefused((Fault("承诺编码", "other-content"),)) from error
    except InputError as error:
        raise RowRefused((Fault(_COLUMNS.get(error.where, ""), "not-taken", {"why": str(error)}),)) from error
    return Taken(made.code, is_new)


def _promise(intake: Intake, row: Cells) -> Promise:
    kind = row.choice("承诺人类别", SUBJECT_KINDS)
    is_person = kind == PERSON
    publicity = row.choice("公开类型", [one.value for one in Publicity])
    return Promise(
        subject_name=row.line("承诺人名称", 200),
        subject_kind=kind,
        subject_code=row.line("承诺人代码", 18) if is_person else row.company("承诺人代码"),
        type=row.choice("承诺类型", list(types())),
        cause=row.text("承诺事由", 512),
        content=row.text("承诺内容", 4000),
        liability=row.text("违诺责任", 4000),
        made_on=row.past("承诺作出日期", intake.today),
        valid_until=row.day("承诺有效期", required=False),
        acceptor_name=row.line("承诺受理单位", 200),
        acceptor_code=row.company("承诺受理单位代码"),
        publicity=Publicity(publicity) if publicity else Publicity.CLOSED,
        remarks=row.text("备注", 512, required=False),
        repair_id=row.line("关联信用修复", 32, required=False),
    )


def _finding(row: Cells) -> Finding:
    text = row.choice("承诺履行状态", [one.value for one in Performance if one.value], required=False)
    performance = Performance(text)
    is_unkept = performance in UNKEPT
    return Finding(
        performance=performance,
        unfulfilled=row.text("未履行的承诺内容", 4000, required=is_unkept),
        pursued=row.text("违诺责任追究内容", 4000, required=is_unkept),
        authority_name=row.line("认定单位", 200, required=False),
        authority_code=row.line("认定单位代码", 18, required=False),
    )


KIND = ImportKind(
    name="commitments",
    title="信用承诺",
    title_en="Credit commitments",
    templates=own(
        [
            column("承诺编码"),
            column("承诺人名称"),
            column("承诺人类别"),
            column("承诺人代码"),
            column("承诺类型"),
            column("承诺事由"),
            column("承诺内容"),
            column("违诺责任"),
            column("承诺作出日期"),
            column("承诺有效期", required=False),
            column("承诺履行状态", required=False),
            column("未履行的承诺内容", required=False),
            column("违诺责任追究内容", required=False),
            column("履行状态认定日期", required=False),
            column("认定单位", required=False),
            column("认定单位代码", required=False),
            column("承诺受理单位"),
            column("承诺受理单位代码"),
            column("公开类型"),
            column("备注", required=False),
            column("关联信用修复", required=False),
        ]
    ),
    take=take,
    identities=(IdentityCells("承诺人名称", "", "承诺人代码", "承诺人类别", is_code=True),),
)
