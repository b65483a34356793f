"""The sets of open data: which columns each has, and its rows on a day. Nothing of a person is in any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from trace_server.credit.coding import UNDER_OBJECTION, open_codes
from trace_server.credit.fields import OPEN
from trace_server.credit.steps import law_day
from trace_server.credit.store import shown
from trace_server.db import Connection
from trace_server.lists import rules as list_rules
from trace_server.publicity import rules, store
from trace_server.recall import store as recalls
from trace_server.recall.announced import is_closed
from trace_server.workdays.operations import calendar

Row = tuple[str, ...]
_PAGE = 500


def _(text: str) -> str:
    """Marks a text for the catalog."""
    return text


@dataclass(frozen=True, slots=True)
class Column:
    """Name as in the files, and what it says."""

    name: str
    says: str
    is_official: bool = False
    """A field of the 双公示 standard: `says` is its official name, which is not translated but accompanied."""
    english: str = ""


@dataclass(frozen=True, slots=True)
class Dataset:
    """`rows(conn, today)` gives texts in the order of `columns`."""

    name: str
    title: str
    what: str
    columns: tuple[Column, ...]
    rows: Callable[[Connection, date], Iterator[Row]]


_HIDDEN = frozenset({"CF_FRDB", "BZ"})
_OPEN = tuple(field for field in OPEN if field.code not in _HIDDEN)


def _penalties(conn: Connection, today: date) -> Iterator[Row]:
    days = calendar(conn)
    for one in shown.every_decision(conn, today):
        made = rules.decision(days, one)
        record = made.record
        codes = open_codes(record.decision)
        yield (
            record.record_id,
            *(codes.get(field.code, "") for field in _OPEN),
            record.category,
            record.severity.value,
            record.region(),
            made.published_on.isoformat() if made.published_on else "",
            made.due_on.isoformat(),
            made.timing.value,
            record.window_max_end.isoformat(),
            UNDER_OBJECTION if record.objection else "",
        )


def _withdrawals(conn: Connection, today: date) -> Iterator[Row]:
    after = None
    while page := shown.withdrawn(conn, today, after=after, limit=_PAGE):
        for one in page:
            gone = rules.withdrawal(one.record)
            day = law_day(gone.withdrawn_at).isoformat()
            yield gone.record_id, gone.decision_no, gone.authority_name, day, gone.reason, gone.document
        after = (page[-1].record.decision.decided_on, page[-1].record.record_id)


def _lists(conn: Connection, today: date) -> Iterator[Row]:
    for kind in list_rules.kinds().values():
        after = None
        while page := store.entries(conn, kind.id, today, after=after, limit=_PAGE):
            for row, name in page:
                yield (
                    row.membership_id,
                    kind.title,
                    "official" if kind.is_official else "industry",
                    row.uscc,
                    name,
                    rules.without_numbers(row.reason),
                    row.legal_basis,
                    row.document_no,
                    row.issuer,
                    row.listed_on.isoformat() if row.listed_on else "",
                    row.until.isoformat() if row.until else "",
                    UNDER_OBJECTION if row.objection else "",
                )
            last = page[-1][0]
            after = (last.listed_on or today, last.membership_id)


def _recalls(conn: Connection, today: date) -> Iterator[Row]:  # noqa: ARG001 – a recall stays for good
    after = None
    while page := recalls.announced(conn, after=after, limit=_PAGE):
        for row in page:
            said, at = row.notice, row.announced_at or row.created_at
            batches = "; ".join(f"(01){gtin}(10){lot}" for gtin, lot in row.scope.batches)
            state = "closed" if is_closed(row) else "open"
            yield (
                row.recall_id, said.notice_no, state, str(row.level), row.category, law_day(at).isoformat(),
                said.authority, batches, said.reason, said.action, said.return_to, said.phone,
            )  # fmt: skip
        last = page[-1]
        after = (last.announced_at or last.created_at, last.recall_id)


def _licences(conn: Connection, today: date) -> Iterator[Row]:  # noqa: ARG001 – the register as it stands
    for row, holder in store.licences(conn):
        yield (
            row.uscc, holder, row.number, row.title, row.authority, row.valid_from.isoformat(),
            row.valid_to.isoformat(), row.state.value, row.source, row.as_of.isoformat(),
        )  # fmt: skip


_UNDER = Column("objection", _("正在处理异议时写“异议处理中”，否则为空"))
_CATEGORY = Column("category", _("产品类别：food、drug、special_equipment、agricultural、consumer、gi"))

DATASETS: Mapping[str, Dataset] = {
    one.name: one
    for one in (
        Dataset(
            "penalties",
            _("行政处罚"),
            _("正在公示期内的行政处罚决定，自然人姓名已遮蔽，不含法定代表人和证件号码。"),
            (
                Column("record_id", _("本平台的记录编号，更正后不变")),
                *(Column(field.code, field.chinese, True, field.english) for field in _OPEN),
                _CATEGORY,
                Column("severity", _("失信程度：minor 轻微、general 一般、serious 严重")),
                Column("region", _("登记地或处罚机关的行政区划代码，六位")),
                Column("published_on", _("首次公示日期")),
                Column("due_on", _("应当公示的最后一天")),
                Column("timing", _("on_time 按时公示，late 逾期公示")),
                Column("shown_until", _("最长公示至")),
                _UNDER,
            ),
            _penalties,
        ),
        Dataset(
            "withdrawals",
            _("已撤销的行政处罚决定"),
            _("曾经公示、后被变更、撤销或确认无效的决定，只有文号和原因，供使用数据的单位同步删除。"),
            (
                Column("record_id", _("本平台的记录编号，更正后不变")),
                Column("decision_no", _("决定书文号")),
                Column("authority", _("处罚机关")),
                Column("withdrawn_on", _("撤销日期")),
                Column("reason", _("撤销原因")),
                Column("document", _("依据文书")),
            ),
            _withdrawals,
        ),
        Dataset(
            "lists",
            _("名单"),
            _("严重违法失信名单、经营异常名录、诚信典型红名单和行业名单上现有的主体；行业名单由行业组织认定。"),
            (
                Column("entry_id", _("名单条目编号")),
                Column("list", _("名单名称")),
                Column("kind", _("official 官方名单，industry 行业名单")),
                Column("uscc", _("统一社会信用代码")),
                Column("name", _("登记名称")),
                Column("reason", _("列入事由")),
                Column("legal_basis", _("列入依据")),
                Column("document_no", _("文书文号")),
                Column("issuer", _("认定单位")),
                Column("listed_on", _("列入日期")),
                Column("until", _("期限届满日，没有固定期限时为空")),
                _UNDER,
            ),
            _lists,
        ),
        Dataset(
            "recalls",
            _("召回"),
            _("已经公告的全部召回，包括已经完成的。"),
            (
                Column("recall_id", _("召回编号")),
                Column("notice_no", _("公告文号")),
                Column("state", _("open 进行中，closed 已完成")),
                Column("level", _("召回级别，1 最重")),
                _CATEGORY,
                Column("announced_on", _("公告日期")),
                Column("authority", _("发布单位")),
                Column("batches", _("最初召回的批次：(01) 产品编码 (10) 批号")),
                Column("reason", _("召回原因")),
                Column("action", _("消费者怎么办")),
                Column("return_to", _("退到哪里")),
                Column("phone", _("联系电话")),
            ),
            _recalls,
        ),
        Dataset(
            "licences",
            _("行政许可"),
            _("本平台登记的企业和个体工商户的许可证及其状态。"),
            (
                Column("uscc", _("统一社会信用代码")),
                Column("name", _("登记名称")),
                Column("number", _("许可证编号")),
                Column("title", _("许可证名称")),
                Column("authority", _("许可机关")),
                Column("valid_from", _("有效期自")),
                Column("valid_to", _("有效期至")),
                Column("state", _("valid 有效、suspended 暂停、revoked 撤销或吊销、cancelled 注销")),
                Column("source", _("来源单位")),
                Column("as_of", _("数据日期")),
            ),
            _licences,
        ),
    )
}
"""Name → set; the name is in the address of its files."""
