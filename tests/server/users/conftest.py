"""The web application on a fresh database, a clock that a test sets, and a browser that logs in for real."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from trace_server.accounts.model import Role
from trace_server.app import create_app
from trace_server.config import Settings
from trace_server.db import Database
from trace_server.portal.pages import PORTAL
from trace_server.services import EXTENSION
from trace_server.users import operations
from trace_server.users.model import Scope

PASSWORD = "violet harbour sixteen lanterns"
NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@dataclass
class Clock:
    """A clock that a test sets."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class Browser:
    """Fills in forms as they are served: each post carries the token of the page it was on."""

    http: FlaskClient
    clock: Clock
    secrets: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> TestResponse:
        return self.http.get(path, headers={"Accept-Language": "en"})

    def submit(self, page: str, path: str, **values: str) -> TestResponse:
        """Open `page`, take its token, post `values` to `path`."""
        found = _TOKEN.search(self.get(page).text)
        return self.http.post(path, data={**values, "csrf_token": found[1] if found else ""})

    def join(self, code: str, password: str = PASSWORD) -> TestResponse:
        return self.submit("/console/join", "/console/join", code=code, password=password)

    def enrol(self, name: str) -> TestResponse:
        secret = re.search(r'name="secret" value="([A-Z2-7]+)"', self.get("/console/factor").text)
        assert secret is not None
        self.secrets[name] = secret[1]
        return self.submit("/console/factor", "/console/factor", secret=secret[1], code=self.code(name))

    def code(self, name: str) -> str:
        return pyotp.TOTP(self.secrets[name]).at(self.clock.now)

    def log_in(self, name: str, password: str = PASSWORD) -> TestResponse:
        """Both steps, with the next code of the second factor."""
        self.submit("/console/login", "/console/login", name=name, password=password)
        self.clock.advance(31)
        return self.submit("/console/factor", "/console/factor", code=self.code(name))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(database: Database, clock: Clock) -> Iterator[Flask]:
    made = create_app(Settings(code_secret="t" * 32), database)
    made.extensions[EXTENSION] = replace(made.extensions[EXTENSION], clock=clock)
    yield made
    made.extensions[PORTAL].close()


@pytest.fixture
def browser(app: Flask, clock: Clock) -> Browser:
    return Browser(app.test_client(), clock)


@pytest.fixture
def invite(database: Database) -> Callable[..., str]:
    def add(name: str = "inspector-1", role: Role = Role.REGULATOR, scope: Scope | None = None) -> str:
        _, code = operations.add_user(
            database, NOW, "cli:admin", name=name, display_name="检查员甲", role=role, department="示例局",
            scope=scope or Scope(),
        )  # fmt: skip
        return code

    return add
