"""Two regulators and an auditor, logged in for real, and one real alert."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.server.detect import make as trade
from tests.server.users.conftest import NOW, Browser, Clock, app, browser, clock, invite
from trace_server.accounts.model import Role
from trace_server.db import Database
from trace_server.users import operations
from trace_server.users.model import Scope

__all__ = ["app", "browser", "clock", "invite"]

BUREAU = "示例市市场监督管理局"


@pytest.fixture
def log_in(app: Flask, clock: Clock, database: Database) -> Callable[..., Browser]:
    def enter(name: str, role: Role = Role.REGULATOR, scope: Scope | None = None, department: str = BUREAU) -> Browser:
        _, code = operations.add_user(
            database, NOW, "cli:admin", name=name, display_name=name, role=role, department=department,
            scope=scope or Scope(),
        )  # fmt: skip
        found = Browser(app.test_client(), clock)
        found.join(code)
        found.enrol(name)
        return found

    return enter


@pytest.fixture
def alert_id(database: Database) -> str:
    sold = {"bizStep": "retail_selling", "disposition": "retail_sold"}
    trade.post(database, trade.at(0, **sold), trade.at(trade.HOUR, **sold))
    trade.follow(database, "D04")
    (found,) = trade.open_alerts(database)
    return found.alert_key.hex()
