"""A dairy with a licence, a batch and a penalty, and a worker that runs when a test says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from tests.server.credit import make as credit
from tests.server.credit.make import NOW, Clock
from tests.server.portal import make as trade
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.credit.model import ViolationRecord
from trace_server.db import Database
from trace_server.jobs import runner
from trace_server.reports import operations
from trace_server.reports.jobs import kinds
from trace_server.reports.model import Asker, Report, Wish
from trace_server.services import EXTENSION, Services

OFFICE = Asker("client:office")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(database: Database, clock: Clock) -> Flask:
    made = create_app(Settings(code_secret="t" * 32, public_url="https://suyuan.example"), database)
    made.extensions[EXTENSION] = replace(made.extensions[EXTENSION], clock=clock)
    return made


@pytest.fixture
def outside(app: Flask) -> Services:
    found: Services = app.extensions[EXTENSION]
    trade.load(found.db)
    return found


@pytest.fixture
def penalty(outside: Services) -> ViolationRecord:
    return published(outside)


def published(outside: Services, **changes: str) -> ViolationRecord:
    return credit.published(outside, CF_XDR_SHXYM=trade.PRODUCER, CF_XDR_MC="示例乳业有限公司", **changes)


def wish(kind: str = "credit", *usccs: str, **more: str) -> Wish:
    return Wish(kind, usccs or (trade.PRODUCER,), more.pop("purpose", "申请政府补贴"), **more)


@pytest.fixture
def issue(outside: Services) -> Callable[..., Report]:
    def made(asked: Wish | None = None, asker: Asker = OFFICE) -> Report:
        row = operations.request(outside, asker, asked or wish())
        runner.run_due(outside, runner.named(kinds))
        return operations.open_report(outside, asker, row.report_no)

    return made


__all__ = ["NOW"]
