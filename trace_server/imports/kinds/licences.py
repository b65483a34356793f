"""行政许可: licences of subjects, whose state the gates and the rule on licences go by."""

from __future__ import annotations

from collections.abc import Mapping

from trace_server.catalog import store as catalog
from trace_server.catalog.model import Licence, LicenceState
from trace_server.credit.fields import CODE_UNKNOWN, PERSON, SUBJECT_KINDS
from trace_server.imports.cells import Cells
from trace_server.imports.kinds._parties import import_into_catalog, note_old_codes, subject_document
from trace_server.imports.model import IdentityCells, ImportKind, Intake, Taken
from trace_server.imports.templates import column, official
from trace_server.registers.parties import CodeScheme
from trace_server.registers.store import parties

STATES = {
    "1": LicenceState.VALID, "有效": LicenceState.VALID, "valid": LicenceState.VALID,
    "2": LicenceState.CANCELLED, "无效": LicenceState.CANCELLED, "注销": LicenceState.CANCELLED,
    "撤销": LicenceState.CANCELLED, "cancelled": LicenceState.CANCELLED,
    "吊销": LicenceState.REVOKED, "revoked": LicenceState.REVOKED,
    "暂扣": LicenceState.SUSPENDED, "中止": LicenceState.SUSPENDED, "suspended": LicenceState.SUSPENDED,
}  # fmt: skip
"""XK_ZT: 1 and 2 by the standard, the words of newer files, and what our own feed says."""
_OLD = {"XK_XDR_GSZC": CodeScheme.REGISTRATION_NO, "XK_XDR_ZZJG": CodeScheme.ORGANISATION_CODE,
        "XK_XDR_SWDJ": CodeScheme.TAX_NO}  # fmt: skip
_MEMBERS = {"uscc": "XK_XDR_SHXYM", "name": "XK_XDR_MC", "number": "XK_XKBH", "title": "XK_XKZS",
            "authority": "XK_XKJG", "valid_from": "XK_YXQZ", "valid_to": "XK_YXQZI", "state": "XK_ZT",
            "source": "XK_LYDW"}  # fmt: skip


def take(intake: Intake, cells: Mapping[str, str]) -> Taken:
    """One licence. What has not changed but for the day of the table is no news: its state holds since it was told."""
    row = Cells(cells)
    name, kind = row.line("XK_XDR_MC", 200), row.choice("XK_XDR_LB", SUBJECT_KINDS, required=False)
    if kind == PERSON or (intake.order.template == "2016" and cells.get("XK_XDR_ZJHM")):
        row.fault("XK_XDR_LB", "person-not-kept")
        row.end()
    uscc = _holder(intake, cells, row)
    licence = _licence(intake, row, uscc)
    row.end()
    known = next((one for one in catalog.licences(intake.conn, uscc) if one.number == licence.number), None)
    if known is not None and _same(known, licence):
        return Taken(f"{uscc} {licence.number}", is_new=False)
    note_needed = subject_document(intake, uscc, name, kind, licence.source)
    document: dict[str, object] = {"subjects": note_needed, "licences": [_document(licence, known)]}
    is_new = import_into_catalog(intake, document, _MEMBERS)
    note_old_codes(intake, row, uscc, _OLD, licence.source)
    return Taken(f"{uscc} {licence.number}"[:128], is_new)


def _holder(intake: Intake, cells: Mapping[str, str], row: Cells) -> str:
    """The holder's code; of one that is not told, the subject that had the registration number."""
    number = cells.get("XK_XDR_GSZC", "").strip()
    if cells.get("XK_XDR_SHXYM", "").strip().upper() != CODE_UNKNOWN or not number:
        return row.company("XK_XDR_SHXYM")
    found = [one for one in parties.codes(intake.conn, number) if one.scheme is CodeScheme.REGISTRATION_NO]
    if not found:
        row.fault("XK_XDR_GSZC", "code-not-known")
        return ""
    return found[0].uscc


def _licence(intake: Intake, row: Cells, uscc: str) -> Licence:
    first, last = row.day("XK_YXQZ"), row.day("XK_YXQZI")
    row.past("XK_JDRQ", intake.today)
    if first is not None and last is not None and last < first:
        row.fault("XK_YXQZI", "ends-before")
    decision = row.line("XK_WSH", 64)
    paper = row.line("XK_XKWS", 64)
    row.text("XK_NR", 4000)
    row.company("XK_XKJGDM")
    row.company("XK_LYDWDM")
    state = row.choice("XK_ZT", list(STATES))
    return Licence(
        uscc=uscc,
        number=row.line("XK_XKBH", 64, required=False) or decision,
        title=row.line("XK_XKZS", 64, required=False) or paper,
        title_en="",
        authority=row.line("XK_XKJG", 200),
        valid_from=first or intake.today,
        valid_to=last or intake.today,
        state=STATES.get(state, LicenceState.VALID),
        source=row.line("XK_LYDW", 200),
        as_of=intake.today,
    )


def _same(known: Licence, new: Licence) -> bool:
    mine = (known.title, known.authority, known.valid_from, known.valid_to, known.state, known.source)
    return mine == (new.title, new.authority, new.valid_from, new.valid_to, new.state, new.source)


def _document(one: Licence, known: Licence | None) -> dict[str, object]:
    return {
        "uscc": one.uscc,
        "number": one.number,
        "title": one.title,
        "title_en": known.title_en if known is not None and known.title == one.title else "",
        "authority": one.authority,
        "valid_from": one.valid_from.isoformat(),
        "valid_to": one.valid_to.isoformat(),
        "state": one.state.value,
        "source": one.source,
        "as_of": one.as_of.isoformat(),
    }


_COLUMNS = (
    column("XK_XDR_MC", "行政相对人名称"),
    column("XK_XDR_LB", "行政相对人类别"),
    column("XK_XDR_SHXYM", "统一社会信用代码"),
    column("XK_XDR_GSZC", "工商注册号", required=False),
    column("XK_XDR_ZZJG", "组织机构代码", required=False),
    column("XK_XDR_SWDJ", "税务登记号", required=False),
    column("XK_XDR_SYDW", "事业单位证书号", required=False),
    column("XK_XDR_SHZZ", "社会组织登记证号", required=False),
    column("XK_FRDB", "法定代表人", required=False),
    column("XK_FR_ZJLX", "法定代表人证件类型", required=False),
    column("XK_FR_SFZH", "法定代表人证件号码", "XK_FR_ZJHM", required=False),
    column("XK_XDR_ZJLX", "自然人证件类型", "证件类型", required=False),
    column("XK_XDR_ZJHM", "自然人证件号码", "证件号码", required=False),
    column("XK_XKWS", "行政许可决定文书名称"),
    column("XK_WSH", "行政许可决定文书号"),
    column("XK_XKLB", "许可类别"),
    column("XK_XKZS", "许可证书名称", required=False),
    column("XK_XKBH", "许可编号", required=False),
    column("XK_NR", "许可内容"),
    column("XK_JDRQ", "许可决定日期"),
    column("XK_YXQZ", "有效期自"),
    column("XK_YXQZI", "有效期至"),
    column("XK_XKJG", "许可机关"),
    column("XK_XKJGDM", "许可机关统一社会信用代码"),
    column("XK_ZT", "当前状态"),
    column("XK_LYDW", "数据来源单位"),
    column("XK_LYDWDM", "数据来源单位统一社会信用代码"),
    column("BZ", "备注", required=False),
)

KIND = ImportKind(
    name="licences",
    title="行政许可",
    title_en="Administrative licences",
    templates=official("licences", _COLUMNS),
    take=take,
    identities=(
        IdentityCells("XK_XDR_MC", "XK_XDR_ZJLX", "XK_XDR_ZJHM", "XK_XDR_LB"),
        IdentityCells("XK_FRDB", "XK_FR_ZJLX", "XK_FR_SFZH"),
    ),
)
