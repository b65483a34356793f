"""What a fault says to people, and the corrected file. Values in, values out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from trace_server.credit.fields import BY_NAME
from trace_server.credit.messages import MESSAGES as CREDIT
from trace_server.exports.model import Sheet
from trace_server.imports.model import Fault, ImportKind, Row, Run
from trace_server.imports.templates import ERRORS, title_of

OWN: dict[str, tuple[str, str]] = {
    # code: (Chinese, English); {name} is the column
    "other-content": (
        "该编号已登记且内容不同，请走更正流程，不要重复导入。",
        "This number is recorded with other content: correct the record, do not import it again.",
    ),
    "listed-already": (
        "该主体已在此名单中或已提出列入，文书不同，请人工核对。",
        "The subject is on this list, or proposed for it, by another paper; a person has to compare them.",
    ),
    "cannot-seal": (
        "“{name}”不能封存：服务器未配置封存密钥，或号码过长。",
        "“{name}” cannot be sealed: the server has no sealing key, or the number is too long.",
    ),
    "person-not-kept": (
        "自然人的许可不导入法人许可库。",
        "Licences of natural persons are not kept in the register of companies' licences.",
    ),
    "code-not-known": (
        "“{name}”没有对应的统一社会信用代码，请先导入主体登记信息。",
        "No unified code is known for “{name}”; import the register of subjects first.",
    ),
    "code-of-another": (
        "“{name}”已登记为另一主体的旧代码，请人工核对后合并。",
        "“{name}” is registered as the old code of another subject; a person has to compare and merge.",
    ),
    "ends-before": ("“{name}”早于开始日期。", "“{name}” is before the first day."),
    "bad-commitment-code": (
        "“{name}”应为 20 位数字：地区 6 位、日期 8 位、序号 6 位。",
        "“{name}” has 20 digits: region 6, date 8, serial 6.",
    ),
    "not-taken": ("未能采用：{why}", "It was not taken: {why}"),
}


def sentence(kind: ImportKind, template: str, fault: Fault, language: str) -> str:
    """What a fault says; `language` is `zh` or `en` (anything else is read as Chinese)."""
    is_english = language.startswith("en")
    chinese, english = OWN.get(fault.code) or CREDIT[fault.code]
    field = BY_NAME.get(fault.column)
    name = field.english if is_english and field is not None else title_of(kind.templates[template], fault.column)
    return (english if is_english else chinese).format(**{"field": fault.column, **fault.params, "name": name})


def corrected(kind: ImportKind, run: Run, rows: Iterable[Row], language: str) -> Sheet:
    """The refused rows in the columns of their file, with one more that says what is wrong."""
    keep = [index for index, code in enumerate(run.columns) if code]
    headings = tuple(run.headings[index] for index in keep)

    def lines() -> Iterator[tuple[str, ...]]:
        for row in rows:
            told = " ".join(sentence(kind, run.order.template, fault, language) for fault in row.faults)
            yield (*(row.cells[index] for index in keep), told)

    told = (("import", run.import_id), ("template", run.order.template), ("file", run.order.file_name))
    return Sheet(kind.title, (*headings, ERRORS), lines(), told)
