"""行政处罚: decisions of other authorities, which become confirmed records under their own source unit."""

from __future__ import annotations

from collections.abc import Mapping

from trace_core.errors import Conflict
from trace_server.credit import store as archive
from trace_server.credit.coding import file_codes
from trace_server.credit.fields import FIELDS, LEGAL_PERSON, PERSON, SEALED, Need
from trace_server.credit.identity import record_id_of
from trace_server.credit.model import CATEGORIES, Circumstances, PenaltyDecision
from trace_server.credit.operations import record_within
from trace_server.credit.rules import BadDecision, parse_decision
from trace_server.imports.model import Fault, IdentityCells, ImportKind, Intake, RowRefused, Taken
from trace_server.imports.templates import CATEGORY, column, official

CATEGORY_NAMES = dict(zip(("食品", "药品", "特种设备", "农产品", "日用消费品", "地理标志"), CATEGORIES, strict=True))
"""What the column of ours says."""
_SEALED = {field.code for field in SEALED}


def take(intake: Intake, cells: Mapping[str, str]) -> Taken:
    """One decision; the same content again is no news, in the form that our own files give it too."""
    given = {code: text for code, text in cells.items() if code != CATEGORY}
    if intake.order.template == "2016" and "CF_XDR_LB" not in given:
        given["CF_XDR_LB"] = PERSON if given.get("CF_XDR_ZJHM") else LEGAL_PERSON
    category = _category(intake, cells)
    record_id = _known(intake, given)
    if record_id:
        return Taken(record_id, is_new=False)
    try:
        decision = parse_decision(given, today=intake.today)
    except BadDecision as error:
        raise RowRefused(
            tuple(Fault(one.params.get("field", ""), one.code, one.params) for one in error.problems)
        ) from error
    return _recorded(intake, decision, category)


def _recorded(intake: Intake, decision: PenaltyDecision, category: str) -> Taken:
    try:
        recorded = record_within(
            intake.conn, intake.services.db.dialect, intake.now, decision, Circumstances(category), actor=intake.actor
        )
    except Conflict as error:
        raise RowRefused((Fault("CF_WSH", "other-content"),)) from error
    return Taken(recorded.record.record_id, recorded.created)


def _known(intake: Intake, given: Mapping[str, str]) -> str:
    """Id of the record that our own file tells in these words, "" when there is none."""
    number, authority = given.get("CF_WSH", ""), given.get("CF_CFJGDM", "")
    if not number or not authority:
        return ""
    record = archive.current(intake.conn, record_id_of(number, authority))
    if record is None:
        return ""
    told = file_codes(record.decision, is_contested=bool(record.objection))
    is_same = told == {code: text for code, text in given.items() if code not in _SEALED}
    return record.record_id if is_same else ""


def _category(intake: Intake, cells: Mapping[str, str]) -> str:
    text = cells.get(CATEGORY, "").strip()
    found = CATEGORY_NAMES.get(text, text) or intake.order.category
    if found not in CATEGORIES:
        raise RowRefused((Fault(CATEGORY, "not-a-choice", {"choices": "、".join(CATEGORY_NAMES)}),))
    return found


KIND = ImportKind(
    name="penalties",
    title="行政处罚",
    title_en="Administrative penalties",
    templates=official(
        "penalties",
        [
            *(
                column(field.code, field.chinese, *field.aliases, required=field.need is Need.ALWAYS)
                for field in FIELDS
            ),
            column(CATEGORY, required=False),
        ],
    ),
    take=take,
    identities=(
        IdentityCells("CF_XDR_MC", "CF_XDR_ZJLX", "CF_XDR_ZJHM", "CF_XDR_LB"),
        IdentityCells("CF_FRDB", "CF_FR_ZJLX", "CF_FR_ZJHM"),
    ),
    needs_category=True,
)
