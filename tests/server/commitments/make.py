"""Builders for tests of commitments."""

from __future__ import annotations

from datetime import date
from typing import Any

from tests.server.credit.make import AUTHORITY, SUBJECT
from trace_server.commitments import operations
from trace_server.commitments.model import Commitment, CommitmentEvent, Finding, Promise, Publicity
from trace_server.commitments.operations import Step
from trace_server.services import Services

ONE, TWO = "user:one", "user:two"
PERSON_NUMBER = "320902199001010011"


def promise(**changes: Any) -> Promise:
    values: dict[str, Any] = {
        "subject_name": "示例食品有限公司",
        "subject_kind": "法人及非法人组织",
        "subject_code": SUBJECT,
        "type": "主动型",
        "cause": "申请食品经营许可延续",
        "content": "每批产品留存出厂检验记录",
        "liability": "承担违诺责任并接受公示",
        "made_on": date(2026, 6, 1),
        "valid_until": date(2027, 5, 31),
        "acceptor_name": "示例市市场监督管理局",
        "acceptor_code": AUTHORITY,
        "publicity": Publicity.OPEN,
    }
    return Promise(**{**values, **changes})


def signed(services: Services, **changes: Any) -> Commitment:
    return operations.sign(services, "client:firm", promise(**changes), owner=None)


def act(services: Services, row: Commitment, *events: CommitmentEvent, actor: str = ONE) -> Commitment:
    """Take steps one after the other; a breach has its words and its paper."""
    for event in events:
        finding = Finding(unfulfilled="两批未留存记录", pursued="责令改正，记入信用档案")
        row = operations.take_step(
            services, actor, row.code, Step(event, row.version, "核查情况", "示承认〔2026〕1号", finding)
        )
    return row


def in_force(services: Services, **changes: Any) -> Commitment:
    return act(services, signed(services, **changes), CommitmentEvent.PUBLISH, CommitmentEvent.ENTER)


def breached(services: Services, **changes: Any) -> Commitment:
    row = act(services, in_force(services, **changes), CommitmentEvent.FIND_UNFULFILLED)
    return act(services, row, CommitmentEvent.RECORD_BREACH, actor=TWO)
