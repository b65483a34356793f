"""One small city a file of tests: its data, its clients and its people, filled once. SQLite; both databases are
proven where the modules are tested."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click import Command
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient

from tests.server.credit import make as credit
from tests.server.portal import make as trade
from tests.server.users.conftest import Browser, Clock
from trace_core.ids import uscc
from trace_server.accounts import operations as accounts
from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.credit.model import ViolationRecord
from trace_server.db import Database, open_database
from trace_server.lists import operations as lists
from trace_server.lists.model import ListEvent
from trace_server.lists.operations import Proposal
from trace_server.portal.pages import PORTAL
from trace_server.services import EXTENSION, Services
from trace_server.users import operations as users
from trace_server.users.model import Scope

BUREAU = "示例市市场监督管理局"
FARMING = "示例市农业农村局"
FOOD, DEALER = trade.PRODUCER, trade.MARKET


def company(number: int) -> str:
    """A valid code of a company that nothing else mentions."""
    subject = f"MA9{number:05d}"
    first = f"91320900{subject}{uscc.subject_check_character(subject)}"
    return first + uscc.check_character(first)


@dataclass
class City:
    """The web application with its clock, and everybody who uses it."""

    app: Flask
    clock: Clock
    outside: Services
    known: dict[tuple[str, str, str], dict[str, str]] = field(default_factory=dict)

    @property
    def db(self) -> Database:
        return self.outside.db

    @property
    def http(self) -> FlaskClient:
        """A browser or client without a session."""
        return self.app.test_client()

    def bearer(self, role: Role, name: str = "", subject: str = "") -> dict[str, str]:
        """Headers of an API client; an authority's acts for the department it is named after."""
        key = (role.value, name or role.value, subject)
        if key not in self.known:
            _, token = accounts.add_client(
                self.db, self.clock(), "cli:admin", name=key[1] + subject, role=role, subject=subject
            )
            self.known[key] = {"Authorization": f"Bearer {token}"}
        return self.known[key]

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> Any:
        """The JSON of a GET that must be answered."""
        answer = self.http.get(path, query_string=query, headers=headers or self.bearer(Role.CREDIT_OFFICE))
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def post(self, path: str, headers: dict[str, str], expect: int = 200, **body: Any) -> Any:
        """The JSON of a POST that must be answered with `expect`."""
        answer = self.http.post(path, json=body, headers=headers)
        assert answer.status_code == expect, answer.text
        return answer.get_json()

    def person(self, name: str, role: Role, subject: str = "", department: str = BUREAU) -> Browser:
        """Somebody who has logged in for real."""
        _, code = users.add_user(
            self.db, self.clock(), "cli:admin", name=name, display_name=name, role=role, department=department,
            scope=Scope(subject=subject),
        )  # fmt: skip
        found = Browser(self.http, self.clock)
        found.join(code)
        found.enrol(name)
        return found

    def run(self, command: Command, *arguments: str) -> str:
        """What a command of `trace-server` prints."""
        outcome = CliRunner().invoke(command, list(arguments), obj=self.outside, catch_exceptions=False)
        assert outcome.exit_code == 0, outcome.output
        return outcome.output

    def penalty(self, subject: str, number: int, **changes: str) -> ViolationRecord:
        """A published decision against `subject`."""
        return credit.published(self.outside, CF_XDR_SHXYM=subject, CF_WSH=f"示市监罚〔2026〕{number}号", **changes)

    def listed(self, subject: str, list_id: str = "abnormal") -> None:
        """Put `subject` on a list that needs no notice, by two persons."""
        proposal = Proposal(list_id, subject, "未按期公示年度报告", f"示市监列〔2026〕{subject[-5:]}号", BUREAU)
        row = lists.propose(self.outside, "user:one", proposal)
        event, why = ListEvent.LIST, "逾期未改正"
        lists.take_step(self.outside, "user:two", row.membership_id, event, version=row.version, reason=why)

    @contextmanager
    def later(self, days: int) -> Iterator[None]:
        """The same city `days` days on."""
        before = self.clock.now
        self.clock.now = before + timedelta(days=days)
        try:
            yield
        finally:
            self.clock.now = before


@pytest.fixture(scope="module")
def city(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    file = tmp_path_factory.mktemp("city") / "suyuan.sqlite"
    shutil.copy(migrated_sqlite, file)
    database = open_database(f"sqlite:///{file}")
    clock = Clock(trade.NOW)
    settings = Settings(code_secret=trade.SECRET, public_url="http://127.0.0.1", sealed_key="s" * 32)
    app = create_app(settings, database)
    app.extensions[EXTENSION] = replace(app.extensions[EXTENSION], clock=clock)
    trade.load(database)
    trade.capture(database, *trade.whole_way())
    yield City(app, clock, app.extensions[EXTENSION])
    app.extensions[PORTAL].close()
    database.dispose()
