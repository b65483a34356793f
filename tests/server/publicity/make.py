"""Something in every public list, made through the doors that make it in life. Parties are invented placeholders."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from tests.server.credit import make as credit
from trace_server.catalog import store as catalog
from trace_server.catalog.model import Licence, LicenceState, Subject, SubjectKind, SubjectStatus
from trace_server.credit.model import Circumstances
from trace_server.credit.operations import record_decision, withdraw
from trace_server.credit.rules import parse_decision
from trace_server.credit.steps import law_day
from trace_server.lists import rules as list_rules
from trace_server.lists import store as lists
from trace_server.lists.model import ListState, Membership
from trace_server.recall import operations as recalls
from trace_server.recall import store as recall_store
from trace_server.recall.model import Notice, Recall, RecallState, Scope
from trace_server.services import Services

GTIN = "06901234567892"
LATE_AUTHORITY = "11320902MB0000001U"


@dataclass(frozen=True)
class Public:
    """Ids of what `fill` made."""

    on_time: str
    late: str
    person: str
    gone: str
    entry: str
    industry_entry: str
    open_recall: str
    closed_recall: str


def day_text(day: date) -> str:
    return f"{day.year:04}/{day.month:02}/{day.day:02}"


def decided(services: Services, days_ago: int, number: str, *, shown: bool = True, **changes: object) -> str:
    """A decision of so many days ago, published now unless it still waits; its record id."""
    today = law_day(services.clock())
    fields: dict[str, object] = {"CF_WSH": number, "CF_JDRQ": day_text(today - timedelta(days=days_ago)), **changes}
    record = record_decision(services, parse_decision(credit.codes(**fields), today=today), Circumstances("food"),
                             actor="clerk").record  # fmt: skip
    if shown:
        credit.checked_and_published(services, record.record_id)
    return record.record_id


def person(services: Services, number: str = "示公监罚〔2026〕77号", **changes: object) -> str:
    """A published decision against a natural person."""
    today = law_day(services.clock())
    fields = credit.person_codes(CF_WSH=number, CF_JDRQ=day_text(today - timedelta(days=3)), **changes)
    record = record_decision(services, parse_decision(fields, today=today), Circumstances("food"), actor="c").record
    credit.checked_and_published(services, record.record_id)
    return record.record_id


def member(services: Services, list_id: str, number: int, *, days_ago: int = 30, reason: str = "情节严重") -> str:
    """A subject on a list; returns the entry's id."""
    kind, today = list_rules.kind(list_id), law_day(services.clock())
    since = today - timedelta(days=days_ago)
    until = list_rules.add_months(since, kind.end_months) if kind.end_months else None
    row = Membership(
        f"list-{list_id}-{number:05}", list_id, credit.SUBJECT, reason, kind.legal_basis, f"示列〔2026〕{number}号",
        "示例市市场监督管理局", ListState.LISTED, "user:one", None, None, since, until, None, "", 3, "",
    )  # fmt: skip
    with services.db.begin() as conn:
        lists.add(conn, row)
    return row.membership_id


def recall(services: Services, number: int, *, closed: bool = False) -> Recall:
    """An announced recall of one batch."""
    notice = Notice(f"示例召〔2026〕{number}号", "示例市市场监督管理局", "菌落总数超标", "停止食用，凭包装退货",
                    "原购买门店", "0515-12315", "Too many bacteria", "Stop eating it and return it",
                    "The shop")  # fmt: skip
    made = recalls.create(services.db, services.clock(), "one", category="food", level=1,
                          scope=Scope(batches=((GTIN, f"R{number}"),)), notice=notice)  # fmt: skip
    made = recalls.announce(services.db, services.clock(), "two", made.recall_id, "检验报告")
    if closed:
        made = replace(made, state=RecallState.CLOSED)
        with services.db.begin() as conn:
            recall_store.save(conn, made)
    return made


def register(services: Services) -> None:
    """The subject with a licence."""
    today = law_day(services.clock())
    subject = Subject(credit.SUBJECT, "示例食品有限公司", "Example Foods Co., Ltd.", SubjectKind.LEGAL_PERSON,
                      credit.SUBJECT[2:8], SubjectStatus.ACTIVE, "示例市市场监督管理局", today)  # fmt: skip
    licence = Licence(credit.SUBJECT, "SC10632090200001", "食品生产许可证", "Food production licence",
                      "示例市市场监督管理局", today, today + timedelta(days=900), LicenceState.VALID,
                      "示例市市场监督管理局", today)  # fmt: skip
    with services.db.begin() as conn:
        catalog.save_subjects(conn, services.db.dialect, [subject])
        catalog.save_licences(conn, services.db.dialect, [licence])


def fill(services: Services) -> Public:
    """One of each."""
    register(services)
    late: dict[str, Any] = {"CF_CFJG": "示例区市场监督管理局", "CF_CFJGDM": LATE_AUTHORITY}
    decided(services, 2, "示公监罚〔2026〕303号", shown=False)
    decided(services, 40, "示区公罚〔2026〕304号", shown=False, **late)
    gone = decided(services, 5, "示公监罚〔2026〕305号")
    withdraw(services, gone, credit.paper("行政复议决定撤销"))
    return Public(
        on_time=decided(services, 4, "示公监罚〔2026〕301号"),
        late=decided(services, 30, "示区公罚〔2026〕302号", **late),
        person=person(services),
        gone=gone,
        entry=member(services, "serious", 1),
        industry_entry=member(services, "industry_black", 2),
        open_recall=recall(services, 501).recall_id,
        closed_recall=recall(services, 502, closed=True).recall_id,
    )
