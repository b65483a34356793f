"""Builders for credit tests: everything that a test is not about has a default. Parties are invented placeholders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

from trace_server.config import Settings
from trace_server.credit import publication
from trace_server.credit.identity import record_id_of
from trace_server.credit.model import Circumstances, PenaltyDecision, Procedure, Severity, State, ViolationRecord
from trace_server.credit.operations import publish, record_decision
from trace_server.credit.rules import parse_decision
from trace_server.credit.steps import Paper
from trace_server.db import Database
from trace_server.services import Services

SUBJECT = "91320900MA1T000210"
OTHER_SUBJECT = "91320900MA1T00208Y"
AUTHORITY = "11320900MB0000000U"
TODAY = date(2026, 6, 1)
NOW = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
SECRET = "PASSPORT-E7700123"


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


def codes(**changes: object) -> dict[str, object]:
    """A complete decision of the kind most tests need, by official code."""
    decision: dict[str, object] = {
        "CF_XDR_MC": "示例食品有限公司",
        "CF_XDR_LB": "法人及非法人组织",
        "CF_XDR_SHXYM": SUBJECT,
        "CF_FRDB": "示例甲",
        "CF_WSH": "示市监罚〔2026〕1号",
        "CF_WFXW": "经营未按规定检验的食品",
        "CF_SY": "抽查发现一批产品无出厂检验记录。",
        "CF_YJ": "《中华人民共和国食品安全法》第一百二十六条",
        "CF_CFLB": "罚款",
        "CF_NR": "罚款二万元",
        "CF_NR_FK": "2",
        "CF_JDRQ": "2026/05/15",
        "CF_YXQ": "2099/12/31",
        "CF_CFJG": "示例市市场监督管理局",
        "CF_CFJGDM": AUTHORITY,
        "CF_SJLY": "示例市市场监督管理局",
        "CF_SJLYDM": AUTHORITY,
    }
    decision.update(changes)
    return {code: value for code, value in decision.items() if value is not None}


def person_codes(**changes: object) -> dict[str, object]:
    """A decision against a natural person, with an identity document."""
    person: dict[str, object] = {
        "CF_XDR_MC": "示例丙丁",
        "CF_XDR_LB": "自然人",
        "CF_XDR_SHXYM": None,
        "CF_FRDB": None,
        "CF_XDR_ZJLX": "护照",
        "CF_XDR_ZJHM": SECRET,
        "CF_WSH": "示市监罚〔2026〕77号",
        "CF_SY": "示例丙丁在市场销售无标签产品。",
    }
    return codes(**{**person, **changes})


def decision(today: date = TODAY, **changes: object) -> PenaltyDecision:
    return parse_decision(codes(**changes), today=today)


def services_on(database: Database, clock: Clock | None = None) -> Services:
    return Services(database, Settings(code_secret="t" * 32), clock or Clock())


def recorded(services: Services, *, category: str = "food", **changes: object) -> ViolationRecord:
    today = services.clock().date()
    return record_decision(services, decision(today, **changes), Circumstances(category), actor="clerk").record


def published(services: Services, *, category: str = "food", **changes: object) -> ViolationRecord:
    record = recorded(services, category=category, **changes)
    return checked_and_published(services, record.record_id)


def checked_and_published(services: Services, record_id: str) -> ViolationRecord:
    """The newest version checked for secrets by one person and published by another."""
    record, _ = publication.read(services, record_id)
    publication.review(services, record_id, "head of office", "无秘密", version=record.version)
    return publish(services, record_id, Paper("clerk"))


def paper(reason: str = "court ruling", document: str | None = "示复决〔2026〕3号") -> Paper:
    return Paper("clerk", reason, document)


def first_version(number: str) -> ViolationRecord:
    """A confirmed record as `record_decision` would store it, for tests that hold the transaction themselves."""
    made = decision(CF_WSH=number)
    return ViolationRecord(
        record_id=record_id_of(made.decision_no, made.authority_code),
        version=1,
        state=State.CONFIRMED,
        decision=made,
        category="food",
        procedure=Procedure.ORDINARY,
        severity=Severity.GENERAL,
        regime="ndrc-36",
        policy_version="1",
        public=True,
        window_min_end=date(2026, 8, 15),
        window_max_end=date(2027, 5, 15),
        batches=(),
        evidence_ref=None,
        recorded_by="clerk",
        effective_at=NOW,
    )
